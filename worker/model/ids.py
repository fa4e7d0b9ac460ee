"""How articles and stories are named, inside and outside.

Invariant: a name is made of what it stands for alone, so every process makes the same one.
"""

from functools import lru_cache
from hashlib import blake2b


@lru_cache(maxsize=100_000)
def uid(article_id: str) -> bytes:
    """8 bytes that stand for an article id in keys and records (BLAKE2b)."""
    return blake2b(article_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()


_DIGITS = "0123456789abcdefghijkmnpqrstuvwxyz"


def story_id(lang: str, number: int) -> str:
    """The public id of a story, for example `en-7f3k`: the language names its shard."""
    digits = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return f"{lang}-{digits or '0'}"


def parse_story_id(text: str) -> tuple[str, int] | None:
    """The language and number of a public story id, or None where it is none."""
    lang, dash, digits = text.rpartition("-")
    if not dash or not lang or not digits or len(digits) > 10 or any(d not in _DIGITS for d in digits):
        return None
    number = 0
    for digit in digits:
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return lang, number

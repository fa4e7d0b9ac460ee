"""The figures of a text: which numbers it tells, in a form in which two reports of one event agree.

Invariant: static, like the fingerprints: a function of the words alone. What rounding and style change is evened out
(`5,123.41` is `5,123`, `1.20` is `1.2`, `12th` is `12`); a number counts by how much it says.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

FIGURES = 32
"""Distinct numbers of a text that are kept, from its top."""
_BYTES = 4
_SAYS = (0.25, 0.5, 1.0)
"""Years and round numbers turn up anywhere; of two digits there are few; the rest is of one event."""
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_YEARS = range(1900, 2100)
_ROUNDED_FROM = 100.0


def figures(words: Iterable[str]) -> bytes:
    """Up to FIGURES distinct numbers of a text's tokens, 4 bytes each: a hash, and in its lowest two bits the place in
    `_SAYS`; empty for none."""
    found: dict[bytes, None] = {}
    for word in words:
        if word[0].isdecimal():
            found[_figure(word)] = None
            if len(found) == FIGURES:
                break
    return b"".join(found)


def agreement(a: bytes, b: bytes) -> tuple[float, float]:
    """(the share of the figures of the text that has fewer which the other has too, how much those figures say).

    The share is 0 to 1, by what each figure says; what they say is the sum of it: 2 and more is evidence.
    """
    left, right = _known(a), _known(b)
    least = min(_says(left), _says(right))
    return (_says(left & right) / least if least else 0.0), least


def _says(known: frozenset[bytes]) -> float:
    return sum(_SAYS[each[0] & 3] for each in known)


@lru_cache(maxsize=20_000)
def _known(packed: bytes) -> frozenset[bytes]:
    return frozenset(packed[at : at + _BYTES] for at in range(0, len(packed), _BYTES))


@lru_cache(maxsize=50_000)
def _figure(word: str) -> bytes:
    found = _NUMBER.match(word)
    digits = found[0] if found else word
    value = float(digits) if found else 0.0
    if value >= _ROUNDED_FROM or "." not in digits:
        name = str(int(value))
        year_or_round = int(value) in _YEARS or len(name.rstrip("0")) <= 1
        says = 0 if year_or_round else min(2, len(name) - 1)
    else:
        name, says = f"{value:.1f}", 2
    packed = int.from_bytes(blake2b(name.encode(), digest_size=_BYTES).digest(), "little")
    return (packed & ~3 | says).to_bytes(_BYTES, "little")

"""The words of a plain text: what fingerprints, vocabularies and searches are made of.

Invariant: the same text gives the same words on every machine; a text spelt with other apostrophes, in another case or,
in Serbian, in the other alphabet has the same ones.
"""

import re
from functools import lru_cache
from itertools import filterfalse

from worker.joiners import unjoined
from worker.scripts import MARKS, is_foreign, respell

_WORD = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+(?:'[^\W\d_]+)*")
_MARKED_WORD = re.compile(rf"\d+(?:[.,]\d+)+|\w[\w{MARKS}]*(?:'\w[\w{MARKS}]*)*")
_LATIN = "a b v g d đ e ž z i j k l lj m n nj o p r s t ć u f h c č dž š"
_SERBIAN = dict(zip(map(ord, "абвгдђежзијклљмнњопрстћуфхцчџш"), _LATIN.split(), strict=True))
_DOTTED_I = str.maketrans("İI", "iı")
_SPELT = re.compile(r"[^\W\d_]{2,}")
_APOSTROPHES = "’ʼ＇`´"
_SIGNS = "“”„«»‘–—…•\u00a0"
"""Good typography between words: but for it most English is ASCII."""
_ASCII = str.maketrans({c: " " for c in map(chr, range(128)) if not (c.isalnum() or c in ".,'")} | {"`": "'"})
_LETTERS = str.maketrans({c: " " for c in map(chr, range(128)) if not c.isalpha()})
_SINGLE = set("abcdefghijklmnopqrstuvwxyzı")
_ELISION = re.compile(r"(?:[^\W\d_]{1,2}|qu)'(?=\w{3})")
_MAX_TOKEN = 30


def tokens(text: str, lang: str = "") -> list[str]:
    """The words of a clean text, in order: case-folded words, numbers without separators.

    Where a script puts no spaces between words: those of the language's list, or overlapping pieces (scripts.py).
    Possessive endings and elided articles (`l'`, `d'`) are left out, and so is punctuation; a word has at most 30
    characters.
    """
    text = _fold(_plain_signs(text), lang)  # folding ASCII takes a tenth of the time
    if not text.isascii():
        text = _plain_signs(text)  # folding makes an apostrophe of ŉ
    if text.isascii():
        return _ascii_tokens(text)
    words: list[str] = _MARKED_WORD.findall(respell(text, lang)) if is_foreign(text) else _WORD.findall(text)
    plain = {word: _plain(word) for word in set(words) if len(word) > _MAX_TOKEN or not word.isalnum()}
    return [plain.get(word, word) for word in words] if plain else words


def names(text: str, lang: str = "") -> set[str]:
    """The words of a clean text, as tokens, that are never written in lower case there: names, mostly.

    The first word of a sentence counts until the same word stands within one; scripts without case have none.
    """
    spelt = _spelt(text)
    capital = {word for word in spelt if word[0].isupper()}
    if not capital:
        return capital
    return set(_fold(" ".join(capital), lang).split()) - _folded(spelt - capital, lang) - _SINGLE


def _spelt(text: str) -> set[str]:
    """The distinct words, as they are spelled, and maybe single letters."""
    if not text.isascii():
        text = unjoined(text)
        for sign in f"’{_SIGNS}":
            text = text.replace(sign, " ")
    if text.isascii():  # splitting at spaces takes a quarter of the expression's time
        return set(text.translate(_LETTERS).split())
    return set(_SPELT.findall(text))


def _folded(words: set[str], lang: str) -> set[str]:
    """The words without case; they are so already in most texts."""
    joined = " ".join(words)
    folded = _fold(joined, lang)
    return words if folded == joined else set(folded.split())


def _plain_signs(text: str) -> str:
    if not text.isascii():
        text = unjoined(text)
        for apostrophe in _APOSTROPHES:
            text = text.replace(apostrophe, "'")
        for sign in _SIGNS:
            text = text.replace(sign, " ")
    return text


def _fold(text: str, lang: str) -> str:
    """Without case, as the language has it; Serbian in one of its alphabets, Russian without the dots on its ё."""
    if lang in ("tr", "az"):
        text = text.translate(_DOTTED_I)
    text = text.casefold()
    if lang == "ru":
        return text.replace("ё", "е")
    return text.translate(_SERBIAN) if lang in ("sr", "bs") else text


def _ascii_tokens(text: str) -> list[str]:
    """The same for a case-folded ASCII text: split at spaces first, which takes a third of the expression's time."""
    chunks = text.translate(_ASCII).replace(". ", " ").replace(", ", " ").split()
    distinct = set(chunks)
    odd = {chunk: _inside(chunk) for chunk in filterfalse(str.isalnum, distinct)}
    if max(map(len, distinct), default=0) > _MAX_TOKEN:
        odd |= {chunk: _inside(chunk) for chunk in distinct if len(chunk) > _MAX_TOKEN}
    if not odd:
        return chunks
    words: list[str] = []
    for chunk in chunks:
        if chunk in odd:
            words += odd[chunk]
        else:
            words.append(chunk)
    return words


def _inside(chunk: str) -> tuple[str, ...]:
    """The words in what stands between two spaces; the short ones come again and again (`don't`, `u.s`, `2.5`)."""
    return _inside_short(chunk) if len(chunk) <= _MAX_TOKEN else tuple(map(_plain, _WORD.findall(chunk)))


@lru_cache(maxsize=20_000)
def _inside_short(chunk: str) -> tuple[str, ...]:
    return tuple(map(_plain, _WORD.findall(chunk)))


def _plain(word: str) -> str:
    word = _ELISION.sub("", word).removesuffix("'s")
    return (word.replace(",", "") if word[0].isdecimal() else word)[:_MAX_TOKEN]

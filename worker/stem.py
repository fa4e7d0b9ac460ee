"""What the forms of a word have in common: the term that stands for all of them in a comparison.

Invariant: pure and static: PyStemmer 3.1, wordfreq 3.1 and this module decide, never other articles.
"""

from functools import cache
from typing import Any

from worker.lexicon import frequencies
from worker.model import UNDETERMINED

_ALGORITHMS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "es": "spanish",
    "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi",
    "hr": "serbian", "bs": "serbian", "sr": "serbian", "hu": "hungarian", "hy": "armenian", "id": "indonesian",
    "it": "italian", "lt": "lithuanian", "ms": "indonesian", "ne": "nepali", "nl": "dutch", "no": "norwegian",
    "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish", "ta": "tamil",
    "tr": "turkish",
}  # fmt: skip
"""Languages that Snowball (Porter 2001) has a stemmer for. English has one too, but there stems brought nothing."""
_UNSTEMMED = ("en", "ja", "km", "ko", "lo", "my", "th", "vi", "zh")
_LETTERS = 6
_LETTERS_BY_LANGUAGE = {UNDETERMINED: 7, **dict.fromkeys("az be bg ka kk ku ky lv mk sk sl sq uk uz".split(), 5)}
"""Letters that are kept of a stem (McNamee and Mayfield 2004): fewer where endings are many and no stemmer takes them
off, more where the language may be English."""
_PARTICLES = "והבלכמש"
"""Hebrew writes and, the, in, to, as, from and that together with the next word."""


def is_stemmed(lang: str) -> bool:
    """Whether words and terms differ in this language."""
    return lang not in _UNSTEMMED


def stem(word: str, lang: str) -> str:
    """The term that stands for a word of a language, case-folded; a number stands for itself."""
    if word[0].isdecimal() or lang in _UNSTEMMED:
        return word
    if lang in _ALGORITHMS:
        word = _stemmer(lang).stemWord(word) or word
    elif lang == "he":
        word = _without_particles(word)
    return word[: _LETTERS_BY_LANGUAGE.get(lang, _LETTERS)]


def _without_particles(word: str) -> str:
    """The word without up to two particles before it, where what remains is the commoner word."""
    known = frequencies("he")
    for _ in range(2):
        rest = word[1:]
        if word[0] in _PARTICLES and len(rest) >= 3 and (known.get(rest) or 0.0) > (known.get(word) or 0.0):
            word = rest
    return word


@cache
def _stemmer(lang: str) -> Any:
    from Stemmer import Stemmer  # noqa: PLC0415 (only where needed)

    return Stemmer(_ALGORITHMS[lang], 0)

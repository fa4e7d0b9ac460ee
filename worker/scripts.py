"""Spelling and spaces of scripts other than Latin, Greek and Cyrillic: what one outlet writes as another does.

Invariant: pure and deterministic; what this module changes is seen by comparisons alone, never by readers.
"""

import re
import unicodedata

from worker.lexicon import SEGMENTED, segment, simplified

GRAM = 4
"""Characters of the overlapping pieces that stand for words in Thai, Lao, Khmer and Myanmar, which need a dictionary:
three merge strangers (cosines of .05), six miss reports of one event."""

_FOREIGN = re.compile("[\u0300-\u036f\u0530-\u1dff\u2c00-\ufeff\U00010000-\U0010ffff]")
_POINTS = re.compile(
    "[\u0307\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc]"
)
"""Vowel points and the line that only lengthens a word in Arabic and Hebrew, and a dot over an i: rarely written."""
_DENSE = ("km", "lo", "my", "th")
_DIGIT = re.compile(r"(?![0-9])\d")
_PERSIAN = str.maketrans("يىكة", "ییکه")
"""Letters of an Arabic keyboard in Persian and Urdu."""

_HAN = "\u3005\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_HIRAGANA = "\u3041-\u309f"
_KATAKANA = "\u30a1-\u30fa\u30fc-\u30ff"
_HANGUL = "\uac00-\ud7a3"
_SOUTH_EAST = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_UNSPACED = re.compile(
    f"[{_HAN}{_HIRAGANA}{_KATAKANA}{_SOUTH_EAST}\u2e80-\u2fdf\u3105-\u312f\u31a0-\u31ff\ua000-\ua4cf\uf900-\ufaff]"
)
"""Letters of scripts that put no spaces between words: also parts of Han, Bopomofo, and Yi. Not Hangul, which has."""
_RUN = re.compile(f"[{_HAN}{_HIRAGANA}{_HANGUL}]{{1,100}}|[{_KATAKANA}]+|[{_SOUTH_EAST}]+")
"""A hundred characters at most: a longer run is no sentence."""

_OWN = {
    lang: re.compile(f"[{characters}]")
    for lang, characters in {
        "bn": "\u0985-\u09b9", "el": "\u0370-\u03ff\u1f00-\u1fff", "gu": "\u0a85-\u0ab9", "he": "\u05d0-\u05ea",
        "hy": "\u0531-\u0587", "ka": "\u10d0-\u10ff", "km": "\u1780-\u17b3", "kn": "\u0c85-\u0cb9", "ko": _HANGUL,
        "lo": "\u0e81-\u0eae", "ml": "\u0d05-\u0d39", "my": "\u1000-\u102a", "or": "\u0b05-\u0b39",
        "pa": "\u0a05-\u0a39", "si": "\u0d85-\u0dc6", "ta": "\u0b85-\u0bb9", "te": "\u0c05-\u0c39",
        "th": "\u0e01-\u0e2e",
    }.items()
}  # fmt: skip
"""Letters of the scripts that tell a language. Not Arabic, Cyrillic, Devanagari and Ethiopic, which several share."""
_KANA = re.compile(f"[{_HIRAGANA}{_KATAKANA}]")
_IDEOGRAPH = re.compile(f"[{_HAN}]")
_MIN_LETTERS = 3

MARKS = "".join(
    chr(c) for c in (*range(0x300, 0x1E00), *range(0xA800, 0xAC00)) if unicodedata.category(chr(c)) in ("Mn", "Mc")
)
"""Vowel signs and the like, which belong to the word that they stand in."""


def tokens_a_word(lang: str) -> int:
    """How many tokens stand for a word of this language: the pieces overlap, so every character begins one."""
    return GRAM if lang in _DENSE else 1


def is_foreign(text: str) -> bool:
    """Whether the text has characters that this module is about: most European languages have none."""
    return _FOREIGN.search(text) is not None


def is_unspaced(text: str) -> bool:
    """Whether any of the text is written without spaces between words: what is looked for may stand anywhere then."""
    return _UNSPACED.search(text) is not None


def respell(text: str, lang: str) -> str:
    """A case-folded text with one spelling of digits, points and characters, and a space between words."""
    text = _POINTS.sub("", text).replace("٫", ".").replace("٬", ",").replace("_", " ")
    text = _DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text)
    if lang in ("fa", "ur", "ps", "ku"):
        text = text.translate(_PERSIAN)
    elif lang == "zh":
        text = text.translate(simplified())
    return _RUN.sub(lambda run: f" {' '.join(_words(run[0], lang))} ", text)


def language_of(text: str) -> str:
    """The language of a text in a script that only one language writes news in; "" for any other.

    Half of the letters have to be of that script, so that a name in it decides nothing. Of Japanese a tenth is kana:
    in Chinese a shop's name may have one.
    """
    letters = sum(map(str.isalpha, text))
    counts = {lang: len(pattern.findall(text)) for lang, pattern in _OWN.items()}
    kana = len(_KANA.findall(text))
    counts["ja"] = kana + len(_IDEOGRAPH.findall(text)) if kana else 0
    lang = max(counts, key=counts.__getitem__)
    if counts[lang] < _MIN_LETTERS or 2 * counts[lang] < letters or (lang == "ja" and 10 * kana < counts[lang]):
        return ""
    return lang


def _words(run: str, lang: str) -> tuple[str, ...] | list[str]:
    """The words of a run of one kind of characters, or overlapping pieces where they cannot be told."""
    if "\u30a1" <= run[0] <= "\u30ff":
        return [run]
    if "\u0e00" <= run[0] <= "\u17ff":
        return _pieces(run, GRAM)
    if lang in SEGMENTED:
        return segment(run, lang)
    return [run] if run[0] >= "\uac00" and run[0] <= "\ud7a3" else _pieces(run, 2)


def _pieces(run: str, length: int) -> list[str]:
    return [run[i : i + length] for i in range(max(1, len(run) - length + 1))]

"""From what publishers send to words: markup to plain text, its language, its tokens.

Invariant: pure and deterministic; the same text gives the same words on every machine and in every process.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import filterfalse
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from worker.escapes import unescaped
from worker.joiners import first, spelt, unjoined
from worker.model import UNDETERMINED
from worker.scripts import MARKS, is_foreign, language_of, respell

MAX_CHARACTERS = 200_000
"""A longer text is cut: fingerprints look at the first 400 words, sketches at the whole."""

_OPENING = re.compile(r"<[a-zA-Z/!?]")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,31});")
_BLOCKS = "p|div|br|li|ul|ol|h[1-6]|tr|td|th|table|blockquote|section|article|figcaption"
_BLOCK = re.compile(rf"<(?=/?(?:{_BLOCKS})\b)", re.IGNORECASE)
_MAX_TAGS = 20_000
"""The parser takes the square of the time for elements within each other."""
_MAX_ATTRIBUTES = 20_000
"""Characters of markup in which attributes stay: of 80,000 on one element the parser compares each with all others, and
takes 50 s. In so few characters it takes 0.1 s."""
_TAG_OR_OPAQUE = re.compile(
    r"""<!--.*?(?:-->|\Z)
    |   <(?P<raw>script|style|iframe|xmp|noembed|noframes)\b.*?(?=</(?P=raw)\b|\Z)
    |   <[!?][^>]*+(?:>|\Z)
    |   (?P<name></?[a-z][^\s/>]*+)  (?: =\s*+"[^"]*+(?:"|\Z) | =\s*+'[^']*+(?:'|\Z) | [^>] )*+  (?:>|\Z)""",
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
"""A comment, a script, a declaration, or a tag. Whatever it begins to match it matches, to the end of the text if need
be, and never goes back: it takes the time of the text's length alone."""
_MAX_MARKS = 30
_STACKED = re.compile(r"[^\w\s\x00-\x7f]{31,}")
"""Maybe marks on one letter: normalising sorts them, in the square of the time."""
_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069"
    r"\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff]"
)
_NOTHING = " \u115f\u1160\u2800\u3164\uffa0"
"""Letters and signs that show nothing: a headline of these alone could be neither seen nor clicked."""
_RARE_SPACE = "\u1680\u2028\u2029"
"""What NFKC leaves of the signs that are space, beside the space itself."""

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


def clean(markup: str) -> str:
    """Plain text of an HTML fragment or of plain text: entities resolved, NFKC, no control, bidi or joining characters.

    Paragraphs and line breaks become line ends. Scripts, styles and comments are left out. Text without markup passes
    through as it is. At most MAX_CHARACTERS.
    """
    return _spaced(unjoined(_visible(markup)))[:MAX_CHARACTERS]


def headline(markup: str, characters: int) -> str:
    """As clean(), of at most so many characters in one line, to be shown: with the joiners that spell (joiners.py),
    which do not count; "" where nothing of it would be seen."""
    line = first(_spaced(spelt(_visible(markup))).replace("\n", " "), characters)
    return line if line.strip(_NOTHING) else ""


def _visible(markup: str) -> str:
    """Plain text without what is not shown, but for joiners."""
    text = unescaped(markup[: 4 * MAX_CHARACTERS])
    if _is_markup(text):
        if len(text) > _MAX_ATTRIBUTES:
            text = _TAG_OR_OPAQUE.sub(_bare, text)
        tree = LexborHTMLParser(_BLOCK.sub("\n<", "<".join(text.split("<", _MAX_TAGS)[:_MAX_TAGS])))
        for node in tree.css("script,style,noscript,template,iframe,svg"):
            node.decompose()
        text = tree.body.text() if tree.body else ""
    if not text.isascii():
        text = _STACKED.sub(_unstacked, text.encode("utf-8", "ignore").decode("utf-8"))
    text = unicodedata.normalize("NFKC", text)
    return _CONTROL.sub("", text.replace("\r", "\n").replace("\t", " "))


def _spaced(text: str) -> str:
    """One space for spaces in a row, one line end for line ends in a row; none at either end of a line.

    By methods of text, which look for what is doubled: an expression looks at every space, in six times the time.
    """
    for rare in () if text.isascii() else _RARE_SPACE:
        text = text.replace(rare, " ")
    while "  " in text:
        text = text.replace("  ", " ")
    if "\n" not in text:
        return text.strip()
    return "\n".join([line for stripped in text.split("\n") if (line := stripped.strip())])


def _is_markup(text: str) -> bool:
    """Whether there is a tag or an entity; one expression for a whole tag takes the square of the time for `<a<a<a`."""
    opening = _OPENING.search(text)
    return bool((opening and text.find(">", opening.end()) > 0) or _ENTITY.search(text))


def _bare(found: re.Match[str]) -> str:
    """A tag without attributes; nothing of a script or a comment. `/>` stays: it closes an `<svg/>`."""
    if found["name"]:
        return found["name"] + ("/>" if found[0].endswith("/>") else ">" if found[0].endswith(">") else "")
    return f"<{found['raw']}>" if found["raw"] else ""


def _unstacked(run: re.Match[str]) -> str:
    """A run of signs without the marks after its thirtieth, as Unicode's stream-safe form (UAX 15) has it."""
    return "".join([c for place, c in enumerate(run[0]) if place < _MAX_MARKS or not unicodedata.combining(c)])


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


LANGUAGES = (
    "af am ar az be bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko "
    "ku ky lo lt lv mk ml mn mr ms mt my ne nl no or pa pl ps pt ro ru si sk sl so sq sr sv sw ta te th tl tr uk ur uz "
    "vi zh"
).split()
"""ISO 639-1 codes that a stated tag or a detection may give: languages in which news is published."""

_TAG = re.compile(r"\s*([a-zA-Z]{2,3})(?:[-_][a-zA-Z0-9_-]{1,30})?\s*")
_OTHER_TAGS = {
    "eng": "en", "spa": "es", "deu": "de", "ger": "de", "fra": "fr", "fre": "fr", "rus": "ru", "por": "pt",
    "ita": "it", "zho": "zh", "chi": "zh", "jpn": "ja", "ara": "ar", "nb": "no", "nn": "no", "iw": "he", "in": "id",
}  # fmt: skip
_MIN_LETTERS = 20
_LETTERS_OF_AN_IDEOGRAPH = 4
_MIN_CONFIDENCE = 0.6
_PIECE = 500
_MAX_TOGETHER = 20_000
_MIN_SHARE = 0.75


def language(stated: str, text: str, fallback: str = UNDETERMINED) -> str:
    """The language of a text: the stated tag (`en-US` -> `en`) where it is one, otherwise detected, or the fallback.

    A script that one language alone writes tells it at any length; otherwise detection is py3langid's: offline and
    deterministic. Fewer than 20 letters, or a guess it is not sure of, take the
    fallback: mostly the language of what stands around the text.
    """
    match = _TAG.fullmatch(stated or "")
    if match:
        tag = _OTHER_TAGS.get(match[1].lower(), match[1].lower())
        if tag in LANGUAGES:
            return tag
    sample = unjoined(text[:2000])[:1000]
    if not sample.isascii() and (known := language_of(sample)):
        return known
    if sum(_LETTERS_OF_AN_IDEOGRAPH if c > "\u2e80" else c.isalpha() for c in sample) < _MIN_LETTERS:
        return fallback
    guess, confidence = _detector().classify(sample)
    return str(guess) if confidence >= _MIN_CONFIDENCE else fallback


def common_language(texts: Iterable[str]) -> str:
    """The language of texts that stand together, none of them stated; `und` where no one has three quarters of them.

    Looks at pieces of 500 characters, of the first 20,000: headlines too short alone are long enough together.
    """
    together = "\n".join(texts)[:_MAX_TOGETHER]
    pieces = (together[start : start + _PIECE] for start in range(0, len(together), _PIECE))
    found = Counter(lang for piece in pieces if (lang := language("", piece)) != UNDETERMINED)
    return next((lang for lang, count in found.items() if count >= _MIN_SHARE * found.total()), UNDETERMINED)


@cache
def _detector() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 (half a second, only where needed)

    detector = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    detector.set_languages(LANGUAGES)
    return detector

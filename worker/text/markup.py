"""Markup to plain text, of what publishers send.

Invariant: takes the time of the text's length, whatever is nested, unclosed or stacked in it; shows no sign that only
misleads: nothing invisible, and nothing that turns the direction of what stands around it.
"""

import re
import unicodedata

from selectolax.lexbor import LexborHTMLParser

from worker.escapes import unescaped
from worker.joiners import first, spelt, unjoined

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

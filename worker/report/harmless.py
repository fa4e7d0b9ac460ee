"""Feed text made fit to be shown, on a terminal or a page.

Invariant: the result is one line without control, escape, bidi, unassigned or zero-width characters but joiners that
spell, of bounded length.
"""

import unicodedata

from rich.cells import cell_len, set_cell_size

from worker.escapes import unescaped
from worker.joiners import JOINER, NON_JOINER, spelt

MAX_CHARACTERS = 400
"""Of a text that is read at all: more than a screen's line holds."""

_BLANK = "\u00a0\u115f\u1160\u2800\u3164\uffa0"
"""Letters and symbols that show nothing: a headline of these would look empty, or hide what stands beside it."""

_MAX_MARKS = 4
"""Combining marks on one letter; Thai and pointed Hebrew need up to three, a tower of them covers other lines."""


def harmless(text: str, otherwise: str = "") -> str:
    """The text as one harmless line, cut at MAX_CHARACTERS; `otherwise` where nothing visible is left.

    For terminals too: without joiners of emoji and conjuncts, over whose width they disagree; a non-joiner has none.
    """
    return readable(text.replace(JOINER, ""), otherwise)


def readable(text: str, otherwise: str = "") -> str:
    """As harmless(), with all joiners that spell: for pages, feeds and messages, which are drawn as text is meant."""
    shown: list[str] = []
    marks = 0
    for character in unescaped(text[: 4 * MAX_CHARACTERS]):
        category = unicodedata.category(character)
        if character in (JOINER, NON_JOINER):  # marks on either side of it stand on one letter
            shown.append(character)
            continue
        marks = marks + 1 if category[0] == "M" else 0
        if character in "\t\n\r\v\f\x85" or category[0] == "Z" or character in _BLANK:
            shown.append(" ")
        elif category[0] != "C" and marks <= _MAX_MARKS and not (category == "Mn" and _is_selector(character)):
            shown.append(character)
    line = " ".join(spelt("".join(shown)).split())
    return cut(line, MAX_CHARACTERS) or otherwise


def cut(text: str, cells: int) -> str:
    """The text in at most so many cells of the screen, ended with an ellipsis where it was longer."""
    if cells <= 0:
        return ""
    if cell_len(text) <= cells:
        return text
    return set_cell_size(text, cells - 1).rstrip() + "…"


def _is_selector(character: str) -> bool:
    """Variation selectors and the grapheme joiner: invisible, and terminals disagree on their width."""
    return "\ufe00" <= character <= "\ufe0f" or character == "\u034f" or character >= "\U000e0100"

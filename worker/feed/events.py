"""XML as events of expat, without what a feed has no need of.

Invariant: no entity is defined, and so none resolved that XML does not have by itself.
"""

from collections.abc import Callable
from xml.parsers import expat

_PIECE = 65_536
"""Characters of text that are handed over at once."""


def parser_of(
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None],
    text: Callable[[str], None],
    unusual: type[Exception],
) -> expat.XMLParserType:
    """A parser of UTF-8 that calls these; names have their namespace before them, and a space. A document type raises
    `unusual`."""

    def refuse(*_: object) -> None:
        raise unusual

    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.buffer_text = True
    parser.buffer_size = _PIECE
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    return parser

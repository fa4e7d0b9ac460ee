"""Documents that are almost XML made XML, as far as it takes no guess: before a parser gives up on them.

Invariant: takes out or replaces only what no text loses by; a document that was XML stays the same document.
"""

import re
from html import escape
from html.entities import html5

_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r")
_NONCHARACTERS = re.compile(rb"\xef\xbf[\xbe\xbf]|\xed[\xa0-\xbf][\x80-\xbf]")
_AMPERSAND = re.compile(rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|&(?:(#?)([a-zA-Z0-9]{1,31});)?", re.DOTALL)
_MOST_AMPERSANDS = 500_000
"""That are looked at, one by one; a feed of 5 MB has some ten thousand."""

_XML = (b"amp", b"lt", b"gt", b"quot", b"apos")
_MEDIA = re.compile(rb"<(/?)media:(title|description)\b[^<>]{0,500}?(/?)>")


def begins_at_once(body: bytes) -> bytes:
    """Without what stands before the declaration: blank lines, or a notice of the server's language."""
    start = body.find(b"<?xml", 0, 2_000)
    if start > 0 and b"<" not in body[:start]:
        return body[start:]
    return body.lstrip()


def captions_apart(body: bytes) -> bytes:
    """With other names for the titles and descriptions of pictures: feedparser takes them for those of the entry."""
    return _MEDIA.sub(rb"<\1media:_\2\3>", body) if b"<media:" in body else body


def repaired(body: bytes) -> bytes:
    """Without control characters, as they are and by number; a character for each named one of HTML that XML does not
    know, and `&amp;` for an ampersand that begins nothing. In CDATA sections only control characters are left out.

    Documents that define entities of their own keep their names. Where there are over 500,000 ampersands, they stay.
    """
    body = _NONCHARACTERS.sub(b"", body.translate(None, _CONTROLS))
    if body.count(b"&") > _MOST_AMPERSANDS:
        return body
    return _AMPERSAND.sub(_number if b"<!ENTITY" in body[:100_000] else _character, body)


def _number(found: re.Match[bytes]) -> bytes:
    """A character by its number, if XML has it; what is none of either is as it was."""
    if not found[1]:
        return found[0]
    digits = found[2].lower()
    try:
        number = int(digits[1:], 16) if digits.startswith(b"x") else int(digits)
    except ValueError:
        return b"&amp;#" + found[2] + b";"
    allowed = number in (9, 10, 13) or 32 <= number < 0xD800 or 0xE000 <= number < 0xFFFE or 0xFFFF < number < 0x110000
    return found[0] if allowed else b""


def _character(found: re.Match[bytes]) -> bytes:
    name = found[2]
    if found[0].startswith(b"<") or name in _XML:
        return found[0]
    if found[1]:
        return _number(found)
    if name is None:
        return b"&amp;"
    character = html5.get(name.decode() + ";")
    return escape(character, quote=False).encode() if character else b"&amp;" + name + b";"

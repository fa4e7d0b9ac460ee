"""Documents that are almost XML made XML, as far as it takes no guess: before a parser gives up on them.

Invariant: takes out or replaces only what no text loses by; a document that was XML stays the same document.
"""

import re
from html import escape
from html.entities import html5

_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r")
_NONCHARACTERS = re.compile(rb"\xef\xbf[\xbe\xbf]|\xed[\xa0-\xbf][\x80-\xbf]")
_CONTROL_REFERENCE = re.compile(
    rb"&#(?:0{0,9}(?:[0-8]|1[124-9]|2[0-9]|3[01])|[xX]0{0,9}(?:[0-8bcefBCEF]|1[0-9a-fA-F]));"
)
_AMPERSAND = re.compile(rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|&(?:(#?)([a-zA-Z0-9]{1,31});)?", re.DOTALL)
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
    """Without control characters; a character for each named one of HTML that XML does not know, and `&amp;` for an
    ampersand that begins nothing. What stands in CDATA sections is left as it is but for the control characters.

    Documents that define entities of their own keep theirs.
    """
    body = _NONCHARACTERS.sub(b"", body.translate(None, _CONTROLS))
    body = _CONTROL_REFERENCE.sub(b"", body)
    return body if b"<!ENTITY" in body[:100_000] else _AMPERSAND.sub(_character, body)


def _character(found: re.Match[bytes]) -> bytes:
    hash_sign, name = found[1], found[2]
    if found[0].startswith(b"<") or hash_sign or name in _XML:
        return found[0]
    if name is None:
        return b"&amp;"
    character = html5.get(name.decode() + ";")
    return escape(character, quote=False).encode() if character else b"&amp;" + name + b";"

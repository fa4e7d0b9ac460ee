"""A web page as text, whatever encoding it is in and whatever it says of it.

Invariant: never raises; the same bytes and the same header give the same text.
"""

import codecs
import re

_STATED = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,300}?(?:charset|encoding)\s*=\s*["']?\s*([a-zA-Z0-9_:.\-]{2,40})""", re.IGNORECASE
)
_HEADER = re.compile(r"""charset\s*=\s*["']?([a-zA-Z0-9_:.\-]{2,40})""", re.IGNORECASE)
_LOOKED_AT = 8192
"""Bytes at the beginning in which a page may state its encoding; browsers look at 1,024."""

_MEANT = {"iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030"}
_MEANT |= {"euc_kr": "cp949", "shift_jis": "cp932", "tis-620": "cp874", "iso8859-11": "cp874"}
"""What is meant by the name of a smaller encoding (WHATWG Encoding Standard)."""

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_SEVEN_BITS = ("iso2022_jp", "hz")
"""Text in these passes for ASCII."""


def decode(body: bytes, content_type: str) -> str:
    """The text of a page that came with this Content-Type header (or "")."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body.removeprefix(mark).decode(name, "replace")
    stated = _stated(body, content_type)
    if stated and stated[0] not in _SEVEN_BITS:
        # what is valid UTF-8 beyond ASCII is UTF-8, whatever a server says of all its pages
        stated = ["utf-8", *stated]
    for name in stated or ["utf-8"]:
        try:
            return body.decode(name)
        except UnicodeError:
            continue
    return body.decode(stated[1] if len(stated) > 1 else _guessed(body), "replace")


def _stated(body: bytes, content_type: str) -> list[str]:
    """The encodings that the header and the page name, as Python calls what is meant by them."""
    header, element = _HEADER.search(content_type), _STATED.search(body[:_LOOKED_AT])
    found = []
    for name in (header[1] if header else "", element[1].decode("ascii") if element else ""):
        try:
            info = codecs.lookup(name) if name else None
        except LookupError:
            continue
        if info is not None and info._is_text_encoding and not info.name.startswith("utf-"):
            found.append(_MEANT.get(info.name, info.name))
    return found


def _guessed(body: bytes) -> str:
    """The encoding of a page that states none that can be used and is not in UTF-8."""
    from charset_normalizer import from_bytes  # noqa: PLC0415 - 50 ms, and hardly a page needs it

    best = from_bytes(body[:50_000]).best()
    return best.encoding if best is not None else "cp1252"

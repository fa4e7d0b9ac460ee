"""The encoding that a body is written in, whatever is declared: bytes to bytes of UTF-8.

Invariant: the answer is valid UTF-8 without a byte order mark; never raises, and takes the time of the body's length.
Labels are read as browsers read them (WHATWG Encoding): `iso-8859-1` is windows-1252, `gb2312` is gb18030.
"""

import codecs
import re

_DECLARED = re.compile(rb"^\s{0,99}<\?xml[^<>]{0,999}encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ZEROS = (
    (re.compile(rb"[<{\[\s]\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0\0\0[<{\[\s]"), "utf-32-be"),
    (re.compile(rb"[<{\[\s]\0[^\0]"), "utf-16-le"),
    (re.compile(rb"\0[<{\[\s]\0"), "utf-16-be"),
)
"""How a document begins without a mark."""

_LABELS = {
    "utf-8": "utf8 unicode-1-1-utf-8",
    "cp1252": "latin1 latin-1 iso-8859-1 iso8859-1 iso88591 iso_8859-1 windows-1252 us-ascii ascii ansi l1 x-cp1252",
    "cp1250": "windows-1250 x-cp1250",
    "cp1251": "windows-1251 x-cp1251 win-1251",
    "cp1253": "windows-1253",
    "cp1254": "windows-1254 iso-8859-9 latin5",
    "cp1255": "windows-1255",
    "cp1256": "windows-1256",
    "cp1257": "windows-1257",
    "cp1258": "windows-1258",
    "cp874": "windows-874 tis-620 iso-8859-11",
    "cp866": "ibm866 866",
    "koi8-r": "koi8 koi8_r",
    "koi8-u": "koi8-ru",
    "gb18030": "gb2312 gbk gb_2312-80 x-gbk euc-cn csgb2312",
    "big5hkscs": "big5 big5-hkscs x-x-big5 cn-big5",
    "cp932": "shift_jis shift-jis sjis x-sjis ms_kanji windows-31j ms932",
    "euc_jp": "euc-jp x-euc-jp eucjp",
    "iso2022_jp": "iso-2022-jp",
    "cp949": "euc-kr ks_c_5601-1987 ks_c_5601-1989 ksc5601 windows-949 korean uhc",
    "mac-roman": "macintosh mac x-mac-roman",
    "utf-16-le": "utf-16le utf-16 ucs-2 unicode iso-10646-ucs-2",
    "utf-16-be": "utf-16be",
}
_LABELS |= {f"iso-8859-{n}": f"iso8859-{n} iso_8859-{n} iso8859{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)}
_CODECS = {label: codec for codec, labels in _LABELS.items() for label in (codec, *labels.split())}
"""Only these: Python knows codecs that take minutes, or that are none of text."""

_WINDOWS = {0xDC00 + byte: bytes([byte]).decode("cp1252", "replace") for byte in range(0x80, 0x100)}
"""A byte that is no UTF-8, as surrogateescape leaves it, to what it is in windows-1252."""
_MAX_LOST = 200
"""One character in so many may be unreadable in an encoding that is declared."""


def as_utf8(body: bytes, content_type: str) -> bytes:
    """The body in UTF-8, without a byte order mark.

    A byte order mark tells, or the zeros of UTF-16 and UTF-32. A body with letters outside ASCII that is valid UTF-8 is
    UTF-8, whatever is declared: other encodings do not look like it by chance. Otherwise what the document declares,
    then what the server does, if the body can be read so; servers often have one charset for all. What nothing fits is
    taken for UTF-8 in which the bytes that are none are windows-1252.
    """
    for bom, codec in _BOMS:
        if body.startswith(bom):
            if codec == "utf-8":
                return _from_bytes(body[len(bom) :], content_type)
            return _decode(body[len(bom) :], codec)
    if b"\0" in body[:8]:
        for begins, codec in _ZEROS:
            if begins.match(body):
                return _decode(body, codec)
    return _from_bytes(body, content_type)


def _from_bytes(body: bytes, content_type: str) -> bytes:
    """A body in which ASCII is ASCII."""
    if body.isascii() and b"\x1b$" not in body:
        return body
    if not body.isascii() and (whole := _utf8_length(body)):
        return body[:whole]
    declared, stated = _DECLARED.match(body), _CHARSET.search(content_type)
    labels = (declared[1].decode() if declared else "", stated[1] if stated else "")
    codecs_told = [codec for label in labels if (codec := _CODECS.get(label.lower())) and "utf-" not in codec]
    for codec in codecs_told:
        try:
            text = _read(body, codec)
        except UnicodeError:  # a sequence of ISO-2022-JP that is cut off: "replace" does not help its codec
            continue
        if text.count("\ufffd") * _MAX_LOST <= len(text):
            return text.encode()
    return body.decode("utf-8", "surrogateescape").translate(_WINDOWS).encode("utf-8", "ignore")


def _utf8_length(body: bytes) -> int:
    """How much of the body is valid UTF-8, if it is all but a character that is cut off at its end, otherwise 0."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start if error.start >= len(body) - 3 and error.reason == "unexpected end of data" else 0
    return len(body)


def _read(body: bytes, codec: str) -> str:
    """The text with U+FFFD for what is none; a character that is cut off at the end is left out."""
    if codec == "cp1252":  # has no sign for five bytes, which are control characters in browsers
        return body.decode(codec, "ignore")
    return codecs.getincrementaldecoder(codec)("replace").decode(body)


def _decode(body: bytes, codec: str) -> bytes:
    return codecs.getincrementaldecoder(codec)("replace").decode(body).encode("utf-8", "ignore")

"""Servers that are slow, never end, or pack and measure their bodies wrongly."""

import gzip
import zlib

from tests.e2e.feed_server import page
from tests.misbehaving.answering import announcing, bomb, chunked, endless, feed, headed, raw, silent
from tests.misbehaving.case import FIRST, ONE, SECOND, TWO, Case, Places

TIMEOUT_S = 4
"""Of the fetches of the table."""

_SLOW = f"took longer than {TIMEOUT_S}s: it is tried again later"
_BIG = "is larger than 5 MB: remove the feed, or find a shorter one of this site"
_BROKE_OFF = "broke off in the middle of its answer: it is tried again later"
_NOT_UNPACKABLE = "says that it is compressed and cannot be unpacked: it is tried again later"
_CUT = "the document ends in the middle of an entry: only what stands before it was taken"
_PACKED, _LENGTH = gzip.compress(ONE.encode()), len(TWO.encode())


def lengths(at: Places) -> list[Case]:
    """The cases."""
    return [
        Case("drip", "sends a byte now and then", [endless(b" ", 0.1)], told=_SLOW),
        Case("silent", "takes the question and never answers", [silent], told=_SLOW),
        Case("slow-headers", "sends a header now and then, without an end",
             [endless(b"X-Y: z\r\n", 0.1, b"HTTP/1.1 200 OK\r\n")], told=_SLOW),
        Case("endless", "sends a document without an end", [endless(b"<item>" * 10_000)], told=_BIG),
        Case("endless-chunk", "announces a chunk of 16 exabytes",
             [raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n" + ONE.encode())],
             "ok", titles=(FIRST,)),
        Case("50-mb", "announces 50 MB", [page(b" " * 50_000_000)], told=_BIG),
        Case("bomb", "sends a gigabyte, packed into one megabyte", [bomb], told=_BIG),
        Case("half-gzip", "sends half of a packed document", [feed(_PACKED[:-20], content_encoding="gzip")],
             told=_NOT_UNPACKABLE),
        Case("no-gzip", "says gzip of what is not packed", [feed(ONE, content_encoding="gzip")], "ok",
             titles=(FIRST,)),
        Case("gzip-unsaid", "packs its document and does not say so", [feed(_PACKED)], "ok", titles=(FIRST,)),
        Case("gzip-twice", "packs its document twice", [feed(gzip.compress(_PACKED), content_encoding="gzip")], "ok",
             titles=(FIRST,)),
        Case("deflate", "packs its document as deflate",
             [feed(zlib.compress(ONE.encode()), content_encoding="deflate")], "ok", titles=(FIRST,)),
        Case("raw-deflate", "packs its document as deflate without the wrapper that the standard asks for",
             [feed(zlib.compress(ONE.encode())[2:-4], content_encoding="deflate")], "ok", titles=(FIRST,)),
        Case("utf-8", "names a charset where a packing is to be named", [feed(ONE, content_encoding="UTF-8")], "ok",
             titles=(FIRST,)),
        Case("brotli", "packs its document in a way that it was not asked for",
             [feed(b"\x0b\x02", content_encoding="br")],
             told="is compressed as 'br', which was not asked for: ask its owner, or remove the feed"),
        Case("announces-more", "announces more than its whole document", [announcing(_LENGTH + 100, TWO)], "ok",
             titles=(FIRST, SECOND)),
        Case("broke-off", "breaks off in the middle", [announcing(_LENGTH, TWO[:-100])], told=_BROKE_OFF),
        Case("announces-less", "announces less than it sends", [announcing(_LENGTH - 200, TWO)],
             told="does not answer as a web server does: check the address"),
        Case("two-lengths", "announces two lengths",
             [headed(b"Content-Length: 5", ONE)],
             told="does not answer as a web server does: check the address"),
        Case("no-last-chunk", "sends its whole document in chunks, without the last one", [chunked(ONE, b"")], "ok",
             titles=(FIRST,)),
        Case("half-chunk", "breaks off in the middle of a chunk", [chunked(TWO[:-100], b"ff\r\n<it")],
             told=_BROKE_OFF),
        Case("http-1.0", "speaks HTTP/1.0 and gives no length", [raw(b"HTTP/1.0 200 OK\r\n\r\n" + ONE.encode())],
             "ok", titles=(FIRST,)),
        Case("http-1.0-cut", "speaks HTTP/1.0, gives no length and breaks off",
             [raw(b"HTTP/1.0 200 OK\r\n\r\n" + TWO[: TWO.rindex("<item>") + 30].encode())], "ok", _CUT,
             titles=(SECOND,)),
    ]  # fmt: skip

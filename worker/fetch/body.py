"""A body as it comes off the wire, unpacked piece by piece.

Invariant: never holds more than the cap, however much a few bytes would unpack to.
"""

import re
import zlib


class TooBig(Exception):
    """The body is larger than the cap."""


WINDOW_BITS = {
    "": 0,
    "identity": 0,
    "gzip": 16 + zlib.MAX_WBITS,
    "x-gzip": 16 + zlib.MAX_WBITS,
    "deflate": zlib.MAX_WBITS,
}
"""Content encodings with zlib's window bits for each; 0 for none."""


_GZIP = b"\x1f\x8b"
_CLOSED = re.compile(rb"</(?:rss|feed|rdf:RDF|urlset|html)\s*>\s*\Z", re.IGNORECASE)

_MAX_MEMBERS = 100
"""A gzip body may be several files in a row; one of nothing but empty ones would cost much time and no bytes."""


class Unpacked:
    """A body as it comes in, unpacked piece by piece; `encoding` is a key of WINDOW_BITS."""

    def __init__(self, encoding: str, max_bytes: int) -> None:
        self.bits = WINDOW_BITS[encoding]
        self._max_bytes = max_bytes
        self._parts: list[bytes] = []
        self._room = max_bytes
        self._wire_room = max_bytes
        self._inflater: zlib._Decompress | None = None
        self._members = 0

    def feed(self, chunk: bytes) -> None:
        """Take a piece off the wire; raises TooBig, or zlib.error."""
        self._wire_room -= len(chunk)
        if self._wire_room < 0:
            raise TooBig
        while chunk:
            if (self._inflater is None or self._inflater.eof) and not self._next_member(chunk):
                return
            assert self._inflater is not None
            self._keep(self._inflater.decompress(chunk, self._room + 1))
            chunk = self._inflater.unused_data

    def whole(self) -> bool:
        """Whether what came so far is a document to its last tag, whatever was announced."""
        if self._inflater is not None and not self._inflater.eof:
            return False
        return bool(_CLOSED.search(b"".join(self._parts[-20:])[-100:]))

    def finish(self) -> bytes:
        """The whole body; raises zlib.error if it ends too early, and TooBig.

        What is still gzip then is unpacked once more: a file that was stored so, served as what it is not, or twice.
        """
        if self._inflater is not None and not self._inflater.eof:
            raise zlib.error("incomplete")
        body = b"".join(self._parts)
        if not body.startswith(_GZIP):
            return body
        inner = Unpacked("gzip", self._max_bytes)
        inner.feed(body)
        if inner._inflater is not None and not inner._inflater.eof:
            raise zlib.error("incomplete")
        return b"".join(inner._parts)

    def _next_member(self, chunk: bytes) -> bool:
        """Begin to unpack what comes now; False where it is no compressed data: it is kept, or dropped at the end."""
        bits = self.bits
        if bits > zlib.MAX_WBITS and not chunk.startswith(b"\x1f"):
            bits = 0  # it says gzip and is not
        elif bits == zlib.MAX_WBITS and (chunk[0] & 0x0F != zlib.DEFLATED or chunk[0] >> 4 > 7):
            bits = -zlib.MAX_WBITS  # deflate without the wrapper that the standard asks for
        if not bits:
            if self._inflater is None:
                self.bits = 0
                self._keep(chunk)
            return False
        self._members += 1
        if self._members > _MAX_MEMBERS:
            raise zlib.error("too many members")
        self._inflater = zlib.decompressobj(bits)
        return True

    def _keep(self, part: bytes) -> None:
        self._room -= len(part)
        if self._room < 0:
            raise TooBig
        self._parts.append(part)

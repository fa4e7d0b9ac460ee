"""Bodies off the wire: whatever they unpack to, no more than the cap is held."""

import gzip
import zlib

import pytest

from worker.fetch.body import TooBig, Unpacked

CAP = 10_000
TEXT = bytes(range(256)) * 30


def unpack(encoding: str, body: bytes, piece: int = 100) -> bytes:
    unpacked = Unpacked(encoding, CAP)
    for start in range(0, len(body), piece):
        unpacked.feed(body[start : start + piece])
    return unpacked.finish()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("", TEXT),
        ("gzip", gzip.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:4000]) + gzip.compress(TEXT[4000:])),
        ("x-gzip", gzip.compress(TEXT) + b"\0" * 50),
        ("gzip", TEXT),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", zlib.compress(TEXT)[2:-4]),
    ],
)
@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_bodies_are_unpacked_in_pieces_of_any_size(encoding: str, body: bytes, piece: int) -> None:
    assert unpack(encoding, body, piece) == TEXT


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("", b" " * (CAP + 1)), ("gzip", gzip.compress(b" " * 50_000_000)), ("deflate", zlib.compress(b" " * 50_000_000))],
)
def test_nothing_beyond_the_cap_is_held(encoding: str, body: bytes) -> None:
    unpacked = Unpacked(encoding, CAP)
    with pytest.raises(TooBig):
        for start in range(0, len(body), 65536):
            unpacked.feed(body[start : start + 65536])
    assert sum(map(len, unpacked._parts)) <= CAP


def test_the_cap_itself_is_allowed() -> None:
    assert len(unpack("gzip", gzip.compress(b" " * CAP))) == CAP


@pytest.mark.parametrize("body", [gzip.compress(TEXT)[:-9], gzip.compress(TEXT)[:3], b"\x1f\x8brubbish"])
def test_a_body_that_cannot_be_unpacked_is_an_error(body: bytes) -> None:
    with pytest.raises(zlib.error):
        unpack("gzip", body)


def test_endless_empty_files_cost_little() -> None:
    """Twenty bytes of gzip that unpack to none, again and again: given up long before the cap on the wire."""
    with pytest.raises(zlib.error, match="too many"):
        unpack("gzip", gzip.compress(b"") * 200, 4000)


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_what_is_still_packed_is_unpacked_once_more(encoding: str) -> None:
    """A stored .gz file, served as what it is not, or packed again on its way; under the same cap."""
    stored = gzip.compress(TEXT)
    assert unpack(encoding, gzip.compress(stored) if encoding else stored) == TEXT
    with pytest.raises(TooBig):
        unpack(encoding, gzip.compress(gzip.compress(b" " * 50_000_000)))
    with pytest.raises(zlib.error):
        unpack(encoding, stored[:-9])


def test_a_document_is_whole_with_its_last_tag() -> None:
    """Whatever length was announced; not one that breaks off, nor one whose packing does."""

    def whole(body: bytes, encoding: str = "") -> bool:
        unpacked = Unpacked(encoding, CAP)
        for start in range(0, len(body), 7):
            unpacked.feed(body[start : start + 7])
        return unpacked.whole()

    feed = b"<rss><channel><item></item></channel></rss>"
    assert whole(feed)
    assert whole(feed + b" \n")
    assert whole(gzip.compress(feed), "gzip")
    assert not whole(gzip.compress(feed)[:-1], "gzip")
    assert not any(whole(feed[:end]) for end in range(len(feed)))
    assert not whole(feed + b"<rss>")

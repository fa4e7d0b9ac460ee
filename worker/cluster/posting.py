"""Postings of key terms and bands of copy fingerprints, as packed bytes, and the search over them.

Invariant: bounded. A posting keeps POSTING stories, the last one put at its end, so the cost of a search does not grow
with the store; a band keeps every distinct fingerprint that the store holds, so that no copy is missed.
"""

import struct
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

POSTING = 50
NEWEST = 25
"""Of a full posting the newest stories, which stay; of the older ones the lightest goes."""
TURN = 16
"""One story in so many pushes the oldest out instead: none stays for its weight alone when its news is long over."""
CANDIDATES = 32
_NONE = np.zeros(1, dtype=np.int64)
MIN_SHARED_TERMS = 2

_ENTRY = struct.Struct("<IB")
_ENTRIES = np.dtype([("story", "<u4"), ("weight", "u1")])
FULL = POSTING * _ENTRY.size
"""Bytes."""

BANDS = 4
_BAND_BYTES = 2
_FINGERPRINT = 8
_POSTED = 16
COPY_DISTANCE = 3


def put(posting: bytes, story: int, weight: int) -> bytes:
    """The posting with the story as its newest, at the larger of its old weight and this one (1 to 255).

    What is too much goes by its weight rather than its age: at a million articles a week a common term has fifty newer
    stories within the hour, and two reports of one event share the terms that weigh much in both (docs/decisions.md).
    """
    at = _find(posting, story)
    if at >= 0:
        weight = max(weight, posting[at + 4])
        posting = posting[:at] + posting[at + _ENTRY.size :]
    posting += _ENTRY.pack(story, weight)
    return posting if len(posting) <= FULL else _shortened(posting, oldest=story % TURN == 0)


def _shortened(posting: bytes, oldest: bool) -> bytes:
    """Without the oldest story, or without the lightest of the older ones."""
    weights = posting[_ENTRY.size - 1 : -NEWEST * _ENTRY.size : _ENTRY.size]
    at = 0 if oldest else weights.index(min(weights)) * _ENTRY.size
    return posting[:at] + posting[at + _ENTRY.size :]


def drop(posting: bytes, story: int) -> bytes:
    """The posting without the story."""
    at = _find(posting, story)
    return posting if at < 0 else posting[:at] + posting[at + _ENTRY.size :]


def reweigh(posting: bytes, story: int, weight: int) -> bytes:
    """The posting with the story's weight replaced, in its place; as it was where the story is not in it."""
    at = _find(posting, story)
    return posting if at < 0 else posting[:at] + _ENTRY.pack(story, weight) + posting[at + _ENTRY.size :]


def _find(posting: bytes, story: int) -> int:
    key = story.to_bytes(4, "little")
    at = posting.find(key)
    while at >= 0 and at % _ENTRY.size:
        at = posting.find(key, at + 1)
    return at


def rank(postings: Sequence[bytes], weights: bytes) -> list[int]:
    """The numbers of the best CANDIDATES stories, best first.

    postings: one for each key term of an article; weights: the article's, one for each. A candidate shares two terms
    (one, where the article has no more), and ranks by the dot product of the shared weights, then by its age.
    """
    lengths = [len(posting) // _ENTRY.size for posting in postings]
    entries = np.frombuffer(b"".join(postings), dtype=_ENTRIES)
    if not entries.size:
        return []
    products = np.repeat(np.frombuffer(weights, dtype=np.uint8), lengths).astype(np.uint64) * entries["weight"]
    packed = np.sort(entries["story"].astype(np.uint64) << _PRODUCT_BITS | products)
    if len(postings) >= MIN_SHARED_TERMS:
        packed = packed[_shared(packed >> _PRODUCT_BITS)]
        if not packed.size:
            return []
    numbers = packed >> _PRODUCT_BITS
    starts = np.flatnonzero(np.concatenate((_TRUE, numbers[1:] != numbers[:-1])))
    dots = np.add.reduceat(packed & _PRODUCT, starts)
    best = np.sort((_MOST - dots) << _STORY_BITS | numbers[starts])[:CANDIDATES]
    return [number & _STORY for number in best.tolist() if number >> 32 < _MOST]


def counts(postings: Sequence[bytes], since: int) -> list[int]:
    """Of each posting, how many of its stories have a number above `since`."""
    ends = np.cumsum([0] + [len(posting) // _ENTRY.size for posting in postings])
    newer = np.frombuffer(b"".join(postings), dtype=_ENTRIES)["story"] > max(since, 0)
    before = np.concatenate((_NONE, np.cumsum(newer)))[ends]
    found: list[int] = (before[1:] - before[:-1]).tolist()
    return found


def _shared(numbers: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which of these sorted numbers stand there more than once: one story in eight."""
    same = numbers[1:] == numbers[:-1]
    shared: NDArray[np.bool_] = np.concatenate((same, _FALSE)) | np.concatenate((_FALSE, same))
    return shared


# One sort of whole numbers that hold two figures each takes a third of the time of sorting by one and carrying the
# other along.
_PRODUCT_BITS, _STORY_BITS = np.uint64(16), np.uint64(32)
_PRODUCT, _STORY = np.uint64(2**16 - 1), 2**32 - 1
_MOST = 2**31
_TRUE, _FALSE = np.array([True]), np.array([False])


def bands(copy: bytes) -> list[tuple[int, bytes]]:
    """The four 16-bit bands of a copy fingerprint: two within 3 bits agree in at least one (Manku et al. 2007)."""
    return [(i, copy[i * _BAND_BYTES : (i + 1) * _BAND_BYTES]) for i in range(BANDS)]


def post(band: bytes, copy: bytes, uid: bytes) -> bytes:
    """The band with an article's fingerprint, which it holds once."""
    return unpost(band, uid) + copy + uid


def unpost(band: bytes, uid: bytes) -> bytes:
    """The band without what the article posted."""
    if uid not in band:  # as for every new article; the other way costs by the length, which grows with the store
        return band
    return b"".join(known + owner for known, owner in posted(band) if owner != uid)


def posted(band: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The (fingerprint, uid) pairs of a band, oldest first."""
    for at in range(0, len(band), _POSTED):
        yield band[at : at + _FINGERPRINT], band[at + _FINGERPRINT : at + _POSTED]


def near(bands: Sequence[bytes], copy: bytes) -> list[bytes]:
    """The uids in these bands whose fingerprints are within COPY_DISTANCE bits: those of the same text.

    All at once: with a million articles stored there are sixty pairs in four bands.
    """
    pairs = np.frombuffer(b"".join(bands), dtype=_PAIRS)
    if not pairs.size:
        return []
    distances = np.bitwise_count(pairs["copy"] ^ np.uint64(int.from_bytes(copy, "little")))
    return [pairs["uid"][i].tobytes() for i in np.flatnonzero(distances <= COPY_DISTANCE)]


_PAIRS = np.dtype([("copy", "<u8"), ("uid", "V8")])

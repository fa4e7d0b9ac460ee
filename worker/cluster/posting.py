"""Postings of key terms and bands of copy fingerprints, as packed bytes, and the search over them.

Invariant: bounded. A posting keeps its POSTING newest stories, oldest first, so the cost of a search does not grow
with the store; a band keeps every distinct fingerprint that the store holds, so that no copy is missed.
"""

import struct
from collections.abc import Iterator, Sequence

import numpy as np

POSTING = 50
CANDIDATES = 32
MIN_SHARED_TERMS = 2

_ENTRY = struct.Struct("<IB")
_ENTRIES = np.dtype([("story", "<u4"), ("weight", "u1")])

BANDS = 4
_BAND_BYTES = 2
_FINGERPRINT = 8
_POSTED = 16
COPY_DISTANCE = 3


def put(posting: bytes, story: int, weight: int) -> bytes:
    """The posting with the story as its newest, at the larger of its old weight and this one (1 to 255)."""
    at = _find(posting, story)
    if at >= 0:
        weight = max(weight, posting[at + 4])
        posting = posting[:at] + posting[at + _ENTRY.size :]
    return (posting + _ENTRY.pack(story, weight))[-POSTING * _ENTRY.size :]


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
    products = np.repeat(np.frombuffer(weights, dtype=np.uint8), lengths).astype(np.float64) * entries["weight"]
    stories, index = np.unique(entries["story"], return_inverse=True)
    dots = np.bincount(index, weights=products)
    dots[np.bincount(index) < min(MIN_SHARED_TERMS, len(postings))] = 0
    order = np.lexsort((stories, -dots))[:CANDIDATES]
    return [int(stories[i]) for i in order if dots[i] > 0]


def bands(copy: bytes) -> list[tuple[int, bytes]]:
    """The four 16-bit bands of a copy fingerprint: two within 3 bits agree in at least one (Manku et al. 2007)."""
    return [(i, copy[i * _BAND_BYTES : (i + 1) * _BAND_BYTES]) for i in range(BANDS)]


def post(band: bytes, copy: bytes, uid: bytes) -> bytes:
    """The band with an article's fingerprint, which it holds once."""
    return unpost(band, uid) + copy + uid


def unpost(band: bytes, uid: bytes) -> bytes:
    """The band without what the article posted."""
    return b"".join(known + owner for known, owner in posted(band) if owner != uid)


def posted(band: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The (fingerprint, uid) pairs of a band, oldest first."""
    for at in range(0, len(band), _POSTED):
        yield band[at : at + _FINGERPRINT], band[at + _FINGERPRINT : at + _POSTED]

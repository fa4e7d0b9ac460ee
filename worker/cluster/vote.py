"""The vote of a story's texts, bit by bit, as bit-sliced counters: plane k holds bit k of every position's count.

Invariant: a vote depends on which fingerprints were added, never on their order; merging adds counts and removal undoes
addition exactly. A story of one text costs 256 bytes, of 3 texts 512, of 255 texts 2 KB. The vertical counters are
Harley and Seal's (Warren, Hacker's Delight, 5-2); everything here is whole-word arithmetic on Python integers.
"""

from functools import cache, lru_cache
from hashlib import shake_128

Planes = tuple[bytes, ...]
"""Big-endian planes of one length, the least significant first."""


def add(planes: Planes, other: Planes) -> Planes:
    """The counts of both together: `other` is another vote, or `(fingerprint,)` for one text."""
    width = len((planes or other or (b"",))[0])
    left, right = _ints(planes), _ints(other)
    total, carry = [], 0
    for k in range(max(len(left), len(right)) + 1):
        a = left[k] if k < len(left) else 0
        b = right[k] if k < len(right) else 0
        total.append(a ^ b ^ carry)
        carry = (a & b) | (carry & (a ^ b))
    return _bytes(total, width)


def subtract(planes: Planes, other: Planes) -> Planes:
    """The counts without those of `other`, which must have been added before; raises ValueError otherwise."""
    width = len((planes or other or (b"",))[0])
    left, right = _ints(planes), _ints(other)
    rest, borrow = [], 0
    for k in range(max(len(left), len(right))):
        a = left[k] if k < len(left) else 0
        b = right[k] if k < len(right) else 0
        rest.append(a ^ b ^ borrow)
        borrow = (~a & (b | borrow)) | (b & borrow)
    if borrow:
        raise ValueError("a fingerprint that never voted cannot be taken out")
    return _bytes(rest, width)


def majority(planes: Planes, voters: int) -> bytes:
    """The bits that more than half of the voters have; a tie takes a fixed pseudo-random bit of its position.

    Ties as 0 would give two strangers of two texts each a cosine of .41.
    """
    return majority_bits(planes, voters).to_bytes(len(planes[0]), "big") if planes else b""


def majority_bits(planes: Planes, voters: int) -> int:
    """The same as an integer: what a search compares, for thousands of stories a second."""
    if voters <= 1:
        return int.from_bytes(planes[0], "big") if planes else 0
    return _majority_bits(planes, voters)


@lru_cache(maxsize=20_000)
def _majority_bits(planes: Planes, voters: int) -> int:
    width = len(planes[0]) if planes else 0
    half = voters // 2
    more, equal = 0, (1 << 8 * width) - 1
    for k in reversed(range(max(len(planes), half.bit_length()))):
        plane = int.from_bytes(planes[k], "big") if k < len(planes) else 0
        if half >> k & 1:
            equal &= plane
        else:
            more |= equal & plane
            equal &= ~plane
    return more | equal & _tie_bits(width) if voters % 2 == 0 else more


@cache
def _tie_bits(width: int) -> int:
    return int.from_bytes(shake_128(b"storywire ties").digest(width), "big")


def _ints(planes: Planes) -> list[int]:
    return [int.from_bytes(plane, "big") for plane in planes]


def _bytes(planes: list[int], width: int) -> Planes:
    """Without the empty planes on top, so that equal counts are equal bytes."""
    while planes and not planes[-1]:
        planes.pop()
    return tuple(plane.to_bytes(width, "big") for plane in planes)

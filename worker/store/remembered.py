"""Decodes packed records, each only once while it stays as it is: a worker reads the same stories again and again.

Invariant: what is returned is what decoding gives, as the bytes are compared; records are frozen, so sharing is safe.
"""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

KEPT = 8_000
"""Records that are kept, 5 KB each with what is derived from them; then the memory starts anew."""


class Remembered(Generic[T]):
    """A decoder that knows what it decoded last under each name."""

    def __init__(self, decode: Callable[[bytes], T], kept: int = KEPT) -> None:
        self._decode = decode
        self._kept = kept
        self._known: dict[Hashable, tuple[bytes, T]] = {}

    def __call__(self, name: Hashable, packed: bytes) -> T:
        """The record that stands under this name."""
        known = self._known.get(name)
        if known is not None and known[0] == packed:
            return known[1]
        if len(self._known) >= self._kept:
            self._known.clear()
        record = self._decode(packed)
        self._known[name] = packed, record
        return record

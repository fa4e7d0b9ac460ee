"""What clustering compares of an article's text; worker/fingerprint.py makes it.

Invariant: frozen, and whole: two articles are compared without their texts, which the store does not keep.
"""

from functools import cached_property

from msgspec import Struct

FULL_WEIGHT = 255
"""Of a term that a text has alone."""


class Fingerprints(Struct, frozen=True, array_like=True, dict=True):
    """Everything of an article's text that clustering compares.

    `copy`: 64-bit SimHash over word 3-shingles, 8 bytes; `story`: 2048-bit SimHash over weighted words, 256 bytes;
    both big-endian and empty for a text without words. `sketch`: the up to 96 smallest shingle hashes (see
    sketch.py). `shingles`: how many distinct shingles there are. `digest`: 8 bytes of the normalised title and text.
    `terms` with `weights` (0 to 255 each, of the unit vector): the up to 48 heaviest, heaviest first. `figures`: the
    numbers it tells (see figures.py).
    """

    copy: bytes = b""
    story: bytes = b""
    sketch: bytes = b""
    shingles: int = 0
    words: int = 0
    digest: bytes = b""
    terms: tuple[str, ...] = ()
    weights: bytes = b""
    figures: bytes = b""

    @property
    def empty(self) -> bool:
        """True for a text without words: it never joins anything."""
        return not self.story

    @cached_property
    def by_term(self) -> dict[str, int]:
        """Key term -> weight."""
        return dict(zip(self.terms, self.weights, strict=True))

"""How alike an article and a story are, and how alike they have to be: the figures behind a decision.

Invariant: symmetrical for two texts, and a story of one text scores as that text. The weights were chosen on labelled
sets (docs/quality.md); none of them names a set, an outlet or a word.
"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from math import cos, log, pi, sqrt

import numpy as np

from worker.cluster.timing import time_factor
from worker.cluster.vote import Planes
from worker.fingerprint import cosine
from worker.model import Fingerprints

THRESHOLD = 0.18
"""The least score that joins a story of one text."""
_BY_SIZE = 0.07
"""Added times the logarithm of a story's texts, up to eight: a large story has words in common with anything."""
_COHESION = 0.2
"""Of what a story's texts are more alike than usual, as much more is asked of the next one."""
_USUAL_COHESION = 0.35
_COUNTED_TEXTS = 8
_SHORT_WORDS = 25.0
"""A headline has few words, and a large story of headlines is no broader for it."""
_FULL_WEIGHT = 255


def score(likeness: float, closest: float, overlap: float, centre: float, days: float) -> float:
    """How well an article fits a story, about 0 to 1, faded by time.

    The mean of four cosines: of all words to the story's vote and to its closest text, as the fingerprints estimate
    them; of the key terms to the closest text and to all texts together, exactly.
    """
    return (likeness + closest + overlap + centre) / 4 * time_factor(days)


def threshold(words: int, voters: int, cohesion: float) -> float:
    """The least score that joins: of an article of so many words, to a story of so many texts as alike as that."""
    if voters < 2:
        return THRESHOLD
    short = 1 / (1 + (words / _SHORT_WORDS) ** 2)
    size = _BY_SIZE * log(min(voters, _COUNTED_TEXTS)) * (1 - short)
    return THRESHOLD + size + _COHESION * (cohesion - _USUAL_COHESION)


def pair_score(a: Fingerprints, b: Fingerprints, days: float) -> float:
    """The score of two articles by themselves: each as a story of one text."""
    alike = cosine(a.story, b.story)
    return score(alike, alike, overlap(a, [b]), centre(a, [b]), days)


def overlap(article: Fingerprints, texts: Sequence[Fingerprints]) -> float:
    """The largest product of the article's key terms with those of one of the texts; 0 for none."""
    own = _weights(article)
    return max((_dot(own, _weights(text)) for text in texts), default=0.0) / _FULL_WEIGHT**2


def centre(article: Fingerprints, texts: Sequence[Fingerprints]) -> float:
    """The cosine of the article's key terms to those of all texts together; 0 for none."""
    together: Counter[str] = Counter()
    for text in texts:
        together.update(_weights(text))
    own = _weights(article)
    length = sqrt(_dot(own, own) * sum(weight * weight for weight in together.values()))
    return _dot(own, together) / length if length else 0.0


@lru_cache(maxsize=20_000)
def cohesion(planes: Planes, voters: int) -> float:
    """The mean cosine of every two texts of a story, from their vote alone; the usual one for a single text.

    Of n texts with c ones at a position, c (c - 1) + (n - c) (n - c - 1) ordered pairs agree there.
    """
    if voters < 2:
        return _USUAL_COHESION
    ones = np.zeros(8 * len(planes[0]) if planes else 1, dtype=np.int64)
    for k, plane in enumerate(planes):
        ones += np.unpackbits(np.frombuffer(plane, dtype=np.uint8)).astype(np.int64) << k
    agreeing = ones * (ones - 1) + (voters - ones) * (voters - ones - 1)
    return cos(pi * (1 - float(agreeing.mean()) / (voters * (voters - 1))))


def _dot(a: dict[str, int], b: dict[str, int]) -> int:
    return sum(weight * b[term] for term, weight in a.items() if term in b)


def _weights(prints: Fingerprints) -> dict[str, int]:
    return _by_term(prints.terms, prints.weights)


@lru_cache(maxsize=20_000)
def _by_term(terms: tuple[str, ...], weights: bytes) -> dict[str, int]:
    return dict(zip(terms, weights, strict=True))

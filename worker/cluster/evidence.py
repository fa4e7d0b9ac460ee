"""How alike an article and a story are, and how alike they have to be: the figures behind a decision.

Invariant: symmetrical for two texts, and a story of one text scores as that text. The weights were chosen on labelled
sets (docs/quality.md); none of them names a set, an outlet or a word.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import cos, log, pi, pow, sqrt

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

USUAL_STRICTNESS = 0.5
_LOOSEST = 0.7
"""What strictness 0 leaves of every limit: with less, strangers draw so much into a story that others lose theirs."""
_STRICTEST = 2.5
"""What strictness 1 makes of it: two articles in a hundred that are together then do not belong together."""


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


def demanded(limit: float, strictness: float) -> float:
    """What becomes of a limit at a strictness from 0 to 1; at the usual one it stays as it is. Grows with both."""
    if strictness < USUAL_STRICTNESS:
        return limit * pow(_LOOSEST, 1 - strictness / USUAL_STRICTNESS)
    return limit * pow(_STRICTEST, (strictness - USUAL_STRICTNESS) / (1 - USUAL_STRICTNESS))


def pair_score(a: Fingerprints, b: Fingerprints, days: float) -> float:
    """The score of two articles by themselves: each as a story of one text."""
    alike = cosine(a.story, b.story)
    return score(alike, alike, *key_terms(a, [b]), days)


def key_terms(article: Fingerprints, texts: Sequence[Fingerprints]) -> tuple[float, float]:
    """The article's key terms beside those of a story's texts: the largest product with one text, and the cosine to all
    of them together; nought for none."""
    own = article.by_term
    products = [_dot(own, text.by_term) for text in texts]
    length = _length(article.weights) * _together(texts)
    return max(products, default=0) / _FULL_WEIGHT**2, sum(products) / length if length else 0.0


def _together(texts: Sequence[Fingerprints]) -> float:
    """The length of the sum of the texts' key terms, remembered: many articles are compared with one story.

    What is remembered holds the very texts, so that no other objects can have their identities.
    """
    if len(texts) == 1:
        return _length(texts[0].weights)
    same = tuple(map(id, texts))
    if same not in _lengths:
        if len(_lengths) >= _KEPT_LENGTHS:
            _lengths.clear()
        _lengths[same] = texts, _length_of_sum(texts)
    return _lengths[same][1]


_KEPT_LENGTHS = 1_000
_lengths: dict[tuple[int, ...], tuple[Sequence[Fingerprints], float]] = {}


def _length_of_sum(texts: Sequence[Fingerprints]) -> float:
    together: dict[str, int] = {}
    for text in texts:
        for term, weight in zip(text.terms, text.weights, strict=True):
            together[term] = together.get(term, 0) + weight
    return sqrt(sum(weight * weight for weight in together.values()))


@lru_cache(maxsize=20_000)
def _length(weights: bytes) -> float:
    return sqrt(sum(weight * weight for weight in weights))


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
    return sum([a[term] * b[term] for term in a.keys() & b.keys()])

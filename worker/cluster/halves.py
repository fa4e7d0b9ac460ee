"""Whether the texts of a story are those of two: groups that are more alike inside than to each other.

Invariant: pure; depends on the fingerprints and their order alone. The cosine of two texts is what their story
fingerprints estimate; the mean of many such estimates is exact enough, where one alone is not.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from worker.fingerprint import COSINES

LEAST_WORDS = 25
"""Headlines have too few words to tell two groups from two ways to say it."""
LEAST_TEXTS = 4
LEAST_HALF = 2
APART = 0.88
"""Two groups whose texts are, from one to the other, less than this share as alike as inside are two stories; of few
texts less still, as some two groups always look apart by chance."""
_CHANCE = 1.5
_TIGHTER = 0.25
"""How much the tighter group counts for what is inside; the looser one has the rest."""
_ROUNDS = 8

_COSINES = np.array(COSINES)
_LEAST_SQUARE = 1e-9
"""Of a sum of vectors, its length squared at least: what the fingerprints estimate may come out at nought or below."""

Matrix = NDArray[np.float64]


def divided(prints: Sequence[bytes]) -> list[bool] | None:
    """Of each text, given by its story fingerprint, whether it is in the group that the first one is not in.

    None where the texts are one story, or too few to tell. Spherical 2-means (Dhillon and Modha 2001) from the two
    texts that are the least alike.
    """
    if len(prints) < LEAST_TEXTS:
        return None
    alike = _cosines(prints)
    other = _two_means(alike)
    if other[0]:
        other = ~other
    sizes = int((~other).sum()), int(other.sum())
    if min(sizes) < LEAST_HALF:
        return None
    loose, tight = sorted(_mean_within(alike[np.ix_(side, side)]) for side in (other, ~other))
    within = (1 - _TIGHTER) * loose + _TIGHTER * tight
    least = APART * (1 - _CHANCE / len(prints)) * within
    return other.tolist() if alike[np.ix_(other, ~other)].mean() < least else None


def _cosines(prints: Sequence[bytes]) -> Matrix:
    """Every two texts' cosine; from a table, so that all processors find the same."""
    rows = np.frombuffer(b"".join(prints), dtype=np.uint8).reshape(len(prints), -1)
    signs = 2 * np.unpackbits(rows, axis=1).astype(np.float32) - 1
    distances = (signs.shape[1] - (signs @ signs.T).astype(np.intp)) // 2
    found: Matrix = _COSINES[distances]
    return found


def _two_means(alike: Matrix) -> NDArray[np.bool_]:
    """Two groups: each text is nearer to its own group's mean direction."""
    a, b = divmod(int(alike.argmin()), len(alike))
    other: NDArray[np.bool_] = alike[b] > alike[a]
    other[a], other[b] = False, True
    for _ in range(_ROUNDS):
        to_one, to_other = _to_mean(alike, ~other), _to_mean(alike, other)
        again: NDArray[np.bool_] = to_other > to_one
        if (again == other).all() or again.all() or not again.any():
            break
        other = again
    return other


def _to_mean(alike: Matrix, side: NDArray[np.bool_]) -> Matrix:
    square = max(float(alike[np.ix_(side, side)].sum()), _LEAST_SQUARE)
    found: Matrix = alike[:, side].sum(axis=1) / sqrt(square)
    return found


def _mean_within(alike: Matrix) -> float:
    n = len(alike)
    return float(alike.sum() - n) / (n * (n - 1))

"""Scores of a clustering against the truth: BCubed (Bagga and Baldwin 1998), and by pairs of articles."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple


class Score(NamedTuple):
    """Precision, recall and their harmonic mean, 0 to 1."""

    precision: float
    recall: float
    f1: float


def bcubed(gold: Sequence[str], predicted: Sequence[str]) -> Score:
    """BCubed of two labelings of the same articles, in order."""
    together = Counter(zip(gold, predicted, strict=True))
    by_gold, by_predicted, n = Counter(gold), Counter(predicted), len(gold)
    precision = sum(k * k / by_predicted[p] for (_, p), k in together.items()) / n
    recall = sum(k * k / by_gold[g] for (g, _), k in together.items()) / n
    return Score(precision, recall, 2 * precision * recall / (precision + recall))


def pairwise(gold: Sequence[str], predicted: Sequence[str], of: Sequence[bool] | None = None) -> Score:
    """Of the pairs put together, those that belong together; of those that belong together, those put together.

    `of`: which articles are judged; a pair counts where at least one of its two is.
    """
    judged = of or [True] * len(gold)
    right = _pairs(list(zip(gold, predicted, strict=True)), judged)
    made, true = _pairs(predicted, judged), _pairs(gold, judged)
    precision, recall = right / made if made else 1.0, right / true if true else 1.0
    return Score(precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0)


def _pairs(labels: Sequence[object], judged: Sequence[bool]) -> int:
    """How many pairs of equal labels have at least one judged article."""
    every, rest = Counter(labels), Counter(label for label, yes in zip(labels, judged, strict=True) if not yes)
    return sum(n * (n - 1) // 2 - rest[label] * (rest[label] - 1) // 2 for label, n in every.items())

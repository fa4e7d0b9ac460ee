"""Scores of a clustering against the truth: BCubed (Bagga and Baldwin 1998)."""

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

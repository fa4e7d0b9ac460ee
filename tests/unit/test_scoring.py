"""Scores against cases worked out by hand."""

import pytest

from tests.scoring import bcubed, pairwise


@pytest.mark.parametrize(
    ("gold", "predicted", "precision", "recall"),
    [
        ("aabb", "xxyy", 1.0, 1.0),  # the names of the stories do not matter
        ("aabb", "wxyz", 1.0, 0.5),  # all apart: each finds half of its story
        ("aabb", "xxxx", 0.5, 1.0),  # all together: half of what each is with belongs there
        ("aaab", "xxyy", 0.75, 2 / 3),  # a: 1, 1, 1/2 and b: 1/2; found 2/3, 2/3, 1/3 and 1
        ("a", "x", 1.0, 1.0),
    ],
)
def test_bcubed_is_what_it_is_by_hand(gold: str, predicted: str, precision: float, recall: float) -> None:
    score = bcubed(list(gold), list(predicted))
    assert score.precision == pytest.approx(precision)
    assert score.recall == pytest.approx(recall)
    assert score.f1 == pytest.approx(2 * precision * recall / (precision + recall))


@pytest.mark.parametrize(
    ("gold", "predicted", "judged", "precision", "recall"),
    [
        ("aabb", "xxyy", "1111", 1.0, 1.0),
        ("aabb", "wxyz", "1111", 1.0, 0.0),  # nothing put together: nothing wrong
        ("aabb", "xxxx", "1111", 2 / 6, 1.0),
        ("aaab", "xxyy", "1111", 1 / 2, 1 / 3),
        ("aabb", "xxxx", "1100", 1 / 5, 1.0),  # the pair of the last two is not looked at
    ],
)
def test_pairs_are_what_they_are_by_hand(
    gold: str, predicted: str, judged: str, precision: float, recall: float
) -> None:
    score = pairwise(list(gold), list(predicted), [yes == "1" for yes in judged])
    assert score.precision == pytest.approx(precision)
    assert score.recall == pytest.approx(recall)

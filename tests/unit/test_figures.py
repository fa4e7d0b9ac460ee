"""The figures of a text: what counts as the same one, and how much two texts agree."""

import pytest

from worker.figures import FIGURES, agreement, figures
from worker.text import tokens


def agreed(one: str, other: str) -> tuple[float, float]:
    return agreement(figures(tokens(one)), figures(tokens(other)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5,123.41 points", "5123 points"),
        ("up 1.20 percent", "up 1.2%"),
        ("on the 12th", "12 people"),
        ("٣٤٧ قتيلا", "347 dead"),
        ("1,250.00 crowns", "1,250 crowns"),
    ],
)
def test_rounding_and_style_do_not_make_another_figure(one: str, other: str) -> None:
    assert agreed(one, other)[0] == 1.0


@pytest.mark.parametrize(("one", "other"), [("5,123 points", "5,124 points"), ("1.2%", "1.3%"), ("12 dead", "13 dead")])
def test_another_figure_is_another_one(one: str, other: str) -> None:
    assert agreed(one, other)[0] == 0.0


def test_a_figure_that_turns_up_anywhere_says_less() -> None:
    says = [
        agreement(figures(tokens(text)), figures(tokens(text)))[1] for text in ("2026", "1,000", "7", "31", "7,512")
    ]
    assert says == [0.25, 0.25, 0.25, 0.5, 1.0]


def test_the_shorter_text_decides_how_much_is_shared() -> None:
    assert agreed("7,512 and 31.4 and 880", "7,512 points") == (1.0, 1.0)
    assert agreed("7,512 and 31.4", "7,512 and 880") == (0.5, 2.0)


def test_a_text_without_figures_agrees_with_nothing_and_says_nothing() -> None:
    assert agreed("no figures here", "7,512") == (0.0, 0.0)
    assert figures([]) == b""


def test_many_figures_are_bounded() -> None:
    assert len(figures(str(number) for number in range(1000))) == 4 * FIGURES

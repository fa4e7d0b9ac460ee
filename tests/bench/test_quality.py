"""`make bench`: the stories of every labelled set, with the defaults, in memory."""

import pytest

from tests.bench.deciding import NOISY, SHARED, Bench, Figures, sets
from tests.bench.quality import table

LEAST_F1 = {"basil": 0.975, "ecb": 0.93, "neus": 0.945, "roundups": 0.905, "headlines": 0.78, NOISY: 0.935}
LEAST_PAIRWISE_PRECISION = 0.85


@pytest.fixture(scope="module")
def found() -> dict[str, Figures]:
    labelled = sets(SHARED)
    missing = LEAST_F1.keys() - {each.name for each in labelled}
    if missing:
        pytest.skip(f"not beside the repository, in {SHARED.parent.name}/{SHARED.name}: {', '.join(sorted(missing))}")
    figures = Bench(labelled).measure()
    print(f"\n{table(figures)}")
    return figures


SHORT_OF_IT = {"neus": "a miss: .940", "basil": "a miss: .9749"}
"""Goals that are not met since fewer strangers join: docs/quality.md says why."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name, marks=pytest.mark.xfail(strict=True, reason=SHORT_OF_IT[name]) if name in SHORT_OF_IT else ()
        )
        for name in LEAST_F1
    ],
)
def test_articles_of_one_event_are_told_together(found: dict[str, Figures], name: str) -> None:
    assert found[name].bcubed.f1 >= LEAST_F1[name]


@pytest.mark.slow
def test_what_is_reached_is_not_lost_again(found: dict[str, Figures]) -> None:
    assert found["neus"].bcubed.f1 >= 0.94
    assert found["basil"].bcubed.f1 >= 0.974


@pytest.mark.slow
def test_few_pairs_are_put_together_wrongly_among_the_background(found: dict[str, Figures]) -> None:
    assert found[NOISY].pairs.precision >= LEAST_PAIRWISE_PRECISION

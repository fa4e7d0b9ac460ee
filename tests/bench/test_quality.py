"""`make bench`: the stories of every labelled set, with the defaults, in memory."""

import pytest

from tests.bench import volume
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


SHORT_OF_IT = {"neus": "a miss: .941", "basil": "a miss: .9749"}
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


LEAST_GAIN = {
    f"{NOISY}, 300 days": 1.25,
    f"{NOISY}, 30 days": 1.6,
    f"{NOISY}, 3 days": 1.3,
    "roundups, 30 days": 1.0,
    "roundups, 3 days": 1.03,
    "neus, 300 days": 1.0,
    "neus, 30 days": 1.3,
    "neus, 3 days": 1.5,
    "basil, 1 day": 1.0,
}
"""By what the rivalry of stories multiplies the pairwise precision at least; measured: docs/quality.md."""


@pytest.fixture(scope="module")
def crowds() -> dict[str, volume.Compared]:
    crowded = {each.name: each for each in volume.crowded(SHARED)}
    if missing := LEAST_GAIN.keys() - crowded.keys():
        pytest.skip(f"not beside the repository, in {SHARED.parent.name}/{SHARED.name}: {', '.join(sorted(missing))}")
    compared = volume.compared([crowded[name] for name in LEAST_GAIN])
    print(f"\n{volume.table(compared)}")
    return compared


@pytest.mark.slow
@pytest.mark.parametrize("name", LEAST_GAIN)
def test_the_more_is_told_a_day_the_more_rivalry_keeps_apart(crowds: dict[str, volume.Compared], name: str) -> None:
    both = crowds[name]
    assert both.rivalry.pairs.precision > LEAST_GAIN[name] * both.without.pairs.precision
    assert both.rivalry.bcubed.precision > both.without.bcubed.precision

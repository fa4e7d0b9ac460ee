"""`make bench`: editions of recurring reports over five seeds."""

import pytest

from tests.bench.recurring import FILES, table
from tests.recurring.measuring import NEWS


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_editions_stay_apart_and_are_told_together(name: str) -> None:
    found = table(name)
    for series, articles, score in found:
        print(
            f"\n{series or 'all editions':20s} {articles:5d} articles {score.precision:.3f} {score.recall:.3f}", end=""
        )
    scores = {series: score for series, _, score in found}
    assert scores[""].precision >= 0.95
    assert scores[""].recall >= 0.85
    assert scores[NEWS].recall >= 0.95

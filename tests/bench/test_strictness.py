"""`make bench`: what the one setting does, on every set there is."""

from itertools import pairwise
from pathlib import Path
from statistics import fmean

import pytest

from tests.bench.labelled import available
from tests.bench.strictness import ROOT, steps, table

HAIR = 0.01
"""By so much a set's recall may rise with the strictness: a stranger that is kept out leaves others in their place."""


@pytest.mark.slow
def test_more_strictness_is_more_precision_and_less_recall(tmp_path: Path) -> None:
    found = {labelled.name: steps(labelled) for labelled in available(ROOT.parent / "shared", tmp_path)}
    print(f"\n{table(found)}")
    for name, row in found.items():
        assert all(a.stories <= b.stories for a, b in pairwise(row)), name
        assert all(a.bcubed.recall > b.bcubed.recall - HAIR for a, b in pairwise(row)), name
        assert all(a.bcubed.precision < b.bcubed.precision + HAIR for a, b in pairwise(row)), name
    means = [fmean(row[number].bcubed.precision for row in found.values()) for number in range(11)]
    assert means == sorted(means)

"""Two simulated weeks: memory and keys reach a plateau, and what has ended leaves nothing behind."""

import os

import pytest

from tests.soak.fortnight import GROWTH, Soak, soak, table
from tests.store.test_retention import FOREVER

RATE = int(os.environ.get("SOAK_RATE", "150"))
"""Articles a day: `make soak` runs 50,000."""
ENDING = {"story", "lease", "seen", "forgotten", "lags"}
"""Kinds that may be left for a while: aliases, whose server ends them after 90 days, and what has a time of its own."""


@pytest.fixture(scope="module")
def measured() -> Soak:
    measured = soak(RATE)
    print(table(measured))
    return measured


def test_memory_and_keys_reach_a_plateau(measured: Soak) -> None:
    assert measured.grown("used") <= GROWTH, table(measured)
    assert measured.grown("keys") <= GROWTH, table(measured)


def test_when_all_has_ended_only_what_is_kept_for_good_is_left(measured: Soak) -> None:
    assert measured.days[-1].articles > RATE, "the stream has stories to end"
    assert measured.left.keys() <= FOREVER | ENDING, table(measured)

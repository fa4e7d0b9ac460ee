"""What a poll may cost."""

import pytest

from tests.bench.polls import FEEDS, LIMIT_MB, measure, report


@pytest.mark.slow
def test_a_poll_costs_no_more_than_was_promised() -> None:
    """A thousand 304s a second of one core; twice as many changed feeds on two as feedparser alone parses on one."""
    costs = measure()
    report(costs)
    assert FEEDS / costs.same["poller_s"] >= 1_000
    assert costs.rate >= 2 * costs.alone
    assert costs.same["memory_mb"] < LIMIT_MB

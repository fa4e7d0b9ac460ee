"""What the lags of batches come to."""

import random
from statistics import median

import pytest

from worker.store.lags import Lag, Recent, recent, spread


def lag(at: float, *each_s: float) -> Lag:
    return Lag(at, len(each_s), median(each_s), max(each_s), tuple(sorted(each_s)))


def test_median_and_99th_are_those_of_the_articles_not_of_the_batches() -> None:
    """One slow batch of two hides nothing of a quick one of ninety-eight, nor the other way round."""
    quick, slow = lag(90, *[1.0] * 98), lag(95, 30.0, 40.0)
    found = spread(Recent([slow, quick], 0), now=100)
    assert (found.articles, found.median_s, found.most_s) == (100, 1.0, 30.0)


def test_the_rate_is_of_the_time_that_was_looked_at() -> None:
    assert spread(Recent([lag(500, *[1.0] * 30)], 0), now=600).a_minute == pytest.approx(3)


def test_where_older_batches_were_let_go_the_rate_is_of_the_time_that_is_known() -> None:
    """A hundred batches are kept: at full load, a few seconds."""
    kept = [lag(590 + n / 10, *[1.0] * 50) for n in range(100)][::-1]
    found = spread(recent(kept, since=0), now=600)
    assert (found.articles, found.over_s) == (99 * 50, 10), "those after the oldest: its own came before that time"
    assert found.a_minute == pytest.approx(60 * 99 * 50 / 10)
    assert recent(kept, since=595) == (kept[:49], 595), "what is known suffices"
    assert recent(kept[1:], since=0) == (kept[1:], 0), "none was let go"


def test_nothing_measured_is_nothing_told() -> None:
    assert spread(Recent([], 0), now=600) == (0, None, None, 0.0, 600)


def test_a_batch_of_an_earlier_version_is_told_by_what_it_kept() -> None:
    assert spread(Recent([Lag(500, 3, 1.0, 9.0)], 0), now=600)[:3] == (3, 1.0, 9.0)


def test_a_large_batch_is_told_by_a_sample_with_its_worst() -> None:
    from worker.store.lags import _sample

    lags_s = [n / 100 for n in range(1, 1001)]
    random.Random(5).shuffle(lags_s)
    told = _sample(lags_s)
    assert len(told) == 50 and told[-1] == 10.0
    assert median(told) == pytest.approx(median(lags_s), abs=0.2)

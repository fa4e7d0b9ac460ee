"""How long the events of a language are kept: all of the last day, so many older ones, never more than a bound."""

import time

import pytest

from tests.memory import member
from worker.connect import Redis
from worker.model import Event
from worker.store import keys, plan
from worker.store.commits import Commits
from worker.store.stories import Stories

HOUR = 3_600
NODE = 100
"""Entries that a stream holds, and lets go of, together."""


def emit(commits: Commits, events: int, commit_of: int = 500) -> None:
    """Commits of so many events each, which change nothing else."""
    for start in range(0, events, commit_of):
        with commits.lease("en") as lease:
            view = lease.view()
            for _ in range(min(commit_of, events - start)):
                view.seq += 1
                view.emit(Event("pinned", view.seq, "en", 1, member(str(view.seq), "", "").uid))
            commits.commit(lease, view)


def said(redis: Redis) -> list[tuple[int, int]]:
    """(hours ago, commit) of what is noted of the hours."""
    this = int(time.time() // HOUR)
    noted = redis.hget(keys.counters("en"), "hours")
    assert isinstance(noted, bytes)
    return [(this - int(hour), int(seq)) for hour, seq in (mark.split(":") for mark in noted.decode().split())]


def note(redis: Redis, *marks: tuple[int, int]) -> None:
    """Have the language say that these hours began with these commits."""
    this = int(time.time() // HOUR)
    redis.hset(keys.counters("en"), "hours", " ".join(f"{this - ago}:{seq}" for ago, seq in marks))


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> int:
    """A tenth of a thousand kept however old, and two thousand at most."""
    monkeypatch.setattr(plan, "EVENTS_KEPT", NODE)
    monkeypatch.setattr(plan, "EVENTS_MOST", 20 * NODE)
    return NODE


def test_all_events_of_the_last_day_are_kept_and_older_ones_go(redis: Redis, kept: int) -> None:
    """What began 25 hours ago and more goes, but not below the number that is kept anyway."""
    commits = Commits(redis)
    emit(commits, 1_000)
    assert redis.xlen(keys.events("en")) == 1_000, "ten times as many as are kept, all of this hour"
    note(redis, (30, 0), (25, 301), (24, 601), (2, 801))
    emit(commits, 1)
    assert said(redis) == [(24, 601), (2, 801), (0, 1_001)]
    first = Stories(redis).extents()["en"].first[0]
    assert 601 - NODE <= first <= 601, "only whole nodes are let go of"
    assert redis.xlen(keys.events("en")) > kept


def test_few_events_are_kept_however_old(redis: Redis, kept: int) -> None:
    commits = Commits(redis)
    emit(commits, kept - 1)
    note(redis, (900, 0), (500, 50))
    emit(commits, 1)
    assert Stories(redis).extents()["en"].first == (1, 0)


def test_what_an_earlier_version_left_counts_as_of_now(redis: Redis, kept: int) -> None:
    """A store without these notes loses nothing by the first commit."""
    commits = Commits(redis)
    emit(commits, 5 * kept)
    redis.hdel(keys.counters("en"), "hours")
    emit(commits, 1)
    assert said(redis) == [(0, 0)]
    assert redis.xlen(keys.events("en")) == 5 * kept + 1


def test_there_are_never_more_than_the_bound(redis: Redis, kept: int) -> None:
    emit(Commits(redis), 30 * kept)
    assert 20 * NODE <= redis.xlen(keys.events("en")) <= 21 * NODE + NODE


def test_a_position_is_followed_where_nothing_after_it_was_let_go_of(redis: Redis, kept: int) -> None:
    commits = Commits(redis)
    emit(commits, 1_000)
    whole = Stories(redis).extents()["en"]
    assert whole.follows((0, 0)), "none was let go of"
    assert whole.follows(whole.last)
    assert not whole.follows((whole.last[0] + 1, 0)), "beyond the end: this is another store"
    note(redis, (26, 0), (24, 601))
    emit(commits, 1)
    cut = Stories(redis).extents()["en"]
    assert not cut.follows((0, 0))
    assert not cut.follows((100, 0))
    assert cut.follows(cut.first)

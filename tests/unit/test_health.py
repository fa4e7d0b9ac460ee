"""What `storywire check` makes of the figures: when it warns, when it fails, and what it tells one to do."""

import math

import pytest

from worker.connect import Server
from worker.health import Finding, State, of_feeds, of_lag, of_outbox, of_queue, of_server, of_stories
from worker.schedule import PollState
from worker.store.feeds import Feed

NOW = 1_750_000_000.0
MB = 2**20


def server(persistent: bool = True, used: int = 10 * MB, most: int = 0, evicts: bool = False) -> Server:
    return Server("Valkey", "9.1.2", persistent, used, most, evicts)


def feed(name: str, errors: int = 0, due: float = NOW + 60) -> Feed:
    return Feed(name, f"http://{name}.example/feed", name, NOW, PollState(polled=NOW - 600, errors=errors), due)


CASES: list[tuple[Finding, State, str]] = [
    (of_server(server(), "here"), State.OK, "here, Valkey 9.1.2, 10.0 MB in use, keeps its data"),
    (of_server(server(most=11 * MB), "here"), State.WARN, "raise its maxmemory"),
    (of_server(server(most=10 * MB), "here"), State.FAIL, "raise its maxmemory"),
    (of_server(server(most=3 * 2**30, evicts=True), "here"), State.WARN, "maxmemory-policy to noeviction"),
    (of_server(server(evicts=True), "here"), State.OK, "keeps its data"),
    (of_server(server(persistent=False), "here"), State.WARN, "set its appendonly to yes"),
    (of_queue(0, None, 0), State.OK, "0 jobs wait, 0 workers listen"),
    (of_queue(1, 3.2, 1), State.OK, "1 job waits, the oldest for 3 s, 1 worker listens"),
    (of_queue(1200, 130.0, 2), State.WARN, "1,200 jobs wait, the oldest for 2 min, 2 workers listen: start more"),
    (of_queue(5, 7300.0, 2), State.FAIL, "the oldest for 2 h"),
    (of_queue(1, 0.1, 0), State.FAIL, "start `storywire work`"),
    (of_queue(1, None, 1), State.OK, "the oldest for 0 s"),
    (of_outbox(0, 0), State.OK, "0 articles"),
    (of_outbox(7, 1), State.OK, "7 articles"),
    (of_outbox(7, 0), State.FAIL, "no worker listens"),
    (of_feeds([]), State.WARN, "storywire feeds add URL"),
    (of_feeds([feed("a")]), State.OK, "1 feed, 0 in error, 0 paused"),
    (
        of_feeds([feed("a"), feed("b", errors=1)]),
        State.WARN,
        "2 feeds, 1 in error, 0 paused: see `storywire feeds list`",
    ),
    (of_feeds([feed("a"), feed("b", errors=9, due=math.inf)]), State.OK, "2 feeds, 0 in error, 1 paused"),
    (of_feeds([feed("a", errors=1), feed("b", errors=9)]), State.FAIL, "whether this machine has internet"),
    (of_lag([], NOW), State.OK, "on time"),
    (of_lag([feed("a"), feed("b", due=NOW - 10)], NOW), State.OK, "on time"),
    (of_lag([feed("a"), feed("b", due=NOW - 1300)], NOW), State.WARN, "polls are 21 min late: start another"),
    (of_lag([feed("a"), feed("b", due=NOW - 90_000)], NOW), State.FAIL, "polls are 25 h late: see whether"),
    (of_lag([feed("a", due=math.inf)], NOW), State.OK, "on time"),
    (of_stories({"articles": 1, "stories": 1}, 1), State.OK, "1 story of 1 article in 1 language"),
]


@pytest.mark.parametrize(("finding", "state", "said"), CASES)
def test_a_finding_is_as_urgent_as_its_figures(finding: Finding, state: State, said: str) -> None:
    """What needs a person fails, what can wait warns, and each of these says what to do."""
    assert finding.state == state
    assert said in finding.said
    assert state is State.OK or ": " in finding.said

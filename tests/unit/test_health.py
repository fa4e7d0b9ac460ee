"""What `storywire check` makes of the figures: when it warns, when it fails, and what it tells one to do."""

import math
from dataclasses import replace

import pytest

from worker.connect import Server
from worker.feed.websub import Subscription
from worker.health import (
    Finding,
    State,
    of_feeds,
    of_hubs,
    of_lag,
    of_outbox,
    of_pages,
    of_persistence,
    of_pollers,
    of_polls,
    of_quarantine,
    of_queue,
    of_schema,
    of_server,
    of_stories,
)
from worker.pressure import Hold, Load, hold, why_held
from worker.schedule import SHARE, PollState
from worker.store.feeds import Feed
from worker.store.lags import Lag
from worker.store.pollers import Sign
from worker.store.sharding import Shard

NOW = 1_750_000_000.0
MB = 2**20


def server(persistent: bool = True, used: int = 10 * MB, most: int = 0, evicts: bool = False) -> Server:
    return Server("Valkey", "9.1.2", persistent, used, most, evicts)


def led(replicas: int) -> Server:
    """A primary that Sentinels named."""
    return replace(server(), at="db1:6379", replicas=replicas)


def shard(number: int, replicas: int, *languages: str) -> Shard:
    return Shard(f"db{number}:6379", (10 - number) * MB, 0, languages, replicas)


def feed(name: str, errors: int = 0, due: float = NOW + 60, reason: str = "") -> Feed:
    polls = PollState(polled=NOW - 600, errors=errors, reason=reason)
    return Feed(name, f"http://{name}.example/feed", name, NOW, polls, due)


GONE = feed("c", errors=1, due=math.inf)._replace(polls=PollState(errors=1, outcome="gone"))


def kept(
    aof: bool = True, written: bool = True, rewritten: bool = True, snapshot: bool = True, delayed: int = 0
) -> Finding:
    return of_persistence(Server("Valkey", "9.1.2", aof, 1, 0, False, written, rewritten, snapshot, delayed))


def lag(articles: int, median_s: float, worst_s: float) -> Lag:
    return Lag(NOW - 5, articles, median_s, worst_s)


def hub(until: float = 0.0, reason: str = "") -> Subscription:
    return Subscription(
        "https://hub.example/", "t", "https://us.example", "x", since=NOW - 9, until=until, reason=reason
    )


NOT_FOUND = "answers with status 404"
BROKEN = "the process that extracts text does not work (No module named 'x'): install it"


CASES: list[tuple[Finding, State, str]] = [
    (of_server(server(), "here"), State.OK, "here, Valkey 9.1.2, 10.0 MB in use"),
    (of_server(server(most=13 * MB), "here"), State.OK, "10.0 MB in use of 13.0 MB"),
    (of_server(server(most=12 * MB), "here"), State.WARN, "10.0 MB in use of 12.0 MB, polls wait from 90% on: raise"),
    (of_server(server(most=11 * MB), "here"), State.FAIL, "raise its maxmemory"),
    (of_server(server(most=3 * 2**30, evicts=True), "here"), State.WARN, "maxmemory-policy to noeviction"),
    (of_server(server(evicts=True), "here"), State.OK, "10.0 MB in use"),
    (of_server(led(replicas=1), "here"), State.OK, "Valkey 9.1.2 at db1:6379 with 1 replica, 10.0 MB in use"),
    (of_server(led(replicas=0), "here"), State.WARN, "in use, its replica is away, or not in step: start one"),
    (of_server(server(), "here", [shard(1, 2, "de"), shard(2, 1)]), State.OK, "2 shards, the fullest, db1:6379 (de)"),
    (
        of_server(server(), "here", [shard(1, 1), shard(2, 0, "de", "en"), shard(3, 0)]),
        State.WARN,
        "db2:6379 (de, en), db3:6379 have no replica that could take over: start one",
    ),
    (of_server(server(), "here", [shard(1, 0)]), State.WARN, "none of them has a replica that could take over: start"),
    (
        of_server(server(most=11 * MB), "here", [shard(1, 1), shard(2, 0)]),
        State.FAIL,
        "db2:6379 has no replica that could take over: start one, or see in its log what it lacks, polls wait",
    ),
    (kept(), State.OK, "the server keeps its data"),
    (kept(delayed=3), State.OK, "3 fsyncs delayed since it started"),
    (kept(aof=False), State.WARN, "set its appendonly to yes"),
    (kept(rewritten=False), State.WARN, "the file only grows: free space"),
    (kept(written=False), State.FAIL, "it refuses writes: free space on its disk"),
    (kept(snapshot=False), State.FAIL, "its last snapshot failed"),
    (kept(aof=False, snapshot=False), State.FAIL, "its last snapshot failed"),
    (of_schema(3, 0, left=False), State.OK, "version 3"),
    (of_schema(3, 3, left=False), State.OK, "version 3"),
    (of_schema(3, 3, left=True), State.WARN, "something of the one before is there too: end its processes"),
    (of_queue(0, None, 1), State.OK, "0 jobs wait, 1 worker listens"),
    (of_queue(0, None, 0), State.FAIL, "0 jobs wait, 0 workers listen: start `storywire work`"),
    (of_queue(0, None, 0, "box"), State.FAIL, "0 workers listen on box: start `storywire work`"),
    (of_queue(1, 3.2, 1), State.OK, "1 job waits, the oldest for 3 s, 1 worker listens"),
    (of_queue(1200, 130.0, 2), State.WARN, "1,200 jobs wait, the oldest for 2 min, 2 workers listen: start more"),
    (of_queue(5, 7300.0, 2), State.FAIL, "the oldest for 2 h"),
    (of_queue(1, 0.1, 0), State.FAIL, "start `storywire work`"),
    (of_queue(1, None, 1), State.OK, "the oldest for 0 s"),
    (of_outbox(0, 50_000), State.OK, "0 articles"),
    (of_outbox(49_999, 50_000), State.OK, "49,999 articles are on the way"),
    (of_outbox(50_000, 50_000), State.WARN, "polls wait from 50,000 on: start more"),
    (of_lag(None, []), State.OK, "no article waits"),
    (of_lag(59.0, [lag(1, 0.3, 0.3)]), State.OK, "has waited for 59 s; 1 article of the last 10 min took 0.3 s"),
    (
        of_lag(None, [lag(2, 0.25, 0.5), lag(50, 1.5, 130.0)]),
        State.OK,
        "52 articles of the last 10 min took 1.5 s, the slowest 2 m",
    ),
    (of_lag(None, [lag(6, 15.0, 15.4)]), State.OK, "6 articles of the last 10 min took 15 s, the slowest 15 s"),
    (of_lag(61.0, []), State.WARN, "start more of `storywire work`"),
    (of_lag(None, [lag(9, 61.0, 80.0)]), State.WARN, "start more of `storywire work`"),
    (of_lag(601.0, [lag(9, 1.0, 2.0)]), State.FAIL, "has waited for 10 min"),
    (of_lag(None, [lag(9, 601.0, 700.0), lag(8, 1.0, 1.0)]), State.FAIL, "start more of `storywire work`"),
    (of_pollers([], NOW), State.FAIL, "0 pollers are alive: start `storywire poll`"),
    (of_pollers([], NOW, "box"), State.FAIL, "0 pollers are alive on box: start"),
    (of_pollers([Sign()], NOW), State.OK, "1 poller is alive"),
    (
        of_pollers([Sign(), Sign("queue", NOW - 200)], NOW),
        State.WARN,
        "2 pollers are alive, held back for 3 min by the articles that wait, feeds are polled later: see the line `ou",
    ),
    (of_pollers([Sign("memory", NOW - 9)], NOW), State.WARN, "by the server's memory, feeds are polled later: see"),
    (of_quarantine(0, 9), State.OK, "0 articles in quarantine"),
    (of_quarantine(1, 9), State.WARN, "1 article in quarantine: see `storywire quarantine list`"),
    (of_quarantine(9, 9), State.FAIL, "9 articles in quarantine, no more fit in: see"),
    (of_feeds([]), State.WARN, "storywire feeds add URL"),
    (of_feeds([feed("a")]), State.OK, "1 feed, 0 in error, 0 paused"),
    (
        of_feeds([feed("a"), feed("b", errors=1)]),
        State.WARN,
        "2 feeds, 1 in error, 0 paused: see `storywire feeds list`",
    ),
    (
        of_feeds([feed("a"), feed("b", reason=f"again in 1h, {SHARE}")]),
        State.WARN,
        "0 paused, 1 with more than STORYWIRE_MAX_DAILY new articles a day: see `storywire feeds list`",
    ),
    (of_feeds([feed("a"), feed("b", errors=9, due=math.inf)]), State.OK, "2 feeds, 0 in error, 1 paused"),
    (of_feeds([feed("a"), GONE, GONE._replace(held=True)]), State.OK, "3 feeds, 0 in error, 1 paused, 1 gone"),
    (of_feeds([feed("a", errors=1), feed("b", errors=9)]), State.FAIL, "whether this machine has internet"),
    (of_polls([], NOW, held=False), State.OK, "on time"),
    (of_polls([feed("a"), feed("b", due=NOW - 10)], NOW, held=False), State.OK, "on time"),
    (
        of_polls([feed("a"), feed("b", due=NOW - 1300)], NOW, held=False),
        State.WARN,
        "polls are 21 min late: start another",
    ),
    (
        of_polls([feed("a"), feed("b", due=NOW - 90_000)], NOW, held=False),
        State.FAIL,
        "polls are 25 h late: see whether",
    ),
    (of_polls([feed("a", due=math.inf)], NOW, held=False), State.OK, "on time"),
    (of_polls([feed("a", due=NOW - 90_000)], NOW, held=True), State.WARN, "polls are 25 h late: held back, see"),
    (of_stories({"articles": 1, "stories": 1}, 1), State.OK, "1 story of 1 article in 1 language"),
    (of_stories({"articles": 1, "stories": 1}, 1, 3_000.0), State.OK, "1 story of 1 article in 1 language"),
    (of_stories({"articles": 1, "stories": 1}, 1, 9_000.0), State.WARN, "overdue: see why in the worker's log"),
    (of_pages("off", 0, "", [], alive=False), State.OK, "0 articles wait for their pages, nobody reads pages (STORYW"),
    (of_pages("auto", 0, "", [], alive=False), State.OK, "nobody reads pages"),
    (
        of_pages("auto", 2, "", [], alive=False),
        State.WARN,
        "2 articles wait for their pages, nobody reads pages: start",
    ),
    (of_pages("auto", 1, "", ["", ""], alive=True), State.OK, "1 article waits for its page, pages are read; of the"),
    (
        of_pages("auto", 1, "", ["", NOT_FOUND], alive=True),
        State.OK,
        "last 2, 1 gave no text, mostly: its page answers",
    ),
    (of_pages("auto", 1, "", [NOT_FOUND] * 9, alive=True), State.OK, "9, 9 gave no text"),
    (of_pages("auto", 1, "", [NOT_FOUND] * 10, alive=True), State.WARN, "status 404: see the log of `storywire pages`"),
    (of_pages("auto", 0, BROKEN, [], alive=False), State.FAIL, "does not work (No module named 'x'): install it"),
    (of_pages("auto", 0, BROKEN, [], alive=True), State.WARN, "pages are read; the process that extracts"),
    (of_hubs([], NOW, listening=True), State.OK, "0 feeds have a hub"),
    (of_hubs([None, hub(NOW + 9)], NOW, listening=True), State.OK, "2 feeds have a hub, 1 of them pushed by it"),
    (of_hubs([hub(reason="the hub says no")], NOW, listening=True), State.OK, "pushed by it; mostly: the hub says no"),
    (of_hubs([hub(NOW + 9)], NOW, listening=False), State.WARN, "nobody listens to hubs: start `storywire serve`"),
]


@pytest.mark.parametrize(("finding", "state", "said"), CASES)
def test_a_finding_is_as_urgent_as_its_figures(finding: Finding, state: State, said: str) -> None:
    """What needs a person fails, what can wait warns, and each of these says what to do."""
    assert finding.state == state
    assert said in finding.said
    assert state is State.OK or ": " in finding.said


@pytest.mark.parametrize(
    ("load", "before", "now"),
    [
        (Load(0, 10 * MB, 0), Hold.NO, Hold.NO),
        (Load(99, 89 * MB, 100 * MB), Hold.NO, Hold.NO),
        (Load(100, 0, 0), Hold.NO, Hold.QUEUE),
        (Load(90, 0, 0), Hold.QUEUE, Hold.QUEUE),
        (Load(89, 0, 0), Hold.QUEUE, Hold.NO),
        (Load(0, 90 * MB, 100 * MB), Hold.NO, Hold.MEMORY),
        (Load(0, 88 * MB, 100 * MB), Hold.MEMORY, Hold.MEMORY),
        (Load(0, 87 * MB, 100 * MB), Hold.MEMORY, Hold.NO),
        (Load(100, 95 * MB, 100 * MB), Hold.QUEUE, Hold.MEMORY),
        (Load(100, 87 * MB, 100 * MB), Hold.MEMORY, Hold.QUEUE),
        (Load(95, 87 * MB, 100 * MB), Hold.MEMORY, Hold.NO),
    ],
)
def test_polls_wait_from_a_limit_on_and_go_on_a_little_below_it(load: Load, before: Hold, now: Hold) -> None:
    """At most 100 articles may wait here; each reason says what to do, and none says nothing."""
    assert hold(load, 100, before) is now
    assert (": " in why_held(now, load, 100)) is (now is not Hold.NO)
    assert (why_held(now, load, 100) == "") is (now is Hold.NO)

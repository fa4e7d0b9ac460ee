"""The gates: nobody starts too soon, nobody waits for ever, whoever asks from wherever."""

import heapq
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from worker.clock import ManualClock
from worker.connect import connect
from worker.store import keys
from worker.store.gates import Ask, Gates, Rule, Turn, Visit

NOW = 1_750_000_000.0
URL = "https://news.example.org/feed"
GATE = "host news.example.org"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def gates(redis: Redis, clock: ManualClock) -> Gates:
    return Gates(redis, Rule(parallel=2, spacing_s=5.0), clock)


def ask(gates: Gates, *who: str, url: str = URL) -> list[Turn]:
    return gates.enter([Ask(url, name) for name in who])


def test_who_comes_too_soon_gets_a_turn_of_its_own(gates: Gates, clock: ManualClock) -> None:
    """Each is told once when it may come, five seconds apart, and is let in then: nobody asks in vain twice."""
    first, *rest = ask(gates, *"abcdef")
    assert first == Turn(GATE, admitted=True, wait_s=0.0, visit=first.visit)
    assert [(turn.admitted, turn.wait_s) for turn in rest] == [(False, 5.0 * n) for n in range(1, 6)]
    assert {turn.why for turn in rest} == {"waits its turn: host news.example.org is asked at most every 5s"}
    for name in "bcdef":
        clock.advance(5)
        [turn] = ask(gates, name)
        assert turn.admitted, name
        gates.leave([Visit(GATE, turn.visit)])


def test_who_asks_before_its_turn_keeps_it(gates: Gates, clock: ManualClock) -> None:
    """Asking often brings nobody forward, and costs nobody else a turn."""
    ask(gates, "a", "b", "c")
    clock.advance(2)
    assert [turn.wait_s for turn in ask(gates, "c", "b", "c")] == [8.0, 3.0, 8.0]
    assert ask(gates, "d")[0].wait_s == 13.0


def test_a_short_wait_is_waited_on_the_spot(gates: Gates, clock: ManualClock) -> None:
    ask(gates, "a")
    clock.advance(4.5)
    [turn] = ask(gates, "b")
    assert (turn.admitted, turn.wait_s) == (True, 0.5)
    assert ask(gates, "c")[0].wait_s == 5.5, "five seconds after the start that was promised"


def test_late_turns_stay_apart(gates: Gates, clock: ManualClock) -> None:
    """Pollers that were away come with all their turns overdue: still one every five seconds."""
    ask(gates, *"abcd")
    clock.advance(1000)
    turns = ask(gates, "b", "c", "d")
    assert [(turn.admitted, turn.wait_s) for turn in turns] == [(True, 0.0), (False, 5.0), (False, 10.0)]


def test_no_more_are_inside_than_may_be(redis: Redis, clock: ManualClock) -> None:
    """The third waits although the spacing would let it in; it is let in when one has left."""
    gates = Gates(redis, Rule(parallel=2, spacing_s=0.0), clock)
    first, second, third = ask(gates, "a", "b", "c")
    assert (first.admitted, second.admitted, third.admitted) == (True, True, False)
    assert third.why == "waits its turn: host news.example.org is asked by 2 at once at most"
    clock.advance(third.wait_s)
    assert not ask(gates, "c")[0].admitted
    gates.leave([Visit(GATE, first.visit, took_s=0.1)])
    clock.advance(1)
    assert ask(gates, "c")[0].admitted


def test_turns_at_a_slow_host_come_as_slowly_as_it_answers(redis: Redis, clock: ManualClock) -> None:
    """A host that takes 30 s is given a turn every 15 s: who has one does not come in vain."""
    gates = Gates(redis, Rule(parallel=2, spacing_s=1.0), clock)
    [first] = ask(gates, "a")
    clock.advance(30)
    gates.leave([Visit(GATE, first.visit, took_s=30.0)])
    assert [turn.wait_s for turn in ask(gates, *"bcde")] == [0.0, 1.0, 16.0, 31.0]


def test_the_place_of_who_died_inside_is_free_when_its_time_is_over(redis: Redis, clock: ManualClock) -> None:
    gates = Gates(redis, Rule(parallel=1, spacing_s=1.0, longest_s=30.0), clock)
    ask(gates, "dies")
    clock.advance(34)
    assert not ask(gates, "b")[0].admitted
    clock.advance(2)
    assert ask(gates, "b")[0].admitted


def test_one_name_that_asks_twice_is_two(redis: Redis, clock: ManualClock) -> None:
    """Two processes ask for one robots.txt, or a feed is leased again while it is asked: each counts, and each leaves
    for itself."""
    here, there = (Gates(redis, Rule(parallel=1, spacing_s=1.0), clock) for _ in range(2))
    [first] = ask(here, "a")
    clock.advance(15)
    [second] = ask(there, "a")
    assert (first.admitted, second.admitted) == (True, False)
    assert second.why == "waits its turn: host news.example.org is asked by 1 at once at most"
    there.leave([Visit(GATE, second.visit)])
    assert here.look(GATE).inside == 1, "who was not let in takes nobody out"
    here.leave([Visit(GATE, first.visit)])
    clock.advance(1)
    assert ask(there, "a")[0].admitted
    assert here.look(GATE).inside == 1


def test_who_asks_again_as_the_answer_was_lost_gets_it_again(
    gates: Gates, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection broke after the script had run: the same question has the same answer, and takes one turn."""
    ask(gates, "a")
    clock.advance(4.5)
    monkeypatch.setattr(gates, "_question", lambda: "the same")
    turns = [ask(gates, "b")[0] for _ in range(3)]
    assert turns == [Turn(GATE, admitted=True, wait_s=0.5, visit="the same")] * 3
    assert gates.look(GATE).inside == 2


def test_retry_after_closes_the_gate_for_all(gates: Gates, clock: ManualClock) -> None:
    """One was told to wait ten minutes: so do all, those with a turn in between too, and in turns afterwards."""
    ask(gates, "a", "b")
    gates.leave([Visit(GATE, "of a", took_s=0.2, close_s=605.0)])
    clock.advance(5)
    early, other = ask(gates, "b", "c")
    assert (early.admitted, early.closed, early.wait_s) == (False, True, 600.0)
    assert (other.closed, other.wait_s) == (True, 605.0)
    assert early.why == (
        "waits until 15:17 UTC: host news.example.org asked to be left alone for a while (Retry-After)"
    )
    gates.leave([Visit(GATE, "z", close_s=60.0)])
    clock.advance(505)
    assert not ask(gates, "d")[0].admitted, "a shorter wish takes nothing back"
    clock.advance(95)
    assert ask(gates, "b")[0].admitted


@pytest.mark.parametrize(
    ("by", "gates"),
    [
        ("host", ["host www.example.co.uk", "host feeds.example.co.uk", "host 192.0.2.1", "host a.github.io"]),
        ("domain", ["domain example.co.uk", "domain example.co.uk", "host 192.0.2.1", "domain a.github.io"]),
        ("feed", ["feed 0", "feed 1", "feed 2", "feed 3"]),
    ],
)
def test_a_gate_is_a_hosts_a_domains_or_a_feeds(by: str, gates: list[str]) -> None:
    """Neither port nor scheme make another host; where feeds have gates of their own, a page has its host's."""
    urls = [
        "https://www.example.co.uk/a",
        "http://feeds.example.co.uk:8080/b",
        "http://192.0.2.1/",
        "http://a.github.io/",
    ]
    assert [Rule(by).gate(url, str(number)) for number, url in enumerate(urls)] == gates
    if by == "feed":
        assert Rule(by).gate(urls[0]) == "host www.example.co.uk"


def test_hosts_do_not_wait_for_each_other(gates: Gates) -> None:
    urls = [f"https://{number}.example/feed" for number in range(5)]
    assert all(turn.admitted for turn in gates.enter([Ask(url, url) for url in urls]))


def test_the_servers_clock_is_the_one_of_all(redis: Redis) -> None:
    """Without a clock given, whatever the clocks of two hosts say, they start a spacing apart."""
    here, there = Gates(redis, Rule(spacing_s=30.0)), Gates(redis, Rule(spacing_s=30.0))
    assert ask(here, "a")[0].admitted
    [turn] = ask(there, "b")
    assert not turn.admitted
    assert 25.0 < turn.wait_s <= 30.0


def test_a_clock_that_was_set_back_closes_no_gate(gates: Gates, clock: ManualClock) -> None:
    [first] = ask(gates, "a")
    gates.leave([Visit(GATE, first.visit)])
    clock.advance(-3600)
    [turn] = ask(gates, "b")
    assert turn.wait_s <= 5.0
    clock.advance(turn.wait_s)
    assert ask(gates, "b")[0].admitted


def test_every_key_of_a_gate_goes_by_itself(gates: Gates, redis: Redis) -> None:
    first, _ = ask(gates, "a", "b")
    gates.leave([Visit(GATE, first.visit, took_s=1.0, close_s=86400.0, delay_s=30.0)])
    left: list[bytes] = list(redis.scan_iter("sw:*"))
    assert {key.rpartition(b":")[2] for key in left} == {b"gate", b"turns"}
    assert all(0 < redis.ttl(key) <= 86400 + 3601 for key in left)
    assert keys.gate("x").startswith("sw:")


# --- pages, which have time ------------------------------------------------------------------------------------------


def ask_page(gates: Gates, who: str, delay_s: float = 0.0) -> Turn:
    return gates.enter([Ask(URL, who, page=True, delay_s=delay_s)])[0]


def crawl(gates: Gates, clock: ManualClock, pages: int, delay_s: float, feed_s: float) -> dict[str, float]:
    """When each starts, in seconds from now: many pages that come at once, each 0.3 s inside, and a feed in between."""
    events = [(NOW + 0.01 * number, f"page {number}", "") for number in range(pages)] + [(NOW + feed_s, "feed", "")]
    started = dict[str, float]()
    while events:
        at, who, visit = heapq.heappop(events)
        clock.advance(max(at - clock.now(), 0.0))
        if visit:
            gates.leave([Visit(GATE, visit, took_s=0.3)])
            continue
        turn = ask(gates, who)[0] if who == "feed" else ask_page(gates, who, delay_s)
        at = clock.now() + turn.wait_s
        if turn.admitted:
            started[who] = at - NOW
        heapq.heappush(events, (at + 0.3 * turn.admitted, who, turn.visit if turn.admitted else ""))
    return started


@pytest.mark.parametrize("delay_s", [0.0, 10.0, 30.0])
@pytest.mark.parametrize("parallel", [1, 2])
def test_pages_do_not_hold_up_the_feeds_of_their_host(
    redis: Redis, clock: ManualClock, delay_s: float, parallel: int
) -> None:
    """Fifty pages of a feed's entries wait when it is due: it is polled within two seconds, and the pages' site is
    given the time between them that it asks for."""
    started = crawl(Gates(redis, Rule(parallel=parallel, spacing_s=1.0), clock), clock, 50, delay_s, 5.0)
    assert 5.0 <= started["feed"] <= 7.0
    pages = sorted(at for who, at in started.items() if who != "feed")
    assert len(pages) == 50
    assert min(after - before for before, after in pairwise(pages)) >= max(delay_s, 1.0) - 1e-3
    assert pages[-1] < 50 * max(delay_s, 1.0) * 1.2 + 10, "and they are not much slower for that"


def test_a_page_goes_behind_all_feeds_that_wait(gates: Gates, clock: ManualClock) -> None:
    ask(gates, "a")
    page = ask_page(gates, "page")
    told = ask(gates, "b", "c")
    assert [page.wait_s, *(turn.wait_s for turn in told)] == [5.0, 5.0, 10.0]
    clock.advance(5)
    assert not ask_page(gates, "page").admitted
    assert ask(gates, "b")[0].admitted


def test_a_page_leaves_a_place_for_a_feed(redis: Redis, clock: ManualClock) -> None:
    gates = Gates(redis, Rule(parallel=2, spacing_s=0.0), clock)
    first, second = ask_page(gates, "page 0"), ask_page(gates, "page 1")
    assert (first.admitted, second.admitted) == (True, False)
    assert ask(gates, "feed")[0].admitted


def test_a_crawl_delay_is_for_pages_alone(gates: Gates, clock: ManualClock) -> None:
    assert ask_page(gates, "page 0", delay_s=30.0).admitted
    clock.advance(5)
    other = ask_page(gates, "page 1", delay_s=30.0)
    assert (other.admitted, other.closed, other.wait_s) == (False, False, 25.0)
    assert other.why == "waits its turn: host news.example.org wants its pages read slowly (Crawl-delay)"
    assert ask(gates, "feed")[0].admitted


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moves=st.lists(
        st.tuples(st.sampled_from("abcdefgh"), st.floats(0, 4), st.booleans(), st.sampled_from([0.0] * 9 + [7.0])),
        max_size=60,
    ),
    parallel=st.integers(1, 3),
    spacing_s=st.sampled_from([0.0, 1.0, 2.5]),
)
def test_no_order_of_comings_and_goings_breaks_a_gate(
    fresh_url: Callable[[], str], moves: list[tuple[str, float, bool, float]], parallel: int, spacing_s: float
) -> None:
    """Starts stay apart, places are counted, and none starts while the gate is closed."""
    clock = ManualClock(NOW)
    gates = Gates(connect(fresh_url()), Rule(parallel=parallel, spacing_s=spacing_s), clock)
    inside: dict[str, tuple[str, float]] = {}
    starts, closed = [-1e9], 0.0
    for who, pause_s, leaves, close_s in moves:
        clock.advance(pause_s)
        inside = {visit: stay for visit, stay in inside.items() if stay[1] > clock.now()}
        visit = next((visit for visit, (name, _) in inside.items() if name == who), "")
        if visit and leaves:
            gates.leave([Visit(GATE, visit, took_s=pause_s, close_s=close_s)])
            del inside[visit]
            closed = max(closed, clock.now() + close_s) if close_s else closed
        turn = ask_page(gates, who) if who in "gh" else ask(gates, who)[0]
        if turn.admitted:
            start = clock.now() + turn.wait_s
            assert start >= starts[-1] + spacing_s - 1e-5
            assert start >= closed - 1e-5
            starts.append(start)
            inside[turn.visit] = who, start + 35
            assert len(inside) <= parallel
        else:
            assert turn.wait_s > 0, "nobody is told to come at once and then turned away"

"""The gates: nobody starts too soon, nobody waits for ever, whoever asks from wherever."""

from collections.abc import Callable, Iterator

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
def redis(redis_url: str) -> Iterator[Redis]:
    client = connect(redis_url)
    yield client
    client.close()


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
    assert first == Turn(GATE, admitted=True, wait_s=0.0)
    assert [(turn.admitted, turn.wait_s) for turn in rest] == [(False, 5.0 * n) for n in range(1, 6)]
    assert {turn.why for turn in rest} == {"waits its turn: host news.example.org is asked at most every 5s"}
    for name in "bcdef":
        gates.leave([Visit(GATE, "a")])
        clock.advance(5)
        assert ask(gates, name)[0].admitted, name
        gates.leave([Visit(GATE, name)])


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
    gates.leave([Visit(GATE, "a", took_s=0.1)])
    clock.advance(1)
    assert ask(gates, "c")[0].admitted


def test_turns_at_a_slow_host_come_as_slowly_as_it_answers(redis: Redis, clock: ManualClock) -> None:
    """A host that takes 30 s is given a turn every 15 s: who has one does not come in vain."""
    gates = Gates(redis, Rule(parallel=2, spacing_s=1.0), clock)
    ask(gates, "a")
    clock.advance(30)
    gates.leave([Visit(GATE, "a", took_s=30.0)])
    assert [turn.wait_s for turn in ask(gates, *"bcde")] == [0.0, 1.0, 16.0, 31.0]


def test_the_place_of_who_died_inside_is_free_when_its_time_is_over(redis: Redis, clock: ManualClock) -> None:
    gates = Gates(redis, Rule(parallel=1, spacing_s=1.0, longest_s=30.0), clock)
    ask(gates, "dies")
    clock.advance(34)
    assert not ask(gates, "b")[0].admitted
    clock.advance(2)
    assert ask(gates, "b")[0].admitted


def test_who_is_polled_again_after_its_poller_died_is_not_in_its_own_way(redis: Redis, clock: ManualClock) -> None:
    gates = Gates(redis, Rule(parallel=1, spacing_s=1.0), clock)
    assert ask(gates, "a")[0].admitted
    clock.advance(15)
    assert ask(gates, "a")[0].admitted


def test_who_asks_again_as_the_answer_was_lost_gets_it_again(
    gates: Gates, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection broke after the script had run: the same question has the same answer, and takes one turn."""
    ask(gates, "a")
    clock.advance(4.5)
    monkeypatch.setattr(gates, "_question", lambda: "the same")
    assert [ask(gates, "b")[0] for _ in range(3)] == [Turn(GATE, admitted=True, wait_s=0.5)] * 3


def test_retry_after_closes_the_gate_for_all(gates: Gates, clock: ManualClock) -> None:
    """One was told to wait ten minutes: so do all, those with a turn in between too, and in turns afterwards."""
    ask(gates, "a", "b")
    gates.leave([Visit(GATE, "a", took_s=0.2, close_s=605.0)])
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
    ask(gates, "a")
    gates.leave([Visit(GATE, "a")])
    clock.advance(-3600)
    [turn] = ask(gates, "b")
    assert turn.wait_s <= 5.0
    clock.advance(turn.wait_s)
    assert ask(gates, "b")[0].admitted


def test_every_key_of_a_gate_goes_by_itself(gates: Gates, redis: Redis) -> None:
    ask(gates, "a", "b")
    gates.leave([Visit(GATE, "a", took_s=1.0, close_s=86400.0)])
    left: list[bytes] = list(redis.scan_iter("sw:*"))
    assert {key.rpartition(b":")[2] for key in left} == {b"gate", b"turns"}
    assert all(0 < redis.ttl(key) <= 86400 + 3601 for key in left)
    assert keys.gate("x").startswith("sw:")


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
    inside: dict[str, float] = {}
    starts, closed = [-1e9], 0.0
    for who, pause_s, leaves, close_s in moves:
        clock.advance(pause_s)
        inside = {name: until for name, until in inside.items() if until > clock.now()}
        if who in inside and leaves:
            gates.leave([Visit(GATE, who, took_s=pause_s, close_s=close_s)])
            del inside[who]
            closed = max(closed, clock.now() + close_s) if close_s else closed
        [turn] = ask(gates, who)
        if turn.admitted:
            start = clock.now() + turn.wait_s
            assert start >= starts[-1] + spacing_s - 1e-5
            assert start >= closed - 1e-5
            starts.append(start)
            inside[who] = start + 35
            assert len(inside) <= parallel
        else:
            assert turn.wait_s > 0, "nobody is told to come at once and then turned away"

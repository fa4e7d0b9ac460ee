"""Visits whose poller has too much to do: no start is taken that is somebody else's by then."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from worker.clock import ManualClock, SystemClock
from worker.connect import connect
from worker.fetch import Fetcher, Guard
from worker.poller.gate import Visiting
from worker.store.feeds import Feed, Feeds
from worker.store.gates import Ask, Gates, Rule
from worker.store.gates import Visit as Ended
from worker.visit import Visit, ask

NOW = 1_750_000_000.0
URL = "https://news.example.org/feed"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def feed(valkey_url: str) -> Iterator[Feed]:
    with connect(valkey_url) as client:
        feeds = Feeds(client)
        feeds.add(URL, "", NOW)
        yield feeds.all()[0]


@pytest.mark.parametrize(("busy_s", "starts_s"), [(0.6, 1.0), (1.5, 2.0)])
async def test_a_start_counts_from_the_question_and_a_missed_one_is_given_up(
    valkey_url: str, feed: Feed, clock: ManualClock, busy_s: float, starts_s: float
) -> None:
    """A feed is told that it starts in a second, and its poller is busy before it looks at that: half the time, and
    longer than all of it, when the next start is asked for, at a host that is asked once at a time."""
    with connect(valkey_url) as client:
        gates = Gates(client, Rule(parallel=2, spacing_s=1.0), clock)
        [before] = gates.enter([Ask(URL, "before")])
        [turn] = ask(gates, clock, [Ask(URL, feed.id, feed.id)])
        gates.leave([Ended(before.gate, before.visit)])
        assert (turn.admitted, turn.wait_s) == (True, 1.0)
        clock.advance(busy_s)
        visiting = Visiting(
            feed,
            turn,
            Visit(feed.id, gates, _at_once, clock, feed=feed.id),
            Fetcher(user_agent="test", timeout_s=1.0, guard=Guard("0")),
            lambda ended: gates.leave([ended]),
        )
        begun = asyncio.create_task(visiting.begin())
        async with asyncio.timeout(10):
            while not begun.done():
                await asyncio.sleep(0.003)
                if not begun.done():
                    clock.advance(0.01)
        await begun
        assert starts_s - 0.01 <= clock.now() - NOW <= starts_s + 0.1
        assert gates.look(turn.gate).inside == 1, "the start that was missed holds no place"
        visiting.end()
        assert gates.look(turn.gate).inside == 0


async def test_a_poller_that_is_always_behind_asks_for_a_start_that_it_can_keep(valkey_url: str, feed: Feed) -> None:
    """Every answer of the store comes later than a start may be: asking for the next one each time would never end."""
    asked = list[str]()
    with connect(valkey_url) as client:
        gates = Gates(client, Rule(parallel=2, spacing_s=1.0))

        async def slowly(call: Callable[..., Any], *args: Any) -> Any:
            asked.append(call.__name__)
            answer = call(*args)
            await asyncio.sleep(0.5)
            return answer

        visit = Visit(feed.id, gates, slowly, SystemClock(), feed=feed.id)
        async with asyncio.timeout(10):
            await visit.enter(URL)
        assert 1 < len(asked) <= 4, "0.2, 0.4 and 0.8 s ahead at most"
        assert gates.look("host news.example.org").inside == 1
        gates.leave(visit.end())
        assert gates.look("host news.example.org").inside == 0


async def _at_once(call: Callable[..., Any], *args: Any) -> Any:
    return call(*args)

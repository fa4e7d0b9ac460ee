"""The leases of polls under way are renewed until they end, whatever goes wrong with one renewal."""

import asyncio
from collections.abc import Callable
from typing import Any

from structlog.testing import capture_logs

from worker.clock import ManualClock
from worker.connect import connect
from worker.poller.leases import LEASE_S, Leases
from worker.schedule import PollState
from worker.store.feeds import Feeds

NOW = 1_750_000_000.0


async def test_a_fault_in_one_renewal_does_not_end_them_all(valkey_url: str) -> None:
    """One that nobody foresaw is told with its traceback, and the lease is renewed at the next turn: a poll of a minute
    stays one poller's."""
    client = connect(valkey_url)
    feeds, clock, faults = Feeds(client), ManualClock(NOW), [RuntimeError("nobody foresaw this")]

    async def aside(call: Callable[..., Any], *args: Any) -> Any:
        if call == feeds.renew and faults:
            raise faults.pop()
        return call(*args)

    leases = Leases(feeds, clock, aside, renew_s=0.001)
    feed, _ = feeds.add("http://example.org/feed", "", NOW)
    leased = leases.take(1, None)
    assert [each.id for each in leased] == [feed]
    leases.hold(leased)
    clock.advance(LEASE_S - 5)

    def due() -> float:
        found = feeds.get(feed)
        assert found is not None
        return found.due

    with capture_logs() as logs:
        keeping = asyncio.create_task(leases.keep())
        async with asyncio.timeout(10):
            while due() < clock.now() + LEASE_S:
                assert not keeping.done(), "nobody renews any more"
                await asyncio.sleep(0.001)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    [told] = logs
    assert (told["event"], told["log_level"], told["exc_info"], faults) == ("leases not renewed", "error", True, [])
    client.close()


async def test_a_feed_that_is_taken_twice_has_two_leases(valkey_url: str) -> None:
    """It was made due while it was polled: the end of the first poll does not pass for that of the second."""
    client = connect(valkey_url)
    feeds, clock = Feeds(client), ManualClock(NOW)

    async def aside(call: Callable[..., Any], *args: Any) -> Any:
        return call(*args)

    leases = Leases(feeds, clock, aside)
    feed, _ = feeds.add("http://example.org/feed", "", NOW)
    [first] = leases.take(1, None)
    leases.hold([first])
    clock.advance(1)
    assert feeds.hasten(feed, clock.now())
    [second] = leases.take(1, None)
    leases.hold([second])
    stale, fresh = PollState(next_poll=NOW + 600), PollState(next_poll=NOW + 700)
    assert not feeds.record(await leases.let_go(first), stale)
    assert feeds.record(await leases.let_go(second), fresh)

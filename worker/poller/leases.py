"""The leases of the polls under way: short ones, renewed as long as this process lives.

Invariant: the feeds of a poller that died are due again within LEASE_S, however long a fetch may take.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from worker.clock import Clock
from worker.errors import StorywireError
from worker.store.feeds import Feed, Feeds
from worker.store.leasing import AWAY_S
from worker.store.reach import ALL_ANSWER, Reach

LEASE_S = 15.0
RENEW_S = 4.0
"""Thrice within a lease, so that a server may be away for as long as it takes to restart it."""

log = structlog.get_logger()


class Leases:
    """Takes and keeps leases. `aside` runs a blocking call in a thread; `reach`: which feeds' nodes answer."""

    def __init__(
        self,
        feeds: Feeds,
        clock: Clock,
        aside: Callable[..., Awaitable[Any]],
        renew_s: float = RENEW_S,
        reach: Reach = ALL_ANSWER,
    ) -> None:
        self._reach = reach
        self._feeds, self._clock, self._aside, self._renew_s = feeds, clock, aside, renew_s
        self._held: dict[tuple[str, float], Feed] = {}
        self._renewing = asyncio.Lock()

    def take(self, limit: int, due_by: float | None) -> Sequence[Feed]:
        """Lease up to `limit` feeds that are due; blocks, and raises Transient if the server is away."""
        return self._feeds.lease_due(self._clock.now(), LEASE_S, limit, due_by, self._reach)

    def put_off(self, leased: Sequence[Feed], wait_s: float = AWAY_S) -> None:
        """End leases that were just taken, of feeds that cannot be polled now; blocks as `take` does."""
        self._feeds.put_off(leased, self._clock.now() + wait_s)

    def hold(self, leased: Sequence[Feed]) -> None:
        """Renew these from now on, or go on with those that were renewed already while they waited for their turn."""
        self._held = {(feed.id, feed.due): feed for feed in leased} | self._held

    async def let_go(self, feed: Feed) -> Feed:
        """Renew this one no more; the feed as it is leased now: what its record, or giving it back, has to name.

        feed: as it was taken. One that was made due meanwhile may have been taken again: that is another lease.
        """
        async with self._renewing:
            return self._held.pop((feed.id, feed.due), feed)

    async def keep(self) -> None:
        """Renew what is held, until cancelled. One that cannot be renewed runs out: the poll is not recorded."""
        while True:
            await asyncio.sleep(self._renew_s)
            async with self._renewing:
                if not self._held:
                    continue
                try:
                    held, until = dict(self._held), self._clock.now() + LEASE_S  # more may be taken meanwhile
                    renewed = await self._aside(self._feeds.renew, list(held.values()), until)
                    self._held |= {taken: feed for taken, feed in zip(held, renewed, strict=True) if feed}
                except StorywireError as error:
                    log.debug("leases not renewed", feeds=len(self._held), reason=str(error))
                except Exception:  # a fault of ours: to end here would have every slow feed polled by two
                    log.exception("leases not renewed", feeds=len(self._held))

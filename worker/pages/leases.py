"""The articles whose pages this process reads now: leased in the store, each with the task that reads it.

Invariant: what was put back is not renewed, or it would be held for a whole lease again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from worker.clock import Clock
from worker.store.pages import Awaited, Pages

LEASE_S = 15.0


class Leases:
    """`aside` runs a blocking call in a thread."""

    def __init__(self, pages: Pages, aside: Callable[..., Awaitable[Any]], clock: Clock) -> None:
        self._pages, self._aside, self._clock = pages, aside, clock
        self._running: dict[asyncio.Task[None], Awaited] = {}
        self._back: set[Awaited] = set()
        self._renewing = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._running)

    async def take(self, most: int) -> Sequence[Awaited]:
        """Lease what is due, so many at most."""
        taken: Sequence[Awaited] = await self._aside(self._pages.lease, self._clock.now(), LEASE_S, most)
        return taken

    def begin(self, awaited: Awaited, reading: Coroutine[Any, Any, None]) -> None:
        """Have it read in a task: it is renewed until that has ended."""
        self._back.discard(awaited)
        task = asyncio.create_task(reading)
        self._running[task] = awaited
        task.add_done_callback(self._running.pop)

    async def renew(self) -> None:
        """Make them last for another LEASE_S."""
        async with self._renewing:
            self._back &= set(self._running.values())
            held = [awaited for awaited in self._running.values() if awaited not in self._back]
            await self._aside(self._pages.renew, held, self._clock.now() + LEASE_S)

    async def put_back(self, awaited: Awaited, due: float) -> None:
        """End the lease of one that is being read: anybody's again from then on."""
        async with self._renewing:
            self._back.add(awaited)
            await self._aside(self._pages.put_back, awaited, due)

    async def cancel(self) -> Sequence[Awaited]:
        """End all tasks; what they were reading."""
        running = dict(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        return [*running.values()]

    async def give_back(self, held: Sequence[Awaited]) -> None:
        """Leave these to others, at once."""
        for awaited in held:
            await self._aside(self._pages.put_back, awaited, self._clock.now())

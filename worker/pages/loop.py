"""The loop of a process that reads pages: leases what is due, reads it, puts the articles in their place, queues them.

Invariant: what is leased is ended, put back, or runs out by itself; what is read and not queued waits in the outbox,
where the sweeper finds it.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from time import monotonic

import structlog

from worker.aside import Aside
from worker.clock import Clock
from worker.config import Settings
from worker.errors import StorywireError
from worker.fetch import Fetcher, Guard
from worker.metrics import Metrics
from worker.model import Ref
from worker.names import new_name, this_version
from worker.pages.extractors import Extractors
from worker.pages.leases import Leases
from worker.pages.placing import Placing
from worker.pages.proof import Proof
from worker.pages.read import Reading
from worker.store.gates import Gates
from worker.store.outbox import Outbox
from worker.store.pages import Awaited, Pages
from worker.store.pollers import Readers, Sign
from worker.watchdog import Watchdog

TICK_S = 0.25
"""How often it is asked what is due: one short script."""

BEAT_S = 4.0
"""How often leases are renewed, and a sign of life is given."""

_THREADS = 4
_ROBOTS_TIMEOUT_S = 10.0
_ACCEPT = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"
_HTML = ("text/html", "application/xhtml+xml")

log = structlog.get_logger()


class Pager:
    """Reads pages until stopped. `enqueue` queues refs; it and the stores are called from threads."""

    def __init__(
        self,
        *,
        pages: Pages,
        outbox: Outbox,
        gates: Gates,
        enqueue: Callable[[Sequence[Ref]], int],
        settings: Settings,
        clock: Clock,
        extractors: Extractors | None = None,
        tick_s: float = TICK_S,
        metrics: Metrics | None = None,
        watchdog: Watchdog | None = None,
        readers: Readers | None = None,
    ) -> None:
        self._watchdog, self._met = watchdog or Watchdog({}), False
        self._readers, self._name, self._started = readers, new_name(), clock.now()
        self._pages, self._enqueue = pages, enqueue
        self._most, self._tick_s = settings.fetch_parallel, tick_s
        self._aside = aside = Aside("store", _THREADS)
        self._reading = _reading(settings, extractors or Extractors(), gates, aside, clock)
        self._proof = Proof(self._reading.extractors, self._beat_soon)
        self._leases = Leases(pages, aside, clock)
        self._placing = Placing(
            self._reading,
            self._leases,
            pages=pages,
            outbox=outbox,
            aside=aside,
            clock=clock,
            metrics=metrics or Metrics("pages"),
        )
        self._stopping = asyncio.Event()
        self._beat_due, self._waiting = 0.0, False

    def stop(self) -> None:
        """End soon: what is being read is put back, for another process."""
        self._stopping.set()
        self._watchdog.end()

    async def run(self) -> None:
        """Read what is due until stopped. A server that is down is waited for."""
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            async with AsyncExitStack() as parts:
                for part in (self._reading.fetcher, self._reading.robots_fetcher, self._reading.extractors):
                    await parts.enter_async_context(part)
                log.info("reading pages", pid=os.getpid())
                while not self._stopping.is_set():
                    leased = await self._turn()
                    self._tell()
                    for awaited in leased:
                        self._leases.begin(awaited, self._placing.place(awaited))
                    await asyncio.wait({stopped}, timeout=0 if leased else self._tick_s)
                await self._give_back()
        finally:
            stopped.cancel()
            self._aside.join()

    def _tell(self) -> None:
        """Give the service manager a sign of life; that we are ready only when the server has been met."""
        self._met = self._met or not self._waiting
        if self._met:
            broken = self._proof.broken
            read = f"Pages cannot be read: {broken}" if broken else f"Reading; now {len(self._leases)} at once"
            self._watchdog.turn("Waiting for the server" if self._waiting else read)

    async def _turn(self) -> Sequence[Awaited]:
        """Queue what is ready, beat, and lease what is due."""
        try:
            await self._flush()
            if monotonic() >= self._beat_due:
                self._beat_due = monotonic() + BEAT_S
                await self._beat()
                await self._leases.renew()
            leased = await self._lease()
        except StorywireError as error:
            if not self._waiting:
                log.warning("waiting for the server", trouble=str(error))
            self._waiting = True
            await asyncio.sleep(self._tick_s)
            return []
        if self._waiting:
            log.info("the server is back")
        self._waiting = False
        return leased

    def _beat_soon(self) -> None:
        self._beat_due = 0.0

    async def _beat(self) -> None:
        await self._aside(self._pages.beat, self._proof.broken)
        if self._readers is not None:
            sign = Sign(self._proof.broken, 0.0, self._started, this_version(), "reads pages")
            await self._aside(self._readers.beat, self._name, sign)

    async def _lease(self) -> Sequence[Awaited]:
        """What is due and can be read here; what cannot is left to others, and to its time."""
        room = self._most - len(self._leases)
        if room <= 0 or (self._proof.broken and not await self._proof.holds_again()):
            return []
        leased = await self._leases.take(room)
        if not leased or await self._proof.holds():
            return leased
        await self._leases.give_back(leased)
        return []

    async def _flush(self) -> None:
        """Queue what was read since the last turn, as one batch."""
        refs = self._placing.ready()
        if not refs:
            return
        try:
            await self._aside(self._enqueue, refs)
        except StorywireError as error:
            log.warning("queue unavailable", trouble=str(error), articles=len(refs), remedy="workers queue them again")

    async def _give_back(self) -> None:
        held = await self._leases.cancel()
        try:
            if self._readers is not None:
                await self._aside(self._readers.leave, self._name)
            await self._leases.give_back(held)
            await self._flush()
        except StorywireError as error:
            log.warning("leases not given back", trouble=str(error), remedy="they run out")


def _reading(settings: Settings, extractors: Extractors, gates: Gates, aside: Aside, clock: Clock) -> Reading:
    """What reads pages with these settings."""
    fetcher = partial(Fetcher, user_agent=settings.user_agent, guard=Guard(settings.allow_private))
    return Reading(
        fetcher=fetcher(timeout_s=settings.fetch_timeout, accept=_ACCEPT, types=_HTML),
        robots_fetcher=fetcher(timeout_s=min(settings.fetch_timeout, _ROBOTS_TIMEOUT_S), accept="text/plain, */*"),
        extractors=extractors,
        gates=gates,
        aside=aside,
        clock=clock,
        agent=settings.user_agent,
    )

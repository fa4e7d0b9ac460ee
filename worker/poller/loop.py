"""The poller's loop: leases what is due, polls it in parallel, records what came of it.

Invariant: every lease is ended by a record, given back on the way out, or runs out by itself.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

import structlog

from worker.aside import Aside
from worker.clock import Clock
from worker.config import Settings
from worker.errors import Transient
from worker.fetch import Fetcher, Guard
from worker.metrics import Metrics
from worker.model import Ref
from worker.poller.awaiting import Awaiting
from worker.poller.dispatch import Dispatch
from worker.poller.gate import Visiting
from worker.poller.leases import Leases
from worker.poller.line import Line
from worker.poller.loading import load
from worker.poller.parsers import Parsers
from worker.poller.poll import Poll
from worker.poller.polling import Polling
from worker.poller.pushing import Pushes, Pushing
from worker.poller.records import Records
from worker.poller.turns import Taken, Turns
from worker.poller.watch import BEAT_S, LOOK_S, Watch
from worker.schedule import Pace
from worker.store.feeds import Feed, Feeds
from worker.store.gates import Gates, Turn
from worker.store.hubs import Hubs, Waiting
from worker.store.outbox import Outbox
from worker.store.pages import Pages
from worker.store.pollers import Pollers
from worker.store.reach import ALL_ANSWER, Reach
from worker.visit import Visit
from worker.watchdog import Watchdog

TICK_S = 0.5
"""How often an idle poller asks for due feeds: one short script."""

_ROOM = 4
"""A part of what is fetched at once has to be free before more is leased: one at a time would be a round trip each."""

_ROOM_S = 0.02
"""How long a smaller room stays empty at most."""

_THREADS = 4

log = structlog.get_logger()


class Poller:
    """Polls feeds until stopped. `enqueue` queues refs; it and the stores are called from threads. `pages`: where
    articles wait for their pages; without, none does; `hubs`: what hubs push; without, nothing is; `reach`: which
    nodes of a Cluster answer."""

    def __init__(
        self,
        *,
        feeds: Feeds,
        outbox: Outbox,
        pollers: Pollers,
        gates: Gates,
        enqueue: Callable[[Sequence[Ref]], int],
        settings: Settings,
        clock: Clock,
        pages: Pages | None = None,
        hubs: Hubs | None = None,
        fetcher: Fetcher | None = None,
        parsers: Parsers | None = None,
        tick_s: float = TICK_S,
        look_s: float = LOOK_S,
        metrics: Metrics | None = None,
        watchdog: Watchdog | None = None,
        reach: Reach = ALL_ANSWER,
    ) -> None:
        self._reach = reach
        self._watchdog = watchdog or Watchdog({})
        self._gates, self._settings, self._clock, self._tick_s = gates, settings, clock, tick_s
        self._fetcher = fetcher or Fetcher(
            user_agent=settings.user_agent, timeout_s=settings.fetch_timeout, guard=Guard(settings.allow_private)
        )
        self._parsers = parsers or Parsers()
        self._aside = Aside("store", _THREADS)
        self._watch = Watch(pollers, outbox, clock, settings.max_pending, look_s, reach=reach)
        self._leases = Leases(feeds, clock, self._aside, reach=reach)
        self._records = Records(feeds, gates, self._aside)
        pushes, inside = Pushes(hubs), settings.allow_private != "0"
        self._turns = Turns(feeds, gates, self._watch, pushes, self._leases, clock, allowing=inside, reach=reach)
        self._polling = Polling(
            feeds=feeds,
            poll=self._poll(outbox, enqueue, pages),
            pushes=pushes,
            leases=self._leases,
            records=self._records,
            pace=Pace(settings.poll_interval, settings.poll_min, settings.poll_max),
            clock=clock,
            aside=self._aside,
            metrics=metrics or Metrics("poller"),
        )
        self._stopping = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()
        self._line = Line(clock)
        self._waiting = False

    def _poll(self, outbox: Outbox, enqueue: Callable[[Sequence[Ref]], int], pages: Pages | None) -> Poll:
        settings = self._settings
        return Poll(
            parsers=self._parsers,
            outbox=outbox,
            claims=outbox.claims.within(self._reach),
            dispatch=Dispatch(lambda refs: self._aside(enqueue, refs)),
            aside=self._aside,
            clock=self._clock,
            keep_s=2 * settings.retention,
            most_daily=settings.max_daily,
            awaiting=Awaiting(pages, settings.pages, settings.pages_wait),
        )

    def stop(self) -> None:
        """End soon: what is being fetched is given back, what is being published is finished."""
        self._watchdog.end()
        self._stopping.set()
        self._ended.set()
        self._polling.stop()

    async def run(self, *, once: bool = False) -> None:
        """Poll what is due, until stopped; with `once` until all that was due at the start has been polled.

        A server that is down, or has enough to do, is waited for, except with `once`. Raises StorywireError.
        """
        kept = asyncio.create_task(self._leases.keep())
        due_by = self._clock.now() if once else None
        try:
            async with self._fetcher, self._parsers:
                try:
                    await self._run(due_by)
                finally:
                    self.stop()
                    await self._finish()
        finally:
            kept.cancel()
            self._aside.join()

    async def _finish(self) -> None:
        """Until all is written that polls came to; what waited in here for its turn goes back into the schedule."""
        await asyncio.gather(*self._running, *(self._polling.defer(feed, turn) for feed, turn in self._line.waiting()))
        await self._records.finish()
        await self._aside(self._watch.leave)

    async def _run(self, due_by: float | None) -> None:
        await self._aside(load)
        while not self._stopping.is_set():
            self._ended.clear()
            leased = await self._lease(due_by)
            self._tell()
            self._leases.hold([feed for feed, _ in leased])
            for feed, turn in leased:
                self._begin(feed, turn, due_by)
            if due_by is not None and not leased and not self._running and not self._line:
                return
            await self._pause(idle=not leased)

    def _begin(self, feed: Feed, turn: Turn | Waiting, due_by: float | None) -> None:
        """Poll a leased feed, or let it wait for its turn: in here where all that was due is to be polled."""
        if isinstance(turn, Waiting):
            self._start(self._polling.run(feed, Pushing(feed, turn)))
        elif turn.admitted:
            later = None if due_by is None else self._line.join
            self._start(self._polling.run(feed, self._visiting(feed, turn), later))
        elif due_by is not None and not turn.closed:
            self._line.join(feed, turn)
        else:
            self._start(self._polling.defer(feed, turn))

    def _tell(self) -> None:
        """Give the service manager a sign of life; that we are ready only when the server has been met."""
        if self._turns.woken:
            works = (
                f"Holding back: {self._watch.why}" if self._watch.why else f"Polling; now {len(self._running)} at once"
            )
            self._watchdog.turn("Waiting for the server" if self._waiting else works)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._room() == 1 or not self._running:
            self._ended.set()

    def _room(self) -> int:
        return self._settings.fetch_parallel - len(self._running)

    async def _lease(self, due_by: float | None) -> Taken:
        """What is due, with its turn at its gate or what was pushed of it; nothing while the server is away, or has
        enough to do."""
        try:
            leased = await self._aside(self._turns.take, due_by, self._room(), self._line.come(self._room()))
        except Transient as error:
            if due_by is not None:
                raise
            if not self._waiting:
                log.warning("waiting for the server", trouble=str(error))
            self._waiting = True
            return []
        if self._waiting:
            log.info("the server is back")
        self._waiting = False
        return leased

    def _visiting(self, feed: Feed, turn: Turn) -> Visiting:
        visit = Visit(feed.id, self._gates, self._aside, self._clock, feed=feed.id)
        return Visiting(feed, turn, visit, self._fetcher, self._records.leave)

    async def _pause(self, *, idle: bool) -> None:
        """Until there may be something to do: at once if there may be more due, at the latest after a tick."""
        full = self._room() <= 0
        if full or idle:
            await self._wait(BEAT_S if full else self._tick_s)
        if not idle and self._room() < self._settings.fetch_parallel // _ROOM:
            await asyncio.sleep(_ROOM_S)

    async def _wait(self, longest_s: float) -> None:
        """Until a full poller has room, all is polled, a turn has come or we are stopped; no longer than this."""
        next_s = self._line.next_s()
        if next_s is not None:
            longest_s = min(longest_s, next_s)
        with suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._ended.wait()

"""The poller's loop: leases what is due, polls it in parallel, records what came of it.

Invariant: every lease is ended by a record, given back on the way out, or runs out by itself.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import structlog

from worker.clock import Clock
from worker.config import Settings
from worker.errors import StorywireError, Transient
from worker.fetch import ALLOWED_BY, Fetcher, Guard
from worker.model import Ref
from worker.poller.dispatch import Dispatch
from worker.poller.leases import Leases
from worker.poller.network import Network
from worker.poller.parsers import Parsers
from worker.poller.poll import Poll, Told, shown
from worker.poller.watch import BEAT_S, LOOK_S, Watch
from worker.schedule import NO_NETWORK, Outcome, Pace, Polled, after, without_network
from worker.store.feeds import Feed, Feeds
from worker.store.outbox import Outbox
from worker.store.pollers import Pollers

TICK_S = 0.5
"""How often an idle poller asks for due feeds: one short script."""

T = TypeVar("T")
log = structlog.get_logger()


class Poller:
    """Polls feeds until stopped. `enqueue` queues refs; it and the stores are called from threads."""

    def __init__(
        self,
        *,
        feeds: Feeds,
        outbox: Outbox,
        pollers: Pollers,
        enqueue: Callable[[Sequence[Ref]], int],
        settings: Settings,
        clock: Clock,
        fetcher: Fetcher | None = None,
        parsers: Parsers | None = None,
        tick_s: float = TICK_S,
        look_s: float = LOOK_S,
    ) -> None:
        self._feeds = feeds
        self._settings = settings
        self._clock = clock
        self._tick_s = tick_s
        self._fetcher = fetcher or Fetcher(
            user_agent=settings.user_agent, timeout_s=settings.fetch_timeout, guard=Guard(settings.allow_private)
        )
        self._parsers = parsers or Parsers()
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="store")
        self._poll = Poll(
            fetcher=self._fetcher,
            parsers=self._parsers,
            outbox=outbox,
            dispatch=Dispatch(lambda refs: self._aside(enqueue, refs)),
            aside=self._aside,
            clock=clock,
            keep_s=2 * settings.retention,
            most_daily=settings.max_daily,
        )
        self._watch = Watch(pollers, outbox, clock, settings.max_pending, look_s)
        self._leases = Leases(feeds, clock, self._aside)
        self._stopping = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._waiting = False
        self._network = Network()
        self._woken, self._told_offline = False, False

    def stop(self) -> None:
        """End soon: what is being fetched is given back, what is being published is finished."""
        self._stopping.set()

    async def run(self, *, once: bool = False) -> None:
        """Poll what is due, until stopped; with `once` until all that was due at the start has been polled.

        A server that is down, or has enough to do, is waited for, except with `once`. Raises StorywireError.
        """
        stopped, kept = asyncio.create_task(self._stopping.wait()), asyncio.create_task(self._leases.keep())
        due_by = self._clock.now() if once else None
        try:
            async with self._fetcher, self._parsers:
                try:
                    await self._run(stopped, due_by)
                finally:
                    self.stop()
                    await asyncio.gather(*self._running)
                    await self._aside(self._watch.leave)
        finally:
            stopped.cancel()
            kept.cancel()
            self._threads.shutdown()

    async def _run(self, stopped: asyncio.Task[Any], due_by: float | None) -> None:
        while not self._stopping.is_set():
            leased = await self._lease(due_by)
            for feed in leased:
                task = asyncio.create_task(self._poll_one(feed, stopped))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            if due_by is not None and not leased and not self._running:
                return
            await self._pause(stopped, idle=not leased)

    async def _lease(self, due_by: float | None) -> Sequence[Feed]:
        room = self._settings.fetch_parallel - len(self._running)
        leased: Sequence[Feed] = []
        try:
            held = await self._aside(self._watch.turn)
            if held and due_by is not None:
                raise Transient(f"polls are held back: {self._watch.why}")
            if not self._woken:
                await self._aside(self._wake, self._clock.now() if due_by is None else due_by)
                self._woken = True
            if room > 0 and not held:
                leased = await self._leases.take(room, due_by)
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

    def _wake(self, now: float) -> None:
        """Who starts us without a network shall hear so at once, and who has one again need not wait; nor who allows
        now what we refused."""
        allowing = self._settings.allow_private != "0"
        for feed in self._feeds.all():
            again = feed.polls.reason == NO_NETWORK or (allowing and ALLOWED_BY in feed.polls.trouble)
            if again and feed.due == feed.polls.next_poll > now:
                self._feeds.give_back(feed, now)

    async def _pause(self, stopped: asyncio.Task[Any], *, idle: bool) -> None:
        """Until there may be something to do: at once if there may be more due, at the latest after a tick."""
        full = len(self._running) >= self._settings.fetch_parallel
        if full:
            await asyncio.wait({stopped, *self._running}, timeout=BEAT_S, return_when=asyncio.FIRST_COMPLETED)
        elif idle:
            await asyncio.wait({stopped, *self._running}, timeout=self._tick_s, return_when=asyncio.FIRST_COMPLETED)

    async def _poll_one(self, feed: Feed, stopped: asyncio.Task[Any]) -> None:
        """Poll a feed and record it, or give it back."""
        told = Told()
        try:
            polled, down = await self._judged(feed, told, stopped)
            if polled is None:
                await self._aside(self._feeds.give_back, await self._leases.let_go(feed), self._clock.now())
            else:
                await self._record(feed, polled, told, down=down)
        except StorywireError as error:
            log.warning(
                "poll not recorded", **shown(feed), trouble=str(error), remedy="polled again when its lease ends"
            )
        except Exception:
            log.exception("poll failed", **shown(feed))
        finally:
            await self._leases.let_go(feed)

    async def _judged(self, feed: Feed, told: Told, stopped: asyncio.Task[Any]) -> tuple[Polled | None, bool]:
        """What came of a poll, and whether that was for want of a network: then others are waited for."""
        polls, polled = self._network.enter(), None
        try:
            polled = await self._polled(feed, told, stopped)
        finally:
            self._network.leave(polls, feed, polled.outcome if polled and polled.asked else None, self._clock.now())
        if polled is None or polled.outcome is not Outcome.UNREACHABLE:
            self._told_offline = self._told_offline and polled is None
            return polled, False
        down = await self._network.is_down(polls, feed)
        if down and not self._told_offline:
            self._told_offline = True
            log.warning("no feed can be reached: without internet, try `storywire demo`", next=NO_NETWORK)
        return polled, down

    async def _polled(self, feed: Feed, told: Told, stopped: asyncio.Task[Any]) -> Polled | None:
        """What came of a poll; None if it was stopped before anything was published."""
        read = asyncio.create_task(self._poll.read(feed, told))
        await asyncio.wait({read, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not read.done():
            read.cancel()
            await asyncio.gather(read, return_exceptions=True)
            return None
        try:
            polled, parsed = read.result()
            return polled if parsed is None else await self._poll.publish(feed, polled, parsed, told)
        except StorywireError:
            raise
        except Exception as error:  # a fault of ours: seen, and the feed waits as after any error
            log.exception("poll failed", **shown(feed))
            return Polled(outcome=Outcome.FAILED, trouble=f"met a fault of Storywire ({type(error).__name__})")

    async def _record(self, feed: Feed, polled: Polled, told: Told, *, down: bool) -> None:
        """Plan the next poll, and say all of this one in a line."""
        now = self._clock.now()
        if down:
            state = without_network(feed.polls, polled, now, random.random())
        else:
            pace = Pace(self._settings.poll_interval, self._settings.poll_min, self._settings.poll_max)
            state = after(feed.polls, polled, now, random.random(), pace)
        await self._aside(self._feeds.record, await self._leases.let_go(feed), state)
        write = log.info if polled.outcome.good else log.warning
        trouble = {"trouble": polled.trouble} if polled.trouble else {}
        write("polled", **shown(feed), outcome=str(polled.outcome), **trouble, **told.facts, next=state.reason)

    async def _aside(self, call: Callable[..., T], *args: Any) -> T:
        """Run a blocking call in a thread of our own: the loop's default ones look up host names."""
        result: Awaitable[T] = asyncio.get_running_loop().run_in_executor(self._threads, partial(call, *args))
        return await result

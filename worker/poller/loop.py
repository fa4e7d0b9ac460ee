"""The poller's loop: leases what is due, polls it in parallel, records what came of it.

Invariant: every lease is ended by a record, given back on the way out, or runs out by itself.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from heapq import heappop, heappush
from typing import Any, TypeVar

import structlog
from msgspec.structs import replace

from worker.clock import Clock
from worker.config import Settings
from worker.errors import StorywireError, Transient
from worker.feed.address import shown_url
from worker.feed.parse import ParsedFeed
from worker.fetch import ALLOWED_BY, Fetcher, Guard
from worker.model import Ref
from worker.poller.awaiting import Awaiting
from worker.poller.dispatch import Dispatch
from worker.poller.gate import NotYet, Visiting
from worker.poller.leases import Leases
from worker.poller.network import Network
from worker.poller.parsers import Parsers
from worker.poller.poll import Poll, Told, shown
from worker.poller.pushing import Pushes, Pushing
from worker.poller.records import Record, Records
from worker.poller.watch import BEAT_S, LOOK_S, Watch
from worker.schedule import (
    NO_NETWORK,
    Outcome,
    Pace,
    Polled,
    PollState,
    after,
    after_push,
    fetched,
    only_news,
    without_network,
)
from worker.store.feeds import Feed, Feeds
from worker.store.gates import Ask, Gates, Turn
from worker.store.hubs import Hubs, Waiting
from worker.store.outbox import Outbox
from worker.store.pages import Pages
from worker.store.pollers import Pollers

TICK_S = 0.5
"""How often an idle poller asks for due feeds: one short script."""

_ROOM = 4
"""A part of what is fetched at once has to be free before more is leased: one at a time would be a round trip each."""

_ROOM_S = 0.02
"""How long a smaller room stays empty at most."""

T = TypeVar("T")
log = structlog.get_logger()


class Poller:
    """Polls feeds until stopped. `enqueue` queues refs; it and the stores are called from threads. `pages`: where
    articles wait for their pages; without, none does; `hubs`: what hubs push; without, nothing is."""

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
    ) -> None:
        self._feeds, self._gates = feeds, gates
        self._settings = settings
        self._clock = clock
        self._tick_s = tick_s
        self._fetcher = fetcher or Fetcher(
            user_agent=settings.user_agent, timeout_s=settings.fetch_timeout, guard=Guard(settings.allow_private)
        )
        self._parsers = parsers or Parsers()
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="store")
        self._poll = Poll(
            parsers=self._parsers,
            outbox=outbox,
            dispatch=Dispatch(lambda refs: self._aside(enqueue, refs)),
            aside=self._aside,
            clock=clock,
            keep_s=2 * settings.retention,
            most_daily=settings.max_daily,
            awaiting=Awaiting(pages, settings.pages, settings.pages_wait),
        )
        self._watch = Watch(pollers, outbox, clock, settings.max_pending, look_s)
        self._pushes = Pushes(hubs)
        self._leases = Leases(feeds, clock, self._aside)
        self._records = Records(feeds, gates, self._aside)
        self._pace = Pace(settings.poll_interval, settings.poll_min, settings.poll_max)
        self._stopping = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._reading: set[asyncio.Task[Any]] = set()
        self._ended = asyncio.Event()
        self._queued = list[tuple[float, Feed, Turn]]()
        self._waiting = False
        self._network = Network()
        self._woken, self._told_offline = False, False

    def stop(self) -> None:
        """End soon: what is being fetched is given back, what is being published is finished."""
        self._stopping.set()
        self._ended.set()
        for task in self._reading:
            task.cancel()

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
            self._threads.shutdown()

    async def _finish(self) -> None:
        """Until all is written that polls came to; what waited in here for its turn goes back into the schedule."""
        await asyncio.gather(*self._running, *(self._defer(feed, turn) for _, feed, turn in self._queued))
        await self._records.finish()
        await self._aside(self._watch.leave)

    async def _run(self, due_by: float | None) -> None:
        while not self._stopping.is_set():
            self._ended.clear()
            leased = await self._lease(due_by)
            self._leases.hold([feed for feed, _ in leased])
            for feed, turn in leased:
                if isinstance(turn, Waiting):
                    self._start(self._poll_one(feed, Pushing(feed, turn)))
                elif turn.admitted:
                    self._start(self._poll_one(feed, self._visiting(feed, turn)))
                elif due_by is not None and not turn.closed:
                    heappush(self._queued, (self._clock.now() + turn.wait_s, feed, turn))
                else:
                    self._start(self._defer(feed, turn))
            if due_by is not None and not leased and not self._running and not self._queued:
                return
            await self._pause(idle=not leased)

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

    async def _lease(self, due_by: float | None) -> Sequence[tuple[Feed, Turn | Waiting]]:
        """What is due, with its turn at its gate or what was pushed of it; nothing while the server is away, or has
        enough to do."""
        now, again = self._clock.now(), list[Feed]()
        while self._queued and self._queued[0][0] <= now and len(again) < self._room():
            again.append(heappop(self._queued)[1])
        try:
            leased: Sequence[tuple[Feed, Turn | Waiting]] = await self._aside(self._take, due_by, self._room(), again)
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

    def _take(self, due_by: float | None, room: int, again: list[Feed]) -> Sequence[tuple[Feed, Turn | Waiting]]:
        """All that a turn of the loop asks the server for, in one go. Blocks."""
        held = self._watch.turn()
        if held and due_by is not None:
            raise Transient(f"polls are held back: {self._watch.why}")
        if not self._woken:
            self._wake(self._clock.now() if due_by is None else due_by)
            self._woken = True
        room -= len(again)
        leased = [*again, *(self._leases.take(room, due_by) if room > 0 and not held else [])]
        pushed = self._pushes.first(leased)
        fetched = [feed for feed in leased if feed.id not in pushed]
        turns = self._gates.enter([Ask(feed.url, feed.id, feed.id) for feed in fetched]) if fetched else []
        return [*((feed, pushed[feed.id]) for feed in leased if feed.id in pushed), *zip(fetched, turns, strict=True)]

    def _visiting(self, feed: Feed, turn: Turn) -> Visiting:
        return Visiting(
            feed,
            turn,
            fetcher=self._fetcher,
            gates=self._gates,
            leave=self._records.leave,
            aside=self._aside,
            clock=self._clock,
            tick_s=self._tick_s,
        )

    def _wake(self, now: float) -> None:
        """Who starts us without a network shall hear so at once, and who has one again need not wait; nor who allows
        now what we refused."""
        allowing = self._settings.allow_private != "0"
        for feed in self._feeds.all():
            again = feed.polls.reason == NO_NETWORK or (allowing and ALLOWED_BY in feed.polls.trouble)
            if again and feed.due == feed.polls.next_poll > now:
                self._feeds.give_back(feed, now)

    async def _pause(self, *, idle: bool) -> None:
        """Until there may be something to do: at once if there may be more due, at the latest after a tick."""
        full = self._room() <= 0
        if full or idle:
            await self._wait(BEAT_S if full else self._tick_s)
        if not idle and self._room() < self._settings.fetch_parallel // _ROOM:
            await asyncio.sleep(_ROOM_S)

    async def _wait(self, longest_s: float) -> None:
        """Until a full poller has room, all is polled, a turn has come or we are stopped; no longer than this."""
        if self._queued:
            longest_s = min(longest_s, max(0.0, self._queued[0][0] - self._clock.now()))
        with suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._ended.wait()

    async def _poll_one(self, feed: Feed, visiting: Visiting | Pushing) -> None:
        """Poll a feed and record it, or give it back."""
        told = Told()
        try:
            polled, down = await self._judged(feed, told, visiting)
            if polled is None:
                await self._aside(self._feeds.give_back, await self._leases.let_go(feed), self._clock.now())
            else:
                await self._record(feed, polled, told, visiting, down=down)
        except NotYet as shut:
            await self._defer(feed, shut.turn)
        except StorywireError as error:
            log.warning(
                "poll not recorded", **shown(feed), trouble=str(error), remedy="polled again when its lease ends"
            )
        except Exception:
            log.exception("poll failed", **shown(feed))
        finally:
            visiting.end()
            await self._leases.let_go(feed)

    async def _defer(self, feed: Feed, turn: Turn) -> None:
        """Give a feed the place in the schedule that its turn is, and the reason for it."""
        state = replace(feed.polls, next_poll=self._clock.now() + turn.wait_s, reason=turn.why)
        try:
            await self._records.write(Record(await self._leases.let_go(feed), state, None))
        except StorywireError as error:
            log.debug("turn not recorded", **shown(feed), reason=str(error))

    async def _judged(self, feed: Feed, told: Told, visiting: Visiting | Pushing) -> tuple[Polled | None, bool]:
        """What came of a poll, and whether that was for want of a network: then others are waited for."""
        polls, polled = self._network.enter(), None
        try:
            polled = await self._polled(feed, told, visiting)
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

    async def _polled(self, feed: Feed, told: Told, visiting: Visiting | Pushing) -> Polled | None:
        """What came of a poll; None if it was stopped before anything was published."""
        try:
            found = await self._read(feed, told, visiting)
            if found is None:
                return None
            polled, parsed = found
            return polled if parsed is None else await self._poll.publish(feed, polled, parsed, told)
        except (StorywireError, NotYet):
            raise
        except Exception as error:  # a fault of ours: seen, and the feed waits as after any error
            log.exception("poll failed", **shown(feed))
            return Polled(outcome=Outcome.FAILED, trouble=f"met a fault of Storywire ({type(error).__name__})")

    async def _read(
        self, feed: Feed, told: Told, visiting: Visiting | Pushing
    ) -> tuple[Polled, ParsedFeed | None] | None:
        """Fetch and parse when the gate says so; None if it was stopped: nothing but this part is broken off."""
        task = asyncio.current_task()
        assert task is not None
        if self._stopping.is_set():
            return None
        self._reading.add(task)
        try:
            await visiting.begin()
            told.begin()
            polled, parsed = await self._poll.read(feed, told, visiting)
            return (only_news(polled) if isinstance(visiting, Pushing) else polled), parsed
        except asyncio.CancelledError:
            if not self._stopping.is_set():
                raise
            task.uncancel()
            return None
        finally:
            self._reading.discard(task)

    async def _record(
        self, feed: Feed, polled: Polled, told: Told, visiting: Visiting | Pushing, *, down: bool
    ) -> None:
        """Plan the next poll, and say all of this one in a line."""
        if isinstance(visiting, Pushing):
            await self._aside(self._pushes.done, feed, visiting.waiting, polled)
            told.facts["pushed"] = True
        elif feed.polls.hub:
            polled = replace(polled, pushed=await self._aside(self._pushes.trusted, feed, polled, self._clock.now()))
        state = self._planned(feed, polled, visiting, down=down)
        fetch = fetched(state, polled, told.took_ms, told.size)
        await self._records.write(Record(await self._leases.let_go(feed), state, fetch))
        if state.moves_to and await self._aside(self._feeds.move, feed.id, state.moves_to, self._clock.now()):
            log.info("moved for good", **shown(feed), to=shown_url(state.moves_to))
        write = log.info if polled.outcome.good else log.warning
        trouble = {"trouble": polled.trouble} if polled.trouble else {}
        write("polled", **shown(feed), outcome=str(polled.outcome), **trouble, **told.facts, next=state.reason)

    def _planned(self, feed: Feed, polled: Polled, visiting: Visiting | Pushing, *, down: bool) -> PollState:
        now = self._clock.now()
        if isinstance(visiting, Pushing):
            return after_push(feed.polls, polled, now, self._pace, again=visiting.waiting.more)
        if down:
            return without_network(feed.polls, polled, now, random.random())
        return after(feed.polls, polled, now, random.random(), self._pace)

    async def _aside(self, call: Callable[..., T], *args: Any) -> T:
        """Run a blocking call in a thread of our own: the loop's default ones look up host names."""
        result: Awaitable[T] = asyncio.get_running_loop().run_in_executor(self._threads, partial(call, *args))
        return await result

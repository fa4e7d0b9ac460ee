"""One poll from its turn to its record: read in turn, published, judged, planned anew.

Invariant: what ends here ends its lease and leaves its gates, whatever happened; nothing but reading is broken off.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import structlog
from msgspec.structs import replace

from worker.clock import Clock
from worker.errors import StorywireError
from worker.feed.address import shown_url
from worker.feed.parse import ParsedFeed
from worker.metrics import Metrics
from worker.metrics.table import DEFERRED, ENTRIES, FETCHED_BYTES, POLLS, PUSHES, UNRECORDED
from worker.poller.gate import Visiting
from worker.poller.leases import Leases
from worker.poller.network import Network
from worker.poller.poll import Aside, Poll, Told, shown
from worker.poller.pushing import Pushes, Pushing
from worker.poller.records import Record, Records
from worker.schedule import (
    NO_NETWORK,
    Outcome,
    Pace,
    Polled,
    PollState,
    after,
    after_push,
    as_told,
    fetched,
    only_news,
    without_network,
)
from worker.store.feeds import Feed, Feeds
from worker.store.gates import Turn
from worker.visit import NotYet

log = structlog.get_logger()


class Polling:
    """Polls one feed after the other, many at a time, with these parts."""

    def __init__(
        self,
        *,
        feeds: Feeds,
        poll: Poll,
        pushes: Pushes,
        leases: Leases,
        records: Records,
        pace: Pace,
        clock: Clock,
        aside: Aside,
        metrics: Metrics,
    ) -> None:
        self._metrics = metrics
        self._feeds, self._poll, self._pushes = feeds, poll, pushes
        self._leases, self._records, self._pace = leases, records, pace
        self._clock, self._aside = clock, aside
        self._network = Network()
        self._told_offline, self._stopping = False, False
        self._reading: set[asyncio.Task[Any]] = set()

    def stop(self) -> None:
        """Break off what is being read, and begin nothing more: those feeds are given back."""
        self._stopping = True
        for task in self._reading:
            task.cancel()

    async def run(
        self, feed: Feed, visiting: Visiting | Pushing, later: Callable[[Feed, Turn], None] | None = None
    ) -> None:
        """Poll a feed and record it, or give it back. later: takes a feed, still leased, that was told another turn."""
        told, queued = Told(), False
        try:
            polled, down = await self._judged(feed, told, visiting)
            if polled is None:
                await self._aside(self._feeds.give_back, await self._leases.let_go(feed), self._clock.now())
            else:
                await self._record(feed, polled, told, visiting, down=down)
        except NotYet as shut:
            if queued := later is not None and not shut.turn.closed:
                later(feed, shut.turn)
            else:
                await self.defer(feed, shut.turn)
        except StorywireError as error:
            self._metrics.count(UNRECORDED)
            log.warning(
                "poll not recorded", **shown(feed), trouble=str(error), remedy="polled again when its lease ends"
            )
        except Exception:
            log.exception("poll failed", **shown(feed))
        finally:
            visiting.end()
            if not queued:
                await self._leases.let_go(feed)

    async def defer(self, feed: Feed, turn: Turn) -> None:
        """Give a feed the place in the schedule that its turn is, and the reason for it."""
        state = replace(feed.polls, next_poll=self._clock.now() + turn.wait_s, reason=turn.why)
        self._metrics.count(DEFERRED)
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
        if self._stopping:
            return None
        self._reading.add(task)
        try:
            await visiting.begin()
            told.begin()
            polled, parsed = await self._poll.read(feed, told, visiting)
            return (only_news(polled) if isinstance(visiting, Pushing) else polled), parsed
        except asyncio.CancelledError:
            if not self._stopping:
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
        line = as_told(state, polled, self._clock.now()) if isinstance(visiting, Pushing) else state
        fetch = fetched(line, polled, told.fetch_ms, told.size)
        await self._records.write(Record(await self._leases.let_go(feed), state, fetch))
        if feed.polls.hub:
            await self._aside(self._pushes.recorded, feed, self._clock.now())
        if state.moves_to and await self._aside(self._feeds.move, feed.id, state.moves_to, self._clock.now()):
            log.info("moved for good", **shown(feed), to=shown_url(state.moves_to))
        write = log.info if polled.outcome.good else log.warning
        trouble = {"trouble": polled.trouble} if polled.trouble else {}
        write("polled", **shown(feed), outcome=str(polled.outcome), **trouble, **told.facts, next=state.reason)
        self._measure(polled, told)

    def _measure(self, polled: Polled, told: Told) -> None:
        metrics = self._metrics
        metrics.count(POLLS, outcome=polled.outcome)
        if told.facts.get("pushed"):
            metrics.count(PUSHES)
        if told.size:
            metrics.count(FETCHED_BYTES, told.size)
        metrics.stages(told.facts)
        for kind in ("new", "revised", "carried", "later"):
            if count := getattr(polled, kind):
                metrics.count(ENTRIES, count, kind=kind)

    def _planned(self, feed: Feed, polled: Polled, visiting: Visiting | Pushing, *, down: bool) -> PollState:
        now = self._clock.now()
        if isinstance(visiting, Pushing):
            return after_push(feed.polls, polled, now, self._pace, again=visiting.waiting.more)
        if down:
            return without_network(feed.polls, polled, now, random.random())
        return after(feed.polls, polled, now, random.random(), self._pace)

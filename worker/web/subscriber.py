"""Asks hubs to push: looks which feeds have one, and brings what hubs were asked for into line with that.

Invariant: what is wanted is read off the feeds themselves, and what was asked stands in the store before it is asked;
so of any number of these each may die at any moment, and another goes on.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog

from worker.clock import Clock
from worker.errors import StorywireError
from worker.feed import websub
from worker.feed.address import shown_url
from worker.feed.websub import Step, Subscription, Wanted
from worker.fetch.closing import LONGEST_CLOSED_S
from worker.fetch.post import Poster
from worker.schedule import retry_after_s
from worker.store.feeds import Feed, Feeds
from worker.store.gates import Gates
from worker.store.hubs import Hubs
from worker.visit import NotYet, Visit

TICK_S = 1.0
LOOK_S = 60.0
"""How often all feeds are looked through for hubs: 0.2 s for 10,000 of them."""

BEAT_S = 5.0
LEASE_S = 60.0
_AT_ONCE = 20

T = TypeVar("T")
log = structlog.get_logger()


class Subscriber:
    """Keeps subscriptions until cancelled. `aside` runs a blocking call in a thread; `base`: where hubs push to."""

    def __init__(
        self,
        *,
        hubs: Hubs,
        feeds: Feeds,
        gates: Gates,
        poster: Poster,
        clock: Clock,
        base: str,
        aside: Callable[..., Awaitable[Any]],
        tick_s: float = TICK_S,
        look_s: float = LOOK_S,
    ) -> None:
        self._hubs, self._feeds, self._gates, self._poster = hubs, feeds, gates, poster
        self._clock, self._base, self._aside = clock, base, aside
        self._tick_s, self._look_s = tick_s, look_s
        self._waiting = False

    async def run(self) -> None:
        """Until cancelled. A server that is away is waited for."""
        loop = asyncio.get_running_loop()
        look_due = beat_due = loop.time()
        while True:
            try:
                if loop.time() >= beat_due:
                    await self._aside(self.beat)
                    beat_due = loop.time() + BEAT_S
                if loop.time() >= look_due:
                    await self._aside(self.look)
                    look_due = loop.time() + self._look_s
                await self.turn()
                self._waiting = False
            except StorywireError as error:
                if not self._waiting:
                    log.warning("waiting for the server", trouble=str(error))
                self._waiting = True
            except Exception:  # a fault of ours: seen, and the others' subscriptions go on
                log.exception("subscriptions not kept")
            await asyncio.sleep(self._tick_s)

    def beat(self) -> None:
        """Say that we listen. What hubs may have pushed to nobody is polled for, before that: whoever dies in between
        leaves it to the next. Blocks."""
        if not self._hubs.listening():
            now, known = self._clock.now(), self._hubs.known()
            for feed, subscription in zip(known, self._hubs.get_all(known), strict=True):
                if subscription is not None and subscription.active(now):
                    self._feeds.hasten(feed, now)
        self._hubs.beat()

    def look(self) -> None:
        """See which feeds have a hub, and have it looked after where that is news. Blocks."""
        now = self._clock.now()
        wanted = {feed.id: found for feed in self._feeds.all() if (found := self._wanted(feed)) is not None}
        known = self._hubs.known()
        self._hubs.add(sorted(wanted.keys() - set(known)), now)
        for feed, subscription in zip(known, self._hubs.get_all(known), strict=True):
            step, _ = websub.next_step(subscription, wanted.get(feed), now)
            if step is not Step.WAIT:
                self._hubs.hasten(feed, now)

    async def turn(self) -> None:
        """Do what is due."""
        while due := await self._aside(self._hubs.lease, self._clock.now(), LEASE_S, _AT_ONCE):
            await asyncio.gather(*(self._step(feed) for feed in due))

    async def _step(self, feed: str) -> None:
        """Do what is due for one feed. Whatever goes wrong, its lease ends by itself."""
        known, wanted = await self._aside(self._read, feed)
        now = self._clock.now()
        step, at = websub.next_step(known, wanted, now)
        if known is not None and known.since and not known.active(now):
            known = await self._aside(self._lapse, feed, known, now)
        match step:
            case Step.WAIT:
                await self._aside(self._hubs.plan, feed, at)
            case Step.FORGET:
                await self._aside(self._forget, feed, known, wanted, now)
            case _:
                await self._ask(feed, step, known, wanted, now)

    def _read(self, feed: str) -> tuple[Subscription | None, Wanted | None]:
        found = self._feeds.get(feed)
        return self._hubs.get(feed), None if found is None else self._wanted(found)

    def _wanted(self, feed: Feed) -> Wanted | None:
        """What is wanted for a feed: nothing for one that is paused, nor where a hub would learn a password, or others
        the secret that it is told."""
        topic = feed.polls.topic or feed.url
        if not feed.polls.hub or feed.held or feed.paused or shown_url(topic) != topic:
            return None
        if not websub.confidential(feed.polls.hub):
            return None
        return Wanted(feed.polls.hub, topic, f"{self._base}/websub/{feed.id}")

    def _lapse(self, feed: str, known: Subscription, now: float) -> Subscription:
        """The hub pushes no more: poll as if there were none."""
        after = websub.lapsed(known)
        if self._hubs.put(feed, known, after):
            self._feeds.hasten(feed, now)
        return after

    def _forget(self, feed: str, known: Subscription | None, wanted: Wanted | None, now: float) -> None:
        if not self._hubs.put(feed, known, None):
            return
        if wanted is None:
            self._hubs.forget(feed)
        else:
            self._hubs.plan(feed, now)

    async def _ask(self, feed: str, step: Step, known: Subscription | None, wanted: Wanted | None, now: float) -> None:
        """Ask the hub, through its host's gate; what is asked is written first, as hubs may answer before they do."""
        if step is Step.SUBSCRIBE and wanted is not None:
            token = known.token if known else secrets.token_urlsafe(24)
            asked = websub.asking(known, wanted, token, secrets.token_urlsafe(32), now)
        else:
            assert known is not None
            asked = websub.leaving(known, now)
        visit, close_s = Visit(f"hub {feed}", self._gates, self._aside, self._clock), 0.0
        try:
            await visit.enter(asked.hub)
            if await self._aside(self._hubs.put, feed, known, asked):
                close_s = await self._sent(feed, asked, wanted)
        except NotYet as shut:
            await self._aside(self._hubs.plan, feed, self._clock.now() + shut.turn.wait_s)
        finally:
            if ended := visit.close(close_s):
                await self._aside(self._gates.leave, ended)

    async def _sent(self, feed: str, asked: Subscription, wanted: Wanted | None) -> float:
        """Send what is asked; for how many seconds the hub wants to be left alone."""
        posted = await self._poster.post(asked.hub, websub.form(asked))
        facts = {"feed": feed, "hub": websub.host(asked.hub), "mode": asked.pending, "status": posted.status}
        trouble = websub.hidden(asked, posted.quoted)
        if posted.taken:
            log.info("hub asked", **facts)
        else:
            log.warning("hub not asked", **facts, trouble=trouble)
        await self._aside(self._after, feed, asked, wanted, trouble)
        return min(retry_after_s(posted.retry_after, self._clock.now()), LONGEST_CLOSED_S)

    def _after(self, feed: str, asked: Subscription, wanted: Wanted | None, trouble: str) -> None:
        """Plan the next look, unless the hub has confirmed or denied meanwhile, which planned it already."""
        after = websub.failed(asked, f"its hub {websub.host(asked.hub)} {trouble}") if trouble else asked
        if self._hubs.put(feed, asked, after):
            self._hubs.plan(feed, websub.next_step(after, wanted, asked.asked)[1])

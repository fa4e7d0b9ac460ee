"""The schedule that all pollers share: leases of what is due, and the records that end them.

Invariant: a feed is in the schedule as long as it exists, and only who holds its lease plans its next poll; what a poll
found is kept for feeds that are still there.
"""

import math
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import structlog
from redis import Redis

from worker.errors import ServerUnavailable
from worker.feed.address import feed_id
from worker.schedule import PAUSED, Fetch, PollState
from worker.store import keys
from worker.store.addresses import Address, Feed, chunks, encode, fetch, load_feeds
from worker.store.reach import ALL_ANSWER, Reach
from worker.store.scripts import load

FETCHES = 30
"""So many polls of a feed are remembered one by one."""

_REMEMBER_S = 600.0
"""How often who polls reads the whole list, to know it if the server should lose it: 0.2 s for 10,000 feeds."""

_SET_BACK_S = 60.0
"""A clock that goes back by less is let pass: what is due then is late by no more."""

AWAY_S = 30.0
"""A feed whose node is away is looked at again so much later, or the others would stand in line behind all of them."""

_LEASED_S = 600.0
"""No poller leases a feed for longer, however long its fetches may take."""

log = structlog.get_logger()


class Leasing:
    """Leases feeds and records their polls, many in a round trip. `redis` speaks bytes."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self._lease = load(redis, "lease_due")
        self._reschedule = load(redis, "reschedule_feeds")
        self._record = load(redis, "record_poll")
        self._latest = math.inf
        self._remembered: list[Feed] = []
        self._remember_due = -math.inf

    def all(self, reach: Reach = ALL_ANSWER) -> list[Feed]:
        """All feeds, by their next poll. reach: those on nodes that are away are left out."""
        planned = self._redis.zrange(keys.schedule(), 0, -1, withscores=True)
        every = chunks((feed.decode(), due) for feed, due in planned)
        found = (load_feeds(self._redis, chunk, reach) for chunk in every)
        return [feed for part in found for feed in part]

    def empty(self) -> bool:
        """True for a store that never knew a feed: not one whose feeds a person removed."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.exists(keys.schedule())
        pipe.exists(keys.removed_feeds())
        return not any(pipe.execute())

    def lease_due(
        self, now: float, lease_s: float, limit: int, due_by: float | None = None, reach: Reach = ALL_ANSWER
    ) -> list[Feed]:
        """Up to `limit` feeds that are due now, or were at `due_by`: for `lease_s` seconds nobody else's. Two round
        trips, one where nothing is due.

        Their `due` is the end of the lease. Where the clock was set back, feeds wait no longer for it than they were
        to wait; where the server has become another, empty one, the feeds are added to it again. reach: feeds whose
        node is away are put off.
        """
        if now < self._latest - _SET_BACK_S:
            self._bring_forward(now, lease_s, reach)
        self._latest = now
        if not reach.away and time.monotonic() >= self._remember_due and (known := self.all()):
            self._remembered, self._remember_due = known, time.monotonic() + _REMEMBER_S
        until = now + lease_s
        args = [now if due_by is None else due_by, until, limit]
        leased = self._lease(keys=[keys.schedule()], args=args)
        if not leased and self._remembered and not reach.away and self.empty():
            self._restore(now)
            leased = self._lease(keys=[keys.schedule()], args=args)
        ids = [feed.decode() for feed in leased]
        if away := [feed for feed in ids if reach.without_feed(feed)]:
            later = [each for feed in away for each in (feed, until, now + AWAY_S)]
            self._reschedule(keys=[keys.schedule()], args=later)
        try:
            return self._settled(load_feeds(self._redis, [(feed, until) for feed in ids], reach))
        except ServerUnavailable:
            if reach.look():  # those of the other nodes are due at once
                self._reschedule(keys=[keys.schedule()], args=[each for feed in ids for each in (feed, until, now)])
            raise

    def put_off(self, leased: Sequence[Feed], due: float) -> None:
        """End leases without a poll: the feeds are due then."""
        if leased:
            self._plan([(feed, due) for feed in leased])

    def renew(self, leased: Sequence[Feed], until: float) -> list[Feed | None]:
        """Make leases last until then; the feeds with their new `due`, None for one that ran out or was removed."""
        held = self._plan([(feed, until) for feed in leased])
        return [feed._replace(due=until) if answer == 1 else None for feed, answer in zip(leased, held, strict=True)]

    def give_back(self, feed: Feed, now: float) -> None:
        """End a lease without a poll: the feed is due at once."""
        self._plan([(feed, now)])

    def record(self, feed: Feed, polls: PollState, fetch: Fetch | None = None) -> bool:
        """End a lease with what the poll found; False where the feed was removed meanwhile, or is another's by now."""
        return self.record_all([(feed, polls, fetch)])[0]

    def record_all(self, polled: Sequence[tuple[Feed, PollState, Fetch | None]]) -> list[bool]:
        """The same for many polls in two round trips; `fetch` is a line of the feed's history, None for none."""
        held = self._plan([(feed, polls.next_poll) for feed, polls, _ in polled])
        ours = [each for each, answer in zip(polled, held, strict=True) if answer == 1]
        pipe = self._redis.pipeline(transaction=False)
        for feed, polls, line in ours:
            args: list[Any] = [encode(polls), b"" if line is None else encode(line), FETCHES]
            self._record(keys=[keys.feed(feed.id), keys.fetches(feed.id)], args=args, client=pipe)
        kept = iter(pipe.execute() if ours else ())
        done = [answer == 1 and next(kept) == 1 for answer in held]
        for (feed, _, _), recorded in zip(polled, done, strict=True):
            if not recorded and self._redis.zscore(keys.schedule(), feed.id) is None:
                self.forget(feed.id)
        return done

    def fetches(self, feed: str) -> list[Fetch]:
        """The last polls of a feed, the newest first: 30 at most."""
        return [fetch(packed) for packed in self._redis.lrange(keys.fetches(feed), 0, -1)]

    def forget(self, feed: str) -> None:
        """Drop what is left of a removed feed: a poll that was under way may have written its seen marks."""
        raise NotImplementedError

    def settle(self, feed: str) -> None:
        """End the change of its address that a poller which died has begun."""
        raise NotImplementedError

    def _settled(self, leased: list[Feed]) -> list[Feed]:
        for feed in leased:
            if feed.moving:
                with suppress(ServerUnavailable):  # then its next lease sees to it
                    self.settle(feed.id)
        return [feed._replace(moving=False) for feed in leased]

    def _plan(self, planned: Sequence[tuple[Feed, float]]) -> list[int]:
        """End leases; for each 1 where it was held, 0 where another has the feed by now, -1 where it was removed."""
        answers: list[int] = []
        for chunk in chunks(planned):
            args = [each for feed, due in chunk for each in (feed.id, feed.due, due)]
            answers += self._reschedule(keys=[keys.schedule()], args=args)
        return answers

    def _bring_forward(self, now: float, lease_s: float, reach: Reach) -> None:
        """Plan no feed later than a whole wait from now: what lies further ahead was planned by another clock."""
        for feed in self.all(reach):
            polled, planned = feed.polls.polled, feed.polls.next_poll
            wait_s = planned - polled if feed.due == planned and polled else max(lease_s, _LEASED_S)
            if now + wait_s + _SET_BACK_S < feed.due < PAUSED:
                self._redis.zadd(keys.schedule(), {feed.id: now + wait_s}, xx=True)

    def _restore(self, now: float) -> None:
        """Add the feeds again to a server that has none any more: those that a person paused stay so."""
        for chunk in chunks(self._remembered):
            pipe = self._redis.pipeline(transaction=False)
            for feed in chunk:
                known = Address(feed.url, feed.title, feed.added, feed.folder, feed.pages, feed.held)
                pipe.hsetnx(keys.feed(feed.id), "address", encode(known))
                if feed.id != feed_id(feed.url):
                    pipe.hsetnx(keys.moved_feeds(), feed_id(feed.url), feed.id)
                pipe.zadd(keys.schedule(), {feed.id: PAUSED if feed.held else now}, nx=True)
            pipe.execute()
        log.warning("the server has lost its feeds", added_again=len(self._remembered))

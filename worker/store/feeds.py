"""The feeds and their schedule, shared by all pollers.

Invariant: a feed is in the schedule as long as it exists; what a person set and what polls found are kept apart, so
that neither overwrites the other.
"""

import math
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import structlog
from msgspec import Struct
from redis import Redis

from worker.feed.address import feed_id, normal_url
from worker.schedule import PAUSED, PollState
from worker.store import keys
from worker.store.forgotten import of_feed
from worker.store.scripts import load

_CHUNK = 500

_REMEMBER_S = 600.0
"""How often who polls reads the whole list, to know it if the server should lose it: 0.2 s for 10,000 feeds."""

_SET_BACK_S = 60.0
"""A clock that goes back by less is let pass: what is due then is late by no more."""

_LEASED_S = 600.0
"""No poller leases a feed for longer, however long its fetches may take."""

log = structlog.get_logger()


class Address(Struct, frozen=True, array_like=True):
    """What a person set: where the feed is, what its outlet is called ("": as the feed says), since when; its folder,
    whether the pages of its entries are read ("on", "off", "auto"), whether it is held back."""

    url: str
    title: str
    added: float
    folder: str = ""
    pages: str = "auto"
    paused: bool = False


class Feed(NamedTuple):
    """A feed: its id, what a person set, what its polls found, and where it stands in the schedule."""

    id: str
    url: str
    title: str
    added: float
    polls: PollState
    due: float

    @property
    def paused(self) -> bool:
        """True where it is not polled any more until it is added again."""
        return self.due == PAUSED


class Offered(NamedTuple):
    """What became of a list of feeds: how many were added, known already, and left out since a person removed them."""

    added: int
    known: int
    removed: int


_encode = msgspec.msgpack.Encoder().encode
_address = msgspec.msgpack.Decoder(Address).decode
_polls = msgspec.msgpack.Decoder(PollState).decode


class Feeds:
    """Adds, removes, lists and leases feeds. `redis` speaks bytes.

    keep_s: how long the seen marks of a removed feed are kept, so that its articles go on where they were if it is
    added again: the store still has them.
    """

    def __init__(self, redis: Redis, keep_s: float = 14 * 86400.0) -> None:
        self._redis: Any = redis
        self._keep_s = keep_s
        self._lease = load(redis, "lease_due")
        self._reschedule = load(redis, "reschedule_feed")
        self._record = load(redis, "record_poll")
        self._latest = math.inf
        self._remembered: list[Feed] = []
        self._remember_due = -math.inf

    def add(self, url: str, title: str, now: float) -> tuple[str, bool]:
        """Add a feed on a person's word; its id, and whether it is new. A paused one is polled again.

        Raises BadInput for what is no http(s) URL. A title given for a known feed replaces its old one.
        """
        url = normal_url(url)
        feed = feed_id(url)
        self._redis.zrem(keys.forgotten(), of_feed(feed))
        known = self._redis.hget(keys.feed(feed), "address")
        self._redis.srem(keys.removed_feeds(), feed)
        self._redis.persist(keys.seen(feed))
        if known is None or (title and _address(known).title != title):
            added = _address(known).added if known else now
            self._redis.hset(keys.feed(feed), "address", _encode(Address(url, title, added)))
        if self._redis.zscore(keys.schedule(), feed) == PAUSED:
            self._redis.zadd(keys.schedule(), {feed: now})
        return feed, bool(self._redis.zadd(keys.schedule(), {feed: now}, nx=True))

    def offer(self, feeds: Iterable[tuple[str, str]], now: float) -> Offered:
        """Add the feeds (address, title) of a list that were never known; what a person removed stays removed.

        Raises BadInput for an address that is no http(s) URL.
        """
        wanted = {feed_id(url): Address(url, title, now) for url, title in ((normal_url(u), t) for u, t in feeds)}
        added = known = removed = 0
        for chunk in _chunks(list(wanted)):
            pipe = self._redis.pipeline(transaction=False)
            pipe.smismember(keys.removed_feeds(), chunk)
            pipe.zmscore(keys.schedule(), chunk)
            gone, scores = pipe.execute()
            for feed, is_gone, score in zip(chunk, gone, scores, strict=True):
                if is_gone or score is not None:
                    removed, known = removed + bool(is_gone), known + (not is_gone)
                    continue
                pipe.hset(keys.feed(feed), "address", _encode(wanted[feed]))
                pipe.zadd(keys.schedule(), {feed: now}, nx=True)
                added += 1
            pipe.execute()
        return Offered(added, known, removed)

    def remove(self, feed: str) -> bool:
        """Remove a feed and its place in the schedule; False where there is none. Its seen marks expire.

        What it already published stays: it is clustered, and ages with its stories. No list brings the feed back.
        """
        if self._redis.zscore(keys.schedule(), feed) is None:
            return False
        self._redis.sadd(keys.removed_feeds(), feed)
        self._redis.zrem(keys.schedule(), feed)
        self.forget(feed)
        return True

    def forget(self, feed: str) -> None:
        """Drop what is left of a removed feed: a poll that was under way may have written its seen marks."""
        self._redis.delete(keys.feed(feed))
        self._redis.expire(keys.seen(feed), int(self._keep_s))

    def removed(self, feed: str) -> bool:
        """Whether a person removed a feed of this id."""
        return bool(self._redis.sismember(keys.removed_feeds(), feed))

    def empty(self) -> bool:
        """True for a store that never knew a feed: not one whose feeds a person removed."""
        return not self._redis.exists(keys.schedule(), keys.removed_feeds())

    def get(self, feed: str) -> Feed | None:
        """A feed by its id, or None."""
        due = self._redis.zscore(keys.schedule(), feed)
        found = self._load([(feed, due)]) if due is not None else []
        return found[0] if found else None

    def all(self) -> list[Feed]:
        """All feeds, by their next poll."""
        planned = self._redis.zrange(keys.schedule(), 0, -1, withscores=True)
        return [feed for chunk in _chunks(planned) for feed in self._load([(f.decode(), due) for f, due in chunk])]

    def count(self) -> int:
        """How many feeds there are."""
        return int(self._redis.zcard(keys.schedule()))

    def lease_due(self, now: float, lease_s: float, limit: int, due_by: float | None = None) -> list[Feed]:
        """Up to `limit` feeds that are due now, or were at `due_by`: for `lease_s` seconds nobody else's.

        Their `due` is the end of the lease. Where the clock was set back, feeds wait no longer for it than they were
        to wait; where the server has become another, empty one, the feeds are added to it again.
        """
        if now < self._latest - _SET_BACK_S:
            self._bring_forward(now, lease_s)
        self._latest = now
        self._remember(now)
        until = now + lease_s
        leased = self._lease(keys=[keys.schedule()], args=[now if due_by is None else due_by, until, limit])
        return self._load([(feed.decode(), until) for feed in leased])

    def _bring_forward(self, now: float, lease_s: float) -> None:
        """Plan no feed later than a whole wait from now: what lies further ahead was planned by another clock."""
        for feed in self.all():
            polled, planned = feed.polls.polled, feed.polls.next_poll
            wait_s = planned - polled if feed.due == planned and polled else max(lease_s, _LEASED_S)
            if now + wait_s + _SET_BACK_S < feed.due < PAUSED:
                self._redis.zadd(keys.schedule(), {feed.id: now + wait_s}, xx=True)

    def _remember(self, now: float) -> None:
        """Know the list of feeds; add it to a store that has none any more, nor removed any."""
        if self._remembered and self.empty():
            offered = self.offer(((feed.url, feed.title) for feed in self._remembered), now)
            log.warning("the server has lost its feeds", added_again=offered.added)
        elif time.monotonic() >= self._remember_due:
            self._remembered = self.all()
            self._remember_due = time.monotonic() + _REMEMBER_S

    def renew(self, leased: Sequence[Feed], until: float) -> list[Feed]:
        """Make leases last until then; the feeds with their new `due`, without those that ran out or were removed."""
        pipe = self._redis.pipeline(transaction=False)
        for feed in leased:
            self._reschedule(keys=[keys.schedule()], args=[feed.id, feed.due, until], client=pipe)
        return [feed._replace(due=until) for feed, held in zip(leased, pipe.execute(), strict=True) if held == 1]

    def give_back(self, feed: Feed, now: float) -> None:
        """End a lease without a poll: the feed is due at once."""
        self._reschedule(keys=[keys.schedule()], args=[feed.id, feed.due, now])

    def record(self, feed: Feed, polls: PollState) -> bool:
        """End a lease with what the poll found; False where the feed was removed meanwhile, or is another's by now."""
        held = self._reschedule(keys=[keys.schedule()], args=[feed.id, feed.due, polls.next_poll])
        if held == 1 and self._record(keys=[keys.feed(feed.id)], args=[_encode(polls)]):
            return True
        if self._redis.zscore(keys.schedule(), feed.id) is None:
            self.forget(feed.id)
        return False

    def _load(self, planned: Sequence[tuple[str, float]]) -> list[Feed]:
        """The feeds with these ids and places in the schedule; what is being added or removed just now is left out."""
        pipe = self._redis.pipeline(transaction=False)
        for feed, _ in planned:
            pipe.hmget(keys.feed(feed), "address", "polls")
        found = []
        for (feed, due), (packed, polls) in zip(planned, pipe.execute(), strict=True):
            if packed is not None:
                address = _address(packed)
                state = _polls(polls) if polls is not None else PollState()
                found.append(Feed(feed, address.url, address.title, address.added, state, due))
        return found


def _chunks(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))

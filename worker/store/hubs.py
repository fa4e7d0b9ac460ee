"""The subscriptions at hubs, and what hubs have pushed: shared by all that serve and all that poll.

Invariant: a pushed body stays until its feed's poll has published it, or the feed is fetched instead.
"""

from collections.abc import Sequence
from hashlib import blake2b
from struct import pack
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from redis import Redis

from worker.feed.websub import Subscription, trusted
from worker.schedule import PAUSED
from worker.store import keys
from worker.store.scripts import load

MOST_PUSHES = 3
"""Bodies a feed that wait for its poll; what comes beyond is fetched."""

_DIGEST = 12
"""Bytes of a body's hash, which end its name: the same body again takes no room."""

_PUSH_TTL_S = 86400
_SUBSCRIPTION_TTL_S = 60 * 86400
"""Twice the longest lease."""

_LISTENING_TTL_S = 20


class Push(Struct, frozen=True, array_like=True):
    """A body as it was pushed, and when."""

    received: float
    content_type: str
    body: bytes


class Waiting(NamedTuple):
    """The first push of a feed that waits; `more`: others do too, or the feed has to be fetched."""

    name: bytes
    push: Push
    more: bool


class Counts(NamedTuple):
    """Of a feed's pushes: taken, ignored for their signature, when the last one was taken; how often in a row they
    brought news before a poll did, and how often a poll found what no push had brought."""

    received: int = 0
    ignored: int = 0
    last: float = 0.0
    proofs: int = 0
    misses: int = 0


_encode = msgspec.msgpack.Encoder().encode
_subscription = msgspec.msgpack.Decoder(Subscription).decode
_push = msgspec.msgpack.Decoder(Push).decode


def _order(name: bytes) -> bytes:
    """Names of bodies begin with the time of the first push; those of an earlier version have none, and are older."""
    return name if len(name) > _DIGEST else b""


class Hubs:
    """Plans, keeps and forgets. `redis` speaks bytes."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self._lease = load(redis, "lease_due")
        self._set = load(redis, "set_subscription")
        self._keep = load(redis, "keep_push")

    # --- subscriptions

    def known(self) -> list[str]:
        """The feeds that have a subscription, or are about to."""
        return [feed.decode() for feed in self._redis.zrange(keys.subscriptions(), 0, -1)]

    def add(self, feeds: Sequence[str], now: float) -> None:
        """Have feeds looked after that were not."""
        if feeds:
            self._redis.zadd(keys.subscriptions(), dict.fromkeys(feeds, now), nx=True)

    def plan(self, feed: str, at: float) -> None:
        """Look at a feed's subscription again then."""
        self._redis.zadd(keys.subscriptions(), {feed: at}, xx=True)

    def hasten(self, feed: str, now: float) -> None:
        """Look at a feed's subscription now, unless it would be earlier."""
        self._redis.zadd(keys.subscriptions(), {feed: now}, xx=True, lt=True)

    def lease(self, now: float, lease_s: float, limit: int) -> list[str]:
        """Up to `limit` feeds whose subscriptions are to be looked at: for `lease_s` seconds nobody else's."""
        found = self._lease(keys=[keys.subscriptions()], args=[now, now + lease_s, limit])
        return [feed.decode() for feed in found]

    def get(self, feed: str) -> Subscription | None:
        """What is known of a feed's subscription."""
        return self.get_all([feed])[0]

    def get_all(self, feeds: Sequence[str]) -> list[Subscription | None]:
        """The same for many, in one round trip."""
        pipe = self._redis.pipeline(transaction=False)
        for feed in feeds:
            pipe.hget(keys.subscription(feed), "sub")
        return [None if packed is None else _subscription(packed) for packed in (pipe.execute() if feeds else ())]

    def put(self, feed: str, before: Subscription | None, after: Subscription | None) -> bool:
        """Put `after` in the place of what was read, None to forget it; False where that is another by now."""
        packed = [b"" if each is None else _encode(each) for each in (before, after)]
        return bool(self._set(keys=[keys.subscription(feed)], args=[*packed, _SUBSCRIPTION_TTL_S]))

    def forget(self, feed: str) -> None:
        """Look after a feed's subscription no more, and drop what was pushed."""
        self._redis.zrem(keys.subscriptions(), feed)
        self._redis.delete(keys.subscription(feed), keys.pushes(feed))

    # --- pushes

    def keep(self, feed: str, body: bytes | None, content_type: str, now: float) -> bool:
        """Keep a pushed body (None: too big to be kept) and count it; False where the feed is to be fetched instead."""
        name = pack(">d", max(now, 0.0)) + blake2b(body or b"", digest_size=_DIGEST).digest()
        packed = b"" if body is None else _encode(Push(now, content_type[:200], body))
        kept = self._keep(keys=[keys.pushes(feed)], args=[name, packed, MOST_PUSHES, _PUSH_TTL_S, _DIGEST])
        self._redis.hset(keys.subscription(feed), "last", now)
        self._count(feed, "received")
        return bool(kept)

    def ignored(self, feed: str) -> int:
        """Count a push that its hub has not signed; how many there were."""
        return self._count(feed, "ignored")

    def first(self, feeds: Sequence[str]) -> dict[str, Waiting]:
        """For each of these feeds that has any the push that waits longest. One round trip where there are none; of
        several bodies, each up to 5 MB, only that one is read."""
        pipe = self._redis.pipeline(transaction=False)
        for feed in feeds:
            pipe.hkeys(keys.pushes(feed))
        found = {}
        for feed, names in zip(feeds, pipe.execute() if feeds else (), strict=True):
            bodies = sorted((name for name in names if name != b"fetch"), key=_order)
            if bodies:
                packed = self._redis.hget(keys.pushes(feed), bodies[0])
                if packed is not None:
                    found[feed] = Waiting(bodies[0], _push(packed), len(names) > 1)
            elif names:  # it is leased, so it is fetched now
                self._redis.hdel(keys.pushes(feed), "fetch")
        return found

    def waiting(self, feed: str) -> bool:
        """Whether anything that was pushed waits."""
        return bool(self._redis.exists(keys.pushes(feed)))

    def feed_due(self, feed: str, now: float) -> None:
        """Have a feed polled at once, if it is to be polled at all."""
        planned = self._redis.zscore(keys.schedule(), feed)
        if planned is not None and planned != PAUSED:
            self._redis.zadd(keys.schedule(), {feed: now}, xx=True, lt=True)

    def done(self, feed: str, waiting: Waiting, new: int) -> None:
        """A push was published; `new`: how many entries it brought first."""
        self._redis.hdel(keys.pushes(feed), waiting.name)
        if new:
            self._count(feed, "proofs")

    # --- trust

    def judge(self, feed: str, new: int, before: float, now: float) -> bool:
        """Whether a feed's hub is trusted after a poll that found so many new entries, `before` being the last time
        that it was read: what is new since then the hub should have brought."""
        found = self._redis.hmget(keys.subscription(feed), "sub", "proofs", "misses")
        known = None if found[0] is None else _subscription(found[0])
        proofs, misses = int(found[1] or 0), int(found[2] or 0)
        if new and known is not None and known.active(now) and known.since <= before:
            self._redis.hset(keys.subscription(feed), "proofs", 0)
            misses, proofs = self._count(feed, "misses"), 0
        return trusted(known, proofs, misses, now) and self.listening()

    def counts(self, feed: str) -> Counts:
        """What came of a feed's subscription."""
        found = self._redis.hmget(keys.subscription(feed), *Counts._fields)
        received, ignored, last, proofs, misses = (float(each or 0) for each in found)
        return Counts(int(received), int(ignored), last, int(proofs), int(misses))

    def beat(self) -> bool:
        """Say that somebody listens to hubs; False where nobody did."""
        was = self._redis.set(keys.listeners(), b"1", ex=_LISTENING_TTL_S, get=True)
        return was is not None

    def listening(self) -> bool:
        """Whether anybody listens to hubs."""
        return bool(self._redis.exists(keys.listeners()))

    def _count(self, feed: str, what: str) -> int:
        pipe = self._redis.pipeline(transaction=False)
        pipe.hincrby(keys.subscription(feed), what, 1)
        pipe.expire(keys.subscription(feed), _SUBSCRIPTION_TTL_S)
        return int(pipe.execute()[0])

"""The quarantine: articles that cannot be processed, each with its payload and why, until a person decides.

Invariant: an article moves between outbox and quarantine in one script, so it is always in one of them; a full
quarantine takes nothing more, and what it does not take stays in the outbox.
"""

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any

import msgspec
from msgspec import Struct
from redis import Redis

from worker.model import Article, Ref
from worker.store import keys
from worker.store.backlog import NO_ROOM
from worker.store.listed import Listed
from worker.store.outbox import decode
from worker.store.scripts import load

PER_FEED = 1_000
IN_ALL = 10_000
"""At 5 KB each 50 MB: what no person will look at one by one shows a fault of ours, and then the outbox keeps it."""

LONGEST_REASON = 500
LONGEST_TRACEBACK = 8_000
"""Characters that are kept: of a traceback the end, where the cause stands."""

AGAIN_S = 3600.0
"""What finds no room is tried again so much later: every few seconds, it would keep the workers from all else."""

_LOOKED_AT = 50
"""Articles of a feed that a look at the newest reads, at 5 KB each."""

_SETTLING_S = 60.0
"""A feed is listed before its first article is there: one listed so recently is never taken for empty."""


class Quarantined(Struct, frozen=True, array_like=True):
    """An article that could not be processed: what waited, why it could not, how that came to light, and when.

    `payload`: as it stood in the outbox. `traceback`: empty where the worker's process died of it.
    """

    feed: str
    article: str
    reason: str
    traceback: str
    payload: bytes
    at: float

    @property
    def ref(self) -> Ref:
        """Where it came from and goes back to."""
        return Ref(self.feed, self.article)

    @property
    def content(self) -> Article | None:
        """The article; None where its payload cannot be read."""
        try:
            return decode(self.payload)
        except msgspec.MsgspecError:
            return None


class Put(Enum):
    """What became of an article that was to go into the quarantine: `FULL` and it stays in the outbox; `GONE`, and
    another worker settled it, or a newer revision waits in its place."""

    KEPT = 1
    GONE = 0
    FULL = -1


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Quarantined)
_REVISION_BYTES = 4
"""A record begins with the revision, as its payload does: settle_articles.lua compares them."""


class Quarantine:
    """Takes in, lists, gives back and drops articles. `redis` speaks bytes."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self._take = load(redis, "quarantine_article")
        self._release = load(redis, "release_article")
        self._listed, self._waiting = Listed(redis, keys.quarantines()), Listed(redis, keys.outboxes())

    def put(self, ref: Ref, payload: bytes, reason: str, traceback: str, now: float) -> Put:
        """Move an article there whose payload in the outbox is still this one; where there is no room, it is not queued
        again for AGAIN_S."""
        record = Quarantined(
            ref.feed, ref.article, _storable(reason)[:LONGEST_REASON], _storable(traceback)[-LONGEST_TRACEBACK:],
            payload, now,
        )  # fmt: skip
        self._tidy(now)
        room = PER_FEED if self.depth() < IN_ALL else 0
        self._listed.add(ref.feed, now)
        args: _Args = [ref.article, payload, _pack(record), room, NO_ROOM + now + AGAIN_S]
        return Put(self._take(keys=_keys(ref.feed), args=args))

    def depth(self) -> int:
        """How many articles are there, over all feeds."""
        pipe = self._redis.pipeline(transaction=False)
        for feed in self._listed.feeds():
            pipe.hlen(keys.quarantine(feed))
        depth: int = sum(pipe.execute())
        return depth

    def of_feed(self, feed: str) -> int:
        """How many articles of one feed are there."""
        found: int = self._redis.hlen(keys.quarantine(feed))
        return found

    def everything(self) -> Iterator[Quarantined]:
        """All articles that are there, feed by feed, those of a feed in no order."""
        for feed in self._listed.feeds():
            yield from self.of(feed)

    def newest(self, limit: int) -> list[Quarantined]:
        """Up to `limit` of those that came last, the newest first: of the feeds that came last, and of a feed with
        very many there some that need not be its newest, so that a look costs little."""
        found: list[Quarantined] = []
        for feed in self._redis.zrange(keys.quarantines(), 0, limit - 1, desc=True):
            _, some = self._redis.hscan(keys.quarantine(feed.decode()), count=_LOOKED_AT)
            found += map(_unpack, some.values())
        return sorted(found, key=lambda kept: -kept.at)[:limit]

    def of(self, feed: str) -> Iterator[Quarantined]:
        """The articles of one feed, in no order."""
        for _, packed in self._redis.hscan_iter(keys.quarantine(feed), count=100):
            yield _unpack(packed)

    def find(self, article_id: str) -> list[Quarantined]:
        """The articles of this id: one of each feed, or imported file, that has it there."""
        feeds = self._listed.feeds()
        pipe = self._redis.pipeline(transaction=False)
        for feed in feeds:
            pipe.hget(keys.quarantine(feed), article_id)
        return [_unpack(packed) for packed in pipe.execute() if packed is not None]

    def release(self, kept: Sequence[Quarantined], now: float) -> list[Ref]:
        """Put articles back into the outbox, each unless something else of its id waits there by now; the refs to
        queue."""
        moved = []
        for each in kept:
            self._waiting.add(each.feed, now)
            args: _Args = [now, each.article, _pack(each), each.payload]
            if self._release(keys=_keys(each.feed), args=args):
                moved.append(each.ref)
        self._tidy(now)
        return moved

    def drop(self, refs: Sequence[Ref], now: float) -> int:
        """Remove articles for good; how many."""
        pipe = self._redis.pipeline(transaction=False)
        for ref in refs:
            pipe.hdel(keys.quarantine(ref.feed), ref.article)
        dropped: int = sum(pipe.execute())
        self._tidy(now)
        return dropped

    def _tidy(self, now: float) -> None:
        """Take feeds off the list that have nothing there any more."""
        feeds = self._listed.feeds()
        pipe = self._redis.pipeline(transaction=False)
        for feed in feeds:
            pipe.exists(keys.quarantine(feed))
        empty = [feed for feed, there in zip(feeds, pipe.execute(), strict=True) if not there]
        self._listed.drop(empty, now - _SETTLING_S)


_Args = list[bytes | str | int | float]


def _pack(record: Quarantined) -> bytes:
    return record.payload[:_REVISION_BYTES].rjust(_REVISION_BYTES, b"\0") + _encode(record)


def _unpack(packed: bytes) -> Quarantined:
    return _decoder.decode(packed[_REVISION_BYTES:])


def _keys(feed: str) -> list[str]:
    return [keys.payloads(feed), keys.pending(feed), keys.quarantine(feed)]


def _storable(text: str) -> str:
    """Without lone surrogates, which no UTF-8 has."""
    return text.encode("utf-8", "backslashreplace").decode()

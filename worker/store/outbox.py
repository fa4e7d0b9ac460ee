"""The outbox: articles that wait to be clustered, kept with their feed's seen marks.

Invariant: an article leaves it only when its newest revision is settled; the queue carries hints, this is the truth.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec
from redis import Redis

from worker.model import Article, Ref
from worker.store import keys
from worker.store.backlog import AWAITS, NO_ROOM, Backlog
from worker.store.claims import Claims
from worker.store.scripts import load

_CHUNK = 500
"""Articles one call of a script handles: at 5 KB each it holds the server for a few milliseconds."""

_AHEAD_S = 300.0
"""What was queued so far in the future was queued by a clock that has been set back since."""

_APART_S = 0.05
"""Calls at one moment differ by up to so much: a call that comes again is known by its time. A millisecond has 4,000
values in a double, so that two pollers met in one of a hundred races."""

_LISTED_S = 60.0
"""So long a feed with nothing pending stays listed: who lists it may be about to publish, with a clock behind ours."""

LONGEST_AWAITED_S = 6 * 3600.0
"""No article waits longer for its page; what would was put there by a clock that was set back since."""

_REVISION_BYTES = 4
"""A payload begins with its revision, so that the scripts can compare it without msgpack."""

_NO_REVISION = -1
_LAST_REVISION = 256**_REVISION_BYTES - 1

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Article).decode


class Outbox(Backlog):
    """Publishes, loads and settles articles. `claims`: whose are those that several feeds carry. `redis` speaks
    bytes."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self.claims = Claims(redis)
        self._publish = load(redis, "publish_articles")
        self._settle = load(redis, "settle_articles")
        self._requeue = load(redis, "requeue_stale")

    def publish(
        self,
        feed: str,
        articles: Sequence[Article],
        seen: Mapping[str, tuple[bytes, bytes]],
        now: float,
        entries: Mapping[str, str] | None = None,
    ) -> list[Ref]:
        """Put articles into the feed's outbox together with their seen marks; what was published, in order.

        seen: entry -> (expected mark, new mark); an entry is an article's id without the `FEED.` before it, or what
        `entries` says of an article that has the id of another feed's. The expected mark is b"" for an entry never
        seen. An article whose stored mark is not the expected one is left out; one without a mark here is always
        published; a mark without an article is only changed, and a new mark of b"" is forgotten.
        """
        named = entries or {}
        by_entry = {named.get(article.id) or article.id.removeprefix(f"{feed}."): article for article in articles}
        rows = [_row(article.id, pack(article), entry, seen.get(entry)) for entry, article in by_entry.items()]
        rows += [_row("", b"", entry, marks) for entry, marks in seen.items() if entry not in by_entry]
        published = []
        for chunk in (rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)):
            done = self._publish_rows(feed, chunk, now)
            published += [Ref(feed, row[0]) for row, first in zip(chunk, done, strict=True) if first and row[1]]
        return published

    def _publish_rows(self, feed: str, rows: Sequence["_Row"], now: float) -> list[int]:
        """One call of the script. The list of outboxes may only hold too much, so the feed is listed before it."""
        self._listed.add(feed, now)
        now += random.random() * _APART_S
        feed_keys = [keys.payloads(feed), keys.pending(feed), keys.seen(feed)]
        done: list[int] = self._publish(keys=feed_keys, args=[now, *(field for row in rows for field in row)])
        return done

    def load(self, refs: Sequence[Ref]) -> list[tuple[Ref, Article]]:
        """The articles that still wait, in the order of `refs`; one round trip. Settled ones are left out."""
        by_feed = _by_feed(refs)
        pipe = self._redis.pipeline(transaction=False)
        for feed, ids in by_feed.items():
            pipe.hmget(keys.payloads(feed), ids)
        found: dict[Ref, Article] = {}
        for (feed, ids), payloads in zip(by_feed.items(), pipe.execute(), strict=True):
            for article_id, payload in zip(ids, payloads, strict=True):
                if payload is not None:
                    found[Ref(feed, article_id)] = _decode(payload[_REVISION_BYTES:])
        return [(ref, found[ref]) for ref in dict.fromkeys(refs) if ref in found]

    def forget_missing(self, refs: Sequence[Ref], found: Collection[Ref]) -> None:
        """Those of `refs` that were not found wait no more: they are settled, or their payload is gone, and they would
        be queued again for ever."""
        if missing := set(refs).difference(found):
            self.settle([(ref, _NO_REVISION) for ref in missing])

    def payload(self, ref: Ref) -> bytes | None:
        """What waits of an article, as it stands there, readable or not; None where nothing does."""
        found: bytes | None = self._redis.hget(keys.payloads(ref.feed), ref.article)
        return found

    def settle(self, done: Sequence[tuple[Ref, int]]) -> None:
        """Take clustered articles out, each unless a newer revision than the given one waits; one round trip."""
        args: dict[str, list[str | int]] = defaultdict(list)
        for ref, revision in done:
            args[ref.feed] += [ref.article, revision]
        pipe = self._redis.pipeline(transaction=False)
        for feed, pairs in args.items():
            feed_keys = [keys.payloads(feed), keys.pending(feed), keys.quarantine(feed)]
            self._settle(keys=feed_keys, args=pairs, client=pipe)
        pipe.execute()

    def stale(self, before: float, now: float, limit: int, away: Callable[[str], object] = lambda _: "") -> list[Ref]:
        """Up to `limit` articles last queued before `before`, or in the future, or which have waited long enough for
        room in the quarantine, or for their page, now marked as queued at `now`.

        Feeds that have nothing pending are taken off the list of outboxes on the way, except those listed within the
        last minute before `now`, or since `before`: the clocks of two machines may differ. away: true of feeds that are
        not to be asked for now.
        """
        refs: list[Ref] = []
        for listed in self._listed.chunks():
            feeds = [feed for feed in listed if not away(feed)]
            pipe = self._redis.pipeline(transaction=False)
            for feed in feeds:
                pipe.zcard(keys.pending(feed))
                pipe.zcount(keys.pending(feed), "-inf", f"({before!r}")
                pipe.zcount(keys.pending(feed), f"({now + _AHEAD_S!r}", "+inf")
            counts = pipe.execute()
            empty = [feed for feed, pending in zip(feeds, counts[::3], strict=True) if not pending]
            self._listed.drop(empty, min(before, now - _LISTED_S))
            for feed, late, ahead in zip(feeds, counts[1::3], counts[2::3], strict=True):
                if (late or ahead) and len(refs) < limit:
                    refs += self._requeue_feed(feed, before, now, limit - len(refs))
        return refs

    def _requeue_feed(self, feed: str, before: float, now: float, limit: int) -> list[Ref]:
        longest = AWAITS + now + LONGEST_AWAITED_S + _AHEAD_S
        ranges: list[str | float] = ["-inf", f"({before!r}", f"({now + _AHEAD_S!r}", f"({NO_ROOM!r}"]
        ranges += [NO_ROOM, NO_ROOM + now, AWAITS, AWAITS + now, longest, "+inf"]
        ids = self._requeue(keys=[keys.pending(feed)], args=[now, limit, *ranges])
        return [Ref(feed, article_id.decode()) for article_id in ids]

    def drop(self, refs: Sequence[Ref]) -> None:
        """Take articles out, whatever revision of them waits."""
        self.settle([(ref, _LAST_REVISION) for ref in refs])

    def marks(self, feed: str) -> dict[str, bytes]:
        """The feed's seen marks: entry -> packed value."""
        stored = self._redis.hgetall(keys.seen(feed))
        return {entry.decode(): mark for entry, mark in stored.items()}


_Row = tuple[str, bytes, str, bytes, bytes]


def _row(article_id: str, payload: bytes, entry: str, marks: tuple[bytes, bytes] | None) -> _Row:
    """The five arguments of publish_articles.lua for one entry."""
    return (article_id, payload, "", b"", b"") if marks is None else (article_id, payload, entry, *marks)


def pack(article: Article) -> bytes:
    """The payload of an article."""
    return article.revision.to_bytes(_REVISION_BYTES, "big") + _encode(article)


def decode(payload: bytes) -> Article:
    """The article of a payload; raises msgspec.MsgspecError where it is none."""
    return _decode(payload[_REVISION_BYTES:])


def _by_feed(refs: Iterable[Ref]) -> dict[str, list[str]]:
    by_feed: dict[str, list[str]] = defaultdict(list)
    for ref in refs:
        by_feed[ref.feed].append(ref.article)
    return by_feed

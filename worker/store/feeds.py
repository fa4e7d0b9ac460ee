"""The feeds, as a person manages them: added, named, paused, removed, listed.

Invariant: what a person removed is not brought back by a list, nor what a person paused by a poll; what a person said
outlives the server that took it, or raises ServerUnavailable.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from redis import Redis

from worker.errors import BadInput
from worker.feed.address import normal_url
from worker.schedule import PAUSED, PollState
from worker.store import keys
from worker.store.addresses import Address, Feed, chunks, encode, load_feeds
from worker.store.confirmed import Confirmed
from worker.store.forgotten import of_feed
from worker.store.leasing import Leasing
from worker.store.moves import Moves

__all__ = ["Address", "Feed", "Feeds", "Offered"]

_PAGES = ("auto", "on", "off")


class Offered(NamedTuple):
    """What became of a list of feeds: how many were added, known already, and left out since a person removed them."""

    added: int
    known: int
    removed: int


class Feeds(Leasing):
    """Adds, removes, lists and leases feeds. `redis` speaks bytes.

    keep_s: how long the seen marks of a removed feed are kept, so that its articles go on where they were if it is
    added again: the store still has them.
    """

    def __init__(self, redis: Redis, keep_s: float = 14 * 86400.0) -> None:
        super().__init__(redis)
        self._keep_s = keep_s
        self._moves = Moves(redis, keep_s)
        self._confirmed = Confirmed(redis)

    def id_of(self, url: str) -> str:
        """The id of the feed that has an address, had it before it moved, or would get it. Raises BadInput."""
        return self._moves.ids([normal_url(url)])[0]

    def add(self, url: str, title: str, now: float, folder: str = "", pages: str = "") -> tuple[str, bool]:
        """Add a feed on a person's word; its id, and whether it is new. A paused one is polled again.

        Raises BadInput for what is no http(s) URL. What is given for a known feed replaces what it had.
        """
        url = normal_url(url)
        [feed] = self._moves.ids([url])
        self._redis.zrem(keys.forgotten(), of_feed(feed))
        self._redis.srem(keys.removed_feeds(), feed)
        self._redis.persist(keys.seen(feed))
        fields = {"title": title, "folder": folder, "pages": _checked(pages)}
        given = {name: value for name, value in fields.items() if value}
        fresh = Address(url, title, now, folder, pages or "auto")
        if not self._redis.hsetnx(keys.feed(feed), "address", encode(fresh)):
            self._moves.change(feed, paused=False, **given)
        if self._redis.zscore(keys.schedule(), feed) == PAUSED:
            self._redis.zadd(keys.schedule(), {feed: now})
        is_new = bool(self._redis.zadd(keys.schedule(), {feed: now}, nx=True))
        self._confirmed.wait(keys.schedule(), keys.feed(feed), keys.removed_feeds(), keys.forgotten())
        return feed, is_new

    def call(self, feed: str, title: str) -> None:
        """What a feed that was never polled calls itself, as somebody has seen; a poll tells it anew."""
        self._redis.hsetnx(keys.feed(feed), "polls", encode(PollState(title=title)))

    def offer(self, feeds: Iterable[Sequence[Any]], now: float) -> Offered:
        """Add the feeds (address, title, and perhaps folder, pages, paused) of a list that were never known; what a
        person removed stays removed.

        Raises BadInput for an address that is no http(s) URL.
        """
        listed = [Address(normal_url(url), title, now, *more) for url, title, *more in feeds]
        known = removed = 0
        fresh: list[str] = []
        done: set[str] = set()
        for chunk in chunks(listed):
            wanted = dict(zip(self._moves.ids([each.url for each in chunk]), chunk, strict=True))
            ids = [feed for feed in wanted if feed not in done]
            done |= wanted.keys()
            if not ids:
                continue
            pipe = self._redis.pipeline(transaction=False)
            pipe.smismember(keys.removed_feeds(), ids)
            pipe.zmscore(keys.schedule(), ids)
            gone, scores = pipe.execute()
            for feed, is_gone, score in zip(ids, gone, scores, strict=True):
                if is_gone or score is not None:
                    removed, known = removed + bool(is_gone), known + (not is_gone)
                    continue
                pipe.hset(keys.feed(feed), "address", encode(wanted[feed]))
                pipe.zadd(keys.schedule(), {feed: PAUSED if wanted[feed].paused else now}, nx=True)
                fresh.append(feed)
            pipe.execute()
        if fresh:
            self._confirmed.wait(keys.schedule(), *map(keys.feed, fresh))
        return Offered(len(fresh), known, removed)

    def change(self, feed: str, **fields: Any) -> bool:
        """Change the title, the folder or what is read of pages; False where there is no such feed.

        Raises BadInput for a value that there is not.
        """
        if unknown := fields.keys() - {"title", "folder", "pages"}:
            raise TypeError(f"{', '.join(sorted(unknown))}: not for a person to change")
        if "pages" in fields:
            fields["pages"] = _checked(fields["pages"]) or "auto"
        changed = self._moves.change(feed, **fields)
        self._confirmed.wait(keys.feed(feed))
        return changed

    def pause(self, feed: str) -> bool:
        """Poll a feed no more until it is resumed or added again; False where there is no such feed. A poll that is
        under way is not recorded."""
        if not self._moves.change(feed, paused=True):
            return False
        self._redis.zadd(keys.schedule(), {feed: PAUSED}, xx=True)
        self._confirmed.wait(keys.schedule(), keys.feed(feed))
        return True

    def resume(self, feed: str, now: float) -> bool:
        """Poll a paused feed again, at once, whoever paused it; False where there is no such feed."""
        if not self._moves.change(feed, paused=False):
            return False
        if self._redis.zscore(keys.schedule(), feed) == PAUSED:
            self._redis.zadd(keys.schedule(), {feed: now}, xx=True)
        self._confirmed.wait(keys.schedule(), keys.feed(feed))
        return True

    def hasten(self, feed: str, now: float) -> bool:
        """Make a feed due now; False where there is none, or it is paused. A poll that is under way is not recorded."""
        planned = self._redis.zscore(keys.schedule(), feed)
        if planned is None or planned == PAUSED:
            return False
        self._redis.zadd(keys.schedule(), {feed: now}, xx=True, lt=True)
        return True

    def move(self, feed: str, new_url: str, now: float) -> str:
        """A feed's address has changed for good; the id of the feed that has the new one from now on, this or
        another that it became part of, or "" where nothing happened (moves.py). Nothing that it showed before
        is new by that. May be cut short and called again."""
        return self._moves.move(feed, new_url, now)

    def settle(self, feed: str) -> None:
        """End a move that was cut short."""
        self._moves.settle(feed)

    def remove(self, feed: str) -> bool:
        """Remove a feed and its place in the schedule; False where there is none. Its seen marks expire.

        What it already published stays: it is clustered, and ages with its stories. No list brings the feed back, under
        any of its addresses; none of them leads to it any more.
        """
        if self._redis.zscore(keys.schedule(), feed) is None:
            return False
        addresses = self._moves.leading_to(feed)
        self._redis.sadd(keys.removed_feeds(), feed, *addresses)
        if addresses:
            self._redis.hdel(keys.moved_feeds(), *addresses)
        self._redis.zrem(keys.schedule(), feed)
        self.forget(feed)
        self._confirmed.wait(keys.schedule(), keys.feed(feed), keys.removed_feeds(), keys.moved_feeds())
        return True

    def forget(self, feed: str) -> None:
        """Drop what is left of a removed feed: a poll that was under way may have written its seen marks."""
        self._redis.delete(keys.feed(feed), keys.fetches(feed), keys.pushes(feed))
        self._redis.expire(keys.seen(feed), int(self._keep_s))

    def removed(self, feed: str) -> bool:
        """Whether a person removed a feed of this id."""
        return bool(self._redis.sismember(keys.removed_feeds(), feed))

    def get(self, feed: str) -> Feed | None:
        """A feed by its id, or None."""
        due = self._redis.zscore(keys.schedule(), feed)
        found = load_feeds(self._redis, [(feed, due)]) if due is not None else []
        return found[0] if found else None

    def count(self) -> int:
        """How many feeds there are."""
        return int(self._redis.zcard(keys.schedule()))


def _checked(pages: str) -> str:
    if pages and pages not in _PAGES:
        raise BadInput(f"{pages!r}: write one of {', '.join(_PAGES)}")
    return pages

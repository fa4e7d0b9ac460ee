"""What waits in the outboxes: how much, how long, and which articles.

Invariant: nothing is changed here; a feed that is listed may have nothing.
"""

from collections.abc import Iterable
from typing import Any

from redis import Redis

from worker.model import Ref
from worker.store import keys
from worker.store.listed import Listed
from worker.store.reach import ALL_ANSWER, Reach

_SCANNED = 500
"""Articles that one step of a look at all of them reads: at 5 KB each a few milliseconds of the server."""

NO_ROOM = 1e12
"""Added to the time at which an article is tried again that found no room in the quarantine: by such a score it waits
until then, and is not taken for queued by a clock that was set back. Another version tries it at once, to no harm."""

AWAITS = 2e12
"""Added to the time until which an article may wait for its page, likewise."""


class Backlog:
    """Looks at what waits. `redis` speaks bytes."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self._listed = Listed(redis, keys.outboxes())

    def everything(self) -> Iterable[tuple[Ref, bytes]]:
        """The payloads of all articles that wait, feed by feed: to look for some of them, not to work by. `decode`
        reads one, if it can be read."""
        for feeds in self._listed.chunks():
            for feed in feeds:
                for article_id, payload in self._redis.hscan_iter(keys.payloads(feed), count=_SCANNED):
                    yield Ref(feed, article_id.decode()), payload

    def depth(self, reach: Reach = ALL_ANSWER) -> int:
        """How many articles wait, over all feeds. reach: outboxes that are away are not counted."""
        depth = 0
        for feeds in self._there(reach):
            pipe = self._redis.pipeline(transaction=False)
            for feed in feeds:
                pipe.zcard(keys.pending(feed))
            depth += sum(pipe.execute())
        return depth

    def without_room(self, reach: Reach = ALL_ANSWER) -> int:
        """How many of them wait as the quarantine had no room for them."""
        found = 0
        for feeds in self._there(reach):
            pipe = self._redis.pipeline(transaction=False)
            for feed in feeds:
                pipe.zcount(keys.pending(feed), NO_ROOM, f"({AWAITS!r}")
            found += sum(pipe.execute())
        return found

    def oldest_age_s(self, now: float) -> float | None:
        """Seconds since the article was queued that was queued longest ago, over all feeds; None where none waits."""
        queued: list[float] = []
        for feeds in self._listed.chunks():
            pipe = self._redis.pipeline(transaction=False)
            for feed in feeds:
                pipe.zrange(keys.pending(feed), 0, 0, withscores=True)
            queued += [score for found in pipe.execute() for _, score in found]
        return max(0.0, now - min(queued)) if queued else None

    def _there(self, reach: Reach) -> Iterable[list[str]]:
        """The feeds that may have something, but for those whose outbox is away."""
        return ([feed for feed in feeds if not reach.without_feed(feed)] for feeds in self._listed.chunks())

    def waiting(self, feed: str) -> int:
        """How many articles of one feed wait."""
        waiting: int = self._redis.zcard(keys.pending(feed))
        return waiting

    def oldest(self, feed: str) -> str | None:
        """The id of the article of one feed that was queued longest ago; None where none waits."""
        found = self._redis.zrange(keys.pending(feed), 0, 0)
        return found[0].decode() if found else None

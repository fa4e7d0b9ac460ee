"""The lists of the feeds that may have something in their outbox, or in quarantine.

Invariant: such a list may hold too much, never too little. On a Cluster it is on another node than what is listed: so a
feed is on it, also when that node dies, before anything of it is there.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from redis import Redis

from worker.connect import securing
from worker.store.scripts import load

CHUNK = 500


class Listed:
    """One list. `redis` speaks bytes."""

    def __init__(self, redis: Redis, key: str) -> None:
        self._redis, self._key = redis, key
        self._add = load(securing(redis), "list_feed")
        self._drop = load(redis, "unlist_outbox")

    def add(self, feed: str, now: float) -> None:
        """List a feed. Raises ServerUnavailable where that might be lost: then it may be listed."""
        self._add(keys=[self._key], args=[now, feed])

    def drop(self, feeds: Sequence[str], before: float) -> None:
        """Take feeds off that have nothing there, unless they were listed since `before`."""
        if feeds:
            self._drop(keys=[self._key], args=[before, *feeds])

    def feeds(self) -> list[str]:
        """Those that may have something, those listed longest ago first."""
        found: Any = self._redis.zrange(self._key, 0, -1)
        return [feed.decode() for feed in found]

    def chunks(self) -> Iterable[list[str]]:
        """The same, some hundred at a time."""
        feeds = self.feeds()
        return (feeds[start : start + CHUNK] for start in range(0, len(feeds), CHUNK))

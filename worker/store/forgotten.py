"""What a person had forgotten, so that nobody brings it back: hashes only, no content.

Invariant: written before anything is removed, and asked under the lease: whatever commits later knows of it.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from redis import Redis

from worker.model import uid
from worker.store import keys
from worker.store.confirmed import Confirmed

KEPT_S = 90 * 86_400.0
"""How long something is kept out, after it was forgotten or last came again."""
MOST = 1_000_000
"""Hashes that are kept, 80 bytes each; the oldest give way."""

_CHUNK = 1_000


def of_article(article_id: str) -> bytes:
    """What stands for an article."""
    return uid(f"article {article_id}")


def of_url(url: str) -> bytes:
    """What stands for an address, whichever article has it."""
    return uid(f"url {url}")


def of_feed(feed: str) -> bytes:
    """What stands for all that comes through a feed's outbox."""
    return uid(f"feed {feed}")


class Forgotten:
    """Keeps the hashes, and knows them again. `redis` speaks bytes."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self._confirmed = Confirmed(redis)

    def add(self, hashes: Collection[bytes], now: float) -> None:
        """Keep these out from now on, also when this server dies. Raises ServerUnavailable where that is not said."""
        self._keep(hashes, now)
        self._confirmed.wait(keys.forgotten())

    def _keep(self, hashes: Collection[bytes], now: float) -> None:
        """What is older than KEPT_S, or too much, is let go of."""
        pipe = self._redis.pipeline(transaction=False)
        for chunk in _chunks(list(hashes)):
            pipe.zadd(keys.forgotten(), dict.fromkeys(chunk, now))
        pipe.zremrangebyscore(keys.forgotten(), "-inf", f"({now - KEPT_S!r}")
        pipe.zremrangebyrank(keys.forgotten(), 0, -MOST - 1)
        pipe.execute()

    def let_go(self, now: float) -> None:
        """Drop what is older than KEPT_S."""
        self._redis.zremrangebyscore(keys.forgotten(), "-inf", f"({now - KEPT_S!r}")

    def among(self, hashes: Sequence[bytes], now: float) -> set[bytes]:
        """Those of these that are to be kept out; they are for KEPT_S more, as they came again."""
        scores = self._redis.zmscore(keys.forgotten(), hashes) if hashes else []
        found = {
            each for each, score in zip(hashes, scores, strict=True) if score is not None and score >= now - KEPT_S
        }
        if found:
            self._keep(found, now)
        return found

    def rewrite_log(self, within_s: float = 30.0) -> bool:
        """Let the server write its log anew, without what was removed; False where it does not, or not in time."""
        if not self._redis.info("persistence")["aof_enabled"]:
            return False
        self._redis.bgrewriteaof()
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            said = self._redis.info("persistence")
            if not said["aof_rewrite_in_progress"] and not said["aof_rewrite_scheduled"]:
                return bool(said["aof_last_bgrewrite_status"] == "ok")
            time.sleep(0.05)
        return False


def _chunks(hashes: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
    return (hashes[start : start + _CHUNK] for start in range(0, len(hashes), _CHUNK))

"""How long articles take from their fetch to their story: measured by the workers, a line a batch.

Invariant: bounded, and gone an hour after the last batch: what is shown is recent.
"""

from collections.abc import Sequence
from statistics import median
from typing import Any

import msgspec
from msgspec import Struct
from redis import Redis

from worker.store import keys

_KEPT = 100
"""Batches that are remembered: at full load a quarter of a minute, on a quiet day an hour."""

_TTL_S = 3600


class Lag(Struct, frozen=True, array_like=True):
    """One batch: when it was done, how many of its articles were measured, their median and worst lag in seconds."""

    at: float
    articles: int
    median_s: float
    worst_s: float


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Lag).decode


class Lags:
    """Notes and tells lags. `redis` speaks bytes."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis

    def note(self, lags_s: Sequence[float], now: float) -> None:
        """A batch whose articles took so long is done; one round trip."""
        if not lags_s:
            return
        lag = Lag(now, len(lags_s), round(median(lags_s), 3), round(max(lags_s), 3))
        pipe = self._redis.pipeline(transaction=False)
        pipe.lpush(keys.lags(), _encode(lag))
        pipe.ltrim(keys.lags(), 0, _KEPT - 1)
        pipe.expire(keys.lags(), _TTL_S)
        pipe.execute()

    def recent(self, since: float) -> list[Lag]:
        """The batches done since then, the newest first."""
        return [lag for lag in map(_decode, self._redis.lrange(keys.lags(), 0, -1)) if lag.at >= since]

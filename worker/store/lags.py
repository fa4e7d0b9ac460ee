"""How long articles take from their fetch to their story: measured by the workers, a line a batch.

Invariant: bounded, and gone an hour after the last batch: what is shown is recent.
"""

from collections.abc import Sequence
from math import ceil
from statistics import median
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from redis import Redis

from worker.store import keys

_KEPT = 100
"""Batches that are remembered: at full load a quarter of a minute, on a quiet day an hour."""

_TTL_S = 3600
_ROUNDING = 1e-9

_MOST_EACH = 50
"""Lags that are kept one by one of a batch: of a larger one evenly taken ones, the worst among them."""


class Lag(Struct, frozen=True, array_like=True):
    """One batch: when it was done, how many of its articles were measured, their median and worst lag in seconds, and
    up to 50 of the lags themselves, in order."""

    at: float
    articles: int
    median_s: float
    worst_s: float
    each_s: tuple[float, ...] = ()


class Recent(NamedTuple):
    """The batches done after `since`, the newest first: all of them."""

    lags: Sequence[Lag]
    since: float


class Spread(NamedTuple):
    """What lags come to: of how many articles, their median and 99th percentile in seconds, None for none; how many
    articles a minute that is, and of how many seconds."""

    articles: int
    median_s: float | None
    most_s: float | None
    a_minute: float
    over_s: float


def recent(kept: Sequence[Lag], since: float) -> Recent:
    """Of the batches that are kept, the newest first, those after `since`; where older ones may have been let go, those
    after the oldest that is kept, as no more is known."""
    since = max(since, kept[-1].at) if len(kept) >= _KEPT else since
    return Recent([lag for lag in kept if lag.at > since], since)


def spread(found: Recent, now: float) -> Spread:
    """What these lags come to at `now`."""
    lags, over_s = found.lags, max(1.0, now - found.since)
    weighed = sorted((each_s, lag.articles / len(told)) for lag in lags for told in [_told(lag)] for each_s in told)
    articles = sum(lag.articles for lag in lags)
    return Spread(
        articles, _percentile(weighed, 0.5), _percentile(weighed, 0.99), 60 * articles / over_s, now - found.since
    )


def _told(lag: Lag) -> Sequence[float]:
    """Its lags one by one; of a batch of an earlier version what there is."""
    return lag.each_s or [lag.median_s] * (lag.articles - 1) + [lag.worst_s]


def _percentile(weighed: Sequence[tuple[float, float]], share: float) -> float | None:
    """The least value that so large a share is not above (nearest rank)."""
    need = share * sum(weight for _, weight in weighed)
    for value_s, weight in weighed:
        need -= weight
        if need <= _ROUNDING:
            return value_s
    return None


def _sample(lags_s: Sequence[float]) -> tuple[float, ...]:
    ordered = sorted(lags_s)
    step = max(1.0, len(ordered) / _MOST_EACH)
    places = [ceil(step * (place + 1)) - 1 for place in range(min(len(ordered), _MOST_EACH))]
    return tuple(round(ordered[place], 2) for place in places)


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
        lag = Lag(now, len(lags_s), round(median(lags_s), 3), round(max(lags_s), 3), _sample(lags_s))
        pipe = self._redis.pipeline(transaction=False)
        pipe.lpush(keys.lags(), _encode(lag))
        pipe.ltrim(keys.lags(), 0, _KEPT - 1)
        pipe.expire(keys.lags(), _TTL_S)
        pipe.execute()

    def recent(self, since: float) -> Recent:
        """The batches done since then, or since when all are known."""
        return recent([_decode(packed) for packed in self._redis.lrange(keys.lags(), 0, -1)], since)

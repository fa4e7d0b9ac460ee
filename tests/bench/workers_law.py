"""What so many workers come to if each has a processor: worked out from what an article costs, nothing measured.

Method: each worker makes a batch ready by itself, then asks for the lease, again and again with the pauses of
worker/store/commits.py while another has it, holds it for as long as the batch costs under it, and begins anew. The
server has a processor too. So what is missing to n times one worker is waiting for the lease, and nothing else.

Invariant: the same figures give the same answer; no clock, no randomness.
"""

from heapq import heapify, heappop, heappush
from typing import NamedTuple

from worker.store.commits import _MAX_RETRY_S, _RETRY_S

_BATCHES = 2_000
_GROWTH = 1.5
"""How much longer each pause is than the one before."""


class Expected(NamedTuple):
    """Articles a second, the share of the workers' time in which they wait, and that in which the lease is held."""

    rate: float
    waiting: float
    held: float


def expected(workers: int, apart_ms: float, shared_ms: float, batch: int = 50) -> Expected:
    """So many workers on one language; an article costs `shared_ms` under the lease and `apart_ms` outside of it."""
    apart, shared = apart_ms * batch, shared_ms * batch
    # a tenth of a batch after one another, as workers do not begin at the same time
    asking = [(apart * (1 + place / 10), place, _RETRY_S) for place in range(workers)]
    heapify(asking)
    free_at, done = 0.0, 0
    while done < _BATCHES:
        at, place, pause_s = heappop(asking)
        if at < free_at:
            heappush(asking, (at + 1000 * pause_s, place, min(_MAX_RETRY_S, pause_s * _GROWTH)))
        else:
            free_at, done = at + shared, done + 1
            heappush(asking, (free_at + apart, place, _RETRY_S))
    busy = done * (apart + shared) / (workers * free_at)
    return Expected(1000 * done * batch / free_at, max(0.0, 1 - busy), done * shared / free_at)

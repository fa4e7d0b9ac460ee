"""Who works: the workers as the queue's server knows them, and what each has in hand.

Invariant: a worker that was killed leaves the roll by itself, WORKER_TTL_S after its last sign of life.
"""

from collections.abc import Sequence
from typing import NamedTuple

from redis import Redis
from rq.job import Job
from rq.queue import Queue
from rq.utils import utcparse
from rq.worker import Worker
from rq.worker_registration import get_keys

WORKER_TTL_S = 20
"""A worker not heard of for so long is forgotten; a wait for a job is 15 s shorter (RQ), hence 5 s."""

VERSION = "storywire"
"""The field of a worker's hash that has the version of this program."""

_PREFIX = Worker.redis_worker_namespace_prefix


class Working(NamedTuple):
    """A worker as the queue's server knows it, heard of `ago_s` seconds ago; `batch`, begun at `since`: what it has in
    hand, "" for nothing. version: "" where it does not say."""

    name: str
    queue: str
    version: str
    started: float
    ago_s: float
    batch: str
    since: float


def listening(queue: Queue) -> set[str]:
    """The keys of the workers on this queue that are on the roll."""
    worker_keys = sorted(get_keys(queue))
    alive = queue.connection.pipeline(transaction=False)
    for key in worker_keys:
        alive.exists(key)
    return {key for key, there in zip(worker_keys, alive.execute(), strict=True) if there}


def beating(queue: Queue, within_s: float) -> set[str]:
    """The names of the workers on this queue that have been heard of within so many seconds."""
    worker_keys = sorted(get_keys(queue))
    left = queue.connection.pipeline(transaction=False)
    for key in worker_keys:
        left.pttl(key)
    names = (key.removeprefix(_PREFIX) for key in worker_keys)
    least_ms = (WORKER_TTL_S - within_s) * 1000
    return {name for name, ms in zip(names, left.execute(), strict=True) if ms > least_ms}


def working(redis: Redis) -> list[Working]:
    """All workers on the server that are on the roll, of whatever queue."""
    worker_keys = sorted(get_keys(connection=redis))
    pipe = redis.pipeline(transaction=False)
    for key in worker_keys:
        pipe.hmget(key, "queues", VERSION, "birth", "current_job")
        pipe.pttl(key)
    answers = pipe.execute()
    told = [[(field or b"").decode() for field in fields] for fields in answers[::2]]
    batches = _batches(redis, [job for *_, job in told])
    return [
        Working(key.removeprefix(_PREFIX), queue, version, _moment(born), _ago_s(left_ms), *batch)
        for key, (queue, version, born, _), left_ms, batch in zip(
            worker_keys, told, answers[1::2], batches, strict=True
        )
        if left_ms > 0
    ]


def _batches(redis: Redis, job_ids: Sequence[str]) -> list[tuple[str, float]]:
    """Of each job what it is and when it began."""
    pipe = redis.pipeline(transaction=False)
    for job_id in job_ids:
        pipe.hmget(Job.key_for(job_id), "description", "started_at")
    told = [[(field or b"").decode() for field in fields] for fields in pipe.execute()]
    return [(what, _moment(since)) for what, since in told]


def _moment(written: str) -> float:
    """Seconds since 1970 of a moment as RQ writes it; 0 for none."""
    return utcparse(written).timestamp() if written else 0.0


def _ago_s(left_ms: int) -> float:
    return max(0.0, WORKER_TTL_S - left_ms / 1000)

"""Puts batches of article ids on the one RQ queue, and tells how long it is and who listens.

Invariant: a job carries ids only and may be lost at any time; the outbox is the truth. Every key of a job expires.
"""

import json
import zlib
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, ClassVar, NamedTuple

from redis import Redis
from rq.exceptions import DeserializationError
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job, Retry
from rq.queue import EnqueueData, Queue
from rq.serializers import JSONSerializer
from rq.utils import utcparse
from rq.worker import Worker
from rq.worker_registration import get_keys

from worker.connect import STORE_VARIABLE, translated
from worker.model import SCHEMA, Ref

QUEUE = f"storywire.{SCHEMA}"
"""The only queue: a worker on a single queue takes its jobs with BLMOVE, so that none is lost on the way. Each version
has its own, or the workers of another version, which find nothing to do in them, would eat up its jobs."""

_PREVIOUS = "storywire"
"""The queue of the previous version."""

FUNCTION = "worker.tasks.ingest_batch"
"""The one function that a job may name; its argument is `[[feed, article id], ...]`."""

TIMEOUT_S = 120
"""The longest a batch may run: 50 articles take about 0.2 s, a server that saves to disk may stall for seconds."""

KEPT_S = 86_400
"""A job waits, and a failed one is kept to be looked at, for a day; the sweeper queues again what it carried."""

RETRIES = 8
"""How often a job is started again whose worker died; after that the sweeper asks for its articles anew. An article
that kills is known by the fifth start, two of them in one batch by the eighth (see batches.py)."""

WORKER_TTL_S = 20
"""A worker not heard of for so long is forgotten; a wait for a job is 15 s shorter (RQ), hence 5 s."""

VERSION = "storywire"
"""The field of a worker's hash that has the version of this program."""

_WORKER_PREFIX = Worker.redis_worker_namespace_prefix

_STUCK = timedelta(seconds=10)
"""A job between BLMOVE and its start is there for a millisecond; RQ waits a minute, we ten seconds."""

_MAINTENANCE_LOCK_S = 30
"""RQ holds it for 15 minutes: a worker killed while it cleans would leave nobody to recover jobs for as long."""


_LOOKED_AT = 50
"""Jobs in one round trip, to find the first that has not expired."""


class _InTransit(IntermediateQueue):
    """Jobs that a worker has taken and not yet started."""

    def should_be_cleaned_up(self, job_id: str) -> bool:
        first_seen = self.get_first_seen(job_id)
        return first_seen is not None and datetime.now(UTC) - first_seen > _STUCK

    def remove(self, job_id: str) -> None:
        """Also forgets when it was seen: the retried job has the same id."""
        super().remove(job_id)
        self.connection.delete(self.get_first_seen_key(job_id))


class BatchQueue(Queue):
    """RQ's queue, which recovers in seconds what RQ recovers in minutes.

    `waiting` is true while this process's worker blocks for a job and has none in hand.
    """

    waiting: ClassVar[bool] = False

    @property
    def intermediate_queue(self) -> IntermediateQueue:
        return _InTransit(self.key, connection=self.connection)

    def acquire_maintenance_lock(self) -> bool:
        return bool(self.connection.set(self.registry_cleaning_key, 1, nx=True, ex=_MAINTENANCE_LOCK_S))

    @classmethod
    def lmove(cls, connection: Redis, queue_key: str, timeout: int | None) -> Any:
        BatchQueue.waiting = True
        try:
            return super().lmove(connection, queue_key, timeout)
        finally:
            BatchQueue.waiting = False


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


class Jobs:
    """The queue of batches. `redis` is a plain client; `url` and `variable` are what an error names.

    Every method raises ServerUnavailable when the queue's server does not answer.
    """

    def __init__(self, redis: Redis, batch: int, url: str = "", variable: str = STORE_VARIABLE) -> None:
        self.redis, self.batch, self.url, self.variable = redis, batch, url, variable
        self.queue = BatchQueue(QUEUE, connection=redis, default_timeout=TIMEOUT_S, serializer=JSONSerializer)

    def enqueue(self, refs: Sequence[Ref]) -> int:
        """Queue these articles in batches, in order, in one pipeline; how many jobs that makes."""
        jobs = [_job(refs[start : start + self.batch]) for start in range(0, len(refs), self.batch)]
        if jobs:
            with translated(self.url, self.variable):
                self.queue.enqueue_many(jobs)
        return len(jobs)

    def drop_previous(self) -> None:
        """Remove the queue of the previous version: what its jobs name waits in this version's outbox now."""
        with translated(self.url, self.variable):
            BatchQueue(_PREVIOUS, connection=self.redis, serializer=JSONSerializer).delete()

    def depth(self) -> int:
        """How many jobs wait."""
        with translated(self.url, self.variable):
            return int(self.queue.count)

    def oldest_age_s(self, now: float) -> float | None:
        """Seconds that the job at the head has waited at the time `now`; None when nothing waits."""
        with translated(self.url, self.variable):
            for start in count(0, _LOOKED_AT):
                job_ids = self.queue.get_job_ids(start, _LOOKED_AT)
                pipe = self.redis.pipeline(transaction=False)
                for job_id in job_ids:
                    pipe.hget(Job.key_for(job_id), "enqueued_at")
                for queued in filter(
                    None, pipe.execute()
                ):  # one that has expired is skipped, as a worker would skip it
                    return max(0.0, now - utcparse(bytes(queued).decode()).timestamp())
                if len(job_ids) < _LOOKED_AT:
                    break
        return None

    def forget(self, article_ids: Collection[str]) -> int:
        """Take articles out of every job that waits, runs or has failed, whatever feed it names; how many jobs that
        changed. Nothing is lost: what should still be clustered waits in the outbox."""
        changed = 0
        with translated(self.url, self.variable):
            for job in Job.fetch_many(self._job_ids(), self.redis, JSONSerializer):
                refs = _refs(job) if job is not None else []
                left = [ref for ref in refs if ref.article not in article_ids]
                if job is not None and len(left) < len(refs):
                    self._rewrite(job.id, left)
                    changed += 1
        return changed

    def _job_ids(self) -> list[str]:
        queue = self.queue
        registries = [
            queue.started_job_registry,
            queue.failed_job_registry,
            queue.scheduled_job_registry,
            queue.deferred_job_registry,
            queue.canceled_job_registry,
        ]
        listed = [queue.get_job_ids(), queue.intermediate_queue.get_job_ids()]
        listed += [registry.get_job_ids(cleanup=False) for registry in registries]
        return list(dict.fromkeys(job_id for ids in listed for job_id in ids))

    def _rewrite(self, job_id: str, refs: Sequence[Ref]) -> None:
        """The job with these refs alone; one that has ended meanwhile stays gone. What it failed with is dropped, as
        that may quote anything."""
        data = zlib.compress(json.dumps((FUNCTION, None, [[list(ref) for ref in refs]], {})).encode())
        key = Job.key_for(job_id)

        def rewrite(pipe: Any) -> None:
            there = pipe.exists(key)
            pipe.multi()
            if there:
                pipe.hset(key, mapping={"data": data, "description": f"{len(refs)} articles"})
                pipe.hdel(key, "exc_info")
                pipe.delete(f"rq:results:{job_id}")

        self.redis.transaction(rewrite, key)

    def beating(self, within_s: float) -> set[str]:
        """The names of the workers that have been heard of within so many seconds; others are dead or suspended."""
        with translated(self.url, self.variable):
            worker_keys = sorted(get_keys(self.queue))
            left = self.redis.pipeline(transaction=False)
            for key in worker_keys:
                left.pttl(key)
            names = (key.removeprefix(_WORKER_PREFIX) for key in worker_keys)
            least_ms = (WORKER_TTL_S - within_s) * 1000
            return {name for name, ms in zip(names, left.execute(), strict=True) if ms > least_ms}

    def workers(self) -> list[Working]:
        """The workers that live, those of other versions, which have queues of their own, too."""
        with translated(self.url, self.variable):
            worker_keys = sorted(get_keys(connection=self.redis))
            pipe = self.redis.pipeline(transaction=False)
            for key in worker_keys:
                pipe.hmget(key, "queues", VERSION, "birth", "current_job")
                pipe.pttl(key)
            answers = pipe.execute()
            told = [[(field or b"").decode() for field in fields] for fields in answers[::2]]
            batches = self._batches([job for *_, job in told])
        return [
            Working(key.removeprefix(_WORKER_PREFIX), queue, version, _moment(born), _ago_s(left_ms), *batch)
            for key, (queue, version, born, _), left_ms, batch in zip(
                worker_keys, told, answers[1::2], batches, strict=True
            )
            if left_ms > 0 and (queue == _PREVIOUS or queue.startswith(f"{_PREVIOUS}."))
        ]

    def _batches(self, job_ids: Sequence[str]) -> list[tuple[str, float]]:
        """Of each job what it is and when it began."""
        pipe = self.redis.pipeline(transaction=False)
        for job_id in job_ids:
            pipe.hmget(Job.key_for(job_id), "description", "started_at")
        told = [[(field or b"").decode() for field in fields] for fields in pipe.execute()]
        return [(what, _moment(since)) for what, since in told]

    def listening(self) -> set[str]:
        """The keys of the workers that have been heard of within the last seconds."""
        with translated(self.url, self.variable):
            worker_keys = sorted(get_keys(self.queue))
            alive = self.redis.pipeline(transaction=False)
            for key in worker_keys:
                alive.exists(key)
            return {key for key, there in zip(worker_keys, alive.execute(), strict=True) if there}


def _moment(written: str) -> float:
    """Seconds since 1970 of a moment as RQ writes it; 0 for none."""
    return utcparse(written).timestamp() if written else 0.0


def _ago_s(left_ms: int) -> float:
    return max(0.0, WORKER_TTL_S - left_ms / 1000)


def _refs(job: Job) -> list[Ref]:
    """The articles of a job; none where it is not one of ours."""
    try:
        return [Ref(*ref) for ref in job.args[0]] if job.func_name == FUNCTION else []
    except (DeserializationError, LookupError, TypeError):
        return []


def _job(refs: Sequence[Ref]) -> EnqueueData:
    return Queue.prepare_data(
        FUNCTION,
        args=([list(ref) for ref in refs],),
        timeout=TIMEOUT_S,
        result_ttl=0,
        ttl=KEPT_S,
        failure_ttl=KEPT_S,
        description=f"{len(refs)} articles from {refs[0].article}",
        retry=Retry(max=RETRIES),
    )

"""Puts batches of article ids on the one RQ queue, and tells how long it is and who listens.

Invariant: a job carries ids only and may be lost at any time; the outbox is the truth. Every key of a job expires.
"""

from collections.abc import Collection, Sequence
from itertools import count
from typing import Any

from redis import Redis
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import utcparse

from worker.connect import STORE_VARIABLE, translated
from worker.jobs import roll
from worker.jobs.job import QUEUE, TIMEOUT_S, carried, prepared, rewritten
from worker.jobs.recovering import BatchQueue
from worker.jobs.roll import Working
from worker.model import Ref

_PREVIOUS = "storywire"
"""The queue of the previous version."""

_LOOKED_AT = 50
"""Jobs in one round trip, to find the first that has not expired."""


class Jobs:
    """The queue of batches. `redis` is a plain client; `url` and `variable` are what an error names.

    Every method raises ServerUnavailable when the queue's server does not answer.
    """

    def __init__(self, redis: Redis, batch: int, url: str = "", variable: str = STORE_VARIABLE) -> None:
        self.redis, self.batch, self.url, self.variable = redis, batch, url, variable
        self.queue = BatchQueue(QUEUE, connection=redis, default_timeout=TIMEOUT_S, serializer=JSONSerializer)

    def enqueue(self, refs: Sequence[Ref]) -> int:
        """Queue these articles in batches, in order, in one pipeline; how many jobs that makes."""
        jobs = [prepared(refs[start : start + self.batch]) for start in range(0, len(refs), self.batch)]
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
                there = filter(None, pipe.execute())  # one that has expired is skipped, as a worker would skip it
                if (queued := next(there, None)) is not None:
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
                refs = carried(job) if job is not None else []
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
        key, fields = Job.key_for(job_id), rewritten(refs)

        def rewrite(pipe: Any) -> None:
            there = pipe.exists(key)
            pipe.multi()
            if there:
                pipe.hset(key, mapping=fields)
                pipe.hdel(key, "exc_info")
                pipe.delete(f"rq:results:{job_id}")

        self.redis.transaction(rewrite, key)

    def beating(self, within_s: float) -> set[str]:
        """The names of the workers that have been heard of within so many seconds; others are dead or suspended."""
        with translated(self.url, self.variable):
            return roll.beating(self.queue, within_s)

    def workers(self) -> list[Working]:
        """The workers that live, those of other versions, which have queues of their own, too."""
        with translated(self.url, self.variable):
            found = roll.working(self.redis)
        return [each for each in found if each.queue == _PREVIOUS or each.queue.startswith(f"{_PREVIOUS}.")]

    def listening(self) -> set[str]:
        """The keys of the workers that have been heard of within the last seconds."""
        with translated(self.url, self.variable):
            return roll.listening(self.queue)

"""RQ's queue, made to recover within seconds, not minutes, a job whose worker died between taking and starting it.

Invariant: a job is taken by one command, which puts it into a list of its own: it is in one of the two at any moment.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from redis import Redis
from rq.intermediate_queue import IntermediateQueue
from rq.queue import Queue

_STUCK = timedelta(seconds=10)
"""A job between BLMOVE and its start is there for a millisecond; RQ waits a minute, we ten seconds."""

_MAINTENANCE_LOCK_S = 30
"""RQ holds it for 15 minutes: a worker killed while it cleans would leave nobody to recover jobs for as long."""


class BatchQueue(Queue):
    """`waiting` is true while this process's worker blocks for a job and has none in hand."""

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


class _InTransit(IntermediateQueue):
    """Jobs that a worker has taken and not yet started."""

    def should_be_cleaned_up(self, job_id: str) -> bool:
        first_seen = self.get_first_seen(job_id)
        return first_seen is not None and datetime.now(UTC) - first_seen > _STUCK

    def remove(self, job_id: str) -> None:
        """Also forgets when it was seen: the retried job has the same id."""
        super().remove(job_id)
        self.connection.delete(self.get_first_seen_key(job_id))

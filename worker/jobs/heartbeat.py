"""RQ's in-process worker, which shows that it is alive during a job too: RQ's own sends no heartbeat then.

Invariant: a worker that lives is on the roll, with its job, whatever happened to either meanwhile; one that was killed
is given up HEARTBEAT_TTL_S after its last heartbeat.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis.exceptions
import structlog
from rq import worker_registration
from rq.job import Job
from rq.utils import now
from rq.worker import SimpleWorker

from worker.jobs.roll import VERSION, WORKER_TTL_S
from worker.names import this_version

BEAT_S = 2.0
HEARTBEAT_TTL_S = 10
"""A job whose worker has not been heard of for so long is started again."""

log = structlog.get_logger()


class BeatingWorker(SimpleWorker):
    """Beats from a thread of its own while `beats()` lasts."""

    @contextmanager
    def beats(self) -> Iterator[None]:
        """Every BEAT_S in the block."""
        ended = threading.Event()
        beat = threading.Thread(target=self._beat, args=(ended,), name="heartbeat", daemon=True)
        beat.start()
        try:
            yield
        finally:
            ended.set()
            beat.join(timeout=BEAT_S)

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:  # noqa: ARG002
        return HEARTBEAT_TTL_S

    def serialize(self) -> dict[Any, Any]:
        """What RQ tells of a worker, and our version: `version` is RQ's own."""
        return {**super().serialize(), VERSION: this_version()}

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:  # noqa: ARG002
        super().heartbeat(WORKER_TTL_S, pipeline)

    def _beat(self, ended: threading.Event) -> None:
        while not ended.wait(BEAT_S):
            try:
                self._renew()
            except redis.exceptions.RedisError as error:
                log.debug("no heartbeat", reason=str(error))

    def _renew(self) -> None:
        """Worker, execution and job; a worker that was given up for dead (it was suspended) is registered again."""
        self.last_heartbeat = now()
        self.connection.expire(self.key, WORKER_TTL_S)  # a full server refuses what follows, and takes this
        with self.connection.pipeline() as pipeline:
            pipeline.hset(self.key, mapping=self.serialize())
            worker_registration.register(self, pipeline)
            pipeline.expire(self.key, WORKER_TTL_S)
            pipeline.execute()
        for execution in list(self.executions.values()):
            self.maintain_heartbeats(execution.job, execution)

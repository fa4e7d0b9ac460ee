"""A worker process's loop: takes a batch, runs it in process, and shows every other second that it is alive.

Invariant: a job runs at least once, and only ever the one function that this process was started with; a worker
that dies has its job run again by another within about 15 seconds.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from types import FrameType
from typing import Any

import redis.exceptions
import structlog
from rq.exceptions import DequeueTimeout, StopRequested
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException as TimedOut
from rq.utils import now
from rq.worker.base import WorkerStatus

from worker.connect import translate, translated
from worker.errors import MachineFailed, StorywireError, Transient
from worker.jobs.hang import ended_if_it_hangs
from worker.jobs.heartbeat import BEAT_S, HEARTBEAT_TTL_S, BeatingWorker
from worker.jobs.job import running
from worker.jobs.queue import Jobs
from worker.jobs.recovering import BatchQueue
from worker.jobs.roll import WORKER_TTL_S
from worker.model import Ref
from worker.names import new_name
from worker.watchdog import Watchdog

__all__ = ["HEARTBEAT_TTL_S", "BatchWorker", "End", "TimedOut"]

MAINTENANCE_S = 5
_RECONNECT_S = (0.5, 1.0, 2.0)

log = structlog.get_logger()


class End(Enum):
    """Why a worker's loop ended."""

    STOPPED = "stopped"
    DRAINED = "drained"
    WORN = "worn"


class BatchWorker(BeatingWorker):
    """Runs batches with `run(refs)`; `between()` is called between two jobs, at least every five seconds.

    What `run` raises fails the job; RQ starts it again a few times.
    """

    queue_class = BatchQueue

    def __init__(
        self,
        jobs: Jobs,
        run: Callable[[list[Ref]], object],
        between: Callable[[], object],
        name: str = "",
        watchdog: Watchdog | None = None,
    ) -> None:
        with translated(jobs.url, jobs.variable):
            super().__init__(
                [jobs.queue],
                name=name or new_name(),
                connection=jobs.redis,
                serializer=JSONSerializer,
                job_class=running(run),
                worker_ttl=WORKER_TTL_S,
                maintenance_interval=MAINTENANCE_S,
                job_monitoring_interval=int(BEAT_S),
            )
        self._jobs, self._between = jobs, between
        self._watchdog = watchdog or Watchdog({})
        self._failing = False
        self._known = False

    def run(self, burst: bool = False, max_jobs: int | None = None) -> End:
        """Work until a signal, until `max_jobs` are done, one meets a failing machine, or (burst) none is left.

        A server that goes away is waited for. SIGTERM and SIGINT let the batch be finished; a second one, a second
        later, does not. Raises ServerUnavailable only if it is away at the start.
        """
        self._install_signal_handlers()  # type: ignore[no-untyped-call]
        with translated(self._jobs.url, self._jobs.variable), suppress(redis.exceptions.OutOfMemoryError):
            self._be_known()  # a full server refuses that: what makes room there is done in the loop, before a job
        try:
            with self.beats():
                end = self._loop(burst, max_jobs)
                if end is not End.WORN:  # that one goes on as a fresh process of the same number
                    self._watchdog.end()
                return end
        finally:
            self._leave()

    def _be_known(self) -> None:
        """Tell RQ of this worker."""
        if not self._known:
            self.register_birth()  # type: ignore[no-untyped-call]
            self._known = True
            log.info("listening", pid=os.getpid(), batch=self._jobs.batch)

    def _loop(self, burst: bool, max_jobs: int | None) -> End:
        done = failures = 0
        while not self._stop_requested:
            self._watchdog.turn("Waiting for the server" if failures else f"Clustering; batches so far: {done}")
            try:
                taken = self._turn(burst)
                if failures:
                    log.info("the server is back")
                failures = 0
            except StopRequested:
                break
            except (redis.exceptions.RedisError, Transient) as error:
                self.executions.clear()  # or the heartbeat would keep alive what nobody works on
                self._wait_for_server(error, failures)
                failures += 1
                continue
            done += taken
            if self._failing:
                return End.WORN
            if burst and not taken:
                return End.DRAINED
            if max_jobs is not None and done >= max_jobs:
                return End.WORN
        return End.STOPPED

    def _turn(self, burst: bool) -> bool:
        """What is due between two jobs, then a job, if one comes within five seconds (burst: if one is there)."""
        self._between()
        self._be_known()
        self.check_for_suspension(burst)
        if self.should_run_maintenance_tasks:
            self.run_maintenance_tasks()  # type: ignore[no-untyped-call]
        taken = self._take(None if burst else self.dequeue_timeout)
        if taken is None:
            return False
        with ended_if_it_hangs():
            self.execute_job(*taken)
        return True

    def _take(self, timeout_s: int | None) -> tuple[Job, Queue] | None:
        self.set_state(WorkerStatus.IDLE)
        if self._stop_requested:
            raise StopRequested
        try:
            return BatchQueue.dequeue_any(
                self.queues,
                timeout_s,
                connection=self.connection,
                job_class=self.job_class,
                serializer=self.serializer,
                death_penalty_class=self.death_penalty_class,
            )
        except DequeueTimeout:
            return None

    def _wait_for_server(self, error: Exception, failures: int) -> None:
        ours = error if isinstance(error, Transient) else translate(error, self._jobs.url, self._jobs.variable)
        if not isinstance(ours, Transient):
            raise ours or error
        if not failures:
            log.warning("waiting for the server", trouble=str(ours))
        until = time.monotonic() + _RECONNECT_S[min(failures, len(_RECONNECT_S) - 1)]
        while time.monotonic() < until and not self._stop_requested:
            time.sleep(0.1)

    def _leave(self) -> None:
        try:
            self.register_death()  # type: ignore[no-untyped-call]
        except redis.exceptions.RedisError:
            log.debug("left without saying so", reason="the server is away")

    # --- signals: a handler sends nothing, and the job in hand is finished ----------------------------------------

    def request_stop(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Stop after the batch in hand, or at once while waiting for one."""
        self._shutdown_requested_date = now()
        signal.signal(signal.SIGINT, self.request_force_stop)
        signal.signal(signal.SIGTERM, self.request_force_stop)
        self._stop_requested = True
        if BatchQueue.waiting:
            raise StopRequested

    # --- logs -----------------------------------------------------------------------------------------------------

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """One line for a job that failed, instead of RQ's page; what a fresh process may mend ends this one."""
        error = exc_info[1]
        self._failing = isinstance(error, MachineFailed | MemoryError)
        expected = isinstance(error, StorywireError | TimedOut)
        log.error("batch", outcome="failed", job=job.id, error=str(error), exc_info=None if expected else exc_info)

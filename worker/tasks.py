"""The worker process: clusters queued batches, and sweeps up what has been left behind.

Invariant: an article stays in the outbox until it is clustered, so a batch may fail, be killed or run twice; one
article that cannot be clustered never keeps the others of its batch from it.
"""

import gc
import os
import time
from collections.abc import Callable, Sequence

import structlog

from worker.errors import StorywireError, Transient
from worker.ingest import BatchResult
from worker.jobs.worker import BatchWorker, End, TimedOut
from worker.model import Ref
from worker.runtime import Runtime

GC_THRESHOLDS = (100_000, 50, 100)
"""A batch makes and drops 100,000 objects without a cycle among them: looking for cycles less often saves a tenth."""

MAX_JOBS = 5_000
"""Then the process starts afresh: a quarter of a million articles, at full load a quarter of an hour."""

SWEEP_S = 15.0
PENDING_S = 60.0
"""What has been pending for so long, and cannot be in a job that still waits, is queued again."""

SWEEP_LIMIT = 5_000
EXPIRE_S = 60.0
EXPIRE_LIMIT = 20
"""Stories a language between two batches, so that a great sweep does not keep new articles waiting."""

_RETRY_AFTER_S = (0.2, 1.0, 3.0)
"""A lease is held for a few seconds at most, a server is restarted in a few."""

Run = Callable[[Sequence[Ref]], BatchResult]

log = structlog.get_logger()


def work(runtime: Runtime, burst: bool = False) -> End:
    """Work until stopped, until the queue is empty (burst), or until it is time for a fresh process."""
    ingest, sweeper = runtime.ingest, Sweeper(runtime)
    gc.set_threshold(*GC_THRESHOLDS)
    worker = BatchWorker(runtime.jobs, lambda refs: ingest_batch(refs, ingest.run), sweeper.turn)
    end = worker.run(burst=burst, max_jobs=MAX_JOBS)
    log.info("ended", why=end.value, pid=os.getpid())
    return end


def ingest_batch(refs: Sequence[Ref], run: Run) -> None:
    """Cluster these articles: the job. One canonical log line.

    A batch that fails for a reason nobody foresaw is halved until the article that causes it stands alone; that one
    is told and stays in the outbox. Raises Transient, after some tries, when the server or the lease cannot be had.
    """
    started = time.perf_counter()
    try:
        result = _patiently(refs, run)
    except (StorywireError, TimedOut):
        raise  # the whole job is tried again, and the worker says so
    except Exception as error:
        if len(refs) == 1:
            log.exception("batch", outcome="failed", articles=1, article=refs[0].article, feed=refs[0].feed)
            return
        log.warning("batch", outcome="halved", articles=len(refs), error=repr(error))
        middle = len(refs) // 2
        ingest_batch(refs[:middle], run)
        ingest_batch(refs[middle:], run)
        return
    stages = {f"{stage}_ms": ms for stage, ms in result.stages_ms.items()}
    log.info("batch", outcome="ok", articles=result.articles, **result.counts, ms=_since_ms(started), **stages)


def _patiently(refs: Sequence[Ref], run: Run) -> BatchResult:
    for pause_s in _RETRY_AFTER_S:
        try:
            return run(refs)
        except Transient as error:
            log.debug("batch waits", reason=str(error), pause_s=pause_s)
            time.sleep(pause_s)
    return run(refs)


def _since_ms(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)


class Sweeper:
    """What is due between two jobs. Every worker does it; what one has done, the others find done."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._sweep_due = self._expire_due = 0.0

    def turn(self) -> None:
        """Sweep and expire, each if it is due. Raises Transient if the server is away."""
        now = time.monotonic()
        if now >= self._sweep_due:
            self._sweep_due = now + SWEEP_S
            self.sweep()
        if now >= self._expire_due:
            self._expire_due = now + EXPIRE_S
            self.expire()

    def sweep(self) -> int:
        """Queue again what has been pending for over a minute; how many articles.

        The queue is first in, first out: what was queued a minute before the job at its head is in no job that
        waits, so a long queue (an import) is not queued a second time.
        """
        now = self._runtime.clock.now()
        jobs = self._runtime.jobs
        before = now - (jobs.oldest_age_s(now) or 0.0) - PENDING_S
        refs = self._runtime.outbox.stale(before, now, SWEEP_LIMIT)
        if refs:
            log.warning("queued again", articles=len(refs), jobs=jobs.enqueue(refs), pending_s=round(now - before))
        return len(refs)

    def expire(self) -> int:
        """Remove some of what has outlived the retention; how many articles. Goes on after the next batch."""
        removed = self._runtime.ingest.expire(EXPIRE_LIMIT)
        if removed:
            log.info("expired", articles=removed)
            self._expire_due = 0.0
        return removed

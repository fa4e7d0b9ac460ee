"""The worker process: clusters queued batches, and sweeps up what has been left behind.

Invariant: the outbox is the truth, and the queue its hint: what no job carries any more is queued again, by whichever
worker looks first. What a batch itself keeps to stands in batches/.
"""

import gc
import os
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from worker.batches import Batches
from worker.errors import NotArchived, ServerUnavailable
from worker.jobs.worker import BatchWorker, End
from worker.metrics import Metrics
from worker.metrics.table import EXPIRED, REQUEUED
from worker.names import new_name
from worker.runtime import Runtime
from worker.store.archive import Archive
from worker.watchdog import Watchdog

GC_THRESHOLDS = (100_000, 50, 100)
"""A batch makes and drops 100,000 objects without a cycle among them: looking for cycles less often saves a tenth."""

MAX_JOBS = 5_000
"""Then the process starts afresh: a quarter of a million articles, at full load a quarter of an hour."""

SWEEP_S = 5.0
PENDING_S = 12.0
"""What has been pending for so long, and cannot be in a job that still waits, is queued again: what a poller that died
had published and not queued is clustered within 20 s. A batch takes less; one that does not runs twice, to no harm."""

SWEEP_LIMIT = 5_000
EXPIRE_S = 60.0
EXPIRE_LIMIT = 20
"""Stories a language between two batches, so that a great sweep does not keep new articles waiting."""

log = structlog.get_logger()


def work(
    runtime: Runtime, burst: bool = False, metrics: Metrics | None = None, watchdog: Watchdog | None = None
) -> End:
    """Work until stopped, until the queue is empty (burst), or until it is time for a fresh process.

    watchdog: who is told that its loop goes on.
    """
    metrics = metrics or Metrics("worker")
    if runtime.settings.archive_dir:
        Archive(Path(runtime.settings.archive_dir)).make()
    sweeper, name = Sweeper(runtime, metrics), new_name()
    batches = Batches.of(runtime, name, metrics)
    gc.set_threshold(*GC_THRESHOLDS)

    def between() -> None:
        batches.turn()
        sweeper.turn()

    worker = BatchWorker(runtime.jobs, batches.ingest, between, name, watchdog)
    end = worker.run(burst=burst, max_jobs=MAX_JOBS)
    log.info("ended", why=end.value, pid=os.getpid())
    return end


class Sweeper:
    """What is due between two jobs. Every worker does it; what one has done, the others find done."""

    def __init__(self, runtime: Runtime, metrics: Metrics | None = None) -> None:
        self._runtime, self._metrics = runtime, metrics or Metrics("worker")
        self._sweep_due = self._expire_due = 0.0

    def turn(self) -> None:
        """Sweep and expire, each if it is due. Raises Transient if the server is away; where that is one node of
        several, what it has waits for the next time, and nothing else does."""
        now = time.monotonic()
        if now >= self._sweep_due:
            self._sweep_due = now + SWEEP_S
            self._unless_away(self.sweep)
        if now >= self._expire_due:
            self._expire_due = now + EXPIRE_S
            self._unless_away(self.expire)

    def _unless_away(self, sweep: Callable[[], object]) -> None:
        reach = self._runtime.ingest.reach
        if reach.away:
            reach.look()  # nobody else does, where no article of this worker waits
        if reach.without_lists():
            return
        try:
            sweep()
        except ServerUnavailable:
            if not reach.look():
                raise

    def sweep(self) -> int:
        """Queue again what has been pending for longer than PENDING_S; how many articles.

        The queue is first in, first out: what was queued so long before the job at its head is in no job that
        waits, so a long queue (an import) is not queued a second time. Raises Permanent where a newer version has
        taken the store over.
        """
        self._runtime.ensure_store()
        now = self._runtime.clock.now()
        jobs = self._runtime.jobs
        before = now - (jobs.oldest_age_s(now) or 0.0) - PENDING_S
        refs = self._runtime.outbox.stale(before, now, SWEEP_LIMIT, self._runtime.ingest.reach.without_feed)
        if refs:
            self._metrics.count(REQUEUED, len(refs))
            log.warning("queued again", articles=len(refs), jobs=jobs.enqueue(refs), pending_s=round(now - before))
        return len(refs)

    def expire(self) -> int:
        """Remove some of what has outlived the retention; how many articles. Goes on after the next batch.

        Where the archive cannot be written nothing ends, and all else goes on.
        """
        try:
            removed = self._runtime.ingest.expire(EXPIRE_LIMIT)
        except NotArchived as error:
            log.error("nothing expires", trouble=str(error))
            return 0
        if removed:
            self._metrics.count(EXPIRED, removed)
            log.info("expired", articles=removed)
            self._expire_due = 0.0
        return removed

"""The worker process: clusters queued batches, and sweeps up what has been left behind.

Invariant: an article stays in the outbox until it is clustered or in quarantine, so a batch may fail, be killed or run
twice; one article that cannot be clustered never keeps the others of its batch from it.
"""

import gc
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from traceback import format_exc
from typing import Self, TypeVar

import structlog

from worker.clock import Clock
from worker.errors import StorywireError, Transient
from worker.ingest import BatchResult
from worker.jobs.worker import HEARTBEAT_TTL_S, BatchWorker, End, TimedOut, new_name
from worker.model import Ref
from worker.runtime import Runtime
from worker.store.outbox import Outbox
from worker.store.quarantine import Put, Quarantine
from worker.store.trials import Mark, Trials, digest

T = TypeVar("T")

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

DEATHS = 3
"""So often a worker must have died with this payload, and nothing else, in hand: an article alone takes 10 ms, so one
death that has other causes (kill -9, a reboot) falls on an innocent rarely, three on the same one never."""

_RETRY_AFTER_S = (0.2, 1.0, 3.0)
"""A lease is held for a few seconds at most, a server is restarted in a few."""

Run = Callable[[Sequence[Ref]], BatchResult]

log = structlog.get_logger()


def work(runtime: Runtime, burst: bool = False) -> End:
    """Work until stopped, until the queue is empty (burst), or until it is time for a fresh process."""
    sweeper, name = Sweeper(runtime), new_name()
    batches = Batches.of(runtime, name)
    gc.set_threshold(*GC_THRESHOLDS)
    worker = BatchWorker(runtime.jobs, batches.ingest, sweeper.turn, name)
    end = worker.run(burst=burst, max_jobs=MAX_JOBS)
    log.info("ended", why=end.value, pid=os.getpid())
    return end


class Batches:
    """Runs batches: the job. No article keeps the others of its batch from their turn, whatever becomes of it.

    A batch that raises is halved until the article that causes it stands alone. After a batch whose process died, its
    articles are run one by one, those that have died alone before last. Either way the culprit goes into the
    quarantine. `beating`: the names of the workers that live, as only a dead one's marks count.
    """

    def __init__(
        self,
        run: Run,
        outbox: Outbox,
        quarantine: Quarantine,
        trials: Trials,
        beating: Callable[[], set[str]],
        clock: Clock,
    ) -> None:
        self._run, self._outbox, self._quarantine, self._trials = run, outbox, quarantine, trials
        self._beating, self._clock = beating, clock

    @classmethod
    def of(cls, runtime: Runtime, name: str) -> Self:
        """Those of a worker of this name."""
        return cls(
            runtime.ingest.run,
            runtime.outbox,
            runtime.quarantine,
            Trials(runtime.redis, name),
            lambda: runtime.jobs.beating(HEARTBEAT_TTL_S),
            runtime.clock,
        )

    def ingest(self, refs: Sequence[Ref]) -> None:
        """Cluster these articles. One canonical log line a run; raises Transient, after some tries, when the server or
        the lease cannot be had, and TimedOut: then the job is started again."""
        if not refs:
            return
        try:
            deaths = self._deaths(_patiently(lambda: self._trials.begin(refs)))
            innocent = [ref for ref in dict.fromkeys(refs) if ref not in deaths]
            if innocent:
                self._together(innocent)
                self._trials.done(innocent)
            if deaths:
                self._one_by_one(deaths)
        except TimedOut:
            with suppress(Transient):
                self._trials.overran()
            raise
        except BaseException:
            with suppress(Transient):
                self._trials.release()
            raise

    def _deaths(self, others: Mapping[Ref, Sequence[Mark]]) -> dict[Ref, list[Mark]]:
        """The marks that dead workers left."""
        if not others:
            return {}
        alive = self._beating()
        dead = {ref: [mark for mark in marks if mark.owner not in alive] for ref, marks in others.items()}
        return {ref: marks for ref, marks in dead.items() if marks}

    def _one_by_one(self, deaths: Mapping[Ref, Sequence[Mark]]) -> None:
        log.warning("batch", outcome="one by one", articles=len(deaths), reason="a worker died of it, or beside it")
        for ref in sorted(deaths, key=lambda ref: sum(bool(mark.alone) for mark in deaths[ref])):
            payload = self._outbox.payload(ref)
            if payload is not None:
                died = sum(mark.alone == digest(payload) for mark in deaths[ref])
                if died < DEATHS:
                    self._trials.alone(ref, payload)
                    self._try(ref, payload)
                else:
                    reason = f"its worker died, or ran out of time, {died} times with nothing else in hand"
                    if self._put(ref, payload, reason, "") is Put.FULL:
                        continue  # nothing is done about it, so the deaths are not forgotten
            self._trials.done([ref])

    def _together(self, refs: Sequence[Ref]) -> None:
        if len(refs) == 1:
            payload = self._outbox.payload(refs[0])
            if payload is not None:
                self._try(refs[0], payload)
            return
        started = time.perf_counter()
        try:
            result = _patiently(lambda: self._run(refs))
        except (StorywireError, TimedOut):
            raise  # the whole job is tried again, and the worker says so
        except Exception as error:
            log.warning("batch", outcome="halved", articles=len(refs), error=repr(error))
            middle = len(refs) // 2
            self._together(refs[:middle])
            self._together(refs[middle:])
        else:
            _tell(result, started)

    def _try(self, ref: Ref, payload: bytes) -> None:
        """Cluster one article, of which this payload waits, or put it into the quarantine."""
        started = time.perf_counter()
        try:
            result = _patiently(lambda: self._run([ref]))
        except (StorywireError, TimedOut):
            raise
        except Exception as error:
            self._put(ref, payload, f"{type(error).__name__}: {error}", format_exc())
        else:
            _tell(result, started)

    def _put(self, ref: Ref, payload: bytes, reason: str, traceback: str) -> Put:
        put = self._quarantine.put(ref, payload, reason, traceback, self._clock.now())
        outcome = {Put.KEPT: "quarantined", Put.GONE: "superseded", Put.FULL: "waits, the quarantine is full"}[put]
        see = f"storywire quarantine {'list' if put is Put.FULL else 'show'}"
        log.error("batch", outcome=outcome, articles=1, article=ref.article, feed=ref.feed, reason=reason, see=see)
        return put


def _tell(result: BatchResult, started: float) -> None:
    stages = {f"{stage}_ms": ms for stage, ms in result.stages_ms.items()}
    log.info("batch", outcome="ok", articles=result.articles, **result.counts, ms=_since_ms(started), **stages)


def _patiently(call: Callable[[], T]) -> T:
    for pause_s in _RETRY_AFTER_S:
        try:
            return call()
        except Transient as error:
            log.debug("batch waits", reason=str(error), pause_s=pause_s)
            time.sleep(pause_s)
    return call()


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
        """Queue again what has been pending for longer than PENDING_S; how many articles.

        The queue is first in, first out: what was queued so long before the job at its head is in no job that
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

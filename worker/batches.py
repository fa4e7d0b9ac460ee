"""The job: a batch clustered, whatever its articles do to it.

Invariant: an article stays in the outbox until it is clustered or in quarantine, so a batch may fail, be killed or run
twice; one article that cannot be clustered never keeps the others of its batch from it.
"""

import errno
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from traceback import format_exc
from typing import Self, TypeVar

import structlog

from worker.clock import Clock
from worker.errors import MachineFailed, StorywireError, Transient
from worker.fingerprint import fingerprints
from worker.ingest import BatchResult
from worker.jobs.apart import Call, Ended, apart, in_this_process
from worker.jobs.hang import ALONE_CPU_S, allow_cpu
from worker.jobs.worker import HEARTBEAT_TTL_S, TimedOut
from worker.metrics import Metrics
from worker.metrics.table import ARTICLES, BATCHES, CANDIDATES, FETCH_TO_STORY, LEASE_WAIT
from worker.model import Ref
from worker.runtime import Runtime
from worker.store.commits import Commits
from worker.store.outbox import Outbox, decode
from worker.store.quarantine import Put, Quarantine
from worker.store.trials import Mark, Stage, Trials, digest

T = TypeVar("T")

DEATHS = 3
"""So often a worker must have died with this payload, and nothing else, in hand: an article alone takes 10 ms, so one
death that has other causes (kill -9, a reboot) falls on an innocent rarely, three on the same one hardly ever."""

DEATHS_BEFORE = 12
"""Or so often while all was made ready for it: up to 10 s, as a dead worker's lease has to run out, and 0.6 s for the
language's words. Only an article whose payload kills by being decoded comes so far."""

SOON_CPU_S = 2.0
"""So much each may compute that was in hand when a worker died, before the others have had their turn: those that need
more come last, so one that never ends does not keep the others waiting."""

_RETRY_AFTER_S = (0.2, 1.0, 3.0)
"""A lease is held for a few seconds at most, a server is restarted in a few."""

_SAID_AGAIN_S = 60.0
"""A full quarantine is told once a feed in so long."""

_OF_THE_MACHINE = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENOMEM, errno.EAGAIN,
     errno.ESTALE, errno.ENODEV, errno.ENXIO}
)  # fmt: skip
"""No title or text causes these. A MemoryError may be an article's doing, and counts as a death."""

Run = Callable[[Sequence[Ref]], BatchResult]

log = structlog.get_logger()


class Batches:
    """Runs batches: the job. No article keeps the others of its batch from their turn, whatever becomes of it.

    A batch that raises is halved until the article that causes it stands alone. After a batch whose process died, its
    articles are run one by one, those that have died alone before last. Either way the culprit goes into the
    quarantine. `beating`: the names of the workers that live, as only a dead one's marks count; `ready`: does what an
    article alone would have to wait for, so that a death meanwhile is not held against it; `apart`: runs an article
    that was in hand at a death, so that one that never ends is known by one try.
    """

    def __init__(
        self,
        run: Run,
        ready: Callable[[bytes], object],
        outbox: Outbox,
        quarantine: Quarantine,
        trials: Trials,
        beating: Callable[[], set[str]],
        clock: Clock,
        apart: Callable[[Call, float], Ended] = in_this_process,
        metrics: Metrics | None = None,
    ) -> None:
        self._run, self._ready, self._outbox, self._apart = run, ready, outbox, apart
        self._quarantine, self._trials = quarantine, trials
        self._beating, self._clock = beating, clock
        self._metrics = metrics or Metrics("worker")
        self._said_full: dict[str, float] = {}

    @classmethod
    def of(cls, runtime: Runtime, name: str, metrics: Metrics | None = None) -> Self:
        """Those of a worker of this name."""
        return cls(
            runtime.ingest.run,
            Ready(Commits(runtime.redis)),
            runtime.outbox,
            runtime.quarantine,
            Trials(runtime.redis, name),
            lambda: runtime.jobs.beating(HEARTBEAT_TTL_S),
            runtime.clock,
            apart,
            metrics,
        )

    def ingest(self, refs: Sequence[Ref]) -> None:
        """Cluster these articles. One canonical log line a run; raises Transient, after some tries, when the server or
        the lease cannot be had or this machine fails, TimedOut and MemoryError: then the job is started again."""
        if not refs:
            return
        allow_cpu(len(refs))
        try:
            deaths = self._deaths(_patiently(lambda: self._trials.begin(refs)))
            innocent = [ref for ref in dict.fromkeys(refs) if ref not in deaths]
            if innocent:
                self._together(innocent)
                self._trials.done(innocent)
            if deaths:
                self._one_by_one(deaths)
        except (TimedOut, MemoryError):
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
        self._metrics.count(BATCHES, outcome="one by one")
        order = sorted(deaths, key=lambda ref: sum(mark.stage is not Stage.TOGETHER for mark in deaths[ref]))
        slow = [ref for ref in order if not self._is_dealt_with(ref, deaths[ref], SOON_CPU_S)]
        for ref in slow:
            self._is_dealt_with(ref, deaths[ref], ALONE_CPU_S)

    def _is_dealt_with(self, ref: Ref, deaths: Sequence[Mark], cpu_s: float) -> bool:
        """Cluster an article alone, or put it into the quarantine; False where `cpu_s` did not suffice and it may have
        more."""
        payload = self._outbox.payload(ref)
        if payload is not None:
            reason = _deadly(deaths, payload)
            if not reason and self._alone(ref, payload, cpu_s) is Ended.HUNG:
                if cpu_s < ALONE_CPU_S:
                    self._trials.alone(ref, payload, Stage.BEFORE)  # what ends the worker meanwhile is not its doing
                    return False
                reason = f"computing on it did not end in {cpu_s:g} s, with nothing else in hand"
            if reason and self._put(ref, payload, reason, "") is Put.FULL:
                return True  # nothing is done about it, so the deaths are not forgotten
        self._trials.done([ref])
        return True

    def _alone(self, ref: Ref, payload: bytes, cpu_s: float) -> Ended:
        allow_cpu(alone=True)
        self._trials.alone(ref, payload, Stage.BEFORE)
        try:
            _patiently(lambda: _blameless(lambda: self._ready(payload)))
        except (StorywireError, TimedOut, MemoryError):
            raise
        except Exception as error:
            log.debug("not ready", reason=repr(error))  # clustering it meets the same, and says so
        self._trials.alone(ref, payload, Stage.ALONE)
        ended = self._apart(lambda: self._try(ref, payload), cpu_s)
        if ended is Ended.FAILED:  # here it fails again, and the error or the death says as what
            allow_cpu(alone=True)
            self._try(ref, payload)
        return ended

    def _together(self, refs: Sequence[Ref]) -> None:
        if len(refs) == 1:
            payload = self._outbox.payload(refs[0])
            if payload is not None:
                self._try(refs[0], payload)
            else:
                self._outbox.forget_missing(refs, ())
            return
        started = time.perf_counter()
        try:
            result = _patiently(lambda: _blameless(lambda: self._run(refs)))
        except (StorywireError, TimedOut, MemoryError):
            raise  # the whole job is tried again, and the worker says so
        except Exception as error:
            log.warning("batch", outcome="halved", articles=len(refs), error=repr(error))
            self._metrics.count(BATCHES, outcome="halved")
            middle = len(refs) // 2
            self._together(refs[:middle])
            self._together(refs[middle:])
        else:
            self._tell(result, started)

    def _try(self, ref: Ref, payload: bytes) -> None:
        """Cluster one article, of which this payload waits, or put it into the quarantine."""
        started = time.perf_counter()
        try:
            result = _patiently(lambda: _blameless(lambda: self._run([ref])))
        except (StorywireError, TimedOut, MemoryError):
            raise
        except Exception as error:
            self._put(ref, payload, f"{type(error).__name__}: {error}", format_exc())
        else:
            self._tell(result, started)

    def _put(self, ref: Ref, payload: bytes, reason: str, traceback: str) -> Put:
        put = self._quarantine.put(ref, payload, reason, traceback, self._clock.now())
        outcome = {Put.KEPT: "quarantined", Put.GONE: "superseded", Put.FULL: "waits, the quarantine is full"}[put]
        self._metrics.count(BATCHES, outcome="full" if put is Put.FULL else outcome)
        see = f"storywire quarantine {'list' if put is Put.FULL else 'show'}"
        if put is Put.FULL and not self._is_news(ref.feed):
            return put
        log.error("batch", outcome=outcome, articles=1, article=ref.article, feed=ref.feed, reason=reason, see=see)
        return put

    def _tell(self, result: BatchResult, started: float) -> None:
        stages = {f"{stage}_ms": round(ms, 1) for stage, ms in result.stages_ms.items()}
        log.info("batch", outcome="ok", articles=result.articles, **result.counts, ms=_since_ms(started), **stages)
        self._metrics.count(BATCHES, outcome="ok")
        self._metrics.stages(stages)
        if "wait" in result.stages_ms:
            self._metrics.observe(LEASE_WAIT, result.stages_ms["wait"] / 1000)
        for outcome, articles in result.counts.items():
            self._metrics.count(ARTICLES, articles, outcome=outcome)
        for lag_s in result.lags_s:
            self._metrics.observe(FETCH_TO_STORY, lag_s)
        for stories in result.candidates:
            self._metrics.observe(CANDIDATES, stories)

    def _is_news(self, feed: str) -> bool:
        """Whether the last minute has not told yet of this feed that its quarantine is full."""
        now = self._clock.now()
        self._said_full = {feed: at for feed, at in self._said_full.items() if abs(now - at) < _SAID_AGAIN_S}
        if feed in self._said_full:
            return False
        self._said_full[feed] = now
        return True


class Ready:
    """Has the lease of an article's language to be had, and its words loaded."""

    def __init__(self, commits: Commits) -> None:
        self._commits = commits

    def __call__(self, payload: bytes) -> None:
        """Raises msgspec.MsgspecError where the payload cannot be read, LeaseLost after a minute."""
        lang = decode(payload).lang
        fingerprints("a", "", lang)
        with self._commits.lease(lang):
            pass


def _deadly(deaths: Sequence[Mark], payload: bytes) -> str:
    """Why an article with these deaths goes into the quarantine; "" where they are not enough."""
    stages = [mark.stage for mark in deaths if mark.payload == digest(payload)]
    if stages.count(Stage.ALONE) < DEATHS and stages.count(Stage.BEFORE) < DEATHS_BEFORE:
        return ""
    return f"its worker died, or ran out of time or memory, {len(stages)} times with nothing else in hand"


def _patiently(call: Callable[[], T]) -> T:
    for pause_s in _RETRY_AFTER_S:
        try:
            return call()
        except Transient as error:
            log.debug("batch waits", reason=str(error), pause_s=pause_s)
            time.sleep(pause_s)
    return call()


def _blameless(call: Callable[[], T]) -> T:
    """The call's value; raises MachineFailed for what no article can be the cause of."""
    try:
        return call()
    except OSError as error:
        if error.errno not in _OF_THE_MACHINE:
            raise
        raise MachineFailed(
            f"this machine failed, and no article: {error}: see its open files (ulimit -n), its disk and its memory"
        ) from error


def _since_ms(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)

"""Runs batches: the job that the queue's hints name.

Invariant: marks stand on what is in hand, and are taken back however the batch ends but by a death.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Self

from worker.batches.one import One
from worker.batches.patience import NOT_ITS_FAULT, patiently
from worker.batches.postponed import Postponed, Run
from worker.batches.suspects import Ready, Suspects
from worker.batches.telling import Telling
from worker.clock import Clock
from worker.errors import ServerUnavailable, Transient
from worker.jobs.apart import Call, Ended, apart, in_this_process
from worker.jobs.hang import allow_cpu
from worker.jobs.worker import HEARTBEAT_TTL_S, TimedOut
from worker.metrics import Metrics
from worker.model import Ref
from worker.runtime import Runtime
from worker.store.commits import Commits
from worker.store.outbox import Outbox
from worker.store.quarantine import Quarantine
from worker.store.reach import Reach
from worker.store.trials import Mark, Trials


class Batches:
    """No article keeps the others of its batch from their turn, whatever becomes of it.

    A batch that raises is halved until the article that causes it stands alone. After a batch whose process died, its
    articles are run one by one (suspects.py). Either way the culprit goes into the quarantine. Those whose server is
    away wait (postponed.py), and `enqueue` queues them again. `beating`: the names of the workers that live, as only a
    dead one's marks count.
    """

    def __init__(
        self,
        run: Run,
        ready: Callable[[bytes], str],
        outbox: Outbox,
        quarantine: Quarantine,
        trials: Trials,
        beating: Callable[[], set[str]],
        clock: Clock,
        apart: Callable[[Call, float], Ended] = in_this_process,
        metrics: Metrics | None = None,
        reach: Reach | None = None,
        enqueue: Callable[[Sequence[Ref]], object] = len,
    ) -> None:
        self._outbox, self._trials, self._beating = outbox, trials, beating
        self._telling = Telling(clock, metrics or Metrics("worker"))
        self._postponed = Postponed(run, reach or Reach(), enqueue, self._telling)
        self._one = One(self._postponed, quarantine, self._telling, clock)
        self._suspects = Suspects(self._one, ready, outbox, trials, self._postponed, apart, self._telling)

    @classmethod
    def of(cls, runtime: Runtime, name: str, metrics: Metrics | None = None) -> Self:
        """Those of a worker of this name."""
        ingest = runtime.ingest
        return cls(
            ingest.run,
            Ready(Commits(runtime.redis), ingest.reach),
            runtime.outbox,
            runtime.quarantine,
            Trials(runtime.redis, name, ingest.reach),
            lambda: runtime.jobs.beating(HEARTBEAT_TTL_S),
            runtime.clock,
            apart,
            metrics,
            ingest.reach,
            runtime.jobs.enqueue,
        )

    def ingest(self, refs: Sequence[Ref]) -> None:
        """Cluster these articles. One canonical log line a run; raises Transient, after some tries, when the server or
        the lease cannot be had or this machine fails, TimedOut and MemoryError: then the job is started again."""
        here = self._postponed.answering(refs)
        while here:
            try:
                self._in_hand(here)
                return
            except ServerUnavailable:
                left = self._postponed.answering(here)
                if len(left) == len(here):
                    raise
                here = left

    def turn(self) -> None:
        """Between two jobs: queue again what waited for a server that is back. Raises ServerUnavailable."""
        self._postponed.turn()

    def _in_hand(self, refs: Sequence[Ref]) -> None:
        allow_cpu(len(refs))
        try:
            deaths = self._deaths(patiently(lambda: self._trials.begin(refs), lambda: self._postponed.lacks(refs)))
            if innocent := [ref for ref in refs if ref not in deaths]:
                self._together(innocent)
                self._trials.done(innocent)
            if deaths:
                self._suspects.run(deaths)
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

    def _together(self, refs: Sequence[Ref]) -> None:
        if len(refs) == 1:
            payload = self._outbox.payload(refs[0])
            if payload is not None:
                self._one.run(refs[0], payload)
            else:
                self._outbox.forget_missing(refs, ())
            return
        started = time.perf_counter()
        try:
            result = patiently(lambda: self._postponed.run(refs), lambda: self._postponed.lacks(refs))
        except NOT_ITS_FAULT:
            raise
        except Exception as error:
            self._telling.halved(len(refs), error)
            middle = len(refs) // 2
            self._together(refs[:middle])
            self._together(refs[middle:])
        else:
            self._telling.clustered(result, started)

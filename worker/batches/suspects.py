"""The articles that a worker had in hand when it died: each for itself, until the one that kills is known.

Invariant: nothing is held against an article but deaths with nothing else in hand, or nearly nothing, and time that it
alone has taken.
"""

from collections.abc import Callable, Mapping, Sequence

import structlog

from worker.batches.one import One
from worker.batches.patience import NOT_ITS_FAULT, patiently
from worker.batches.postponed import Postponed
from worker.batches.telling import Telling
from worker.fingerprint import fingerprints
from worker.jobs.apart import Call, Ended
from worker.jobs.hang import ALONE_CPU_S, allow_cpu
from worker.model import Ref
from worker.store.commits import Commits
from worker.store.outbox import Outbox, decode
from worker.store.quarantine import Put
from worker.store.reach import Reach
from worker.store.trials import Mark, Stage, Trials, digest

DEATHS = 3
"""So often a worker must have died with this payload, and nothing else, in hand: an article alone takes 10 ms, so one
death that has other causes (kill -9, a reboot) falls on an innocent rarely, three on the same one hardly ever."""

DEATHS_BEFORE = 12
"""Or so often while all was made ready for it: up to 10 s, as a dead worker's lease has to run out, and 0.6 s for the
language's words. Only an article whose payload kills by being decoded comes so far."""

SOON_CPU_S = 2.0
"""So much each may compute that was in hand when a worker died, before the others have had their turn: those that need
more come last, so one that never ends does not keep the others waiting."""

log = structlog.get_logger()


class Suspects:
    """Clusters such articles, or puts them into the quarantine. `ready`: does what an article alone would have to wait
    for, so that a death meanwhile is not held against it, or names its language where the server of that is away;
    `apart`: runs one, so that one that never ends is known by one try."""

    def __init__(
        self,
        one: One,
        ready: Callable[[bytes], str],
        outbox: Outbox,
        trials: Trials,
        postponed: Postponed,
        apart: Callable[[Call, float], Ended],
        telling: Telling,
    ) -> None:
        self._one, self._ready, self._apart = one, ready, apart
        self._outbox, self._trials = outbox, trials
        self._postponed, self._telling = postponed, telling

    def run(self, deaths: Mapping[Ref, Sequence[Mark]]) -> None:
        """Those with these marks of dead workers, the ones that have died alone last."""
        self._telling.one_by_one(len(deaths))
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
            ended = None if reason else self._alone(ref, payload, cpu_s)
            if not reason and ended is None:
                return True  # nothing is done about it, so the deaths are not forgotten
            if ended is Ended.HUNG:
                if cpu_s < ALONE_CPU_S:
                    self._trials.alone(ref, payload, Stage.BEFORE)  # what ends the worker meanwhile is not its doing
                    return False
                reason = f"computing on it did not end in {cpu_s:g} s, with nothing else in hand"
            if reason and self._one.put(ref, payload, reason, "") is Put.FULL:
                return True  # the same
        self._trials.done([ref])
        return True

    def _alone(self, ref: Ref, payload: bytes, cpu_s: float) -> Ended | None:
        """How clustering it ended; None where it waits on, as the server of its language is away."""
        allow_cpu(alone=True)
        self._trials.alone(ref, payload, Stage.BEFORE)
        try:
            away = patiently(lambda: self._ready(payload), lambda: self._postponed.lacks([ref]))
            if away and self._postponed.postpones(ref, away):
                return None
        except NOT_ITS_FAULT:
            raise
        except Exception as error:
            log.debug("not ready", reason=repr(error))  # clustering it meets the same, and says so
        self._trials.alone(ref, payload, Stage.ALONE)
        ended = self._apart(lambda: self._one.run(ref, payload), cpu_s)
        if ended is Ended.FAILED:  # here it fails again, and the error or the death says as what
            allow_cpu(alone=True)
            self._one.run(ref, payload)
        return None if ended is Ended.DONE and self._waits(ref, payload) else ended

    def _waits(self, ref: Ref, payload: bytes) -> bool:
        """Whether this one waits still, though running it is done: its server went away, which the child alone has
        met, or the quarantine is full."""
        if self._outbox.payload(ref) != payload:
            return False
        self._trials.alone(ref, payload, Stage.BEFORE)
        self._postponed.looks()
        return True


class Ready:
    """Has the lease of an article's language to be had, and its words loaded."""

    def __init__(self, commits: Commits, reach: Reach | None = None) -> None:
        self._commits, self._reach = commits, reach or Reach()

    def __call__(self, payload: bytes) -> str:
        """The language, where its server is known to be away, "" where all is ready. Raises msgspec.MsgspecError where
        the payload cannot be read, LeaseLost after a minute."""
        lang = decode(payload).lang
        if self._reach.without_language(lang):
            return lang
        fingerprints("a", "", lang)
        with self._commits.lease(lang):
            return ""


def _deadly(deaths: Sequence[Mark], payload: bytes) -> str:
    """Why an article with these deaths goes into the quarantine; "" where they are not enough."""
    stages = [mark.stage for mark in deaths if mark.payload == digest(payload)]
    if stages.count(Stage.ALONE) < DEATHS and stages.count(Stage.BEFORE) < DEATHS_BEFORE:
        return ""
    return f"its worker died, or ran out of time or memory, {len(stages)} times with nothing else in hand"

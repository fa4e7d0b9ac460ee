"""One article, alone: clustered, or put into the quarantine with what it raised.

Invariant: what is raised here is no article's fault.
"""

import time
from traceback import format_exc

from worker.batches.patience import NOT_ITS_FAULT, patiently
from worker.batches.postponed import Postponed
from worker.batches.telling import Telling
from worker.clock import Clock
from worker.model import Ref
from worker.store.quarantine import Put, Quarantine


class One:
    """Deals with single articles."""

    def __init__(self, postponed: Postponed, quarantine: Quarantine, telling: Telling, clock: Clock) -> None:
        self._postponed, self._quarantine = postponed, quarantine
        self._telling, self._clock = telling, clock

    def run(self, ref: Ref, payload: bytes) -> None:
        """Cluster one of which this payload waits, or put it into the quarantine."""
        started = time.perf_counter()
        try:
            result = patiently(lambda: self._postponed.run([ref]), lambda: self._postponed.lacks([ref]))
        except NOT_ITS_FAULT:
            raise
        except Exception as error:
            self.put(ref, payload, f"{type(error).__name__}: {error}", format_exc())
        else:
            self._telling.clustered(result, started)

    def put(self, ref: Ref, payload: bytes, reason: str, traceback: str) -> Put:
        """Put it into the quarantine."""
        put = self._quarantine.put(ref, payload, reason, traceback, self._clock.now())
        self._telling.put(put, ref, reason)
        return put

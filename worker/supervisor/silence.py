"""Ends children that run and do nothing: stopped, or stuck where no signal gets through; they are then started again.

Invariant: only the silence of a child that was heard of counts, or of one that never was within START_S; a server that
does not answer says nothing about children.
"""

import time
from collections.abc import Callable, Collection, Sequence

import structlog

from worker.names import parsed, this_host
from worker.supervisor.child import Child

SILENT_S = 3.0
"""After its sign of life has run out, which takes 20 s: work goes on within half a minute. Longer than two signs are
apart: a server that was started again, and kept none, has them by then."""
START_S = 60.0

log = structlog.get_logger()


def pids_here(names: Collection[str]) -> set[int]:
    """The process ids in the names of workers and pollers that run on this host."""
    return {name.pid for name in map(parsed, names) if name.host == this_host()}


class Silence:
    """Looks after children by their signs of life; `now`: seconds of a clock that only goes forward."""

    def __init__(self, children: Sequence[Child], now: Callable[[], float] = time.monotonic) -> None:
        self._children, self._now = children, now
        self._until: dict[int, float] = {}

    def look(self, heard: Collection[int]) -> None:
        """End the children that are not among the process ids `heard` of, and were not for too long."""
        now, until = self._now(), dict[int, float]()
        for child in self._children:
            pid = child.pid
            if pid is None:
                continue
            until[pid] = now + SILENT_S if pid in heard else self._until.get(pid, now + START_S)
            if now > until[pid]:
                log.warning("killed: it runs, but does not work", process=child.name, pid=pid)
                child.strike(pid)
        self._until = until

    def start_anew(self) -> None:
        """Nothing could be heard for a while."""
        self._until = {}

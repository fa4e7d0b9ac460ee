"""Ends this process when a batch hangs, in C code even, where neither a handler of Python's nor another thread runs.

Invariant: what ends it needs no GIL, so a batch that never returns becomes a death, which the marks of trials.py tell.
"""

import faulthandler
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from worker.jobs.job import TIMEOUT_S

CPU_S = 5.0
"""Seconds of computing that may pass in a batch until its next article: one takes 5 ms, a language's words 0.6 s, the
worst of hostile ones 2 s. Short, as the others of the batch wait meanwhile; who is ended for being slow is tried alone.
Not by the clock: waiting for a server that stalls, for a lease, or for a processor is no article's fault."""

ALONE_CPU_S = 10.0
"""Seconds of computing after which an article alone is taken for one that never ends: on a machine that gives a worker
a tenth of a processor it still ends before the alarm at TIMEOUT_S."""

_EACH_S = 0.02
"""Five times what an article takes: whoever sets STORYWIRE_BATCH to thousands is not ended for it."""

WALL_S = TIMEOUT_S + 5.0
"""Seconds by the clock: a batch that only waits, and that the alarm of RQ at TIMEOUT_S has not ended."""

_STDERR = 2


@contextmanager
def ended_if_it_hangs() -> Iterator[None]:
    """End the process in the block, with its stack on standard error, after CPU_S or WALL_S: the first by SIGVTALRM,
    the second with status 1."""
    faulthandler.register(signal.SIGVTALRM, file=_STDERR, chain=True)  # chain: then the signal's own, the end
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_S)
    faulthandler.dump_traceback_later(WALL_S, exit=True, file=_STDERR)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        faulthandler.unregister(signal.SIGVTALRM)


def allow_cpu(articles: int = 1, *, alone: bool = False) -> None:
    """Give these articles, begun now, their own CPU_S, or ALONE_CPU_S, and a little more each; nothing outside of
    `ended_if_it_hangs`."""
    if signal.getitimer(signal.ITIMER_VIRTUAL)[0]:
        signal.setitimer(signal.ITIMER_VIRTUAL, (ALONE_CPU_S if alone else CPU_S) + _EACH_S * articles)

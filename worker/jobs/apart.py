"""Runs a call in a child process: what ends there, or never would, ends the child alone, and how is known at once.

Invariant: the caller goes on whatever the call does; a child that computes for longer than it may is ended by the
kernel, in C code too, by a timer that nothing sets anew (a batch's is set with every article, see hang.py). Not for
every article: a fork takes some 20 ms.
"""

import ctypes
import faulthandler
import os
import signal
import sys
import warnings
from collections.abc import Callable
from enum import Enum
from typing import NoReturn

_STDERR = 2
_PR_SET_PDEATHSIG = 1
"""Of Linux's prctl(2). Elsewhere the child of a parent that was killed goes on until its time is up; what it commits is
fenced."""

Call = Callable[[], object]


class Ended(Enum):
    """How a call ended: it returned; it computed for too long; it raised, or its process died in another way."""

    DONE = "done"
    HUNG = "hung"
    FAILED = "failed"


def apart(call: Call, cpu_s: float) -> Ended:
    """Run this in a child that may compute for `cpu_s` seconds. What the child writes to servers and files stays; what
    it changes in memory, or returns, is gone with it. Whatever the wait raises (an alarm) ends the child first."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        with warnings.catch_warnings():  # of threads: the heartbeat's has a client of its own, and the child calls none
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
    except OSError:
        return Ended.FAILED
    if pid == 0:
        _be_the_child(call, cpu_s)
    try:
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    return {0: Ended.DONE, -signal.SIGPROF: Ended.HUNG}.get(status, Ended.FAILED)


def in_this_process(call: Call, cpu_s: float) -> Ended:  # noqa: ARG001
    """Run this here, for as long as it takes; raises what it raises."""
    call()
    return Ended.DONE


def _be_the_child(call: Call, cpu_s: float) -> NoReturn:
    status = 1
    try:
        _end_with_the_parent()
        faulthandler.register(signal.SIGPROF, file=_STDERR, chain=True)  # chain: then the signal's own, the end
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
        call()
        status = 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _end_with_the_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

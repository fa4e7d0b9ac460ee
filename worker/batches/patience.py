"""Which errors of a batch are nobody's fault, and which of them pass.

Invariant: what no article can be the cause of leaves here as a StorywireError, so nothing of it is held against one.
"""

import errno
import time
from collections.abc import Callable
from typing import TypeVar

import structlog

from worker.errors import MachineFailed, StorywireError, Transient
from worker.jobs.worker import TimedOut

T = TypeVar("T")

RETRY_AFTER_S = (0.2, 1.0, 3.0)
"""A lease is held for a few seconds at most, a server is restarted in a few."""

NOT_ITS_FAULT = (StorywireError, TimedOut, MemoryError)
"""Raised, these are no reason for the quarantine: the whole job is tried again, and the worker says so."""

_OF_THE_MACHINE = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENOMEM, errno.EAGAIN,
     errno.ESTALE, errno.ENODEV, errno.ENXIO}
)  # fmt: skip
"""No title or text causes these. A MemoryError may be an article's doing, and counts as a death."""

log = structlog.get_logger()


def patiently(call: Callable[[], T], in_vain: Callable[[], bool] = bool) -> T:
    """The call's value; it is made again while it raises Transient, some times, unless that is `in_vain`. Raises
    MachineFailed for what no article can be the cause of."""
    for pause_s in RETRY_AFTER_S:
        try:
            return _blameless(call)
        except Transient as error:
            if in_vain():
                raise
            log.debug("batch waits", reason=str(error), pause_s=pause_s)
            time.sleep(pause_s)
    return _blameless(call)


def _blameless(call: Callable[[], T]) -> T:
    try:
        return call()
    except OSError as error:
        if error.errno not in _OF_THE_MACHINE:
            raise
        raise MachineFailed(
            f"this machine failed, and no article: {error}: see its open files (ulimit -n), its disk and its memory"
        ) from error

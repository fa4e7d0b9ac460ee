"""Whether feeds are polled now, or later: by what waits, and by the room that the server has left. Pure.

Invariant: holding back loses nothing: a feed stays due, and who has been due longest is polled first afterwards.
"""

from enum import StrEnum
from typing import NamedTuple

FULL = 0.9
"""Of its maxmemory: what waits still has to fit in, and a full server cannot even let old stories go."""

_EASED = 0.88
_EASED_PENDING = 0.9
"""What was held back goes on a little below its limit, or it would begin and end with every batch."""


class Load(NamedTuple):
    """What decides whether to poll: articles that wait, and bytes of memory; `max_memory` 0 stands for no limit.

    `without_room`: those of the waiting that the quarantine has no room for; it decides nothing, and says why.
    """

    pending: int
    used_memory: int
    max_memory: int
    without_room: int = 0


class Hold(StrEnum):
    """Why no feed is polled for now."""

    NO = ""
    MEMORY = "memory"
    QUEUE = "queue"


def hold(load: Load, most: int, before: Hold = Hold.NO) -> Hold:
    """Whether polls have to wait: the server is nearly full, or more than `most` articles wait to be clustered.

    before: what held them back until now; that has to be eased a little further than what begins.
    """
    if load.max_memory and load.used_memory >= (_EASED if before is Hold.MEMORY else FULL) * load.max_memory:
        return Hold.MEMORY
    if load.pending >= (_EASED_PENDING if before is Hold.QUEUE else 1) * most:
        return Hold.QUEUE
    return Hold.NO


def hold_import(load: Load, most: int) -> Hold:
    """Whether an import has to wait: until there is so much room that polls that were held back go on as well.

    It could wait for less, and then would take all room that there is, and feeds would wait for the whole import.
    """
    return hold(load, most, Hold.MEMORY) or hold(load, most, Hold.QUEUE)


def why_held(reason: Hold, load: Load, most: int) -> str:
    """The words for it, with the remedy; "" for no reason."""
    if reason is Hold.MEMORY:
        # no share: who waits takes other words for a sign that things move
        return f"the server's memory is over {_EASED:.0%} full: raise its maxmemory or shorten STORYWIRE_RETENTION"
    if reason is Hold.QUEUE and 2 * load.without_room >= load.pending:
        return (
            f"{_waiting(load)}, {load.without_room:,} of them as the quarantine is full: see `storywire "
            "quarantine list`, then retry or drop what it holds"
        )
    if reason is Hold.QUEUE:
        return f"{_waiting(load)}, {most:,} may (STORYWIRE_MAX_PENDING): start more of `storywire work`"
    return ""


def _waiting(load: Load) -> str:
    return "1 article waits" if load.pending == 1 else f"{load.pending:,} articles wait"

"""What a check says: a finding, its state, and the words for figures in it.

Invariant: whatever is not `ok` says what to do about it; only what needs a person now is `fail`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

_TENTHS_S = 10.0
"""A lag under so many seconds is told to a tenth."""


class State(StrEnum):
    """How urgent a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(NamedTuple):
    """One line of a check: its name, its state, its words, and the figures behind them."""

    check: str
    state: State
    said: str
    figures: Mapping[str, object]


def count(number: int, one: str, many: str) -> str:
    """`1 job waits`, `2 jobs wait`."""
    return f"{number:,} {one if number == 1 else many}"


def on(host: str) -> str:
    """` on HOST`; nothing for all hosts."""
    return f" on {host}" if host else ""


def size(count: int) -> str:
    """`12.3 MB`, `4.5 GB`."""
    return f"{count / 2**20:,.1f} MB" if count < 2**30 else f"{count / 2**30:,.1f} GB"


def took(seconds: float) -> str:
    """`0.4 s`, `45 s`, `3 min`."""
    return f"{seconds:.1f} s" if seconds < _TENTHS_S else span(seconds)


def span(seconds: float) -> str:
    """`45 s`, `3 min`, `5 h`, `2 d`."""
    for unit, unit_s in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * unit_s:
            return f"{int(seconds / unit_s)} {unit}"
    return f"{int(seconds)} s"

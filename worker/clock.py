"""The wall clock as a value, so that whatever needs the time can be given another one."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> float:
        """Seconds since 1970, UTC."""
        ...

    def sleep_s(self, seconds: float) -> float:
        """How many of the machine's seconds to sleep before looking whether so many of this clock's have passed."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()

    def sleep_s(self, seconds: float) -> float:
        return seconds


_LOOK_S = 0.005
"""How often a clock that others move is looked at."""


class ManualClock:
    """A clock that stands still until it is moved: for tests and replays."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    def now(self) -> float:
        return self.now_s

    def sleep_s(self, seconds: float) -> float:
        return min(seconds, _LOOK_S)

    def advance(self, seconds: float) -> None:
        self.now_s += seconds

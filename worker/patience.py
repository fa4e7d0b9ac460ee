"""Waits for servers that are away, as long as a person at a terminal would.

Invariant: what only a person can mend is not waited for.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, TypeVar

from worker.errors import ServerDiskFull, ServerFull, ServerUnavailable

STALLED_S = 120.0
_AGAIN_S = 0.5

_Answer = TypeVar("_Answer")


class Pace(NamedTuple):
    """What a run waits by: seconds that only ever grow, and a pause of so many of them."""

    elapsed: Callable[[], float]
    pause: Callable[[float], None]


REAL = Pace(time.monotonic, time.sleep)


class Patience:
    """Waits for a server that is away, until it has not answered for `most_s`. `revive` does what can be done about it;
    `told`: the reason when it begins to wait, and "" when it goes on. `full`: wait for a server that is full too, which
    workers may empty. `away_s` grows by what it has waited."""

    def __init__(
        self,
        told: Callable[[str], None],
        pace: Pace = REAL,
        most_s: float = STALLED_S,
        revive: Callable[[], object] = bool,
        full: bool = True,
    ) -> None:
        self._told, self._pace, self._most_s, self._revive = told, pace, most_s, revive
        self._not_for = (ServerDiskFull,) if full else (ServerDiskFull, ServerFull)
        self.away_s = 0.0

    def ask(self, call: Callable[[], _Answer]) -> _Answer:
        """What the call gives; it is made again and again while that raises ServerUnavailable, and at last raises
        that; a disk that is full is a person's to mend, and raised at once."""
        try:
            return call()
        except self._not_for:
            raise
        except ServerUnavailable as error:
            self._told(str(error))
        since, before_s = self._pace.elapsed(), self.away_s
        while True:
            self._pace.pause(_AGAIN_S)
            with suppress(ServerUnavailable):
                self._revive()
            try:
                answer = call()
            except ServerUnavailable as error:
                if isinstance(error, self._not_for) or self._pace.elapsed() - since > self._most_s:
                    raise
                continue
            self.away_s = before_s + self._pace.elapsed() - since
            self._told("")
            return answer

"""The axis of time of a picture: moments -> places from 0 to 1, and the round times to write below it.

Invariant: pure; a later moment never stands further left. A story begins in a burst and ends in a trickle, so half of
the width is shared out by time and half by arrivals: busy times are drawn wider, and the ticks say where which time is.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from math import ceil, floor

from worker.report.views import rfc3339

_MINUTE_S, _HOUR_S, _DAY_S = 60.0, 3600.0, 86_400.0
_STEPS_S = (
    *(365 * _DAY_S, 90 * _DAY_S, 30 * _DAY_S, 7 * _DAY_S, _DAY_S),
    *(12 * _HOUR_S, 6 * _HOUR_S, 3 * _HOUR_S, _HOUR_S),
    *(30 * _MINUTE_S, 15 * _MINUTE_S, 5 * _MINUTE_S, _MINUTE_S),
)
_TICKS_APART = 0.13
"""Of the width: a label's on a telephone."""
_MOST_OF_A_STEP = 200
_FEW = 3
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


class TimeScale:
    """The scale of moments that are sorted, in seconds since 1970, at least one."""

    def __init__(self, times: Sequence[float]) -> None:
        self._knots = sorted(set(times))
        self._span_s = self._knots[-1] - self._knots[0]

    @property
    def even(self) -> bool:
        """Whether equal spans of time are equally wide."""
        return len(self._knots) < _FEW

    def place(self, time: float) -> float:
        """Where a moment between the first and the last stands; 0 where there is but one."""
        if self._span_s <= 0:
            return 0.0
        by_time = (time - self._knots[0]) / self._span_s
        return by_time if self.even else (by_time + self._by_rank(time)) / 2

    def ticks(self) -> list[tuple[float, str]]:
        """(place, label) of round times, the roundest first to be given room; in order."""
        found: list[tuple[float, str]] = []
        for step_s in _STEPS_S:
            for time in self._multiples(step_s):
                place = self.place(time)
                if all(abs(place - other) >= _TICKS_APART for other, _ in found):
                    found.append((place, tick_label(time)))
        return sorted(found)

    def _by_rank(self, time: float) -> float:
        after = min(max(bisect_right(self._knots, time), 1), len(self._knots) - 1)
        low, high = self._knots[after - 1], self._knots[after]
        return (after - 1 + (time - low) / (high - low)) / (len(self._knots) - 1)

    def _multiples(self, step_s: float) -> Iterator[float]:
        if self._span_s / step_s > _MOST_OF_A_STEP:
            return
        for nth in range(ceil(self._knots[0] / step_s), floor(self._knots[-1] / step_s) + 1):
            yield nth * step_s


def tick_label(time: float) -> str:
    """`5 Jan` at midnight, `14:30` otherwise; UTC."""
    stamp = rfc3339(time)
    if stamp[11:16] == "00:00":
        return f"{int(stamp[8:10])} {_MONTHS[int(stamp[5:7]) - 1]}"
    return stamp[11:16]

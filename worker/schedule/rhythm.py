"""The hours of the day and the days of the week in which a feed brings more, or less, than on average.

A feed has 24 bins of hours and 7 of weekdays (UTC, from Monday), each with the occasions that fell into it and the
hours that it was watched, both fading over three weeks. What a moment is worth is the product of its two bins, each
compared with the feed's mean and drawn towards it by a few occasions that never were, so that chance counts for little.

Invariant: pure; weights lie between LEAST and MOST, and are 1 for a feed of which too little is known.
"""

import math
from collections.abc import Iterator
from struct import pack, unpack

from worker.schedule.state import DAY_S

LEAST, MOST = 0.06, 8.0
"""However quiet an hour has been, something may come in it; however busy, it may pass without."""

_HOURS, _BINS = 24, 31
_FORMAT = f"<{2 * _BINS}f"
_EMPTY = (0.0,) * (2 * _BINS)
_FADES_S = 21 * DAY_S
_ENOUGH = 24.0
"""Occasions from which on there is a rhythm: one an hour of the day."""

_DRAW = 3.0
_THURSDAY = 3
"""The weekday of 1 January 1970."""

_MOST_SLICES = 60
"""A gap is looked at in slices that end with the hour; of one longer than two days only the end."""


class Rhythm:
    """The bins of a feed, as `packed` keeps them; b"" for none yet."""

    def __init__(self, packed: bytes) -> None:
        known = len(packed) == 8 * _BINS
        bins = list(unpack(_FORMAT, packed)) if known else list(_EMPTY)
        self._came, self._watched = bins[:_BINS], bins[_BINS:]
        occasions, hours = sum(self._came[:_HOURS]), sum(self._watched[:_HOURS])
        self._mean = occasions / hours if hours and occasions >= _ENOUGH else 0.0
        self._worth: dict[int, float] = {}

    def packed(self) -> bytes:
        """The bins as they are kept."""
        return pack(_FORMAT, *self._came, *self._watched)

    def worth(self, time: float) -> float:
        """What an hour at this time brings, in hours of the feed's mean."""
        hour, day = _bins(time)
        key = hour * 64 + day
        if key not in self._worth:
            found = self._compared(hour) * self._compared(day) if self._mean else 1.0
            self._worth[key] = min(max(found, LEAST), MOST)
        return self._worth[key]

    def exposed_s(self, since: float, until: float) -> float:
        """The seconds between two times, each counted for what it is worth."""
        return sum(length_s * self.worth(start) for start, length_s in _slices(since, until))

    def until(self, now: float, mean_s: float, longest_s: float) -> float:
        """The wait from now on, where it is `mean_s` at a time that brings the mean: it goes with the square root of
        what comes, as in adapt.py; `longest_s` at most."""
        passed_s = 0.0
        for start, length_s in _slices(now, now + longest_s):
            speed = math.sqrt(self.worth(start))
            if length_s * speed >= mean_s:
                return passed_s + mean_s / speed
            mean_s -= length_s * speed
            passed_s += length_s
        return longest_s

    def learn(self, since: float, until: float, occasions: float) -> "Rhythm":
        """The same after a gap in which something came so many times: where in it is not known, so most of it is
        taken to have come when most comes."""
        fade = math.exp(-(until - since) / _FADES_S)
        after = Rhythm(b"")
        after._came = [came * fade for came in self._came]
        after._watched = [hours * fade for hours in self._watched]
        total_s = self.exposed_s(since, until)
        for start, length_s in _slices(since, until):
            share = length_s * self.worth(start) / total_s
            for each in _bins(start):
                after._came[each] += occasions * share
                after._watched[each] += length_s / 3600.0
        return after

    def _compared(self, bin_: int) -> float:
        return (self._came[bin_] + _DRAW) / (self._mean * self._watched[bin_] + _DRAW)


def _bins(time: float) -> tuple[int, int]:
    """The bins of a time: its hour, and its weekday."""
    days, second = divmod(time, DAY_S)
    return int(second // 3600), _HOURS + int(days + _THURSDAY) % 7


def _slices(since: float, until: float) -> Iterator[tuple[float, float]]:
    """The slices (start, seconds) of a span of time that ends with the hours."""
    start = max(since, until - _MOST_SLICES * 3600.0)
    while start < until:
        end = min((start // 3600 + 1) * 3600.0, until)
        yield start, end - start
        start = end

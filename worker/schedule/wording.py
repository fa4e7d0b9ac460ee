"""Durations, times and rates in words.

Invariant: pure; never empty.
"""

from datetime import UTC, datetime
from math import ceil

_HOUR_S, _DAY_S, _MONTH_S = 3600.0, 86400.0, 30 * 86400.0


def words(seconds: float) -> str:
    """A duration as the settings write it: `90s`, `15m`, `24h`; rounded where that is close enough."""
    for unit, length_s in (("h", 3600), ("m", 60)):
        if seconds >= 2 * length_s or seconds == length_s:
            count = seconds / length_s
            return f"{round(count, 1 if count < 10 else 0):g}{unit}"
    return f"{round(seconds, 1 if seconds < 10 else 0):g}s"


def until(now: float, wait_s: float) -> str:
    """When a wait that begins now is over, to the minute: `until 13:18 UTC`, with the day where that is half a day away
    or more. What is read later than it was written says when, not how long."""
    try:
        over = datetime.fromtimestamp(60.0 * ceil((now + wait_s) / 60.0), UTC)
    except (OverflowError, ValueError, OSError):
        return f"for {words(wait_s)}"
    return f"until {over:%H:%M} UTC" if wait_s < _DAY_S / 2 else f"until {over:%Y-%m-%d %H:%M} UTC"


def often(a_day: float) -> str:
    """How often something comes: `about 2 an hour`, `about 3 a day`, `about 5 a month`, `less than 1 a month`."""
    for unit, length_s in (("an hour", _HOUR_S), ("a day", _DAY_S), ("a month", _MONTH_S)):
        count = a_day * length_s / _DAY_S
        if count >= 0.95:
            return f"about {count:,.0f} {unit}" if count >= 2.5 else f"about {count:.2g} {unit}"
    return "less than 1 a month"

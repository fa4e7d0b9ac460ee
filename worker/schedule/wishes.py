"""What a feed and its server ask of those who poll it: ttl, Cache-Control, Expires, skipHours, skipDays.

Invariant: a wish only ever makes a poll later, and never by more than a day; one that leaves no time at all is none.
"""

import math
from datetime import UTC, datetime
from typing import NamedTuple

from worker.schedule.headers import expires_s, max_age_s
from worker.schedule.state import DAY_S, Polled, PollState

_HEADER_S = 3600.0
"""The longest that a header for caches is followed: many are set for images, not for news."""

_SPREAD_S = 600.0
"""Over so long the feeds are spread that may be asked again from the same full hour on."""


class Wish(NamedTuple):
    """The least wait that is asked for, in seconds, and by what."""

    wait_s: float
    reason: str


def longest(state: PollState, polled: Polled, now: float) -> Wish:
    """The wish for the longest wait; of 0 s where nothing is asked for."""
    headers = {
        "the server asks for it (max-age)": max_age_s(polled.cache_control, polled.age),
        "the server asks for it (Expires)": expires_s(polled.expires, polled.cache_control, now),
    }
    wishes = [Wish(min(wait_s, _HEADER_S), reason) for reason, wait_s in headers.items()]
    ttl_s = state.ttl_s if math.isfinite(state.ttl_s) else 0.0
    return max(Wish(min(max(ttl_s, 0.0), DAY_S), "the feed asks for it (ttl)"), *wishes, key=lambda wish: wish.wait_s)


def awake(state: PollState, time: float, jitter: float) -> tuple[float, str]:
    """The time of a poll planned for `time`, moved out of the hours and days in which the feed asks not to be read; and
    the reason, or "". At most a day later: feeds that skip a whole weekend are looked at once a day."""
    hours, days = set(state.skip_hours) & set(range(24)), set(state.skip_days) & set(range(7))
    if not hours and not days:
        return time, ""
    hours, days = (hours if len(hours) < 24 else set()), (days if len(days) < 7 else set())
    if not math.isfinite(time) or not _asleep(time, hours, days):
        return time, ""
    start = time
    while _asleep(start, hours, days) and start < time + DAY_S:
        start = (start // 3600 + 1) * 3600.0
    start = min(start, time + DAY_S)
    by = "skipHours" if datetime.fromtimestamp(time, UTC).hour in hours else "skipDays"
    reason = f"not before {datetime.fromtimestamp(start, UTC):%H:%M} UTC: the feed asks for it ({by})"
    return min(start + _SPREAD_S * jitter, time + DAY_S), reason


def _asleep(time: float, hours: set[int], days: set[int]) -> bool:
    at = datetime.fromtimestamp(time, UTC)
    return at.hour in hours or at.weekday() in days

"""How long a feed is left alone after errors: twice as long with every strike, by the kind of error.

Invariant: another error never makes the wait shorter, and no wait is longer than a day, or than the longest set.
"""

import math

from worker.schedule.state import DAY_S, Outcome, Pace, Polled, PollState
from worker.schedule.wording import until, words

NO_NETWORK_S = 30.0
"""The wait while no feed at all can be reached: nobody is asked too often by it."""

NO_NETWORK = f"no network: again in {NO_NETWORK_S:.0f} s"
"""The reason of a feed's next poll then."""

REFUSED_S = 3600.0
"""The least wait after 429 or 503 without a Retry-After."""

_OFFLINE_S = 6 * 3600.0
"""The longest wait after an error of the net itself: it is often our own, and over at once for all feeds."""

_UNREADY_S = 3600.0
"""A feed that is polled less often than this is tried again sooner once it fails: it may be a moment's."""

_SPARED_S, _FORGIVES_S = 6 * 3600.0, 3 * DAY_S
"""A feed whose server says that it is asked too often is polled half as often from then on, at least each six hours;
that fades over three days without such an answer."""

_KINDS: dict[str, tuple[float, str]] = {
    "dns": (0.25, "no such name"),
    "connect": (0.25, "no connection"),
    "timeout": (0.5, "too slow"),
    "broken": (0.5, "broken off"),
    "refused": (0.5, "it was asked too often, or is overloaded"),
    "tls": (1.0, "no TLS that can be trusted"),
    "redirects": (1.0, "its redirects lead nowhere"),
    "too-big": (1.0, "too big"),
    "bad-url": (1.0, "its address cannot be used"),
    "private": (1.0, "its address is private"),
    "not-a-feed": (1.0, "no feed there"),
    "gone": (1.0, "gone"),
}
"""What an error of a kind weighs and is called. Weights as Media Cloud's: 0.25 for DNS, 0.5 for what passes by itself,
1 for what does not."""

_HARD, _SOFT = 1.0, 0.5


def strike(polled: Polled) -> float:
    """What an error weighs: a status of 404 or from 500 on is soft, as feeds come back from it."""
    if polled.kind in _KINDS:
        return _KINDS[polled.kind][0]
    return _SOFT if polled.status in (404, 408, 425) or polled.status >= 500 else _HARD


def spared_s(state: PollState, polled: Polled, now: float, pace: Pace) -> float:
    """The least wait that a server's complaints have led to, 0 for none. `state` is that before the poll."""
    if polled.outcome is Outcome.REFUSED:
        return min(2 * max(state.spared_s, state.cadence_s, pace.first_s), max(_SPARED_S, pace.first_s))
    if not polled.outcome.good or not state.spared_s:
        return state.spared_s
    left_s = state.spared_s * math.exp(-max(0.0, now - state.polled) / _FORGIVES_S)
    return left_s if left_s > pace.least_s else 0.0


def what(polled: Polled) -> str:
    """The kind of an error in words, "" for one of no kind."""
    if polled.kind in _KINDS:
        return _KINDS[polled.kind][1]
    return f"status {polled.status}" if polled.status else ""


def wait(state: PollState, polled: Polled, asked_s: float, pace: Pace) -> tuple[float, str]:
    """Seconds and the reason, after an error that `state` counts already; `asked_s`: what Retry-After asks for."""
    longest_s = max(_OFFLINE_S if polled.outcome is Outcome.UNREACHABLE else DAY_S, pace.first_s)
    base_s = max(pace.first_s, min(state.cadence_s, _UNREADY_S))
    wait_s = min(base_s * 2.0 ** min(state.strikes, 40.0), longest_s)
    if polled.outcome is Outcome.REFUSED and not asked_s:
        wait_s = max(wait_s, min(REFUSED_S, pace.first_s * 6))
    if asked_s > wait_s:
        return asked_s, f"the server asks to wait {until(state.polled, asked_s)} (Retry-After)"
    times = "an error" if state.errors == 1 else f"{state.errors} errors in a row"
    kind = what(polled)
    return wait_s, f"waiting {words(wait_s)} after {times}" + (f": {kind}" if kind else "")

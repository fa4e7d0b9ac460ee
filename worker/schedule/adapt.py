"""How often a feed brings something, learned from its polls, and the wait that follows.

What comes is taken for a Poisson process of occasions: entries that appear together are one occasion, so that a burst
is no flood, and a feed that brings ten entries each hour is one that brings something each hour. Of a poll that found
nothing new we know that there was no occasion; of one that found something, that there was at least one: the number
to be expected is x / (1 - exp(-x)) at x expected before (one step of expectation maximisation), and no more than
entries came. Occasions and the time watched both fade, the rate is their quotient.

The wait goes with the square root of the time between occasions: of all ways to spend a number of polls on many feeds
this one leaves the least delay in sum (it minimises rate x wait / 2 + cost / wait). A feed that brings sixteen times as
much is asked four times as often.

Invariant: pure; the wait lies between the bounds of the pace, whatever the history.
"""

import math
from typing import NamedTuple

from msgspec.structs import replace

from worker.schedule.rhythm import Rhythm
from worker.schedule.state import DAY_S, Pace, Polled, PollState
from worker.schedule.wording import often, words

_EXPECTED = 0.75
"""Occasions between two polls of a feed that keeps the interval it begins with: at 10 minutes, of one that brings
something 4.5 times an hour. Rarer ones are polled more than once an occasion, more frequent ones less."""

_ASSUMED = 3.0
"""Occasions that a feed is taken to have had before its first poll, at that rate."""

_FADES_S = (3 * DAY_S, 30 * DAY_S)
_FADES_OCCASIONS = 10.0
"""What was fades over as long as ten occasions take, between three days, so that a weekend does not double a wait more
than once, and thirty."""

_STRETCH = 4.0
"""By so much, at most, hours and days that are known to be quiet make a wait longer than it is on average."""

_SILENT = 60.0
"""The wait is a 60th of the silence, at least: two months without anything make it a day."""

_TURNED, _LEAST_SHOWN, _CROWDED_S, _CROWDED_PARTS, _RELAXES_S = 0.8, 5, 900.0, 16, 14 * DAY_S
"""Where four fifths of what a document shows is new, entries may have come and gone unseen: the wait is halved, down to
15 minutes or a 16th of what it would be, and relaxes over two weeks."""

_LONGEST_GAP_S = 2 * DAY_S
"""What happened further back than this before a poll is not known: feeds show only so much."""


class Cadence(NamedTuple):
    """A wait in seconds, and why in words."""

    wait_s: float
    reason: str


def learn(state: PollState, polled: Polled, now: float, pace: Pace) -> PollState:
    """The state after one more good poll. The first one tells nothing: all that it shows is new to us."""
    if not state.succeeded or not state.exposed_s:
        return replace(state, occasions=_ASSUMED, exposed_s=_ASSUMED * pace.first_s / _EXPECTED)
    since = min(now, max(state.succeeded, now - _LONGEST_GAP_S))
    rhythm = Rhythm(state.rhythm)
    rate, gap_s = state.occasions / state.exposed_s, rhythm.exposed_s(since, now)
    came = _occasions(polled.came, rate * gap_s)
    least_s, most_s = _FADES_S
    fade = math.exp(-(now - since) / min(max(_FADES_OCCASIONS / rate, least_s), most_s))
    return replace(
        state,
        occasions=max(state.occasions * fade + came, 1e-9),
        exposed_s=state.exposed_s * fade + gap_s,
        arrived=state.arrived * fade + polled.new,
        carried=state.carried * fade + polled.carried,
        brought=now if polled.came else state.brought or state.succeeded,
        rhythm=rhythm.learn(since, now, came).packed() if now > since else state.rhythm,
        crowded_s=_crowded_s(state, polled, now - since, pace),
    )


def cadence(state: PollState, now: float, pace: Pace) -> Cadence:
    """When to look for something new, and in words how often it comes."""
    if not state.brought:
        return Cadence(pace.first_s, f"every {words(pace.first_s)}: as is set, nothing is known of it yet")
    mean_s = math.sqrt(_EXPECTED * pace.first_s * state.exposed_s / state.occasions)
    mean_s = min(max(mean_s, (now - state.brought) / _SILENT, pace.least_s), pace.longest_s)
    wait_s = Rhythm(state.rhythm).until(now, mean_s, min(mean_s * _STRETCH, pace.longest_s))
    wait_s = max(wait_s, pace.least_s)
    crowded_s = max(state.crowded_s, _CROWDED_S, wait_s / _CROWDED_PARTS)
    if state.crowded_s and pace.least_s <= crowded_s < wait_s:
        return Cadence(
            crowded_s, f"every {words(crowded_s)}: shows {state.entries:,} entries only, and brings many at once"
        )
    when = ", little at this time" if wait_s > 1.5 * mean_s else ", most at this time" if wait_s < mean_s / 1.5 else ""
    return Cadence(wait_s, f"every {words(wait_s)}: {_brings(state, now)}{when}")


def new_a_day(state: PollState) -> float | None:
    """How many new entries a feed brings a day; None while too little is known of it."""
    return state.arrived / state.exposed_s * DAY_S if state.exposed_s and state.brought else None


def carried_a_day(state: PollState) -> float:
    """How many entries a day other feeds had before it; 0 while nothing is known."""
    return state.carried / state.exposed_s * DAY_S if state.exposed_s and state.brought else 0.0


def _occasions(new: int, expected: float) -> float:
    """How many occasions there were in a gap with so many new entries, where so many were expected."""
    if new <= 1:
        return float(max(new, 0))
    return min(float(new), expected / -math.expm1(-expected) if expected > 1e-6 else 1.0)


def _crowded_s(state: PollState, polled: Polled, gap_s: float, pace: Pace) -> float:
    """The wait that a document which shows too little allows; 0 for any."""
    shown = state.entries if polled.entries is None else polled.entries
    before_s = state.crowded_s or pace.longest_s
    if shown >= _LEAST_SHOWN and polled.came >= _TURNED * shown:
        return max(min(before_s, gap_s) / 2, 1.0)
    relaxed_s = before_s * math.exp(gap_s / _RELAXES_S)
    return relaxed_s if relaxed_s < pace.longest_s else 0.0


def _brings(state: PollState, now: float) -> str:
    a_day, silent_s = (new_a_day(state) or 0.0) + carried_a_day(state), now - state.brought
    if silent_s > 2 * DAY_S and a_day * silent_s / DAY_S > 3:
        return f"nothing new for {silent_s / DAY_S:.0f} days"
    return f"brings {often(a_day)}" if state.arrived or state.carried else "has brought nothing new yet"

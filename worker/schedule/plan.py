"""The state of a feed after a poll, and the plan of its next one.

Invariant: pure, the jitter is an argument; every plan has a reason.
"""

from typing import Any
from urllib.parse import urlsplit

from msgspec.structs import replace

from worker.schedule import adapt, backoff, wishes
from worker.schedule.backoff import NO_NETWORK, NO_NETWORK_S
from worker.schedule.headers import retry_after_s
from worker.schedule.state import DAY_S, PAUSED, Fetch, Outcome, Pace, Polled, PollState
from worker.schedule.wording import words

_SHARE_S = 3600.0
"""The least wait of a feed that has brought its share of a day: there may be room for more within the hour."""

SHARE = "as it has brought its share of the day"
"""The words of its next poll's reason."""

_PUSHED_S = 6 * 3600.0
"""The least wait of a feed whose hub tells of what is new: a hub may have forgotten us."""

_SPREAD, _SPREAD_S = 0.1, 3600.0
"""A wait is made longer by up to this part of itself, and by an hour at most, or feeds that failed together would stay
together; but not beyond the longest."""


_KEPT = (
    "etag", "last_modified", "body_hash", "title", "entries", "ttl_s", "skip_hours", "skip_days", "hub", "topic"
)  # fmt: skip


def after(state: PollState, polled: Polled, now: float, jitter: float, pace: Pace) -> PollState:
    """The state of a feed after a poll, its next one planned. `jitter` lies between 0 and 1."""
    good, before = polled.outcome.good, state
    if good:
        state = adapt.learn(state, polled, now, pace)
    state = replace(
        state,
        polled=now,
        outcome=str(polled.outcome),
        trouble=polled.trouble,
        errors=0 if good else state.errors + 1,
        strikes=0.0 if good else state.strikes + backoff.strike(polled),
        kind=polled.kind,
        status=polled.status,
        succeeded=now if good else state.succeeded,
        fetched=now if polled.full else state.fetched,
        **_seen(polled),
        **_moved(state, polled, now),
        honest=_honest(before, polled),
        spared_s=backoff.spared_s(before, polled, now, pace),
    )
    expected = adapt.cadence(state, now, pace) if good else adapt.Cadence(state.cadence_s, "")
    time, reason = _next_poll(state, polled, expected, now, jitter, pace)
    return replace(state, cadence_s=expected.wait_s, next_poll=time, reason=reason)


def without_network(state: PollState, polled: Polled, now: float, jitter: float) -> PollState:
    """The state of a feed after a poll that failed for want of a network: it is no error of the feed's."""
    return replace(
        state,
        polled=now,
        outcome=str(polled.outcome),
        trouble=polled.trouble,
        next_poll=now + NO_NETWORK_S * (1 + _SPREAD * jitter),
        reason=NO_NETWORK,
    )


def fetched(state: PollState, polled: Polled, took_ms: float, size: int) -> Fetch:
    """The line of the feed's history for a poll; `state` is what it led to, `took_ms` what its fetch took."""
    return Fetch(
        at=state.polled,
        outcome=state.outcome,
        status=polled.status,
        took_ms=round(took_ms, 1),
        size=size,
        entries=polled.entries or 0,
        new=polled.new,
        revised=polled.revised,
        trouble=polled.trouble,
        wait_s=round(state.next_poll - state.polled, 1),
        reason=state.reason,
        carried=polled.carried,
    )


def _next_poll(
    state: PollState, polled: Polled, expected: adapt.Cadence, now: float, jitter: float, pace: Pace
) -> tuple[float, str]:
    """When to poll next and why, in words. `state` already counts this poll."""
    if polled.outcome is Outcome.GONE:
        return PAUSED, "gone: the server says that it is for good (410)"
    if polled.outcome.good:
        wait_s, reason = _good(state, polled, expected, now, pace)
    else:
        asked_s = min(retry_after_s(polled.retry_after, now), DAY_S)
        wait_s, reason = backoff.wait(state, polled, asked_s, pace)
    time, asleep = wishes.awake(state, now + _spread_s(wait_s, jitter, pace), jitter)
    return time, asleep or reason


def _spread_s(wait_s: float, jitter: float, pace: Pace) -> float:
    """A wait made longer by the jitter, within the bound that it keeps itself: the longest that is set, or the day that
    a server's wish may take."""
    bound_s = pace.longest_s if wait_s <= pace.longest_s else max(wait_s, DAY_S)
    return min(wait_s + min(_SPREAD * wait_s, _SPREAD_S) * jitter, bound_s)


def _good(state: PollState, polled: Polled, expected: adapt.Cadence, now: float, pace: Pace) -> tuple[float, str]:
    wait_s, reason = expected
    if state.spared_s > wait_s:
        wait_s = min(state.spared_s, pace.longest_s)
        reason = f"every {words(wait_s)}: its server was asked too often before"
    wish = wishes.longest(state, polled, now)
    if wish.wait_s > wait_s:
        wait_s, reason = wish.wait_s, f"every {words(wish.wait_s)}: {wish.reason}"
    if polled.pushed and wait_s < _PUSHED_S:
        hub = urlsplit(state.hub).hostname
        wait_s, reason = _PUSHED_S, f"pushed by its hub {hub}; polled every {words(_PUSHED_S)} to be safe"
    if polled.later:
        wait_s = max(wait_s, _SHARE_S, 2 * pace.first_s)
        reason = f"again in {words(wait_s)}, {SHARE}"
    return wait_s, reason


def _seen(polled: Polled) -> dict[str, Any]:
    """What the poll saw; the rest stays as it was known."""
    return {name: found for name in _KEPT if (found := getattr(polled, name)) is not None}


def _moved(state: PollState, polled: Polled, now: float) -> dict[str, Any]:
    """Where permanent redirects lead, and since when they have led there; an error tells nothing of it."""
    if not polled.outcome.good or polled.moved == state.moved:
        return {}
    return {"moved": polled.moved, "moved_since": now if polled.moved else 0.0}


def _honest(state: PollState, polled: Polled) -> int:
    """How far the server's validators are to be trusted: not at all once new entries came under the same ones."""
    given = (polled.etag or "", polled.last_modified or "")
    if not polled.full or not state.body_hash or not any(given):
        return state.honest
    if given != (state.etag, state.last_modified):
        return max(state.honest, 0) if polled.came else state.honest
    if polled.body_hash == state.body_hash:
        return state.honest + 1 if state.honest >= 0 else state.honest
    return -1 if polled.came else min(state.honest, 0)

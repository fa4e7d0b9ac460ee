"""What a push tells of a feed: how often it brings something, and nothing of the feed's own server.

Invariant: pure; neither the validators nor the errors of polls are touched, and the next poll stays where it was.
"""

from msgspec.structs import replace

from worker.schedule import adapt
from worker.schedule.state import Pace, Polled, PollState


def only_news(polled: Polled) -> Polled:
    """What a pushed body tells: its entries, but neither what the whole document is nor how its server is."""
    entries = polled.entries
    return Polled(outcome=polled.outcome, trouble=polled.trouble, asked=False, kind=polled.kind, entries=entries)


def as_told(state: PollState, polled: Polled, now: float) -> PollState:
    """The state as the history's line for a push tells it."""
    return replace(state, polled=now, outcome=str(polled.outcome))


def after_push(state: PollState, polled: Polled, now: float, pace: Pace, *, again: bool) -> PollState:
    """The state of a feed after a push. `again`: more is to be read at once, as it is after one that was no feed: some
    hubs only say that there is something."""
    if polled.outcome.good:
        learned = adapt.learn(state, polled, now, pace)
        state = replace(learned, crowded_s=state.crowded_s, succeeded=now if state.succeeded else 0.0)
    if polled.etag == "":  # something of it was held back: the next poll looks at the whole
        state = replace(state, etag="", last_modified="", body_hash=b"")
    return replace(state, next_poll=now) if again or not polled.outcome.good else state

"""Whether it is the feed that cannot be reached, or we: judged by all that is polled at the same time.

Invariant: a feed is told to be without network only while nothing answers and two hosts or more do not.
"""

import asyncio
from dataclasses import dataclass, field

from worker.feed.address import host
from worker.schedule import NO_NETWORK, Outcome
from worker.store.feeds import Feed

_ENOUGH = 10
"""So many feeds that cannot be reached, and none that can, mean that it is us: the rest is not waited for."""


@dataclass
class Round:
    """Polls that overlap in time; `judged` is set when it is known whether there is a network."""

    under_way: int = 0
    unreached: int = 0
    reached: bool = False
    judged: asyncio.Event = field(default_factory=asyncio.Event)


class Network:
    """Judges rounds of polls. Every `enter` is followed by one `leave`."""

    def __init__(self) -> None:
        self._round = Round()
        self._lost: set[str] = set()
        self._reached_at = 0.0

    def enter(self) -> Round:
        """A poll begins, with those under way or as the first of a round."""
        if not self._round.under_way:
            self._round = Round()
        self._round.under_way += 1
        return self._round

    def leave(self, polls: Round, feed: Feed, outcome: Outcome | None, now: float) -> None:
        """A poll has come to this; None for one that was given up, or that asked nobody."""
        polls.under_way -= 1
        if outcome is Outcome.UNREACHABLE:
            polls.unreached += 1
            self._lost.add(host(feed.url))
        elif outcome is not None:
            polls.reached, self._reached_at = True, now
            self._lost.clear()
        if not polls.under_way or polls.reached or (polls.unreached >= _ENOUGH and self._several()):
            polls.judged.set()

    async def is_down(self, polls: Round, feed: Feed) -> bool:
        """Whether a feed that could not be reached failed for want of a network, once its round tells.

        Not if something answered since it was last said to: two dead feeds that keep meeting are no outage.
        """
        await polls.judged.wait()
        proven = feed.polls.reason == NO_NETWORK and self._reached_at > feed.polls.polled
        return self._several() and not polls.reached and not proven

    def _several(self) -> bool:
        return len(self._lost) > 1

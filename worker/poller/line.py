"""The feeds that wait in the process, and not in the schedule, for their turn: where all that was due is to be polled.

Invariant: a feed that stands here is leased.
"""

from heapq import heappop, heappush

from worker.clock import Clock
from worker.store.feeds import Feed
from worker.store.gates import Turn


class Line:
    """Feeds by the time of their turn."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._queued = list[tuple[float, Feed, Turn]]()

    def __bool__(self) -> bool:
        return bool(self._queued)

    def join(self, feed: Feed, turn: Turn) -> None:
        """Wait here for this turn."""
        heappush(self._queued, (self._clock.now() + turn.wait_s, feed, turn))

    def come(self, most: int) -> list[Feed]:
        """Up to so many whose turn has come; they wait no more."""
        come, now = list[Feed](), self._clock.now()
        while self._queued and self._queued[0][0] <= now and len(come) < most:
            come.append(heappop(self._queued)[1])
        return come

    def next_s(self) -> float | None:
        """How long to sleep until the next turn; None where nobody waits."""
        return self._clock.sleep_s(max(0.0, self._queued[0][0] - self._clock.now())) if self._queued else None

    def waiting(self) -> list[tuple[Feed, Turn]]:
        """All that wait."""
        return [(feed, turn) for _, feed, turn in self._queued]

"""What a turn of the poller's loop asks the server for, in one go: leases, pushes, turns at gates.

Invariant: nothing is leased while polls are held back; what is leased has a turn, or what was pushed of it.
"""

from collections.abc import Sequence

import structlog

from worker.clock import Clock
from worker.errors import ServerUnavailable, Transient
from worker.fetch import ALLOWED_BY
from worker.poller.leases import Leases
from worker.poller.pushing import Pushes
from worker.poller.watch import Watch
from worker.schedule import NO_NETWORK
from worker.store.feeds import Feed, Feeds
from worker.store.gates import Ask, Gates, Turn
from worker.store.hubs import Waiting
from worker.store.reach import ALL_ANSWER, Reach
from worker.visit import ask

_MOST_LEASED = 32
"""Leased in one go: whoever was told to start at once has to be begun before that is too late (worker/visit.py)."""

log = structlog.get_logger()

Taken = Sequence[tuple[Feed, Turn | Waiting]]
"""Feeds, each with its turn at its gate or what was pushed of it."""


class Turns:
    """Takes what is due. `allowing`: feeds that lead inside may be polled now; `reach`: where nodes of a
    Cluster are away, feeds that need none of them are polled. Methods block."""

    def __init__(
        self,
        feeds: Feeds,
        gates: Gates,
        watch: Watch,
        pushes: Pushes,
        leases: Leases,
        clock: Clock,
        *,
        allowing: bool,
        reach: Reach = ALL_ANSWER,
    ) -> None:
        self._reach, self._said = reach, ""
        self._feeds, self._gates, self._watch = feeds, gates, watch
        self._pushes, self._leases, self._clock = pushes, leases, clock
        self._allowing = allowing
        self.woken = False

    def take(self, due_by: float | None, room: int, again: Sequence[Feed]) -> Taken:
        """Up to `room` feeds: those of `again`, whose turn has come, and what is due now, or was at `due_by`. Raises
        StorywireError; Transient too where polls are held back, and what was due at a moment is asked for."""
        if self._reach.away:
            self._reach.look()
        try:
            return self._taken(due_by, room, again)
        except ServerUnavailable:
            if not self._reach.look():
                raise
            return self._taken(due_by, room, again)
        finally:
            self._tell()

    def _tell(self) -> None:
        """Say once that a node is away, and that all answer again."""
        away, self._said = self._said, self._reach.away
        if self._said and self._said != away:
            log.warning("feeds wait", trouble=f"no answer from {self._said}", lost="nothing: feeds are polled later")
        elif away and not self._said:
            log.info("all servers answer again")

    def _taken(self, due_by: float | None, room: int, again: Sequence[Feed]) -> Taken:
        if without := self._reach.without_polls():
            raise ServerUnavailable(f"no answer from {without}, and no feed is polled without it")
        held = self._watch.turn()
        if held and due_by is not None:
            raise Transient(f"polls are held back: {self._watch.why}")
        if not self.woken:
            self._wake(self._clock.now() if due_by is None else due_by)
            self.woken = True
        room -= len(again)
        taken = self._leases.take(min(room, _MOST_LEASED), due_by) if room > 0 and not held else []
        try:
            return self._with_turns([*again, *taken])
        except ServerUnavailable:
            if self._reach.look():
                self._leases.put_off(taken, 0.0)
            raise

    def _with_turns(self, leased: Sequence[Feed]) -> Taken:
        pushed = self._pushes.first(leased)
        fetched = self._with_gate([feed for feed in leased if feed.id not in pushed])
        turns = ask(self._gates, self._clock, [Ask(feed.url, feed.id, feed.id) for feed in fetched]) if fetched else []
        return [*((feed, pushed[feed.id]) for feed in leased if feed.id in pushed), *zip(fetched, turns, strict=True)]

    def _with_gate(self, leased: Sequence[Feed]) -> Sequence[Feed]:
        """Those of these whose gate's node answers; the others are put off."""
        if not self._reach.away:
            return leased
        away = [feed for feed in leased if self._gates.away(Ask(feed.url, feed.id, feed.id), self._reach)]
        self._leases.put_off(away)
        return [feed for feed in leased if feed not in away]

    def _wake(self, now: float) -> None:
        """Who starts us without a network shall hear so at once, and who has one again need not wait; nor who allows
        now what we refused."""
        for feed in self._feeds.all(self._reach):
            again = feed.polls.reason == NO_NETWORK or (self._allowing and ALLOWED_BY in feed.polls.trouble)
            if again and feed.due == feed.polls.next_poll > now:
                self._feeds.give_back(feed, now)

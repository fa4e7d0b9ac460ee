"""What a poller looks at besides its feeds: whether to hold back; and the sign of life that says so.

Invariant: the beginning and the end of holding back are one log line each, and a beat says at once which it is.
"""

import time
from contextlib import suppress

import structlog

from worker.clock import Clock
from worker.errors import StorywireError, Transient
from worker.names import new_name, this_version
from worker.pressure import Hold, Load, hold, why_held
from worker.store.outbox import Outbox
from worker.store.pollers import Pollers, Sign
from worker.store.reach import ALL_ANSWER, Reach

LOOK_S = 0.5
"""How often the load is looked at."""

_SHARE = 0.05
"""Of its time that a poller spends on it at most: with 10,000 feeds in the outbox a look takes 0.25 s."""

BEAT_S = 2.0

log = structlog.get_logger()


class Watch:
    """Holds back beyond `most` articles that wait, and near the server's memory limit. `reach`: what is away counts as
    nothing. Methods block."""

    def __init__(
        self,
        pollers: Pollers,
        outbox: Outbox,
        clock: Clock,
        most: int,
        look_s: float = LOOK_S,
        beat_s: float = BEAT_S,
        reach: Reach = ALL_ANSWER,
    ) -> None:
        self._reach = reach
        self._pollers, self._outbox, self._clock = pollers, outbox, clock
        self._most, self._look_s, self._beat_s = most, look_s, beat_s
        self._name, self._started = new_name(), clock.now()
        self._reason, self._since = Hold.NO, 0.0
        self._look_due = self._beat_due = 0.0
        self.why = ""

    def turn(self) -> bool:
        """Look and beat, each if it is due; whether to hold back now, for the reason `why`. Raises StorywireError."""
        now = time.monotonic()
        if now >= self._look_due:
            self._look()
            took_s = time.monotonic() - now
            self._look_due = now + max(self._look_s, took_s / _SHARE)
        if now >= self._beat_due:
            self._beat_due = now + self._beat_s
            self._beat()
        return self._reason is not Hold.NO

    def _beat(self) -> None:
        """Say what holds us back, or that nothing does. A server that we hold back for may refuse that."""
        if self._reach.without_sign(self._name):
            return
        try:
            sign = Sign(str(self._reason), self._since, self._started, this_version(), "polls")
            self._pollers.beat(self._name, sign)
        except Transient as error:
            if self._reason is Hold.NO:
                raise
            log.debug("no sign of life", trouble=str(error), held=str(self._reason))

    def leave(self) -> None:
        """Say that this poller ends; a server that is away finds out by itself."""
        with suppress(StorywireError):
            self._pollers.leave(self._name)

    def _look(self) -> None:
        load = Load(self._outbox.depth(self._reach), *self._pollers.memory(self._reach))
        before, self._reason = self._reason, hold(load, self._most, self._reason)
        if self._reason is Hold.QUEUE:
            load = load._replace(without_room=self._outbox.without_room(self._reach))
        self.why = why_held(self._reason, load, self._most)
        if self._reason is before:
            return
        now, self._beat_due = self._clock.now(), 0.0
        if self._reason is Hold.NO:
            log.info("polling again", held_s=round(now - self._since, 1), pending=load.pending)
        elif before is Hold.NO:
            log.warning("polls held back", why=self.why, pending=load.pending, lost="nothing: feeds are polled later")
        if self._reason is Hold.NO or before is Hold.NO:
            self._since = now if self._reason else 0.0

"""A page's way through the gates of the hosts that are asked for it (worker/store/gates.py).

Invariant: no host is asked before its gate said so, redirects to other hosts included, and every gate that was entered
is left.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from worker.clock import Clock
from worker.fetch import Failed, Fetched, NotModified
from worker.schedule import retry_after_s
from worker.store.gates import Ask, Gates, Turn
from worker.store.gates import Visit as Ended

_CLOSED_BY = (403, 429, 503)
_LONGEST_CLOSED_S = 86_400.0
_UNSAID_S = 60.0
"""How long a gate is closed after 429 without a Retry-After."""


class NotYet(Exception):
    """A gate on the way is not open: try again in `wait_s` seconds, `why` in words."""

    def __init__(self, wait_s: float, why: str) -> None:
        super().__init__(why)
        self.wait_s, self.why = wait_s, why


class Visit:
    """The visit of one reader (`who`). Enter before each request, leave once."""

    def __init__(self, who: str, gates: Gates, aside: Callable[..., Awaitable[Any]], clock: Clock) -> None:
        self._who, self._gates, self._aside, self._clock = who, gates, aside, clock
        self._inside: dict[str, float] = {}

    async def enter(self, url: str) -> None:
        """Return when this address may be asked. Raises NotYet where that is not soon, and StorywireError."""
        if self._gates.rule.gate(url) in self._inside:
            return  # a redirect within one gate belongs to the visit
        turn: Turn = (await self._aside(self._gates.enter, [Ask(url, self._who)]))[0]
        if not turn.admitted:
            raise NotYet(turn.wait_s, turn.why)
        self._inside[turn.gate] = self._clock.now()
        await asyncio.sleep(turn.wait_s)

    async def leave(self, answer: Fetched | NotModified | Failed | None, delay_s: float = 0.0) -> None:
        """Leave whatever was entered. delay_s: how long its site wants nobody to come after this."""
        now = self._clock.now()
        close_s = max(asked_to_close_s(answer, now), delay_s)
        ended = []
        for gate, since in reversed(self._inside.items()):  # the last one first: it is the one that answered
            ended.append(Ended(gate, self._who, max(now - since, 0.001) if answer else 0.0, close_s))
            close_s = 0.0
        self._inside.clear()
        if ended:
            await self._aside(self._gates.leave, ended)


def asked_to_close_s(answer: Fetched | NotModified | Failed | None, now: float) -> float:
    """For how many seconds an answer wants its whole host left alone."""
    if not isinstance(answer, Failed) or answer.status not in _CLOSED_BY:
        return 0.0
    asked_s = min(retry_after_s(answer.retry_after, now), _LONGEST_CLOSED_S)
    return asked_s or (_UNSAID_S if answer.status == 429 else 0.0)

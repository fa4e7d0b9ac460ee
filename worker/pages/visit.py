"""A page's way through the gates of the hosts that are asked for it (worker/store/gates.py).

Invariant: no host is asked before its gate said so, redirects to other hosts included, every gate that was entered is
left, and each hears its own site's Crawl-delay, which only pages wait for.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from worker.clock import Clock
from worker.fetch import Failed, Fetched, NotModified
from worker.fetch.closing import asked_to_close_s
from worker.store.gates import Ask, Gates, Turn
from worker.store.gates import Visit as Ended


class NotYet(Exception):
    """A gate on the way is not open: try again in `wait_s` seconds, `why` in words."""

    def __init__(self, wait_s: float, why: str) -> None:
        super().__init__(why)
        self.wait_s, self.why = wait_s, why


@dataclass
class _Stay:
    """At one gate: the name to leave by, since when, and the seconds from then in which no other page may come."""

    name: str
    since: float
    delay_s: float


class Visit:
    """The visit of one reader (`who`). Enter before each request, leave once. `within`: another that lasts longer,
    whose gates need not be entered again: they might have no second place."""

    def __init__(
        self,
        who: str,
        gates: Gates,
        aside: Callable[..., Awaitable[Any]],
        clock: Clock,
        within: "Visit | None" = None,
    ) -> None:
        self._who, self._gates, self._aside, self._clock = who, gates, aside, clock
        self._within = within
        self._inside: dict[str, _Stay] = {}

    async def enter(self, url: str, delay_s: float = 0.0) -> None:
        """Return when this address may be asked. delay_s: what its site wants between two pages. Raises NotYet where
        that is not soon, and StorywireError."""
        gate = self._gates.rule.gate(url)
        if stay := self._inside.get(gate):
            stay.delay_s = max(stay.delay_s, delay_s)
            return  # a redirect within one gate belongs to the visit
        if self._within and gate in self._within._inside:
            return
        ask = Ask(url, self._who, page=True, delay_s=delay_s)
        turn: Turn = (await self._aside(self._gates.enter, [ask]))[0]
        if not turn.admitted:
            raise NotYet(turn.wait_s, turn.why)
        self._inside[turn.gate] = _Stay(turn.visit, self._clock.now() + turn.wait_s, delay_s)
        await asyncio.sleep(turn.wait_s)

    async def leave(self, answer: Fetched | NotModified | Failed | None) -> None:
        """Leave whatever was entered."""
        now = self._clock.now()
        close_s = asked_to_close_s(answer, now)
        ended = []
        for gate, stay in reversed(self._inside.items()):  # the last one first: it is the one that answered
            took_s = max(now - stay.since, 0.001) if answer else 0.0
            ended.append(Ended(gate, stay.name, took_s, close_s, max(stay.since + stay.delay_s - now, 0.0)))
            close_s = 0.0
        self._inside.clear()
        if ended:
            await self._aside(self._gates.leave, ended)

"""A visitor's way through the gates of all hosts that it asks (worker/store/gates.py).

Invariant: no host is asked before its gate said so, redirects to other hosts included, nor at a start that is somebody
else's by then, and every gate that was entered is left once. A redirect within one gate belongs to the visit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from worker.clock import Clock
from worker.fetch import Failed, Fetched, NotModified
from worker.fetch.closing import asked_to_close_s
from worker.store.gates import Ask, Gates, Turn
from worker.store.gates import Visit as Ended

Answer = Fetched | NotModified | Failed

_LATE = 0.1
"""Who is late by more than this part of the spacing (it was suspended, or had too much to do) asks again: another may
have been told to start right after it."""

_LEAST_LATE_S = 0.05

_MOST_LEAD_S = 30.0
"""Who was late asks for a start so far ahead that it can be kept, twice as far each time. To ask for the next one would
miss that as well, and cost the most where there is too much to do already: a poller that was 25 ms behind asked eight
times for each of its polls, and fell behind by that."""


class NotYet(Exception):
    """A gate on the way is not open: to be tried again in `turn.wait_s` seconds."""

    def __init__(self, turn: Turn) -> None:
        super().__init__(turn.why)
        self.turn = turn


@dataclass
class _Stay:
    """At one gate: the name to leave by, since when; for how long from then no other page may come, and for how long
    from the end nobody: seconds."""

    name: str
    since: float
    delay_s: float = 0.0
    close_s: float = 0.0


def ask(gates: Gates, clock: Clock, asks: Sequence[Ask]) -> list[Turn]:
    """Ask for turns, and note when: what keeps us from the visit after that makes it late. Blocks."""
    asked_at = clock.now()
    return [turn._replace(asked_at=asked_at) for turn in gates.enter(asks)]


class Visit:
    """The visit of one visitor: enter before each request, end once.

    who: its name at the gates; feed: the id of the feed that it is for, if it is for one; page: it asks for pages;
    within: another that lasts longer, whose gates are not entered again: they might have no second place.
    """

    def __init__(
        self,
        who: str,
        gates: Gates,
        aside: Callable[..., Awaitable[Any]],
        clock: Clock,
        *,
        feed: str = "",
        page: bool = False,
        within: "Visit | None" = None,
    ) -> None:
        self._ask = Ask("", who, feed, page)
        self._gates, self._aside, self._clock = gates, aside, clock
        self._within = within
        self._inside: dict[str, _Stay] = {}
        self._last: _Stay | None = None

    async def begin(self, url: str, turn: Turn) -> None:
        """Return when this address may be asked, which `turn` admitted to, as `ask` gave it. Raises NotYet where that
        was missed and comes no more soon, and StorywireError."""
        self.admit(turn)
        await self._start(self._ask._replace(url=url), turn)

    def admit(self, turn: Turn, delay_s: float = 0.0) -> None:
        """Note what is to be left. turn: one that admits."""
        self._last = self._inside[turn.gate] = _Stay(turn.visit, turn.asked_at + turn.wait_s, delay_s)

    async def enter(self, url: str, delay_s: float = 0.0) -> None:
        """Return when this address may be asked. delay_s: what its site wants between two pages. Raises NotYet where
        that is not soon, and StorywireError."""
        gate = self._gates.rule.gate(url, self._ask.feed)
        if stay := self._inside.get(gate):
            stay.delay_s = max(stay.delay_s, delay_s)
        elif self._within and (stay := self._within._inside.get(gate)):
            pass
        else:
            asked = self._ask._replace(url=url, delay_s=delay_s)
            await self._start(asked, await self._admitted(asked))
            return
        self._last = stay

    def end(self, answer: Answer | None = None) -> list[Ended]:
        """What the gates are to be told (Gates.leave): that all is over, by this answer, or by none where the visit was
        given up. Again there is nothing to tell."""
        nobody = answer is None or (isinstance(answer, Failed) and answer.kind in ("private", "bad-url"))
        return self.close(asked_to_close_s(answer, self._clock.now()), asked=not nobody)

    def close(self, close_s: float, *, asked: bool = True) -> list[Ended]:
        """The same. close_s: for how long who answered, the last that was asked, wants nobody to come; asked: whether
        anybody was."""
        now = self._clock.now()
        if self._last:
            self._last.close_s = max(self._last.close_s, close_s)
        ended = [
            Ended(
                gate,
                stay.name,
                max(now - stay.since, 0.001) if asked else 0.0,
                stay.close_s,
                max(stay.since + stay.delay_s - now, 0.0),
            )
            for gate, stay in self._inside.items()
        ]
        self._inside.clear()
        self._last = None
        return ended

    async def _admitted(self, asked: Ask) -> Turn:
        """A turn that admits. Raises NotYet."""
        turn: Turn = (await self._aside(ask, self._gates, self._clock, [asked]))[0]
        if not turn.admitted:
            raise NotYet(turn)
        self.admit(turn, asked.delay_s)
        return turn

    async def _start(self, asked: Ask, turn: Turn) -> None:
        """Wait for the start; for another one where that was missed by so much that it is somebody else's by now."""
        lead_s = self._tolerated_s()
        while await self._late(self._inside[turn.gate].since) > self._tolerated_s():
            lead_s = min(2 * lead_s, _MOST_LEAD_S)
            self._inside.pop(turn.gate)
            turn = await self._admitted(asked._replace(lead_s=lead_s, instead=turn.visit))

    async def _late(self, start: float) -> float:
        """Wait for a start; by how many seconds it is over."""
        while (left_s := start - self._clock.now()) > 0:
            await asyncio.sleep(self._clock.sleep_s(left_s))
        return -left_s

    def _tolerated_s(self) -> float:
        spacing_s = self._gates.rule.spacing_s
        return max(_LEAST_LATE_S, _LATE * spacing_s) if spacing_s > 0 else float("inf")

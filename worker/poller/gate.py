"""A poll's way through the gates of the hosts that it asks (worker/store/gates.py).

Invariant: no host is asked before its gate said so, redirects to other hosts included, and every gate that was entered
is left. A redirect within one gate belongs to the visit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from worker.clock import Clock
from worker.fetch import Failed, Fetched, Fetcher, NotModified
from worker.fetch.closing import asked_to_close_s
from worker.store.feeds import Feed
from worker.store.gates import Ask, Gates, Turn, Visit

_LATE = 0.1
"""Who is late by more than this part of the spacing (it was suspended, or had too much to do) asks again: another may
have been told to start right after it."""

_LEAST_LATE_S = 0.05


class NotYet(Exception):
    """A gate on the way is not open: the poll has to be tried again in `turn.wait_s` seconds."""

    def __init__(self, turn: Turn) -> None:
        super().__init__(turn.why)
        self.turn = turn


def ask(gates: Gates, clock: Clock, asks: Sequence[Ask]) -> list[Turn]:
    """Ask for turns, and note when: what keeps us from the visit after that makes it late. Blocks."""
    asked_at = clock.now()
    return [turn._replace(asked_at=asked_at) for turn in gates.enter(asks)]


class Visiting:
    """One feed's visit, admitted at its first gate by `turn`, as `ask` gives it. `leave` takes each visit that ended;
    `tick_s`: how often a clock that is not the machine's is looked at."""

    def __init__(
        self,
        feed: Feed,
        turn: Turn,
        *,
        fetcher: Fetcher,
        gates: Gates,
        leave: Callable[[Visit], None],
        aside: Callable[..., Awaitable[Any]],
        clock: Clock,
        tick_s: float,
    ) -> None:
        self._feed, self._fetcher, self._gates, self._leave = feed, fetcher, gates, leave
        self._aside, self._clock, self._tick_s = aside, clock, tick_s
        self._at = turn.asked_at + turn.wait_s
        self._inside = {turn.gate: (turn.visit, self._at)}

    async def begin(self) -> None:
        """Return when the first host may be asked. Raises NotYet where that is not soon, and StorywireError."""
        while await self._late():
            await self._again(self._feed.url)

    async def fetch(self, url: str, etag: str = "", last_modified: str = "") -> Fetched | NotModified | Failed:
        """GET the feed and leave. Raises NotYet where a redirect leads to a gate that is closed, and StorywireError."""
        answer = await self._fetcher.fetch(url, etag, last_modified, before_redirect=self._redirected)
        self.end(answer)
        return answer

    def end(self, answer: Fetched | NotModified | Failed | None = None) -> None:
        """Leave whatever was entered; None where the visit was given up. Again is harmless."""
        now = self._clock.now()
        asked = answer is not None and not (isinstance(answer, Failed) and answer.kind in ("private", "bad-url"))
        close_s = asked_to_close_s(answer, now)
        while self._inside:
            gate, (name, since) = self._inside.popitem()  # the last one first: it is the one that answered
            self._leave(Visit(gate, name, max(now - since, 0.0) if asked else 0.0, close_s))
            close_s = 0.0

    async def _late(self) -> bool:
        """Wait for the start; whether it was missed by so much that it is somebody else's by now."""
        while (left_s := self._at - self._clock.now()) > 0:
            await asyncio.sleep(min(left_s, self._tick_s))
        return -left_s > max(_LEAST_LATE_S, _LATE * self._gates.rule.spacing_s) and self._gates.rule.spacing_s > 0

    async def _redirected(self, url: str) -> None:
        """Pass the gate of the address that a redirect leads to."""
        if self._gates.rule.gate(url, self._feed.id) in self._inside:
            return
        await self._enter(url)
        while await self._late():
            await self._again(url)

    async def _again(self, url: str) -> None:
        """Ask for another start: the one that was missed is given up first, which might hold the only place."""
        gate = self._gates.rule.gate(url, self._feed.id)
        name, _ = self._inside.pop(gate)
        await self._aside(self._gates.leave, [Visit(gate, name)])
        await self._enter(url)

    async def _enter(self, url: str) -> None:
        asks = [Ask(url, self._feed.id, self._feed.id)]
        turn: Turn = (await self._aside(ask, self._gates, self._clock, asks))[0]
        if not turn.admitted:
            raise NotYet(turn)
        self._at = turn.asked_at + turn.wait_s
        self._inside[turn.gate] = turn.visit, self._at

"""Follows the stories of the store for all that is served: the board in memory, and the changes as they come.

    where the streams end -> all stories, in parts -> events -> read anew what changed -> board -> listeners

Invariant: one reader, however many listen; the place in the streams is taken before the stories are read, so none is
missed; the board is changed before anybody is told; who listens gets each change once, in the order of the cursors.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog

from worker.errors import StorywireError
from worker.model import Event, story_id
from worker.report.board import Board
from worker.report.following import format_cursor
from worker.store.stories import Look, Stories
from worker.web.changes import Changed, Listener, changes_of
from worker.web.filling import AT_ONCE, Filling, Place
from worker.web.lists import Lists

LOOK_S = 0.3
"""How often the streams are asked for more."""

_READ_AT_ONCE = 500
_MOST_EVENTS = 200
_COMPARE_S = 0.9
_FAULT_S = 5.0

log = structlog.get_logger()


class Live:
    """The board, kept up to date while `run` runs. `aside` runs a blocking call in a thread; `clock` tells the time.

    `lists`: pages of what is on the board; `ready`: all stories have been read; `reading`: how far that is, in words,
    "" afterwards; `trouble`: why what is shown may be old, in words; `position`: the last event of each language that
    the board has.
    """

    def __init__(
        self,
        stories: Stories,
        aside: Callable[..., Awaitable[Any]],
        look_s: float = LOOK_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._stories, self._aside, self._look_s, self._clock = stories, aside, look_s, clock
        self.board = Board()
        self.lists = Lists(self.board, aside)
        self._filling = Filling(self.board, stories, aside)
        self.ready = asyncio.Event()
        self.reading = "reading the stories"
        self.trouble = ""
        self.position: dict[str, tuple[int, int]] = {}
        self._server = ""
        self._ended = False
        self._listeners: set[Listener] = set()
        self._compared = 0.0
        self._lacking: set[Place] = set()
        self._empty: set[Place] = set()

    # --- listeners ------------------------------------------------------------------------------------------------

    @property
    def listening(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    @contextmanager
    def listen(self) -> Iterator[Listener]:
        """A listener, which gets every change after `position` as it is now."""
        listener = Listener()
        if self._ended:
            listener.end(reset=False)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def end(self) -> None:
        """Tell all who listen that nothing more comes."""
        self._ended = True
        for listener in self._listeners:
            listener.end(reset=False)

    # --- following ------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled. A server that is away is waited for; `trouble` says so meanwhile."""
        while True:
            pause_s = self._look_s
            try:
                if not self.ready.is_set():
                    await self._read_all()
                if await self._follow():
                    pause_s = 0.0
                self.trouble = ""
            except StorywireError as error:
                if not self.trouble:
                    log.warning("waiting for the server", trouble=str(error))
                self.trouble = str(error)
            except Exception:  # a fault of ours, which must be seen, and must not end the page
                log.exception("stories not read")
                self.trouble, pause_s = "the stories cannot be read: the log says why", _FAULT_S
                self.ready.clear()
            await asyncio.sleep(pause_s)

    async def _follow(self) -> bool:
        """Take in what has happened since; whether there may be more."""
        look: Look = await self._aside(self._stories.look, self.position, _MOST_EVENTS)
        if not self._goes_on(look):
            log.warning("the stories are read anew", reason="the server is another, or lost what was read of it")
            self.ready.clear()
            return True
        if look.events:
            await self._take(look.events)
        await self._compare(look)
        return len(look.events) >= _MOST_EVENTS

    def _goes_on(self, look: Look) -> bool:
        """Whether this is the server that was read, with all that happened since: one that was started again may have
        lost its last second."""
        return look.server == self._server and all(
            lang in look.extents and look.extents[lang].follows(place) for lang, place in self.position.items()
        )

    async def _take(self, events: Sequence[Event]) -> None:
        """Change the board, then tell of it. The position moves on only when all of it was read."""
        touched = dict.fromkeys((e.lang, number) for e in events for number in (e.story, e.into) if number)
        before = {place: self.board.get(*place) for place in touched}
        await self._filling.take(list(touched))
        now, changes = self._clock(), list[Changed]()
        for event in events:
            self.position[event.lang] = max(self.position.get(event.lang, (0, 0)), (event.seq, event.part))
            changes += changes_of(self.board, event, format_cursor(self.position), now, before)
        self._tell(changes)

    def _tell(self, changes: Sequence[Changed]) -> None:
        for listener in self._listeners:
            listener.push(changes)

    # --- what ended without an event ------------------------------------------------------------------------------

    async def _compare(self, look: Look) -> None:
        """Where the store has another number of stories than the board, see which: they ended without an event, as
        those of an older version do, or the board lacks some."""
        differing = [lang for lang, extent in look.extents.items() if extent.stories != self._count(lang)]
        if not differing or time.monotonic() - self._compared < _COMPARE_S:
            return
        lacking: set[Place] = set()
        for lang in differing:
            stored = await self._aside(self._stories.numbers, lang)
            ended, others = await self._filling.differences(lang, stored)
            self._empty = {place for place in self._empty if place[0] != lang or place in others}
            await self._drop(ended)
            lacking |= others - self._empty
        again = lacking & self._lacking  # others are on their way: their events come next
        if again:
            await self._filling.take(sorted(again))
            self._empty |= {place for place in again if self.board.get(*place) is None}
        self._lacking, self._compared = lacking - again, time.monotonic()

    def _count(self, lang: str) -> int:
        return self.board.count(lang) + sum(of == lang for of, _ in self._empty)

    async def _drop(self, gone: Sequence[Place]) -> None:
        for start in range(0, len(gone), AT_ONCE):
            part = gone[start : start + AT_ONCE]
            for place in part:
                self.board.drop(*place)
            now = self._clock()
            self._tell([Changed(kind="gone", story=story_id(*place), cursor="", now=now) for place in part])
            await asyncio.sleep(0)

    # --- reading --------------------------------------------------------------------------------------------------

    async def _read_all(self) -> None:
        """The whole store, the latest stories of each language first; who listened begins anew afterwards."""
        again = bool(self._server)
        self.reading = "reading the stories"
        look: Look = await self._aside(self._stories.look, {}, 0)
        numbers = {lang: await self._aside(self._stories.numbers, lang) for lang in look.extents}
        for lang in self.board.languages():
            ended, _ = await self._filling.differences(lang, numbers.get(lang, ()))
            await self._drop(ended)
        total, done = sum(map(len, numbers.values())), 0
        for lang, found in numbers.items():
            for start in range(0, len(found), _READ_AT_ONCE):
                part = [(lang, number) for number in found[start : start + _READ_AT_ONCE]]
                await self._filling.take(part)
                done += len(part)
                self.reading = f"reading the stories: {100 * done // total} %"
        unread = [(await self._filling.differences(lang, found))[1] for lang, found in numbers.items()]
        self._empty, self._lacking = set[Place]().union(*unread), set()
        self._server = look.server
        self.position = {lang: extent.last for lang, extent in look.extents.items()}
        self.reading = ""
        self.ready.set()
        if again:
            for listener in self._listeners:
                listener.end(reset=True)

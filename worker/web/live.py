"""Follows the stories of the store for all that is served: the board in memory, and the changes as they come.

    event streams -> read anew what changed -> board -> each listener's queue

Invariant: one reader, however many listen; listeners get every change in the order of the cursors.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import structlog
from msgspec import Struct

from worker.errors import StorywireError
from worker.model import Alias, Event
from worker.report.board import Board, Row, row_of
from worker.report.following import Follower
from worker.store.stories import Stories

LOOK_S = 0.3
"""How often the streams are asked for more."""

log = structlog.get_logger()


class Changed(Struct, frozen=True, kw_only=True):
    """What happened to a story. `kind`: of report/following.py; `row`: as it is now, None where it is gone; `merged`:
    the id of the story that is now part of this one, or ""; `cursor`: where to go on after it."""

    kind: str
    story: str
    row: Row | None
    cursor: str
    merged: str = ""
    backfill: bool = False


class Live:
    """The board, kept up to date while `run` runs. `aside` runs a blocking call in a thread."""

    def __init__(self, stories: Stories, aside: Callable[..., Awaitable[Any]], look_s: float = LOOK_S) -> None:
        self._stories, self._aside, self._look_s = stories, aside, look_s
        self.board = Board()
        self.ready = asyncio.Event()
        self.trouble = ""
        self._listeners: set[asyncio.Queue[Changed]] = set()

    @property
    def listening(self) -> int:
        """How many listen."""
        return len(self._listeners)

    async def run(self) -> None:
        """Until cancelled. A server that is away is waited for; `trouble` says so meanwhile."""
        follower: Follower | None = None
        while True:
            try:
                if follower is None:
                    follower = await self._aside(Follower, self._stories)
                    await self._aside(self._read_all)
                    self.ready.set()
                for event, cursor in await self._aside(follower.read):
                    await self._follow(event, cursor)
                self.trouble = ""
            except StorywireError as error:
                if not self.trouble:
                    log.warning("waiting for the server", trouble=str(error))
                self.trouble = str(error)
            await asyncio.sleep(self._look_s)

    async def listen(self) -> AsyncIterator[Changed]:
        """Every change from now on."""
        queue: asyncio.Queue[Changed] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)

    async def _follow(self, event: Event, cursor: str) -> None:
        row = await self._aside(self._read, event.lang, event.into or event.story)
        if event.kind == "merged":
            self.board.drop(event.lang, event.story)
        if row:
            self.board.put(row)
        changed = Changed(kind=event.kind, story=row.story if row else "", row=row, cursor=cursor)
        for queue in self._listeners:
            queue.put_nowait(changed)

    def _read(self, lang: str, number: int) -> Row | None:
        story = self._stories.find(lang, number)
        return row_of(lang, story, self._stories.members(lang, story.number)) if story else None

    def _read_all(self) -> None:
        for lang in self._stories.languages():
            for story in self._stories.recent(lang, float("-inf"), 1_000_000):
                if not isinstance(story, Alias):
                    self.board.put(row_of(lang, story, self._stories.members(lang, story.number)))

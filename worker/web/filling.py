"""Brings stories of the store onto the board, in turns, so that a thousand of them hold up nobody.

Invariant: what was read and is not in the store leaves the board; a story that cannot be read takes no other along.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import structlog
from msgspec import DecodeError

from worker.model import story_id
from worker.report.board import Board, Row, row_of
from worker.store.stories import Stories

AT_ONCE = 25
"""Stories that are put on the board before others get their turn: some 2 ms, whatever is asked for of it."""

Place = tuple[str, int]
"""Language and number of a story."""

log = structlog.get_logger()


class Filling:
    """Fills `board` with what `stories` has. `aside` runs a blocking call in a thread."""

    def __init__(self, board: Board, stories: Stories, aside: Callable[..., Awaitable[Any]]) -> None:
        self._board, self._stories, self._aside = board, stories, aside

    async def take(self, places: Sequence[Place]) -> None:
        """Read these stories, or those that they are part of now, and put them on the board."""
        await self._put(await self._aside(self._rows, places), places)

    async def differences(self, lang: str, stored: Sequence[int]) -> tuple[list[Place], set[Place]]:
        """The stories of a language that only the board has, and those that only the store has. Aside, as 30,000 take
        some 10 ms; who waits for it is the one that changes the board."""
        found: tuple[list[Place], set[Place]] = await self._aside(self._apart, lang, stored)
        return found

    def _apart(self, lang: str, stored: Sequence[int]) -> tuple[list[Place], set[Place]]:
        here, there = self._board.numbers(lang), set(stored)
        return [(lang, number) for number in here - there], {(lang, number) for number in there - here}

    async def _put(self, rows: Sequence[Row], read: Iterable[Place]) -> None:
        """Put rows on the board, and take off those that were read and are not there, or are part of others now."""
        for start in range(0, len(rows), AT_ONCE):
            for row in rows[start : start + AT_ONCE]:
                self._board.put(row)
            await asyncio.sleep(0)
        there = {(row.lang, row.number) for row in rows}
        for place in read:
            if place not in there:
                self._board.drop(*place)

    def _rows(self, places: Sequence[Place]) -> list[Row]:
        """Reads: the stories of these numbers, or those that they are part of now; not those that cannot be read."""
        try:
            return [
                row_of(lang, story, members)
                for lang in dict.fromkeys(lang for lang, _ in places)
                for story, members in self._stories.whole(lang, [number for of, number in places if of == lang])
            ]
        except (DecodeError, UnicodeDecodeError) as error:
            if len(places) > 1:
                return [row for place in places for row in self._rows([place])]
            log.error("story not read", story=story_id(*places[0]), reason=str(error))
            return []

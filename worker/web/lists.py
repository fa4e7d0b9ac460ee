"""Lists of stories for all who ask at once: what takes a pass over all of them is done aside, one at a time.

Invariant: the loop is not held for longer than a pass over QUICK rows, or some hundred changes, takes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from worker.report.board import Board, Filter, Selection
from worker.report.fitting import Fitting, without_each


class Lists:
    """Selections from a board; `aside` runs a blocking call in a thread."""

    def __init__(self, board: Board, aside: Callable[..., Awaitable[Any]]) -> None:
        self._board, self._aside = board, aside
        self._turn = asyncio.Lock()

    async def select(
        self, asked: Filter, now: float, *, sort: str = "hot", limit: int = 50, after: str = ""
    ) -> Selection:
        """As Board.select, which also says what is raised."""
        board = self._board
        if not board.is_quick(asked, now, sort):
            async with self._turn:
                if not board.is_quick(asked, now, sort):  # who waited may have waited for the same
                    rows = list(board.order(sort))
                    board.remember(await self._aside(Fitting, asked, sort, rows, now, board.version))
        return board.select(asked, now, sort=sort, limit=limit, after=after)

    async def without_each(self, parts: Sequence[Filter], now: float) -> list[int]:
        """For each of these, how many stories fit all the others: counted, and not remembered."""
        async with self._turn:
            rows = list(self._board.order("hot"))
            found: list[int] = await self._aside(without_each, parts, rows, now)
        return found

"""Lists for many who ask at once: what takes a pass over all stories is done aside, once, and nothing is missed."""

import asyncio
from collections.abc import Callable
from typing import Any

from tests.unit.test_board import NOW, board_of, row
from worker.report.board import MOST_BEHIND, MOST_REMEMBERED, QUICK, Board, Filter
from worker.web.lists import Lists


class Aside:
    """Runs what is asked for at once, and before that something that changes the board."""

    def __init__(self, change: Callable[[], None] = lambda: None) -> None:
        self.calls, self._change = 0, change

    async def __call__(self, call: Callable[..., Any], *args: Any) -> Any:
        self.calls += 1
        await asyncio.sleep(0)
        self._change()
        return call(*args)


def many() -> Board:
    """More stories than are looked through on the loop, every second of two outlets."""
    return board_of(*(row(n, outlets=1 + n % 2) for n in range(QUICK + 10)))


def test_one_pass_serves_all_who_ask_for_the_same_and_is_not_made_on_the_loop() -> None:
    async def run() -> None:
        aside = Aside()
        lists, asked = Lists(many(), aside), Filter(min_outlets=2)
        found = await asyncio.gather(*(lists.select(asked, NOW) for _ in range(10)))
        assert {each.stories for each in found} == {QUICK // 2 + 5}
        assert aside.calls == 1
        assert (await lists.select(Filter(), NOW)).stories == QUICK + 10
        assert aside.calls == 1, "all of them need no look"

    asyncio.run(run())


def test_what_changes_during_a_pass_is_in_what_it_finds() -> None:
    async def run(changes: int) -> None:
        board, fresh = many(), iter(range(QUICK + 100, 10 * QUICK))

        def change() -> None:
            for _ in range(changes):
                board.put(row(next(fresh), outlets=2))
            board.drop("en", 1)

        found = await Lists(board, Aside(change)).select(Filter(min_outlets=2), NOW, limit=10_000)
        assert list(found.rows) == [each for each in board.order("hot") if each.outlets == 2]

    for changes in (3, 2 * MOST_BEHIND):
        asyncio.run(run(changes))


def test_a_long_list_whose_stories_grow_old_is_looked_through_aside_again() -> None:
    async def run() -> None:
        aside, last = Aside(), NOW - 60.0 * (QUICK + 9)
        lists = Lists(many(), aside)
        assert (await lists.select(Filter(since_s=NOW - last), NOW)).stories == QUICK + 10
        assert (await lists.select(Filter(since_s=NOW - last), NOW + 30)).stories == QUICK + 9
        assert aside.calls == 2

    asyncio.run(run())


def test_counting_pushes_out_nothing_that_is_remembered() -> None:
    async def run() -> None:
        board, aside = many(), Aside()
        lists = Lists(board, aside)
        await lists.select(Filter(min_outlets=2), NOW)
        parts = [Filter(min_outlets=n) for n in range(1, MOST_REMEMBERED + 5)]
        assert (await lists.without_each(parts, NOW))[:2] == [0, 0], "none has so many"
        assert await lists.without_each(parts[1:3], NOW) == [0, QUICK // 2 + 5]
        assert aside.calls == 3
        assert board.is_quick(Filter(min_outlets=2), NOW, "hot")

    asyncio.run(run())

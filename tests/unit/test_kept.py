"""A reading that is kept: one at a time, the one before for who would wait, and what went wrong to who has none."""

import asyncio

import pytest

from worker.errors import Transient
from worker.web.kept import Kept


class Store:
    """Numbers its readings; each waits until `free` is set, and fails while `away`."""

    def __init__(self) -> None:
        self.count, self.away, self.free = 0, False, asyncio.Event()
        self.free.set()

    async def read(self) -> int:
        await self.free.wait()
        if self.away:
            raise Transient("the server refuses connections")
        self.count += 1
        return self.count


async def test_however_many_ask_one_reading_runs_and_is_kept() -> None:
    store = Store()
    kept = Kept(store.read, fresh_s=60, patience_s=1)
    assert await asyncio.gather(*(kept.get() for _ in range(50))) == [1] * 50
    assert await kept.get() == 1


async def test_what_is_no_longer_fresh_is_read_anew() -> None:
    kept = Kept(Store().read, fresh_s=0, patience_s=5)
    assert [await kept.get() for _ in range(3)] == [1, 2, 3]


async def test_who_can_be_shown_the_one_before_does_not_wait_for_long() -> None:
    store = Store()
    kept = Kept(store.read, fresh_s=0, patience_s=0.01)
    assert await kept.get() == 1
    store.free.clear()
    assert await asyncio.wait_for(kept.get(), 5) == 1
    store.free.set()
    async with asyncio.timeout(5):
        while await kept.get() == 1:
            await asyncio.sleep(0)


async def test_a_server_that_is_away_is_told_to_who_can_be_shown_nothing() -> None:
    store = Store()
    kept = Kept(store.read, fresh_s=0, patience_s=5)
    store.away = True
    with pytest.raises(Transient, match="refuses"):
        await kept.get()
    store.away = False
    assert await kept.get() == 1
    store.away = True
    assert await kept.get() == 1, "the last one is shown"
    with pytest.raises(Transient, match="refuses"):
        await kept.get(oldest_s=0)


async def test_who_wants_none_so_old_waits_for_a_newer_one() -> None:
    store = Store()
    kept = Kept(store.read, fresh_s=0, patience_s=0)
    assert await kept.get() == 1
    store.free.clear()
    waits = asyncio.create_task(kept.get(oldest_s=0))
    assert await kept.get(oldest_s=60) == 1, "this one is new enough"
    store.free.set()
    assert await asyncio.wait_for(waits, 5) == 2


async def test_who_goes_away_ends_no_reading_for_the_others() -> None:
    store = Store()
    store.free.clear()
    kept = Kept(store.read, fresh_s=60, patience_s=5)
    gone, stays = asyncio.create_task(kept.get()), asyncio.create_task(kept.get())
    await asyncio.sleep(0)
    gone.cancel()
    store.free.set()
    assert await asyncio.wait_for(stays, 5) == 1

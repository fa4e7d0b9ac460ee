"""Processes that are contained: who asks waits for an end, and one that hangs holds up nobody else for long."""

import asyncio
import sys

import pytest

from worker.contained.pool import Busy, Hung, Pool

SILENT = (sys.executable, "-c", "import time; time.sleep(600)")


def test_nobody_waits_for_a_free_process_for_longer_than_they_said() -> None:
    async def ask(pool: Pool) -> float:
        began = asyncio.get_running_loop().time()
        with pytest.raises((Busy, Hung)):
            await pool.ask(b"x", wait_s=0.5)
        return asyncio.get_running_loop().time() - began

    async def all_of_them() -> list[float]:
        async with Pool(SILENT, timeout_s=2.0, size=1) as pool:
            return await asyncio.gather(*(ask(pool) for _ in range(6)))

    first, *others = sorted(asyncio.run(all_of_them()), reverse=True)
    assert first >= 2.0, "the one that was asked first had its whole time"
    assert max(others) < 1.9, "the others did not wait for it"

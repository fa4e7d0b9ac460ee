"""Processes that are contained: who asks waits for an end, and one that hangs holds up nobody else for long."""

import asyncio
import sys

import pytest

from worker.contained.pool import Busy, Hung, Pool
from worker.pages.extractors import AVOIDED_S, Extractors

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


def test_two_pages_that_hang_hold_up_others_for_a_while_and_their_sites_for_an_hour() -> None:
    async def read() -> list[str]:
        now = [0.0]
        async with Extractors(2, 1.0, SILENT, wait_s=0.2, now=lambda: now[0]) as extractors:

            async def reason(host: str) -> str:
                return (await extractors.extract(b"<p>x</p>", f"https://{host}/a", "text/html")).reason

            together = await asyncio.gather(*(reason(host) for host in ("a.example", "b.example", "c.example")))
            began = asyncio.get_running_loop().time()
            again = await reason("www.a.example")
            assert asyncio.get_running_loop().time() - began < 0.5, "it was not tried"
            now[0] += AVOIDED_S
            return [*together, again, await reason("a.example")]

    hung, avoided = "took longer than 1s to read", "was left alone: another page of its site took too long to read"
    told = asyncio.run(read())
    assert told[:3] == [hung, hung, "waited for 0.2s while other pages were read"]
    assert told[3].startswith(avoided)
    assert told[4] == hung

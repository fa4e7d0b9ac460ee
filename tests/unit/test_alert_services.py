"""Services that alerts go to through Apprise: one that hangs holds up those alone that did so before."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from worker.alerts.services import Services

SPEAKER = """
import json, sys, time
from worker.contained.serve import serve

def answer(request):
    message = json.loads(request)
    if message["title"] == "hang":
        time.sleep(600)
    return json.dumps({"trouble": "", "took_s": 9.0 if message["title"] == "slow" else 0.1}).encode()

serve(sys.stdin.buffer, sys.stdout.buffer, answer)
"""
WITHIN_S = 20.0


@asynccontextmanager
async def speaking(timeout_s: float = 60.0) -> AsyncIterator[Services]:
    async with Services((sys.executable, "-c", SPEAKER), timeout_s) as services:
        yield services


async def said(services: Services, address: str, title: str = "") -> str:
    async with asyncio.timeout(WITHIN_S):
        return await services.send(address, title, "")


async def hanging(services: Services, *addresses: str) -> list["asyncio.Task[str]"]:
    """Attempts that have begun, and do not end."""
    tasks = [asyncio.create_task(services.send(address, "hang", "")) for address in addresses]
    await asyncio.sleep(0)
    return tasks


async def ended(tasks: list["asyncio.Task[str]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_services_that_were_slow_hold_up_no_other() -> None:
    """However many they are; and one that answers again is no such service any more."""
    async with speaking() as services:
        slow = ["a", "b", "c"]
        assert [await said(services, address, "slow") for address in slow] == [""] * 3
        assert await said(services, "c") == ""
        tasks = await hanging(services, *slow[:2])
        assert await said(services, "fine") == await said(services, "c") == ""
        assert not any(task.done() for task in tasks)
        await ended(tasks)


async def test_one_that_hangs_for_the_first_time_leaves_a_process_for_others() -> None:
    async with speaking() as services:
        tasks = await hanging(services, "a")
        assert await said(services, "fine") == ""
        assert not tasks[0].done()
        await ended(tasks)


async def test_one_that_hung_is_slow() -> None:
    async with speaking(0.3) as services:
        assert await said(services, "a", "hang") == "did not take it within 0.3 s"
        assert services._lagging == {"a"}

"""Many clients of the stream of changes at once, each of which is held against what was committed.

Invariant: one process of its own, so that its work is not the web process's; a client is in order only where it got
every event, each once, as the store has them.
"""

import asyncio
import re
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from tests.bench.stored import Writer

EVENTS = 10
"""Events of a commit."""

_ID = re.compile(rb"^id: (?:\S*,)?en:(\d+-\d+)\S*\nevent: story", re.MULTILINE)


async def listened(
    url: str, cpu_s: Callable[[], float], writer: Writer, clients: int, commits: int, every_s: float
) -> dict[str, Any]:
    """Open the streams, commit, and compare what each got with what was committed."""
    heard: list[list[tuple[str, float]]] = [[] for _ in range(clients)]
    begun = [asyncio.Event() for _ in range(clients)]
    tasks = [asyncio.create_task(_client(url, heard[n], begun[n])) for n in range(clients)]
    async with asyncio.timeout(60):
        await asyncio.gather(*(each.wait() for each in begun))
    before, began = cpu_s(), time.monotonic()
    committed: dict[str, float] = {}
    for _ in range(commits):
        ids = await asyncio.to_thread(writer.arrive, EVENTS)
        committed |= dict.fromkeys(ids, time.monotonic())
        await asyncio.sleep(every_s)
    until = time.monotonic() + 30
    while any(len(each) < len(committed) for each in heard) and time.monotonic() < until:
        await asyncio.sleep(0.05)
    stream_s, busy_s = time.monotonic() - began, cpu_s() - before
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    delays = sorted((at - committed[name]) * 1000 for each in heard for name, at in each if name in committed)
    return {
        "events": len(committed),
        "in_order": sum([name for name, _ in each] == list(committed) for each in heard),
        "delay_p50_ms": median(delays),
        "delay_p99_ms": delays[int(len(delays) * 0.99)],
        "stream_cpu_s": busy_s,
        "stream_s": stream_s,
    }


async def _client(url: str, heard: list[tuple[str, float]], begun: asyncio.Event) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(b"GET /api/v1/stream HTTP/1.1\r\nHost: %b:%b\r\n\r\n" % (host.encode(), port.encode()))
        rest = b""
        while chunk := await reader.read(65_536):
            now = time.monotonic()
            rest += chunk
            whole, _, rest = rest.rpartition(b"\n\n")
            if b"id: " in whole:
                begun.set()
            heard += [(name.decode(), now) for name in _ID.findall(whole)]
    finally:
        writer.close()

"""Gathers what many feeds publish at about the same time into full batches for the queue.

Invariant: what is not queued is not lost: it waits in the outbox, and the workers' sweeper finds it there.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from worker.errors import StorywireError
from worker.model import Ref

GATHER_S = 0.2
"""How long a feed's articles wait for company: a job costs 63 Redis commands, whether it carries one or fifty."""

log = structlog.get_logger()


class Dispatch:
    """Queues refs a moment after the first of them came. `enqueue` runs off the event loop."""

    def __init__(self, enqueue: Callable[[Sequence[Ref]], Awaitable[int]]) -> None:
        self._enqueue = enqueue
        self._waiting: list[Ref] = []
        self._flush: asyncio.Task[None] | None = None

    async def send(self, refs: Sequence[Ref]) -> None:
        """Queue these refs; returns when they are, or when the queue cannot be had, which is told."""
        if not refs:
            return
        self._waiting += refs
        if self._flush is None:
            self._flush = asyncio.create_task(self._flush_soon())
        await asyncio.shield(self._flush)

    async def _flush_soon(self) -> None:
        await asyncio.sleep(GATHER_S)
        refs, self._waiting, self._flush = self._waiting, [], None
        try:
            await self._enqueue(refs)
        except StorywireError as error:
            log.warning("queue unavailable", trouble=str(error), articles=len(refs), remedy="workers queue them again")

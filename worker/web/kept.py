"""What takes its time to read from the store, kept for all who ask.

    asked -> fresh enough? -> no: one reading for all who wait -> after `patience_s` the one before

Invariant: however many ask, one reading runs; nobody who could be shown the one before waits longer than `patience_s`.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from worker.errors import StorywireError

T = TypeVar("T")


class Kept(Generic[T]):
    """The last result of `read`, which is asked again where that is older than `fresh_s` by the loop's clock."""

    def __init__(self, read: Callable[[], Awaitable[T]], *, fresh_s: float, patience_s: float) -> None:
        self._read, self._fresh_s, self._patience_s = read, fresh_s, patience_s
        self._last: T | None = None
        self._read_at = 0.0
        self._task: asyncio.Task[T] | None = None

    async def get(self, oldest_s: float = math.inf) -> T:
        """The newest there is; where that is older than `oldest_s`, it is waited for. Raises StorywireError where
        nothing so new was read, and cannot be now."""
        age_s = math.inf if self._last is None else asyncio.get_running_loop().time() - self._read_at
        if self._last is not None and age_s < self._fresh_s:
            return self._last
        if self._task is None:
            self._task = asyncio.create_task(self._renew())
            self._task.add_done_callback(_heard)
        task, last = self._task, self._last if age_s <= oldest_s else None
        await asyncio.wait({task}, timeout=None if last is None else self._patience_s)
        if last is None:
            return await asyncio.shield(task)
        try:
            return task.result() if task.done() else last
        except StorywireError:  # the page says of the server what there is to say
            return last

    async def _renew(self) -> T:
        try:
            self._last = await self._read()
            self._read_at = asyncio.get_running_loop().time()
            return self._last
        finally:
            self._task = None


def _heard(task: "asyncio.Task[T]") -> None:
    """What went wrong is told to who waits, if anybody does."""
    if not task.cancelled():
        task.exception()

"""Threads beside a loop for calls that block, so many for each part of a process; the loop's own look up host names.

Invariant: calls of one part wait for each other alone: however many pages are asked for, what is followed goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


class Aside:
    """Runs a blocking call in one of `threads` threads of its own, called `name`. Raises what the call raises."""

    def __init__(self, name: str, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def __call__(self, call: Callable[..., T], *args: Any) -> T:
        result: Awaitable[T] = asyncio.get_running_loop().run_in_executor(self._threads, partial(call, *args))
        return await result

    def join(self) -> None:
        """Take no more calls, and wait for those that were taken."""
        self._threads.shutdown()

    def close(self) -> None:
        """Take no more calls, begin none that wait, and wait for none."""
        self._threads.shutdown(wait=False, cancel_futures=True)

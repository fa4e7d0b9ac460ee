"""A pool of contained processes: each answers one request at a time, and is replaced when it hangs or dies.

Invariant: whoever asks gets the answer to what they asked, or Hung, Died or Busy; nobody waits for longer than they
said they would for a process that is free, and then than the pool's timeout for the answer.
"""

import asyncio
import os
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from worker.contained.serve import LENGTH


class Hung(Exception):
    """The process took longer than the pool's timeout, and was ended."""


class Died(Exception):
    """The process ended before it answered."""


class Busy(Exception):
    """No process was free in time: what was asked was not begun."""


class Pool:
    """`size` processes of this command, each started when it is first needed. Use it as an async context manager."""

    def __init__(self, command: Sequence[str], *, timeout_s: float, size: int | None = None) -> None:
        self._command = command
        self._size = size or max(1, min(4, os.cpu_count() or 1))
        self.timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        self._idle: asyncio.Queue[_Contained] = asyncio.LifoQueue()  # one that runs goes before one to be started
        for _ in range(self._size):
            self._idle.put_nowait(_Contained(self._command))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for _ in range(self._size):
            await (await self._idle.get()).end()

    async def ask(self, request: bytes, wait_s: float | None = None) -> bytes:
        """The answer of the process that is free first. Raises Hung, Died, and Busy after `wait_s` without a free one
        (None: waits for as long as it takes)."""
        try:
            async with asyncio.timeout(wait_s):
                contained = await self._idle.get()
        except TimeoutError:
            raise Busy from None
        try:
            async with asyncio.timeout(self.timeout_s):
                return await contained.ask(request)
        except TimeoutError:
            raise Hung from None
        except (asyncio.IncompleteReadError, ConnectionError):
            raise Died from None
        finally:
            self._idle.put_nowait(contained)


class _Contained:
    """One process, or none yet."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: asyncio.subprocess.Process | None = None

    async def ask(self, request: bytes) -> bytes:
        """Send and receive; whoever is interrupted in between leaves no process with an answer nobody awaits."""
        try:
            stdin, stdout = await self._started()
            stdin.write(LENGTH.pack(len(request)) + request)
            await stdin.drain()
            length = LENGTH.unpack(await stdout.readexactly(LENGTH.size))[0]
            return await stdout.readexactly(length)
        except BaseException:
            await self._kill()
            raise

    async def end(self) -> None:
        """Close its input, which ends it."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            try:
                async with asyncio.timeout(1):
                    await self._process.wait()
            except TimeoutError:
                await self._kill()
        self._process = None

    async def _started(self) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,  # a Ctrl-C is its parent's: this one ends with its input
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

"""The parser processes of a poller: each parses one body at a time, and is replaced when it hangs or dies.

Invariant: a body that hangs or kills its parser fails alone; the next body gets a fresh one.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import msgspec

from worker.feed.parse import ParsedFeed, State
from worker.poller.parser import LENGTH, Request

TIMEOUT_S = 20.0
"""5 MB of real entries take feedparser about 2 s, 170,000 tiny ones 9 s; what takes longer is made to."""

COMMAND = (sys.executable, "-P", "-m", "worker.poller.parser")
"""-P: a folder named `worker` where the poller was started must not be taken for ours."""

_decode = msgspec.msgpack.Decoder(ParsedFeed).decode


class Parsers:
    """A pool of `size` parser processes, started when they are first needed. Use it as an async context manager."""

    def __init__(self, size: int | None = None, timeout_s: float = TIMEOUT_S, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        self._size = size or max(1, min(4, os.cpu_count() or 1))
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        self._idle: asyncio.Queue[_Parser] = asyncio.Queue()
        for _ in range(self._size):
            self._idle.put_nowait(_Parser(self._command))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for _ in range(self._size):
            await (await self._idle.get()).end()

    async def parse(self, body: bytes, url: str, content_type: str) -> ParsedFeed:
        """The parsed feed; one that hangs or kills its parser is not a feed, with that as the reason."""
        parser = await self._idle.get()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await parser.parse(Request(body, url, content_type))
        except TimeoutError:
            return ParsedFeed(State.NOT_A_FEED, f"took longer than {self._timeout_s:.4g}s to parse: remove the feed")
        except (asyncio.IncompleteReadError, ConnectionError):
            return ParsedFeed(State.NOT_A_FEED, "ended the process that parsed it: remove the feed")
        finally:
            self._idle.put_nowait(parser)


class _Parser:
    """One parser process, or none yet."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: asyncio.subprocess.Process | None = None

    async def parse(self, request: Request) -> ParsedFeed:
        """Send and receive; whoever is interrupted in between leaves no process with an answer nobody awaits."""
        try:
            stdin, stdout = await self._started()
            message = msgspec.msgpack.encode(request)
            stdin.write(LENGTH.pack(len(message)) + message)
            await stdin.drain()
            length = LENGTH.unpack(await stdout.readexactly(LENGTH.size))[0]
            return _decode(await stdout.readexactly(length))
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
                start_new_session=True,  # a Ctrl-C is the poller's: this one ends with its input
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

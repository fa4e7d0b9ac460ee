"""The extracting processes (worker/contained): a page that hangs or kills its extractor fails alone.

Invariant: the answer is an Extracted, whatever the page does; what cannot read a page of our own is broken itself.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections import OrderedDict
from collections.abc import Callable, Sequence
from time import monotonic
from types import TracebackType
from typing import Self

import msgspec

from worker.contained.pool import Busy, Died, Hung, Pool
from worker.contained.serve import LENGTH
from worker.errors import Permanent
from worker.feed.domain import hostname, registrable
from worker.pages.extracted import Extracted, Request

TIMEOUT_S = 15.0
"""A page of a megabyte takes 0.3 s, and the first one the 0.7 s of starting; what takes longer is made to."""

WAIT_S = 30.0
"""For a process that is free: what held up all of them is ended by then."""

AVOIDED_S = 3600.0
"""How long no page of a site is read after one that hung."""

_MOST_AVOIDED = 1_000

COMMAND = (sys.executable, "-P", "-m", "worker.pages.extractor")

_OURS = Request(b"<html><body><p>A page of our own.</p></body></html>", "https://example.org/", "text/html")
"""Any extractor that works survives this one."""

_AVOIDED = "was left alone: another page of its site took too long to read, less than an hour ago"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Extracted).decode


class Extractors:
    """A pool of `size` processes, started when they are first needed. Use it as an async context manager."""

    def __init__(
        self,
        size: int = 2,
        timeout_s: float = TIMEOUT_S,
        command: Sequence[str] = COMMAND,
        *,
        wait_s: float = WAIT_S,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._pool = Pool(command, timeout_s=timeout_s, size=size)
        self._wait_s, self._now = wait_s, now
        self._avoided: OrderedDict[str, float] = OrderedDict()
        self._command = command
        self.proved = False

    async def __aenter__(self) -> Self:
        await self._pool.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._pool.__aexit__(kind, error, traceback)

    async def prove(self) -> None:
        """Try such a process on a page of our own. Raises Permanent where it dies of that: no page is at fault then."""
        try:
            async with asyncio.timeout(self._pool.timeout_s):
                answer, said, status = await self._tried(_encode(_OURS))
        except (TimeoutError, OSError):  # a machine that is busy or full: the pages will tell
            answer, said, status = b"untold", b"", 0
        if not answer:
            raise Permanent(_broken(said.decode("utf-8", "replace"), status))
        self.proved = True

    async def _tried(self, message: bytes) -> tuple[bytes, bytes, int | None]:
        """What a process of its own says to this message, what it says of itself, and its exit status."""
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True
        )
        try:
            answer, said = await process.communicate(LENGTH.pack(len(message)) + message)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return answer, said, process.returncode

    async def extract(self, body: bytes, url: str, content_type: str) -> Extracted:
        """What is on the page; of one that hangs or kills its extractor nothing, with that as the reason; nor of
        the next pages of a site where one did hang."""
        site = registrable(url) or hostname(url)
        if self._now() < self._avoided.get(site, 0.0):
            return Extracted(reason=_AVOIDED)
        try:
            return _decode(await self._pool.ask(_encode(Request(body, url, content_type)), self._wait_s))
        except Busy:
            return Extracted(reason=f"waited for {self._wait_s:.4g}s while other pages were read")
        except Hung:
            self._avoided[site] = self._now() + AVOIDED_S
            self._avoided.move_to_end(site)
            if len(self._avoided) > _MOST_AVOIDED:
                self._avoided.popitem(last=False)
            return Extracted(reason=f"took longer than {self._pool.timeout_s:.4g}s to read")
        except Died:
            self.proved = False
            return Extracted(reason="ended the process that read it")


def _broken(said: str, status: int | None) -> str:
    """What is told of an extractor that is broken: the last line of what it said, which names the error."""
    last = (said.strip().splitlines() or [f"it ends with status {status}"])[-1][:200]
    return f"the process that extracts text does not work ({last}): install Storywire and its packages anew"

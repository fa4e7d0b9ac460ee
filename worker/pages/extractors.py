"""The extracting processes (worker/contained): a page that hangs or kills its extractor fails alone.

Invariant: the answer is an Extracted, whatever the page does.
"""

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import msgspec

from worker.contained.pool import Died, Hung, Pool
from worker.pages.extracted import Extracted, Request

TIMEOUT_S = 15.0
"""A page of a megabyte takes 0.3 s, and the first one the 0.7 s of starting; what takes longer is made to."""

COMMAND = (sys.executable, "-P", "-m", "worker.pages.extractor")

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Extracted).decode


class Extractors:
    """A pool of `size` processes, started when they are first needed. Use it as an async context manager."""

    def __init__(self, size: int = 1, timeout_s: float = TIMEOUT_S, command: Sequence[str] = COMMAND) -> None:
        self._pool = Pool(command, timeout_s=timeout_s, size=size)

    async def __aenter__(self) -> Self:
        await self._pool.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._pool.__aexit__(kind, error, traceback)

    async def extract(self, body: bytes, url: str, content_type: str) -> Extracted:
        """What is on the page; of one that hangs or kills its extractor nothing, with that as the reason."""
        try:
            return _decode(await self._pool.ask(_encode(Request(body, url, content_type))))
        except Hung:
            return Extracted(reason=f"took longer than {self._pool.timeout_s:.4g}s to read")
        except Died:
            return Extracted(reason="ended the process that read it")

"""The parser processes of a poller (worker/contained): a body that hangs or kills its parser fails alone.

Invariant: the answer is a ParsedFeed, whatever the body does.
"""

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import msgspec

from worker.contained.pool import Died, Hung, Pool
from worker.feed.parse import ParsedFeed, State
from worker.poller.parser import Request

TIMEOUT_S = 20.0
"""5 MB of real entries take feedparser about 2 s, 170,000 tiny ones 9 s; what takes longer is made to."""

COMMAND = (sys.executable, "-P", "-m", "worker.poller.parser")
"""-P: a folder named `worker` where the poller was started must not be taken for ours."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ParsedFeed).decode


class Parsers:
    """A pool of `size` parser processes, started when they are first needed. Use it as an async context manager."""

    def __init__(self, size: int | None = None, timeout_s: float = TIMEOUT_S, command: Sequence[str] = COMMAND) -> None:
        self._pool = Pool(command, timeout_s=timeout_s, size=size)

    async def __aenter__(self) -> Self:
        await self._pool.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._pool.__aexit__(kind, error, traceback)

    async def parse(self, body: bytes, url: str, content_type: str) -> ParsedFeed:
        """The parsed feed; one that hangs or kills its parser is not a feed, with that as the reason."""
        try:
            return _decode(await self._pool.ask(_encode(Request(body, url, content_type))))
        except Hung:
            took = f"took longer than {self._pool.timeout_s:.4g}s to parse: remove the feed"
            return ParsedFeed(State.NOT_A_FEED, took)
        except Died:
            return ParsedFeed(State.NOT_A_FEED, "ended the process that parsed it: remove the feed")

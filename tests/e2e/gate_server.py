"""A feed server that sees for itself whether its hosts' gates are kept: when each request began, and how many at once.

It listens on all of 127.0.0.0/8, so that one server is as many hosts as a test wants.
"""

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from tests.e2e.feed_server import Answer, FeedServer, Request

_WAY_S = 0.1
"""What the way from the gate to the server may shift a start by: how late one may be, and a busy machine's share."""


@dataclass
class Seen:
    """What one host saw: when requests began, and the most that were under way at once."""

    starts: list[float] = field(default_factory=list)
    inside: int = 0
    most: int = 0

    @property
    def least_gap_s(self) -> float:
        """The shortest time from one start to the next."""
        return min((after - before for before, after in pairwise(sorted(self.starts))), default=float("inf"))


class GateServer(FeedServer):
    """`serve(path, body)` answers after `takes_s`; `seen` has what each host saw."""

    def __init__(self, takes_s: float) -> None:
        super().__init__("0.0.0.0")
        self.takes_s = takes_s
        self.seen: dict[str, Seen] = defaultdict(Seen)

    def address(self, host: int, path: str) -> str:
        """The address of a path on one of many hosts."""
        return f"http://127.0.1.{host}:{self.port}{path}"

    def serve(self, path: str, answer: Answer) -> None:
        """Answer this after a while, and take notice."""

        async def watched(request: Request, writer: asyncio.StreamWriter) -> None:
            seen = self.seen[request.headers["host"].partition(":")[0]]
            seen.starts.append(time.monotonic())
            seen.inside += 1
            seen.most = max(seen.most, seen.inside)
            try:
                await asyncio.sleep(self.takes_s)
            finally:
                seen.inside -= 1
            await answer(request, writer)

        self.routes[path] = watched

    def kept(self, parallel: int, spacing_s: float) -> list[str]:
        """A line for each host whose gate was broken."""
        return [
            f"{host}: {seen.most} at once, {seen.least_gap_s:.3f} s apart"
            for host, seen in self.seen.items()
            if seen.most > parallel or seen.least_gap_s < spacing_s - _WAY_S
        ]

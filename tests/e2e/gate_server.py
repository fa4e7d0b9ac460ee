"""A feed server that sees for itself whether its hosts' gates are kept: when each request began, and how many at once.

It listens on all of 127.0.0.0/8, so that one server is as many hosts as a test wants.
"""

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field

from tests.e2e.feed_server import Answer, FeedServer, Request

_WAY_S = 0.1
"""How late a request may come that passed its gate in time, or half a spacing if that is more: a busy machine's."""


@dataclass
class Seen:
    """What one host saw: when requests began, and the most that were under way at once."""

    starts: list[float] = field(default_factory=list)
    inside: int = 0
    most: int = 0

    def late_s(self, spacing_s: float) -> float:
        """How late the latest came, if each passed its gate a spacing before the next: one that was held up on its way
        is that late, while a gate that lets all in too soon makes the first ones later with each that follows."""
        late_s, next_s = 0.0, float("inf")
        for start in sorted(self.starts, reverse=True):
            next_s = min(start, next_s - spacing_s)
            late_s = max(late_s, start - next_s)
        return late_s


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
            f"{host}: {seen.most} at once, up to {seen.late_s(spacing_s):.3f} s late"
            for host, seen in self.seen.items()
            if seen.most > parallel or seen.late_s(spacing_s) > max(_WAY_S, spacing_s / 2)
        ]

"""The web of a simulated day: ten thousand feeds on loopback addresses of their own, by a clock that runs faster.

Run as a process by day.py: it says its port on a line, answers, and writes what it saw when its input ends.
Invariant: what it notes is what it was asked, in simulated time; it knows nothing of the poller.
"""

import asyncio
import json
import sys
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from email.utils import formatdate
from random import Random
from typing import NamedTuple

DAY_S = 86_400.0
SHOWN = 20
"""Entries of a document: the newest."""

RATES_A_DAY = ((0.05, 144.0), (0.20, 24.0), (0.35, 4.0), (0.30, 1.0), (0.10, 0.0))
"""Shares of the feeds, and what each brings a day, at random times: wires, papers, magazines, blogs, dead ones."""

_LARGEST_HOST = 100
_HISTORY_S = 30 * DAY_S
_TAKES_S = (0.5, 6.0)
"""Simulated seconds from a question to its answer: so that two may be under way at one host."""


class Pace(NamedTuple):
    """Simulated time: `began_s` was real time `real_s`, and `factor` seconds pass in each real one."""

    began_s: float
    real_s: float
    factor: float

    def now(self) -> float:
        """Seconds since 1970 in the simulated world."""
        return self.began_s + (time.time() - self.real_s) * self.factor

    def sleep_s(self, seconds: float) -> float:
        """How long so many simulated seconds take."""
        return seconds / self.factor


def host_of(feed: int, feeds: int) -> str:
    """The loopback address of a feed: a few hosts have a hundred feeds, most have one or two."""
    large = feeds // 10
    number = feed // _LARGEST_HOST if feed < large else large + (feed - large) * 2 // 3
    return f"127.1.{number >> 8 & 255}.{number & 255}"


def appearing(feed: int, feeds: int, began_s: float) -> list[float]:
    """When the entries of a feed appear, from a month before the day to its end; a Poisson process of its rate."""
    rng, rate = Random(feed), _rate((feed * 7919 % feeds) / feeds)
    times, at = [], began_s - _HISTORY_S
    while rate and (at := at + rng.expovariate(rate / DAY_S)) < began_s + DAY_S:
        times.append(at)
    return times


def _rate(share: float) -> float:
    """What a feed brings a day that stands at this share of them all."""
    for part, rate in RATES_A_DAY:
        share -= part
        if share < 0:
            return rate
    return 0.0


class Web:
    """Answers for all feeds. `starts`: host -> (start, end) of each request, `asked`: (feed, time, entries shown)."""

    def __init__(self, feeds: int, pace: Pace) -> None:
        self._pace = pace
        self._times = [appearing(feed, feeds, pace.began_s) for feed in range(feeds)]
        self._rng = Random(7)
        self.starts: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self.asked: list[tuple[int, float, int]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection: requests one after another, until it is closed."""
        host = writer.get_extra_info("sockname")[0]
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                began = self._pace.now()
                answer = self._answer(head, began)
                await asyncio.sleep(self._rng.uniform(*_TAKES_S) / self._pace.factor)
                writer.write(answer)
                await writer.drain()
                self.starts[host].append((began, self._pace.now()))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, head: bytes, now: float) -> bytes:
        feed = int(head.split(b" ", 2)[1].rpartition(b"/")[2])
        shown = bisect_right(self._times[feed], now)
        self.asked.append((feed, now, shown))
        etag = f'"{shown}"'
        if etag.encode() in head:
            return f"HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\n\r\n".encode()
        body = document(feed, self._times[feed][max(0, shown - SHOWN) : shown], max(0, shown - SHOWN)).encode()
        headers = f"HTTP/1.1 200 OK\r\nETag: {etag}\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        return headers.encode() + body


def document(feed: int, times: Sequence[float], first: int) -> str:
    """An RSS document of these entries, which are numbered from `first`; the newest stands at the top."""
    items = "".join(
        f"<item><guid isPermaLink='false'>{feed}-{number}</guid><title>Report {number} of feed {feed}</title>"
        f"<link>https://feed{feed}.example/{number}</link><description>What feed {feed} has to say, for the time "
        f"number {number}, about the harbour, the council and the weather.</description>"
        f"<pubDate>{formatdate(at, usegmt=True)}</pubDate></item>"
        for number, at in reversed(list(enumerate(times, first)))
    )
    return f"<rss version='2.0'><channel><title>Feed {feed}</title><language>en</language>{items}</channel></rss>"


async def _main(feeds: int, pace: Pace) -> None:
    web = Web(feeds, pace)
    server = await asyncio.start_server(web.serve, "0.0.0.0", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()
    print(json.dumps({"asked": web.asked, "starts": web.starts}), flush=True)


if __name__ == "__main__":
    count, began, real, by = sys.argv[1:]
    asyncio.run(_main(int(count), Pace(float(began), float(real), float(by))))

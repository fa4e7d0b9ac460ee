"""A real poller over real HTTP and a real store, with a clock that is moved by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import escape
from time import monotonic

from worker.clock import ManualClock
from worker.config import load
from worker.connect import connect
from worker.feed.address import feed_id, normal_url
from worker.fetch import Fetcher
from worker.model import Article, Ref
from worker.poller.loop import Poller
from worker.poller.parsers import Parsers
from worker.store import keys
from worker.store.feeds import Feed, Feeds
from worker.store.gates import Gates, Rule
from worker.store.hubs import Hubs
from worker.store.outbox import Outbox
from worker.store.pollers import Pollers
from worker.store.reach import ALL_ANSWER, Reach

NOW = 1_750_000_000.0


async def eventually(condition: Callable[[], bool], message: Callable[[], str], within_s: float = 20.0) -> None:
    """Wait until the condition holds, or fail with the message."""
    until = monotonic() + within_s
    while not condition():
        assert monotonic() < until, f"not within {within_s:g} s: {message()}"
        await asyncio.sleep(0.003)


@dataclass
class Bench:
    """A store and what polls it."""

    feeds: Feeds
    outbox: Outbox
    clock: ManualClock
    queued: list[list[Ref]] = field(default_factory=list)

    def enqueue(self, refs: Sequence[Ref]) -> int:
        """Stands where the queue is: notes what would be queued."""
        self.queued.append(list(refs))
        return 1

    @property
    def refs(self) -> list[Ref]:
        """All that was queued, in order."""
        return [ref for refs in self.queued for ref in refs]

    def articles(self) -> list[Article]:
        """The newest revision of all that was queued, in order of first arrival."""
        return [article for _, article in self.outbox.load(self.refs)]

    def feed(self, url: str) -> Feed:
        """The feed of an address."""
        found = self.feeds.get(feed_id(normal_url(url)))
        assert found is not None, f"{url} is no feed"
        return found

    async def polled(self, *urls: str) -> None:
        """Wait until these feeds have been polled at the present time."""

        def waiting() -> list[str]:
            return [url for url in urls if self.feed(url).polls.polled != self.clock.now()]

        await eventually(lambda: not waiting(), lambda: f"not polled: {waiting()}")

    def pass_time(self, seconds: float, *urls: str) -> None:
        """Let time pass, at the end of which these are due, whenever the schedule would have had them."""
        due = self.clock.now() + seconds  # set first: who is due may be polled already
        if urls:
            self.outbox._redis.zadd(keys.schedule(), {self.feed(url).id: due for url in urls})
        self.clock.advance(seconds)

    async def turn(self, *urls: str, after_s: float = 25 * 3600.0) -> None:
        """Let so much time pass that all feeds are due, and wait until these have been polled."""
        self.clock.advance(after_s)
        await self.polled(*urls)


def bench(url: str) -> Bench:
    """A bench on an empty store."""
    client = connect(url)
    return Bench(Feeds(client), Outbox(client), ManualClock(NOW))


@asynccontextmanager
async def poller(
    bench: Bench,
    *,
    parsers: Parsers | None = None,
    fetcher: Fetcher | None = None,
    fetch_timeout: str = "5s",
    parallel: int = 16,
    max_pending: int = 50_000,
    max_daily: int = 5_000,
    gate: str = "host",
    gate_parallel: int = 64,
    gate_spacing: str = "0s",
    reach: Reach = ALL_ANSWER,
) -> AsyncIterator[Poller]:
    """A running poller on the bench; stopped in the end."""
    settings = load(
        {"STORYWIRE_REDIS_URL": "unused", "STORYWIRE_FETCH_TIMEOUT": fetch_timeout, "STORYWIRE_ALLOW_PRIVATE": "1"},
        fetch_parallel=str(parallel),
        max_pending=str(max_pending),
        max_daily=str(max_daily),
        gate=gate,
        gate_parallel=str(gate_parallel),
        gate_spacing=gate_spacing,
    )
    running = Poller(
        feeds=bench.feeds,
        outbox=bench.outbox,
        pollers=Pollers(bench.outbox._redis),
        gates=Gates(bench.outbox._redis, Rule(gate, gate_parallel, settings.gate_spacing), bench.clock),
        hubs=Hubs(bench.outbox._redis),
        enqueue=bench.enqueue,
        settings=settings,
        clock=bench.clock,
        fetcher=fetcher,
        parsers=parsers,
        tick_s=0.005,
        look_s=0.0,
        reach=reach,
    )
    task = asyncio.create_task(running.run())
    try:
        yield running
    finally:
        running.stop()
        async with asyncio.timeout(20):
            await task


def rss(*items: tuple[str, str, str], channel: str = "Example News") -> str:
    """An RSS document of (guid, title, description) items."""
    shown = "".join(
        f"<item><guid isPermaLink='false'>{escape(guid)}</guid><title>{escape(title)}</title>"
        f"<link>https://example.org/{escape(guid)}</link><description>{escape(text)}</description>"
        f"<pubDate>Sun, 15 Jun 2025 15:00:00 GMT</pubDate></item>"
        for guid, title, text in items
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>{escape(channel)}</title>'
        f"<link>https://example.org/</link><language>en</language>{shown}</channel></rss>"
    )

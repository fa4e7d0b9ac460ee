"""A store, what polls it and what serves it, a site and its hub: what the tests of WebSub play on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from html import escape
from typing import Any

from tests.e2e.feed_server import FeedServer, page
from tests.e2e.hub import Form, Hub
from tests.e2e.polling import NOW, Bench, eventually, rss
from tests.servers import free_port
from worker.clock import ManualClock
from worker.config import load
from worker.feed.websub import Subscription
from worker.runtime import Runtime, open_runtime
from worker.web.serve import Serving

STORY = "The harbour bridge of Port Vell was closed on Monday after engineers found cracks in two of its pillars."


@dataclass
class Scene:
    """A store with what polls it and what serves it, a site and its hub."""

    runtime: Runtime
    bench: Bench
    site: FeedServer
    hub: Hub

    def document(self, path: str, *guids: str) -> str:
        """A feed of these entries that names its hub."""
        links = f'<link xmlns="http://www.w3.org/2005/Atom" rel="hub" href="{escape(self.hub.url)}"/>'
        links += f'<link xmlns="http://www.w3.org/2005/Atom" rel="self" href="{escape(self.site.url(path))}"/>'
        items = [(guid, f"Report {guid}", f"{STORY} It is report {guid}.") for guid in guids]
        return rss(*items).replace("<channel>", f"<channel>{links}")

    def add(self, path: str, *guids: str) -> str:
        """A feed with these entries; its id."""
        self.site.routes[path] = page(self.document(path, *guids), content_type="application/rss+xml")
        return self.runtime.feeds.add(self.site.url(path), "", self.bench.clock.now())[0]

    async def subscribed(self, path: str = "/feed", count: int = 1) -> Form:
        """What the hub was asked for, once it has confirmed so often."""
        await self.until(lambda: len(self.hub.of("subscribe", self.site.url(path))) >= count, "asked")
        form = self.hub.of("subscribe", self.site.url(path))[-1]
        await self.until(lambda: self.active(path), "confirmed")
        return form

    async def pushed(self, form: Form, body: bytes | str, **how: Any) -> int:
        """Push a body: the status."""
        return await asyncio.to_thread(self.hub.push, form, body, **how)

    async def asked_back(self, form: Form, **changed: str) -> tuple[int, str]:
        """A question of the hub's: status and body of the answer."""
        return await asyncio.to_thread(self.hub.ask, form, **changed)

    def known(self, path: str = "/feed") -> Subscription | None:
        """What is known of a feed's subscription."""
        return self.runtime.hubs.get(self.bench.feed(self.site.url(path)).id)

    def reason(self, path: str = "/feed") -> str:
        """Why it is not in force."""
        known = self.known(path)
        return known.reason if known else ""

    def active(self, path: str = "/feed") -> bool:
        """Whether it is in force, with what was last asked for."""
        known = self.known(path)
        return known is not None and known.active(self.bench.clock.now()) and not known.pending

    def titles(self) -> list[str]:
        """Of all that was published, in order."""
        return [article.title for article in self.bench.articles()]

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for it."""
        await eventually(condition, lambda: f"{what}; {self.runtime.feeds.all()[:3]}; asked {self.hub.asked}")


def opened(url: str, clock: ManualClock, **settings: str) -> Any:
    """A runtime whose web process listens at a port of its own."""
    place = f"127.0.0.1:{free_port()}"
    ours = {"listen": place, "public_url": f"http://{place}/wire", "allow_private": "1", "gate_spacing": "0s"}
    ours |= {"gate_parallel": "64"} | settings
    return open_runtime(load({"STORYWIRE_REDIS_URL": url}, **ours), clock)


@asynccontextmanager
async def subscribing(url: str, **settings: str) -> AsyncIterator[Scene]:
    """A scene whose web process runs; the poller is the test's."""
    clock = ManualClock(NOW)
    with ExitStack() as closing:
        site, hub = closing.enter_context(FeedServer()), closing.enter_context(Hub())
        runtime = closing.enter_context(opened(url, clock, **settings))
        serving = Serving(runtime, tick_s=0.01, look_s=0.02)
        task = asyncio.create_task(serving.run())
        try:
            yield Scene(runtime, Bench(runtime.feeds, runtime.outbox, clock), site, hub)
        finally:
            serving.stop()
            async with asyncio.timeout(10):
                await task

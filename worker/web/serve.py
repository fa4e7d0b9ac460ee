"""The web process: listens, serves, and keeps the subscriptions at hubs where others can reach it.

Invariant: asked to end, it ends within STOP_S: requests in hand are finished or broken off, and hubs push again.
"""

import asyncio
import gc
import os
import socket
import sys
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import structlog

from worker.alerts.file import RuleFile
from worker.alerts.watch import watch
from worker.aside import Aside
from worker.fetch import Guard
from worker.fetch.post import Poster
from worker.listening import listen, place_of
from worker.runtime import Runtime
from worker.watchdog import Watchdog
from worker.web.alive import stay_alive
from worker.web.app import make_app
from worker.web.limits import RATES, Rate
from worker.web.live import Live
from worker.web.server import hurry, server_of
from worker.web.site import Site
from worker.web.subscriber import LOOK_S, TICK_S, Subscriber

STOP_S = 8.0
_HUB_S = 15.0

_SWITCH_S = 0.0005
"""How long a thread that computes aside keeps others from running: with Python's 5 ms each wait of the loop for a
socket took 5 ms more while anybody searched."""

_THREADS = {"requests": 4, "shared": 2, "live": 2, "alerts": 2, "hubs": 2, "alive": 1}
"""Of each part: with four for all of them, 40 who asked for a story of 300 articles had the board wait for 5 s, and
signs of life with it."""

_READY_LOOK_S = 0.02
"""How often it is looked whether uvicorn answers by now."""

log = structlog.get_logger()


def alone() -> None:
    """Of a process that does nothing but serve, once it has begun: the loop gets its turn beside threads that compute,
    and the collector of cycles passes by what was loaded for good (a pass took 84 ms while stories were read, with all
    threads waiting; then 9)."""
    sys.setswitchinterval(_SWITCH_S)
    gc.collect()
    gc.freeze()


class Serving:
    """Serves until stopped. `tick_s`, `look_s`: how often subscriptions are looked at; `rates`: how often one client
    may ask for what costs.

    Raises BadSetting where others than this machine reach it, and there is no token, and for a bad file of rules,
    unless it is `lenient`: then the page is served, and alerts begin when the file is mended.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        tick_s: float = TICK_S,
        look_s: float = LOOK_S,
        rates: Mapping[str, Rate] = RATES,
        listening: socket.socket | None = None,
        watchdog: Watchdog | None = None,
        lenient: bool = False,
    ) -> None:
        self._watchdog = watchdog or Watchdog({})
        self._listening = listening
        self._runtime, self._tick_s, self._look_s = runtime, tick_s, look_s
        rules = runtime.settings.alerts
        self._rules = RuleFile(Path(rules), os.environ, lenient=lenient) if rules else None
        self._asides = {part: Aside(part, threads) for part, threads in _THREADS.items()}
        self.live = Live(runtime.stories, self._asides["live"], clock=runtime.clock.now)
        self._site = Site(runtime, self.live, self._asides["requests"], self._asides["shared"], rates=rates)
        self._server = server_of(make_app(self._site), STOP_S)

    def stop(self) -> None:
        """End soon: streams end at once."""
        self._watchdog.end()
        self._server.should_exit = True
        self.live.end()

    async def run(self) -> None:
        """Until stopped. Raises Permanent where it cannot listen."""
        settings = self._runtime.settings
        listening = self._listening or listen(settings.listen)
        hurry(listening)
        self._say(listening)
        poster = Poster(user_agent=settings.user_agent, timeout_s=_HUB_S, guard=Guard(settings.allow_private))
        try:
            async with poster, _beside(self._parts(poster, place_of(listening))):
                await self._server.serve(sockets=[listening])
        finally:
            listening.close()
            for aside in self._asides.values():
                aside.close()

    def _say(self, listening: socket.socket) -> None:
        public_url = self._runtime.settings.public_url
        log.info("listening", address=place_of(listening), public_url=public_url or "none: no hub is asked to push")
        if self._site.safety.hides_clients:
            log.warning(
                "all clients look like one: whoever tries wrong tokens has everybody wait for the login page",
                public_url=public_url,
                remedy="set STORYWIRE_PROXIES to how many proxies of yours add to X-Forwarded-For",
            )

    def _parts(self, poster: Poster, place: str) -> Iterator[Coroutine[Any, Any, None]]:
        """What goes on beside the answers to requests."""
        runtime, aside = self._runtime, self._asides
        yield self.live.run()
        yield self._tell(place)
        yield stay_alive(runtime.webs, aside["alive"], runtime.clock.now(), place)
        if self._rules is not None:
            yield watch(runtime, self._rules, aside["alerts"], self._site.metrics)
        if runtime.settings.public_url:
            yield self._subscriber(poster).run()

    async def _tell(self, place: str) -> None:
        """Give the service manager signs of life from the loop that answers, from the first moment that it does."""
        while not self._server.started:
            await asyncio.sleep(_READY_LOOK_S)
        while True:
            self._watchdog.turn(f"Serving at {place}")
            await asyncio.sleep(self._watchdog.every_s)

    def _subscriber(self, poster: Poster) -> Subscriber:
        runtime = self._runtime
        return Subscriber(
            hubs=runtime.hubs,
            feeds=runtime.feeds,
            gates=runtime.gates,
            poster=poster,
            clock=runtime.clock,
            base=runtime.settings.public_url,
            aside=self._asides["hubs"],
            tick_s=self._tick_s,
            look_s=self._look_s,
        )


@asynccontextmanager
async def _beside(parts: Iterable[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Have these run while the block lasts."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

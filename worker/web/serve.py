"""The web process: listens, serves, and keeps the subscriptions at hubs where others can reach it.

Invariant: asked to end, it ends within STOP_S: requests in hand are finished or broken off, and hubs push again.
"""

import asyncio
import gc
import os
import socket
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from worker.alerts.file import RuleFile
from worker.alerts.watch import watch
from worker.fetch import Guard
from worker.fetch.post import Poster
from worker.listening import listen, place_of
from worker.runtime import Runtime
from worker.watchdog import Watchdog
from worker.web.alive import stay_alive
from worker.web.app import make_app
from worker.web.aside import Aside
from worker.web.limits import RATES, Rate
from worker.web.live import Live
from worker.web.site import Site
from worker.web.subscriber import LOOK_S, TICK_S, Subscriber

STOP_S = 8.0
_HEAD_S = 10.0
"""How long the head of a request may take: who sends a byte a minute holds no connection."""

_UNREAD_MS = 30_000
"""How long a client may leave unread what it was sent, before its connection is ended."""

_KEEP_ALIVE_S = 15
_MOST_HEAD = 32_768
_MOST_AT_ONCE = 1_000
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


class _Patient(H11Protocol):
    """uvicorn waits for ever for the head of a request; this does not."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._late = self.loop.call_later(_HEAD_S, self._give_up)

    def data_received(self, data: bytes) -> None:
        if self._late is None and (self.cycle is None or self.cycle.response_complete):
            self._late = self.loop.call_later(_HEAD_S, self._give_up)
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._be_patient()

    def connection_lost(self, exc: Exception | None) -> None:
        self._be_patient()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        self._late = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()

    def _be_patient(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs it: uvicorn's own would end the process by the signal it got."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """None are."""
        yield


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
        self._server = _Server(
            uvicorn.Config(
                make_app(self._site),
                http=_Patient,
                ws="none",
                lifespan="off",
                loop="asyncio",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=int(STOP_S),
                limit_concurrency=_MOST_AT_ONCE,
                h11_max_incomplete_event_size=_MOST_HEAD,
            )
        )

    def stop(self) -> None:
        """End soon: streams end at once."""
        self._watchdog.end()
        self._server.should_exit = True
        self.live.end()

    async def run(self) -> None:
        """Until stopped. Raises Permanent where it cannot listen."""
        settings = self._runtime.settings
        listening = self._listening or listen(settings.listen)
        # Every connection takes these over. asyncio sets TCP_NODELAY only where a socket names TCP (these say 0): an
        # answer in two parts then waits 40 ms for the client's delayed acknowledgement.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MS)
        log.info(
            "listening", address=place_of(listening), public_url=settings.public_url or "none: no hub is asked to push"
        )
        if self._site.safety.hides_clients:
            log.warning(
                "all clients look like one: whoever tries wrong tokens has everybody wait for the login page",
                public_url=settings.public_url,
                remedy="set STORYWIRE_PROXIES to how many proxies of yours add to X-Forwarded-For",
            )
        try:
            async with Poster(
                user_agent=settings.user_agent, timeout_s=_HUB_S, guard=Guard(settings.allow_private)
            ) as poster:
                tasks = [asyncio.create_task(self.live.run()), asyncio.create_task(self._tell(place_of(listening)))]
                began, place = self._runtime.clock.now(), place_of(listening)
                tasks.append(asyncio.create_task(stay_alive(self._runtime.webs, self._asides["alive"], began, place)))
                if self._rules is not None:
                    watching = watch(self._runtime, self._rules, self._asides["alerts"], self._site.metrics)
                    tasks.append(asyncio.create_task(watching))
                if settings.public_url:
                    tasks.append(asyncio.create_task(self._subscriber(poster).run()))
                try:
                    await self._server.serve(sockets=[listening])
                finally:
                    await _ended(tasks)
        finally:
            listening.close()
            for aside in self._asides.values():
                aside.close()

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


async def _ended(tasks: "Sequence[asyncio.Task[None]]") -> None:
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

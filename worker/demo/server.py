"""Serves the newsroom over loopback HTTP: feeds with validators, article pages, an OPML of all feeds.

Invariant: binds 127.0.0.1 only. One outlet drips its feed, one fails now and then, as in life.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from email.utils import formatdate, parsedate_to_datetime
from functools import partial
from itertools import cycle

from aiohttp import web

from worker.clock import Clock, SystemClock
from worker.demo import feeds
from worker.demo.outlets import OUTLETS, Outlet
from worker.demo.press import Press, Shelf

SCALE = 60.0
"""Simulated seconds a second, at speed 1."""
_DRIPS = 8
_FAILS = ("", "error", "", "", "cut")
"""What an unreliable outlet does at one request after another."""


class NewsroomServer:
    """The newsroom's web server; `start` returns its address, `http://127.0.0.1:PORT`."""

    def __init__(
        self,
        seed: int,
        *,
        speed: float = 1.0,
        port: int = 0,
        drip_s: float = 0.5,
        clock: Clock | None = None,
        outlets: Sequence[Outlet] = OUTLETS,
    ) -> None:
        self._seed, self._scale, self._port, self._drip_s = seed, SCALE * speed, port, drip_s
        self._clock = clock or SystemClock()
        self._outlets = outlets
        self._fails = {outlet.id: cycle(_FAILS) for outlet in outlets if outlet.manner == "broken"}
        self._rendered: dict[str, tuple[int, bytes]] = {}
        self._runner: web.AppRunner | None = None
        self.site = ""

    async def start(self) -> str:
        """Listen; raises OSError if the port is taken."""
        app = web.Application()
        app.router.add_get("/", self._front_page)
        app.router.add_get("/feeds.opml", self._opml)
        app.router.add_get("/{outlet}/feed.xml", self._feed)
        app.router.add_get("/{outlet}/{article}", self._page)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        port = self._runner.addresses[0][1]
        self.site = f"http://127.0.0.1:{port}"
        start_s = self._clock.now()
        self._press = Press(self._seed, start_s=start_s, scale=self._scale, site=self.site, outlets=self._outlets)
        self._press.advance(start_s)
        return self.site

    async def stop(self) -> None:
        """Stop listening and end the requests that run."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _shelf(self, request: web.Request) -> Shelf:
        self._press.advance(self._clock.now())
        shelf = self._press.shelves.get(request.match_info["outlet"])
        if shelf is None:
            raise web.HTTPNotFound(text="There is no such outlet.\n")
        return shelf

    async def _front_page(self, _request: web.Request) -> web.Response:
        return web.Response(text=feeds.front_page(self._outlets), content_type="text/html")

    async def _opml(self, _request: web.Request) -> web.Response:
        return web.Response(text=feeds.opml(self._outlets, self.site), content_type="text/x-opml")

    async def _page(self, request: web.Request) -> web.Response:
        shelf = self._shelf(request)
        article = shelf.articles.get(request.match_info["article"])
        if article is None:
            raise web.HTTPNotFound(text="There is no such article, or it is no longer kept.\n")
        return web.Response(text=feeds.page(shelf.outlet, article), content_type="text/html")

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        shelf = self._shelf(request)
        failure = next(self._fails[shelf.outlet.id]) if shelf.outlet.id in self._fails else ""
        if failure == "error":
            raise web.HTTPInternalServerError(text="The presses have stopped.\n")
        body = self._body(shelf)
        if failure == "cut":
            return web.Response(body=body[: len(body) * 2 // 3], content_type=_content_type(shelf.outlet))
        etag = f'"{self._seed}-{shelf.version}"'
        headers = {"ETag": etag, "Last-Modified": formatdate(shelf.changed_s, usegmt=True)}
        if not_modified(request, etag, shelf.changed_s):
            return web.Response(status=304, headers=headers)
        headers["Content-Type"] = f"{_content_type(shelf.outlet)}; charset=utf-8"
        if shelf.outlet.manner == "slow":
            return await self._drip(request, body, headers)
        return web.Response(body=body, headers=headers)

    def _body(self, shelf: Shelf) -> bytes:
        version, body = self._rendered.get(shelf.outlet.id, (-1, b""))
        if version != shelf.version:
            body = feeds.feed(shelf.outlet, self.site, shelf.newest, self._press.time.real)
            self._rendered[shelf.outlet.id] = shelf.version, body
        return body

    async def _drip(self, request: web.Request, body: bytes, headers: dict[str, str]) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        response.content_length = len(body)
        await response.prepare(request)
        piece = len(body) // _DRIPS + 1
        with suppress(ConnectionResetError):  # a client that is tired of waiting
            for at in range(0, len(body), piece):
                await asyncio.sleep(self._drip_s)
                await response.write(body[at : at + piece])
        return response


def _content_type(outlet: Outlet) -> str:
    return feeds.CONTENT_TYPES[outlet.feed]


def not_modified(request: web.Request, etag: str, changed_s: float) -> bool:
    """Whether the client has it already (RFC 9110 13.2.2): an ETag, where one is sent, decides alone."""
    if tags := request.headers.get("If-None-Match"):
        return etag in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
    with suppress(ValueError, TypeError):
        since = parsedate_to_datetime(request.headers.get("If-Modified-Since", ""))
        return int(changed_s) <= since.timestamp()
    return False


@contextmanager
def serving(server: NewsroomServer) -> Iterator[str]:
    """Serve from a thread of its own while the block lasts; yields the address. Raises OSError if it cannot listen."""
    started: Future[Callable[[], object]] = Future()

    async def run() -> None:
        stopping = asyncio.Event()
        try:
            await server.start()
            started.set_result(partial(asyncio.get_running_loop().call_soon_threadsafe, stopping.set))
            await stopping.wait()
        except OSError as error:
            started.set_exception(error)
        finally:
            await server.stop()

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="newsroom", daemon=True)
    thread.start()
    try:
        stop = started.result()
        try:
            yield server.site
        finally:
            stop()
    finally:
        thread.join()

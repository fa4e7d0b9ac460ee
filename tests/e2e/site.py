"""The site over a real store: uvicorn in a thread of its own on a port of loopback, and articles to show."""

import asyncio
import http.client
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from msgspec import json

from tests.servers import free_port
from tests.users import as_user
from tests.waiting import eventually
from worker.clock import Clock
from worker.config import load
from worker.model import Article, file_feed
from worker.runtime import Runtime, open_runtime
from worker.web.live import Live
from worker.web.serve import Serving

_runs = count()


class Answer(NamedTuple):
    """What the site said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """As text."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """As JSON."""
        return json.decode(self.body)


@dataclass
class RunningSite:
    """`url`: its address, no slash at its end; `live`: what it has in memory, to be looked at only."""

    url: str
    runtime: Runtime
    live: Live

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask for a path, on a connection of its own; the names of headers are in small letters."""
        place = urlsplit(self.url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port or 80, timeout=20)
        try:
            connection.request(method, place.path + path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def shows(self, count: int) -> None:
        """Wait until so many stories are on the board."""
        eventually(lambda: len(self.live.board) == count, 10, lambda: f"{count} stories; {self.live.trouble}")


def site_runtime(url: str, clock: Clock | None = None, **settings: str) -> Any:
    """A runtime, as a context manager, on the server of this address, that listens at a port of its own."""
    ours = {"listen": f"127.0.0.1:{free_port()}", "allow_private": "1"}
    return open_runtime(load({"STORYWIRE_REDIS_URL": url}, **(ours | settings)), clock)


@contextmanager
def running_site(runtime: Runtime, *, is_read: bool = True, **options: Any) -> Iterator[RunningSite]:
    """The site of a runtime (see `site_runtime`) until the block ends; `options` are those of Serving. Its stories
    are read when the block begins, unless it is to begin before. It comes to the server as its own user."""
    made: list[tuple[Serving, asyncio.AbstractEventLoop]] = []
    failed: list[BaseException] = []

    def serve() -> None:
        async def run() -> None:
            with open_runtime(replace(runtime.settings, redis_url=as_user(runtime.url, "serve")), runtime.clock) as own:
                serving = Serving(own, **options)
                made.append((serving, asyncio.get_running_loop()))
                await serving.run()

        try:
            asyncio.run(run())
        except BaseException as error:  # told to the test, below
            failed.append(error)

    thread = threading.Thread(target=serve, name="site", daemon=True)
    thread.start()
    try:
        eventually(lambda: made or failed, 10, "the site did not start")
        serving = made[0][0]
        site = RunningSite(f"http://{runtime.settings.listen}", runtime, serving.live)
        eventually(lambda: failed or _answers(site), 10, "the site does not answer")
        assert not failed, f"the site ended: {failed}"
        if is_read:
            eventually(site.live.ready.is_set, 30, lambda: f"the stories were not read: {site.live.trouble}")
        yield site
    finally:
        if made:
            made[0][1].call_soon_threadsafe(made[0][0].stop)
        thread.join(15)
    assert not thread.is_alive(), "the site did not stop"
    assert not failed, f"the site ended with an error: {failed}"


def _answers(site: RunningSite) -> bool:
    try:
        return site.ask("/healthz").status == 200
    except OSError:
        return False


def fill(runtime: Runtime, articles: Iterable[Article], batch: int = 50) -> None:
    """Put articles through the outbox and Ingest into stories, as a worker would, in this order."""
    waiting = list(articles)
    feed = file_feed(f"site{next(_runs)}")
    for start in range(0, len(waiting), batch):
        part = waiting[start : start + batch]
        runtime.ingest.run(runtime.outbox.publish(feed, part, {}, runtime.clock.now()))


def article(name: str, title: str, text: str, **more: Any) -> Article:
    """An English article of now, from the outlet of the name before the first slash of its id: `herald/17`."""
    usual: dict[str, Any] = {"source": name.partition("/")[0].title(), "url": f"https://{name}", "lang": "en"}
    usual["received"] = time.time()
    return Article(id=name, title=title, text=text, **(usual | more))

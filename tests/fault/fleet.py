"""All of Storywire under load, to be killed: `storywire up` on a server with AOF, and feeds that show ever more.

Invariant: the feeds go on showing all that they ever showed, so nothing that a poller could see may be missing in the
end. Everything started here is ended here, by its id.
"""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path
from typing import IO, Any

import psutil

from tests.command import ROOT, environment
from tests.e2e.feed_server import Answer, FeedServer, Request, page
from tests.e2e.test_concurrency import newsroom_articles
from tests.servers import Server
from tests.waiting import eventually
from worker.config import load
from worker.errors import StorywireError
from worker.model import Article
from worker.runtime import Runtime, open_runtime

FEEDS = 16
_TITLE = "<rss version='2.0'><channel><title>Outlet {}</title><language>en</language>"
READY_S = 40.0


class Wire:
    """Feeds that show the articles of a newsroom, so many a second while `flowing`."""

    def __init__(self, site: FeedServer, articles: Sequence[Article]) -> None:
        self.site, self._articles = site, list(articles)
        self._items = [_item(article) for article in articles]
        self._before, self._began, self._rate = 0, 0.0, 0.0
        for feed in range(FEEDS):
            site.routes[f"/{feed}"] = self._answer(feed)

    @property
    def shown(self) -> int:
        """How many articles the feeds show by now: the first ones."""
        flowed = int((time.monotonic() - self._began) * self._rate) if self._rate else 0
        return min(len(self._articles), self._before + flowed)

    @property
    def articles(self) -> list[Article]:
        """The articles shown by now."""
        return self._articles[: self.shown]

    @contextmanager
    def flowing(self, rate: float) -> Iterator[None]:
        """While the block lasts so many more appear each second."""
        self._before, self._began, self._rate = self.shown, time.monotonic(), rate
        try:
            yield
        finally:
            self._before, self._rate = self.shown, 0.0

    def opml(self, folder: Path) -> Path:
        """The list of its feeds, as a file."""
        file = folder / "feeds.opml"
        outlines = "".join(f"<outline type='rss' xmlUrl='{self.site.url(f'/{feed}')}'/>" for feed in range(FEEDS))
        file.write_text(f"<opml version='2.0'><head/><body>{outlines}</body></opml>")
        return file

    def _answer(self, feed: int) -> Answer:
        async def answer(request: Request, writer: object) -> None:
            items = "".join(self._items[feed : self.shown : FEEDS])
            body = f"{_TITLE.format(feed)}{items}</channel></rss>"
            await page(body, content_type="text/xml")(request, writer)  # type: ignore[arg-type]

        return answer


def _item(article: Article) -> str:
    published = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() - 3600))
    return (
        f"<item><guid isPermaLink='false'>{escape(article.id)}</guid><link>{link(article)}</link>"
        f"<title>{escape(article.title)}</title><description>{escape(article.text)}</description>"
        f"<pubDate>{published}</pubDate></item>"
    )


def link(article: Article) -> str:
    """The address by which an article is known again in the store."""
    return f"https://example.org/{escape(article.id)}"


class Fleet:
    """A server with AOF and `storywire up` on it, with what can be killed of them."""

    def __init__(self, server: Server, wire: Wire, folder: Path, log: IO[str], seed: int) -> None:
        self.server, self.wire, self._folder, self._log = server, wire, folder, log
        self.random = random.Random(seed)
        self.kills: list[str] = []
        self.restarts = 0
        self._opml = wire.opml(folder)
        self._up: subprocess.Popen[str] | None = None
        self._seen: dict[int, psutil.Process] = {}
        self.start_up()

    @property
    def settings(self) -> dict[str, str]:
        """The settings of everything here."""
        data_dir = str(self._folder / "data")
        often = {"poll_interval": "1s", "poll_min": "1s", "fetch_timeout": "3s"}
        return {"redis_url": self.server.url(0), "data_dir": data_dir, **often}

    @contextmanager
    def runtime(self) -> Iterator[Runtime]:
        with open_runtime(load({}, **self.settings)) as runtime:
            yield runtime

    def start_up(self) -> None:
        """Start `storywire up`, again after it was killed."""
        self._up = subprocess.Popen(
            [sys.executable, "-m", "worker", "up", "--feeds", str(self._opml), "--workers", "2"],
            env=environment({**self.settings, "log_format": "json"}),
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._log, text=True,
            start_new_session=True,
        )  # fmt: skip

    def processes(self, command: str) -> list[psutil.Process]:
        """The children that run `storywire COMMAND` now. An `up` that has ended by itself, as it does where its server
        still loads when it starts, is started again, as systemd would."""
        found = []
        if self._up is not None and self._up.poll() is not None:
            self.restarts += 1
            self.start_up()
        with suppress(psutil.Error):
            assert self._up is not None
            for child in psutil.Process(self._up.pid).children():
                with suppress(psutil.Error):
                    self._seen[child.pid] = child
                    if command in child.cmdline()[4:5]:
                        found.append(child)
        return found

    def kill(self, target: str) -> None:
        """kill -9 of a `poller`, a `worker` (that has a batch in hand, where one has), the `supervisor` or the
        `server`, of which the last `cut` loses what was written since its last fsync."""
        self.kills.append(target)
        if target == "supervisor":
            assert self._up is not None
            self.processes("work")
            self._up.kill()
            self._up.wait()
            self.start_up()
        elif target in ("server", "cut"):
            self._kill_server(cut=target == "cut")
        else:
            command = {"poller": "poll", "worker": "work"}[target]
            found = eventually(lambda: self.processes(command), READY_S, lambda: f"no {target}: {self.said()}")
            self._busiest(found).kill()

    def _busiest(self, found: Sequence[psutil.Process]) -> psutil.Process:
        """One with a batch in hand if there is one within half a second, otherwise any."""
        pids = {process.pid: process for process in found}
        until = time.monotonic() + 0.5
        with suppress(StorywireError), self.runtime() as runtime:
            while time.monotonic() < until:
                busy = [pid for pid in busy_workers(runtime) if pid in pids]
                if busy:
                    return pids[busy[0]]
        return self.random.choice(list(found))

    def _kill_server(self, *, cut: bool) -> None:
        files = sorted((self.server.folder / "appendonlydir").glob("*.incr.aof"))
        before = {file: file.stat().st_size for file in files}
        if cut:
            time.sleep(self.random.uniform(0.1, 1.0))
        self.server.kill()
        if cut:  # as when the machine goes down: what the last fsync lacked is gone, from the middle of a command on
            file = files[-1]
            with file.open("r+b") as log:
                log.truncate(self.random.randint(before[file], file.stat().st_size))
        self.server.start()

    def said(self) -> str:
        """The end of what `up` has said."""
        self._log.flush()
        return Path(self._log.name).read_text()[-1500:]

    def left(self) -> list[psutil.Process]:
        """Processes of ours that still run."""
        return [p for p in self._seen.values() if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]

    def end(self) -> None:
        """End in order; fails if it takes over 20 s, and if anything is left."""
        for command in ("work", "poll", "report"):
            self.processes(command)
        assert self._up is not None
        self._up.send_signal(signal.SIGTERM)
        try:
            self._up.wait(20)
        finally:
            self._up.kill()
            self._up.wait()
        eventually(lambda: not self.left(), 20, lambda: f"left behind: {self.left()}")


def busy_workers(runtime: Runtime) -> list[int]:
    """The process ids of the workers that have a batch in hand."""
    jobs = runtime.jobs
    started = jobs.queue.started_job_registry.get_job_ids(cleanup=False)
    names: list[Any] = [jobs.redis.hget(f"rq:job:{job}", "worker_name") for job in started]
    return [int(name.decode().split(".")[-2]) for name in names if name]


def stored(runtime: Runtime) -> int:
    """How many articles are in stories; -1 while the server is away."""
    with suppress(StorywireError):
        return runtime.stories.counts()["articles"]
    return -1


@contextmanager
def fleet(new_server: Callable[..., Server], folder: Path, articles: int, seed: int) -> Iterator[Fleet]:
    """A fleet that has clustered its first articles already."""
    wanted = newsroom_articles(articles)
    server = new_server(persistent=True, appendfsync="everysec")
    with FeedServer() as site, (folder / "up.log").open("w") as log:
        made = Fleet(server, Wire(site, wanted), folder, log, seed)
        try:
            with made.runtime() as runtime, made.wire.flowing(FEEDS):
                eventually(lambda: stored(runtime) > FEEDS, READY_S, lambda: f"nothing is clustered: {made.said()}")
            yield made
        finally:
            made.end()

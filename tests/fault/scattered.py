"""All of Storywire, each part on a host of its own: server, feeds, poller, two workers, page; with links to be cut.

Invariant: the test looks at the store from where no cut reaches: by its server's socket, or from a host of its own.
"""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.command import environment
from tests.e2e.feed_server import FeedServer
from tests.e2e.test_concurrency import newsroom_articles
from tests.fault.fleet import stored
from tests.fault.newswire import Wire
from tests.hosts import Network
from tests.servers import Server
from tests.waiting import eventually
from worker.config import load
from worker.names import parsed
from worker.runtime import Runtime, open_runtime

WORKERS = ("worker-a", "worker-b")
PARTS = ("feeds", "poller", *WORKERS, "page")
PORT = 6379
START_S = 120.0
"""Four processes and their imports, on a machine whose load nobody knows."""
_COMMANDS = {"poller": "poll", "worker-a": "work", "worker-b": "work", "page": "serve"}
_TOKEN = "a-token-of-the-tests-of-many-hosts"


class Scattered:
    """What runs where. `runtime` is the test's own look at the store."""

    def __init__(
        self, network: Network, wire: Wire, runtime: Runtime, folder: Path, servers: Mapping[str, str]
    ) -> None:
        self.network, self.wire, self.runtime, self._folder = network, wire, runtime, folder
        self._opml, self._servers = wire.opml(folder), servers
        self._processes: dict[str, subprocess.Popen[str]] = {}

    def start(self, name: str, *program: str) -> "subprocess.Popen[str]":
        """Start what this host is for; `program`: what Python is to run in place of Storywire itself."""
        command = _COMMANDS[name]
        arguments = [command, "--feeds", str(self._opml)] if command == "poll" else [command]
        settings = {
            **self._servers, "poll_interval": "1s", "poll_min": "1s", "poll_max": "5s", "fetch_timeout": "3s",
            "listen": f"{self.network['page'].address}:8080", "token": _TOKEN, "log_format": "json",
        }  # fmt: skip
        with self._log(name).open("a") as log:
            self._processes[name] = self.network[name].start(
                [sys.executable, *(program or ("-m", "worker")), *arguments], environment(settings), log
            )
        return self._processes[name]

    @property
    def ended(self) -> dict[str, int]:
        """The exit status of each process that has ended; none has a reason to."""
        return {name: code for name, each in self._processes.items() if (code := each.poll()) is not None}

    def said(self) -> str:
        """The last lines of each host."""
        return "\n".join(f"{name}: {self.log(name)[-400:]}" for name in _COMMANDS if self._log(name).exists())

    def log(self, name: str) -> str:
        """All that a host's process has said."""
        return self._log(name).read_text()

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    @property
    def stored(self) -> int:
        """How many articles are in stories."""
        return stored(self.runtime)

    @property
    def whole(self) -> bool:
        """All that the feeds show is in stories, and nothing waits."""
        return self.stored >= self.wire.shown and not self.runtime.outbox.depth()

    def workers(self) -> set[str]:
        """The hosts whose workers have been heard of."""
        return {parsed(name).host for name in self.runtime.jobs.listening()}

    def page_answers(self) -> int:
        """The status of /healthz, asked on the page's own host; 0 for none within ten seconds."""
        with self.network["page"].inside():
            try:
                url = f"http://{self.network['page'].address}:8080/healthz"
                with urllib.request.urlopen(url, timeout=10) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                return error.code
            except OSError:
                return 0

    def longest_stall_s(self, seconds: float) -> float:
        """Look on for so long: the longest time in which no article came into a story."""
        until = last = time.monotonic()
        until += seconds
        longest, seen = 0.0, self.stored
        while (now := time.monotonic()) < until:
            if (found := self.stored) > seen:
                seen, last = found, now
            longest = max(longest, now - last)
            time.sleep(0.2)
        return longest


@contextmanager
def scattered(folder: Path, articles: int, *names: str) -> Iterator[Scattered]:
    """The whole on one server; `names`: the hosts that run, all if none is named."""
    with Network("server", *PARTS) as network, ExitStack() as parts:
        server = Server("valkey", PORT, persistent=True, place=network["server"], appendfsync="everysec")
        parts.callback(server.close)
        runtime = parts.enter_context(open_runtime(load({}, redis_url=server.url(0))))
        yield parts.enter_context(
            working(network, runtime, {"redis_url": server.tcp_url}, folder, articles, names or tuple(_COMMANDS))
        )


@contextmanager
def working(
    network: Network, runtime: Runtime, servers: Mapping[str, str], folder: Path, articles: int,
    names: Collection[str] = tuple(_COMMANDS),
) -> Iterator[Scattered]:  # fmt: skip
    """The parts on their hosts, running and with their first articles clustered; `servers`: the settings that lead to
    the server, `runtime`: the test's own look at it."""
    with ExitStack() as parts:
        with network["feeds"].inside():
            site = parts.enter_context(FeedServer(network["feeds"].address))
        made = Scattered(network, Wire(site, newsroom_articles(articles)), runtime, folder, servers)
        for name in names:
            made.start(name)
        with made.wire.flowing(16):
            eventually(lambda: made.stored > 16, START_S, lambda: f"nothing is clustered: {made.said()}")
            workers = set(WORKERS) & set(names)
            eventually(lambda: made.workers() == workers, START_S, lambda: f"a worker is missing: {made.said()}")
        yield made

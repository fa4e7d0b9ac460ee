"""All of Storywire, each part on a host of its own: server, feeds, poller, two workers, page; with links to be cut.

Invariant: the test looks at the server by its Unix socket, which no cut reaches.
"""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.command import environment
from tests.e2e.feed_server import FeedServer
from tests.e2e.test_concurrency import newsroom_articles
from tests.fault.fleet import Wire, stored
from tests.hosts import Host, Network
from tests.servers import Server
from tests.waiting import eventually
from worker.config import load
from worker.names import parsed
from worker.runtime import Runtime, open_runtime

WORKERS = ("worker-a", "worker-b")
HOSTS = ("server", "feeds", "poller", *WORKERS, "page")
PORT = 6379
START_S = 120.0
"""Four processes and their imports, on a machine whose load nobody knows."""
_COMMANDS = {"poller": "poll", "worker-a": "work", "worker-b": "work", "page": "serve"}
_TOKEN = "a-token-of-the-tests-of-many-hosts"


class Scattered:
    """What runs where. `runtime` is the test's own look at the store."""

    def __init__(self, network: Network, wire: Wire, runtime: Runtime, folder: Path) -> None:
        self.network, self.wire, self.runtime, self._folder = network, wire, runtime, folder
        self._opml = wire.opml(folder)

    def start(self, name: str, *program: str) -> "subprocess.Popen[str]":
        """Start what this host is for; `program`: what Python is to run in place of Storywire itself."""
        command = _COMMANDS[name]
        arguments = [command, "--feeds", str(self._opml)] if command == "poll" else [command]
        settings = {
            "redis_url": f"redis://{self.network['server'].address}:{PORT}/0",
            "poll_interval": "1s", "poll_min": "1s", "poll_max": "5s", "fetch_timeout": "3s",
            "listen": f"{self.network['page'].address}:8080", "token": _TOKEN, "log_format": "json",
        }  # fmt: skip
        with self._log(name).open("a") as log:
            return self.network[name].start(
                [sys.executable, *(program or ("-m", "worker")), *arguments], environment(settings), log
            )

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
            if (found := self.stored) != seen:
                seen, last = found, now
            longest = max(longest, now - last)
            time.sleep(0.2)
        return longest


@contextmanager
def scattered(folder: Path, articles: int, *names: str) -> Iterator[Scattered]:
    """The whole, running and with its first articles clustered; `names`: the hosts that run, all if none is named."""
    running = names or tuple(_COMMANDS)
    wanted = newsroom_articles(articles)
    with ExitStack() as parts:
        network = parts.enter_context(Network(*HOSTS))
        server, site = _server(network["server"], parts), _site(network["feeds"], parts)
        runtime = parts.enter_context(open_runtime(load({}, redis_url=server.url(0))))
        made = Scattered(network, Wire(site, wanted), runtime, folder)
        for name in running:
            made.start(name)
        with made.wire.flowing(16):
            eventually(lambda: made.stored > 16, START_S, lambda: f"nothing is clustered: {made.said()}")
            workers = set(WORKERS) & set(running)
            eventually(lambda: made.workers() == workers, START_S, lambda: f"a worker is missing: {made.said()}")
        yield made


def _server(host: Host, parts: ExitStack) -> Server:
    options = {"bind": f"127.0.0.1 {host.address}", "protected-mode": "no", "appendfsync": "everysec"}
    with host.inside():
        server = Server("valkey", port=PORT, persistent=True, **options)
    parts.callback(server.close)
    return server


def _site(host: Host, parts: ExitStack) -> FeedServer:
    with host.inside():
        return parts.enter_context(FeedServer(host.address))

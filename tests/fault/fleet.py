"""All of Storywire under load, to be killed: `storywire up` on a server in any shape, and feeds that show ever more.

Invariant: everything started here is ended here, by its id.
"""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psutil

from tests.command import ROOT, environment
from tests.e2e.feed_server import FeedServer
from tests.e2e.test_concurrency import newsroom_articles
from tests.fault.newswire import FEEDS, Wire
from tests.servers import Server
from tests.waiting import eventually
from worker.config import load
from worker.errors import StorywireError
from worker.runtime import Runtime, open_runtime

READY_S = 40.0
"""Until what was started has clustered its first articles."""


class Fleet:
    """`storywire up`, with what can be killed of it. `servers`: the settings that lead to its servers; `server`: one
    with an AOF that may be killed too."""

    def __init__(
        self, wire: Wire, folder: Path, log: IO[str], servers: Mapping[str, str], server: Server | None, seed: int
    ) -> None:
        self.wire, self._folder, self._log, self._servers, self._server = wire, folder, log, servers, server
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
        return {"data_dir": data_dir, **often, **self._servers}

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
        assert self._server is not None
        files = sorted((self._server.folder / "appendonlydir").glob("*.incr.aof"))
        before = {file: file.stat().st_size for file in files}
        if cut:
            time.sleep(self.random.uniform(0.1, 1.0))
        self._server.kill()
        if cut:  # as when the machine goes down: what the last fsync lacked is gone, from the middle of a command on
            file = files[-1]
            with file.open("r+b") as log:
                log.truncate(self.random.randint(before[file], file.stat().st_size))
        self._server.start()

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
def fleet(
    folder: Path, articles: int, servers: Mapping[str, str], server: Server | None = None, seed: int = 1
) -> Iterator[Fleet]:
    """A fleet in a new folder that has clustered its first articles already."""
    folder.mkdir()
    wanted = newsroom_articles(articles)
    with FeedServer() as site, (folder / "up.log").open("w") as log:
        made = Fleet(Wire(site, wanted), folder, log, servers, server, seed)
        try:
            with made.runtime() as runtime, made.wire.flowing(FEEDS):
                eventually(lambda: stored(runtime) > FEEDS, READY_S, lambda: f"nothing is clustered: {made.said()}")
            yield made
        finally:
            made.end()

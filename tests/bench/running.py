"""A whole pipeline for a measurement: server with AOF everysec, queue, worker processes; and what it costs where.

Invariant: everything started here is ended here; articles are published and the workers warm before a clock starts.
"""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from msgspec import Struct

from worker import config, supervisor
from worker.clock import SystemClock
from worker.model import Article, Ref
from worker.runtime import Runtime, open_runtime

RESULTS = Path(__file__).parents[2] / "build" / "bench"
_LOOK_S = 0.005
_PATIENCE_S = 300.0
_CHUNK = 500


class Run(Struct, frozen=True):
    """What a number of articles cost: seconds by the clock, processor seconds of all workers and of the server, and
    milliseconds of all workers by stage, out of `worker_ms` between the start and the end of their batches."""

    articles: int
    workers: int
    wall_s: float
    workers_cpu_s: float
    server_cpu_s: float
    worker_ms: int
    stages_ms: dict[str, int]

    @property
    def rate(self) -> float:
        """Articles a second."""
        return self.articles / self.wall_s

    @property
    def waiting(self) -> float:
        """The share of the workers' time in which they waited for the lease."""
        return self.stages_ms.get("wait", 0) / max(1, self.worker_ms)


class Pipeline:
    """A store, its queue and so many workers."""

    def __init__(self, runtime: Runtime, workers: int, log: Path) -> None:
        self.runtime, self.workers, self._log = runtime, workers, log
        self._processes = psutil.Process().children(recursive=True)

    def publish(self, feed: str, articles: Sequence[Article]) -> list[Ref]:
        """Put articles into the outbox, as a poller does; nothing is queued yet."""
        outbox, clock = self.runtime.outbox, self.runtime.clock
        chunks = (articles[start : start + _CHUNK] for start in range(0, len(articles), _CHUNK))
        return [ref for chunk in chunks for ref in outbox.publish(feed, chunk, {}, clock.now())]

    def measure(self, feed: str, articles: Sequence[Article]) -> Run:
        """Publish the articles, then queue them all at once and wait until the last is settled."""
        refs = self.publish(feed, articles)
        told, server, workers = self._log.stat().st_size, self._server_cpu_s(), self._workers_cpu_s()
        began = time.perf_counter()
        self.runtime.jobs.enqueue(refs)
        self.wait(feed)
        wall_s = time.perf_counter() - began
        spent = self._workers_cpu_s() - workers, self._server_cpu_s() - server
        stages = self._stages(told, len(articles))
        return Run(len(articles), self.workers, wall_s, *spent, stages.pop("", 0), dict(stages))

    def wait(self, feed: str) -> None:
        """Until nothing of a feed waits any more."""
        until = time.monotonic() + _PATIENCE_S
        while waiting := self.runtime.outbox.waiting(feed):
            assert time.monotonic() < until, f"{waiting} articles still wait after {_PATIENCE_S:.0f} s: see {self._log}"
            time.sleep(_LOOK_S)

    def _server_cpu_s(self) -> float:
        used = self.runtime.redis.info("cpu")
        return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])

    def _workers_cpu_s(self) -> float:
        times = [process.cpu_times() for process in self._processes if "work" in process.cmdline()]
        return float(sum(t.user + t.system for t in times))

    def _stages(self, told: int, articles: int) -> Counter[str]:
        """Milliseconds a stage from the workers' canonical lines since the log had this size; "" is all of a batch."""
        until = time.monotonic() + 5.0
        while True:
            lines = [json.loads(line) for line in self._log.read_bytes()[told:].splitlines() if line.startswith(b"{")]
            batches = [line for line in lines if line.get("event") == "batch" and line.get("outcome") == "ok"]
            if sum(line["articles"] for line in batches) >= articles or time.monotonic() > until:
                break
            time.sleep(0.05)
        stages: Counter[str] = Counter()
        for line in batches:
            stages[""] += line["ms"]
            stages.update({name.removesuffix("_ms"): ms for name, ms in line.items() if name.endswith("_ms")})
        return stages


@contextmanager
def pipeline(workers: int, warm: Sequence[Article], batch: int = 50) -> Iterator[Pipeline]:
    """A pipeline whose workers have clustered the `warm` articles already: imports and word lists are loaded."""
    with tempfile.TemporaryDirectory(prefix="sw-") as folder:
        settings = config.load({"STORYWIRE_BATCH": str(batch)}, data_dir=folder)
        with open_runtime(settings, SystemClock()) as runtime, supervisor.workers(settings, runtime.url, workers):
            running = Pipeline(runtime, workers, Path(folder) / "storywire.log")
            running.measure("warm", warm)
            yield running


def keep(name: str, record: object) -> None:
    """Write a measurement's figures as JSON, for whoever draws them."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        first, *rest = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        print("  " + "  ".join([first.strip().ljust(widths[0]), *rest]))

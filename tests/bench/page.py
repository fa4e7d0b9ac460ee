"""How fast the web process shows many stories, and how it serves many who listen.

    python -m tests.bench.page [--stories 30000] [--articles 100000] [--clients 500] [--commits 60] [--json FILE]

Method: a store is filled (stored.py) on a Valkey server of its own; `storywire serve` runs as a process of its own, on
one core at most. While it reads the stories, a file is asked for again and again: what holds up the page holds up this.
Then pages are asked for one after the other, and the API's list by `hey` (Debian) with one and with eight
connections, once as it is and once while commits come; then filters that nobody asked for before, in each of which all
stories are looked through, and a file meanwhile. Then so many clients open the stream (followers.py, an asyncio
client of our own), and commits of ten events come three times a second; each client's events are compared with those of
the store.

Invariant: every figure is what a client saw over HTTP on loopback, but for the process's own time. What the clock says
holds for the load that is printed beside it.
"""

import argparse
import asyncio
import csv
import gzip
import io
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil
from msgspec import Struct, json

from tests.bench.followers import EVENTS, listened
from tests.bench.running import table
from tests.bench.stored import Writer
from tests.command import start_storywire
from tests.e2e.site import RunningSite, site_runtime
from tests.servers import Server, free_port
from tests.waiting import eventually

STORIES, ARTICLES, CLIENTS, COMMITS = 30_000, 100_000, 500, 60
EVERY_S = 0.33
_REQUESTS, _FIRST_LOOKS = 1_000, 40


class Latency(Struct, frozen=True):
    """Milliseconds of a request, and of the process's own time for one; how many failed."""

    name: str
    p50_ms: float
    p99_ms: float
    most_ms: float
    cpu_ms: float
    failed: int = 0


class Measured(Struct, frozen=True):
    """All of it. `read_s`: until all stories were read, `read_cpu_s`: the process's own time until then, `held_ms`: the
    longest answer meanwhile; `plain`, `packed`: bytes of the page, `files` those of what it needs besides, packed."""

    stories: int
    articles: int
    read_s: float
    read_cpu_s: float
    held_ms: float
    memory_mb: float
    plain: int
    packed: int
    files: int
    latencies: list[Latency]
    clients: int
    events: int
    in_order: int
    delay_p50_ms: float
    delay_p99_ms: float
    stream_cpu_s: float
    stream_s: float
    load: float
    """Processes that wanted a processor, of the last minute; there are `processors`."""
    processors: int


class _Process:
    """The web process, as seen from outside."""

    def __init__(self, url: str, process_id: int) -> None:
        self.url, self._process = url, psutil.Process(process_id)

    def cpu_s(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def memory_mb(self) -> float:
        return float(self._process.memory_info().rss) / 1e6

    def ask(self, path: str, **headers: str) -> tuple[float, bytes]:
        """Milliseconds, and the body."""
        began = time.perf_counter()
        answer = RunningSite(self.url, None, None).ask(path, headers=headers)  # type: ignore[arg-type]
        assert answer.status == 200, f"{path}: {answer.status} {answer.text[:200]}"
        return (time.perf_counter() - began) * 1000, answer.body


@contextmanager
def _serving(url: str) -> Iterator[_Process]:
    place = f"127.0.0.1:{free_port()}"
    process = start_storywire("serve", redis_url=url, listen=place, log_level="warning")
    try:
        site = _Process(f"http://{place}", process.pid)
        eventually(lambda: _status(site, "/healthz") == 200, 60, "storywire serve does not answer")
        yield site
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _status(site: _Process, path: str) -> int:
    try:
        return RunningSite(site.url, None, None).ask(path).status  # type: ignore[arg-type]
    except OSError:
        return 0


def measure(
    stories: int = STORIES, articles: int = ARTICLES, clients: int = CLIENTS, commits: int = COMMITS
) -> Measured:
    """Fill, start, ask, listen."""
    server = Server("valkey")
    try:
        with site_runtime(server.url(0)) as runtime:
            writer = Writer(runtime, time.time())
            writer.fill(stories, articles)
            counts = runtime.stories.counts()
            with _serving(runtime.url) as site:
                read_s, held_ms = _reading(site, counts["stories"])
                read_cpu_s = site.cpu_s()
                plain, packed, files = _sizes(site)
                memory_mb = site.memory_mb()
                latencies = _latencies(site, writer)
                figures = asyncio.run(listened(site.url, site.cpu_s, writer, clients, commits, EVERY_S))
        return Measured(
            stories=counts["stories"],
            articles=counts["articles"],
            read_s=read_s,
            read_cpu_s=read_cpu_s,
            held_ms=held_ms,
            memory_mb=memory_mb,
            plain=plain,
            packed=packed,
            files=files,
            latencies=latencies,
            clients=clients,
            load=os.getloadavg()[0],
            processors=os.cpu_count() or 1,
            **figures,
        )
    finally:
        server.close()


def _reading(site: _Process, stories: int) -> tuple[float, float]:
    """Seconds until all stories are there, and the longest answer of what needs none of them."""
    began, held_ms, looked = time.monotonic(), 0.0, 0.0
    while True:
        held_ms = max(held_ms, site.ask("/static/style.css")[0])
        if time.monotonic() - looked > 0.3:
            looked = time.monotonic()
            if _found(site) == stories:
                return time.monotonic() - began, held_ms
        assert time.monotonic() - began < 300, "the stories were not read within five minutes"
        time.sleep(0.01)


def _found(site: _Process) -> int:
    """How many stories the list has; 0 while they are being read."""
    answer = RunningSite(site.url, None, None).ask("/api/v1/stories?limit=1")  # type: ignore[arg-type]
    return int(answer.json["found"]) if answer.status == 200 else 0


def _sizes(site: _Process) -> tuple[int, int, int]:
    """Bytes of the page as it is and packed, and of its files packed."""
    plain = site.ask("/")[1]
    packed = site.ask("/", **{"Accept-Encoding": "gzip"})[1]
    assert gzip.decompress(packed)[:15] == plain[:15]
    files = set(re.findall(rb'(?:href|src)="(/static/[^"]+)"', plain))
    return len(plain), len(packed), sum(len(gzip.compress(site.ask(path.decode())[1], 5)) for path in files)


def _latencies(site: _Process, writer: Writer) -> list[Latency]:
    before, took = site.cpu_s(), [site.ask("/", **{"Accept-Encoding": "gzip"})[0] for _ in range(100)]
    found = [_latency("page, one after the other", took, (site.cpu_s() - before) / 100)]
    found += [_hey(site, "/api/v1/stories", at_once, f"list, {at_once} at once") for at_once in (1, 8)]
    found.append(_hey(site, "/api/v1/stories?lang=en&outlets=2&since=10d", 8, "list filtered, 8 at once"))
    stop = threading.Event()

    def write() -> None:
        while not stop.wait(EVERY_S):
            writer.arrive(EVENTS)

    writing = threading.Thread(target=write)
    writing.start()
    try:
        found.append(_hey(site, "/api/v1/stories", 8, "list, 8 at once, while stories come"))
    finally:
        stop.set()
        writing.join()
    return found + _first_looks(site)


def _first_looks(site: _Process) -> list[Latency]:
    """Of filters that nobody asked for before; and of a file, which is asked for until they are done."""
    stop, waited = threading.Event(), list[float]()

    def ask() -> None:
        while not stop.is_set():
            waited.append(site.ask("/static/style.css")[0])
            time.sleep(0.002)

    asking = threading.Thread(target=ask)
    before = site.cpu_s()
    asking.start()
    try:
        looks = [f"/api/v1/stories?outlet={n:04d}+her&since={20 + n}d" for n in range(_FIRST_LOOKS)]
        took = [site.ask(path)[0] for path in looks]
    finally:
        stop.set()
        asking.join()
    cpu_s = (site.cpu_s() - before) / (len(took) + len(waited))
    return [_latency("first look for a filter", took, cpu_s), _latency("a file meanwhile", waited, cpu_s)]


def _hey(site: _Process, path: str, at_once: int, name: str) -> Latency:
    """`hey` asks on connections that are kept."""
    before = site.cpu_s()
    command = ["hey", "-n", str(_REQUESTS), "-c", str(at_once), "-o", "csv", site.url + path]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    failed = sum(row["status-code"] != "200" for row in rows) + _REQUESTS - len(rows)
    took = [float(row["response-time"]) * 1000 for row in rows]
    return _latency(name, took, (site.cpu_s() - before) / _REQUESTS, failed)


def _latency(name: str, took_ms: Sequence[float], cpu_s: float, failed: int = 0) -> Latency:
    ordered = sorted(took_ms)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return Latency(name, median(ordered), p99, ordered[-1], cpu_s * 1000, failed)


def show(found: Measured) -> None:
    """Print it."""
    print(f"load {found.load:.1f} on {found.processors} processors")
    print(f"{found.stories:,} stories, {found.articles:,} articles; read in {found.read_s:.1f} s")
    print(f"({found.read_cpu_s:.1f} s of its own), meanwhile the longest answer {found.held_ms:.0f} ms")
    print(f"memory: {found.memory_mb:.0f} MB")
    print(f"page: {found.plain:,} bytes, packed {found.packed:,}; its files packed {found.files:,}")
    header = ("request", "p50 ms", "p99 ms", "most ms", "own ms", "failed")
    numbers = [(each.p50_ms, each.p99_ms, each.most_ms, each.cpu_ms) for each in found.latencies]
    rows = [
        [e.name, *(f"{n:.1f}" for n in four), str(e.failed)] for e, four in zip(found.latencies, numbers, strict=True)
    ]
    table(header, rows)
    print(f"{found.clients} clients, {found.events} events each: {found.in_order} had every one in order; the delay")
    print(f"{found.delay_p50_ms:.0f} ms in the median, p99 {found.delay_p99_ms:.0f} ms; {found.stream_cpu_s:.1f} s of")
    print(f"{found.stream_s:.1f} s busy")


def has_load_tool() -> bool:
    """Whether `hey` is installed."""
    return shutil.which("hey") is not None


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.page")
    parser.add_argument("--stories", type=int, default=STORIES)
    parser.add_argument("--articles", type=int, default=ARTICLES)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--commits", type=int, default=COMMITS)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if not has_load_tool():
        parser.error("hey is not installed: apt-get install hey")
    found = measure(asked.stories, asked.articles, asked.clients, asked.commits)
    show(found)
    if asked.json:
        asked.json.write_bytes(json.encode(found))


if __name__ == "__main__":
    main()

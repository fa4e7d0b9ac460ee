"""What a poll costs: 304s a second of one core, changed feeds against feedparser's defaults, memory with 10,000 feeds.

    python -m tests.bench.polls

Method: a real poller on a real server and queue asks a feed server in another process, over kept connections, 500
hosts with a gate each. Measured is processor time (of the poller, its threads and its parsers), not time by the clock,
so that whatever else the machine does meanwhile does not count; the start of the poller counts. The store's and the
feed server's own time is not the poller's; the store's is shown. "Two cores" is what the poller and its parsers come
to when the poller has one core at most, and both share the two.
"""

import asyncio
import io
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import feedparser
import psutil

from tests.bench.feed_process import ENTRIES, bodies
from tests.bench.running import keep, table
from tests.servers import Server
from worker import config, log
from worker.poller.loop import Poller
from worker.runtime import Runtime, open_runtime
from worker.schedule import PollState

FEEDS, HOSTS = 10_000, 500
CHANGED = 200
LIMIT_MB = 300


@contextmanager
def feed_server(documents: int) -> Iterator[int]:
    """The port of a feed server in another process."""
    command = [sys.executable, "-m", "tests.bench.feed_process", str(documents)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.kill()


def address(port: int, path: str, number: int) -> str:
    """The address of a feed on one of HOSTS hosts, all of them loopback."""
    host = number % HOSTS
    return f"http://127.0.{1 + host // 250}.{1 + host % 250}:{port}/{path}/{number}"


def prepare(runtime: Runtime, port: int, path: str, count: int) -> None:
    """Feeds that were polled before, as long as `path` is 304: those are due with their validators."""
    now = time.time()
    runtime.feeds.offer(((address(port, path, n), f"Feed {n}") for n in range(count)), now - 1)
    if path == "304":
        leased = runtime.feeds.lease_due(now, 60, count)
        seen = PollState(
            etag='"v1"', polled=now - 600, succeeded=now - 600, fetched=now - 600, outcome="ok", entries=25
        )
        for start in range(0, count, 500):
            states = [(feed, seen, None) for feed in leased[start : start + 500]]
            runtime.feeds.record_all(states)  # next_poll 0: due


def poll(runtime: Runtime) -> dict[str, float]:
    """Poll all that is due, once: processor seconds of the poller and of its parsers, seconds by the clock, MB."""
    poller = Poller(
        feeds=runtime.feeds,
        outbox=runtime.outbox,
        pollers=runtime.pollers,
        gates=runtime.gates,
        enqueue=runtime.jobs.enqueue,
        settings=runtime.settings,
        clock=runtime.clock,
    )
    began, clock = time.process_time(), time.perf_counter()
    asyncio.run(poller.run(once=True))
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "poller_s": time.process_time() - began,
        "parsers_s": children.ru_utime + children.ru_stime,
        "clock_s": time.perf_counter() - clock,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "parsers_mb": children.ru_maxrss / 1024,
    }


def measured(path: str, count: int, url: str, port: int) -> dict[str, float]:
    """One run in a process of its own, with how many polls were good."""
    command = [sys.executable, "-m", "tests.bench.polls", path, str(count), url, str(port)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def child(path: str, count: int, url: str, port: int) -> None:
    """That process."""
    environ = {
        "STORYWIRE_REDIS_URL": url,
        "STORYWIRE_ALLOW_PRIVATE": "1",
        "STORYWIRE_GATE_SPACING": "0s",
        "STORYWIRE_GATE_PARALLEL": "8",
        "STORYWIRE_MAX_PENDING": "1000000",
    }
    with Path(os.devnull).open("w") as nowhere:
        log.configure("poller", "info", "json", nowhere)
        with open_runtime(config.load(environ), carry_over=True) as runtime:
            prepare(runtime, port, path, count)
            server = psutil.Process(runtime.redis.info("server")["process_id"])
            before = sum(server.cpu_times()[:2])
            figures = poll(runtime)
            figures["store_s"] = sum(server.cpu_times()[:2]) - before
            outcome = "not-modified" if path == "304" else "ok"
            figures["good"] = sum(feed.polls.outcome == outcome for feed in runtime.feeds.all())
            figures["articles"] = runtime.outbox.depth()
    print(json.dumps(figures))


def feedparser_rate(documents: Sequence[bytes]) -> float:
    """Documents a second of one core that feedparser alone parses with its defaults."""
    began = time.process_time()
    for document in documents:
        feedparser.parse(io.BytesIO(document))
    return len(documents) / (time.process_time() - began)


def two_cores(figures: dict[str, float], polls: int) -> float:
    """Polls a second on two cores: the poller has one of them at most."""
    return polls / max(figures["poller_s"], (figures["poller_s"] + figures["parsers_s"]) / 2)


class Costs(NamedTuple):
    """Figures of the run of 304s and of that of changed feeds; changed feeds a second on two cores, and feedparser's
    documents a second on one."""

    same: dict[str, float]
    new: dict[str, float]
    rate: float
    alone: float


def measure() -> Costs:
    """Both runs, and feedparser alone."""
    redis = Server("valkey")
    try:
        with feed_server(CHANGED) as port:
            same = measured("304", FEEDS, redis.url(), port)
            new = measured("new", CHANGED, redis.url(), port)
    finally:
        redis.close()
    assert (same["good"], new["good"]) == (FEEDS, CHANGED), f"not all polls were good: {same}, {new}"
    return Costs(same, new, two_cores(new, CHANGED), feedparser_rate(bodies(CHANGED)[:40]))


def report(costs: Costs) -> None:
    """Print it and keep it."""
    same, new, rate, alone = costs
    print(f"\n{FEEDS:,} feeds of {HOSTS} hosts that have not changed (304), and {CHANGED} of {ENTRIES} new entries")
    table(
        ("", "polls/s", "poller ms", "parsers ms", "store ms", "memory MB", "clock s"),
        [
            ("304, one core", f"{FEEDS / same['poller_s']:,.0f}", *_each(same, FEEDS)),
            ("changed, two cores", f"{rate:.1f}", *_each(new, CHANGED)),
            ("feedparser alone, one core", f"{alone:.1f}", "", f"{1e3 / alone:.2f}", "", "", ""),
        ],
    )
    print(f"  changed feeds against feedparser's defaults: {rate / alone:.2f} times as many (2 are wanted); ", end="")
    print(f"304: {FEEDS / same['poller_s']:,.0f} (1,000); memory: {same['memory_mb']:.0f} MB ({LIMIT_MB} at most)")
    keep("polls", {"304": same, "changed": new, "feedparser": alone, "two_cores": rate})


def _each(figures: dict[str, float], polls: int) -> tuple[str, ...]:
    """Milliseconds a poll of each process, the poller's memory, and seconds by the clock."""
    spent = (f"{figures[name] / polls * 1e3:.2f}" for name in ("poller_s", "parsers_s", "store_s"))
    return (*spent, f"{figures['memory_mb']:.0f}", f"{figures['clock_s']:.1f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        child(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    else:
        report(measure())

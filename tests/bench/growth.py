"""What one more article costs, and whether its story is still found, with ten thousand to a million articles stored.

    python -m tests.bench.growth [--articles 10000 100000] [--json FILE]

Method: three windows of seven days that differ in volume alone. Each holds the same earlier reports of 2,000 events
and as many others as the volume asks for (stream.py), placed by `Ingest` itself out of the outbox, decision and commit,
on a server of its own. Then the same 2,000 probes, the next reports of those events, come in 40 batches of 50: measured
is the processor time of this process and of the server. The fingerprints' part, which cannot depend on the store, is
taken off, or it would flatter the ratio.

Invariant: at every size the probes, their stories and the times between them are the same.
"""

import argparse
import gc
import json
import resource
import sys
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from heapq import merge
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, TypeVar

from msgspec import Struct, to_builtins

from tests.bench.stream import END_S, Report, batches, filling, observed
from tests.servers import Server
from worker import config, tasks
from worker.clock import ManualClock
from worker.cluster import Need, View, posting, prefetch
from worker.fingerprint import fingerprints
from worker.model import Article, Member
from worker.runtime import Runtime, open_runtime
from worker.store.commits import Commits

T = TypeVar("T")

SIZES = (10_000, 100_000, 1_000_000)
PROBES = 2_000
BATCH, FILL_BATCH = 50, 200
LANG = "en"
FEED = "bench"


class Growth(Struct, frozen=True):
    """One volume. Milliseconds are an article's, the median over batches, `slowest` that of the slowest batch in 40;
    shares are of the probes whose event has an earlier report in the store."""

    articles: int
    stories: int
    worker_ms: float
    server_ms: float
    wall_ms: float
    slowest_ms: float
    found: float
    compared: float
    joined: float
    used_memory: int

    @property
    def cost_ms(self) -> float:
        """Worker and server together."""
        return self.worker_ms + self.server_ms


class Cost(NamedTuple):
    """Milliseconds an article: processor time of the worker, of the server, and by the clock."""

    worker: float
    server: float
    wall: float


class Window:
    """A store that is filled to a size, and probed. Close it: it owns a server. options: the server's."""

    def __init__(self, articles: int, **options: Any) -> None:
        gc.set_threshold(*tasks.GC_THRESHOLDS)
        self._articles = articles
        self.server = Server("valkey", **options)
        self._clock = ManualClock(END_S)
        settings = config.load({"STORYWIRE_REDIS_URL": self.server.url()})
        self._opening = open_runtime(settings, self._clock)
        self.runtime: Runtime = self._opening.__enter__()
        self.redis: Any = self.runtime.redis
        self._commits = Commits(self.runtime.redis)

    def close(self) -> None:
        self._opening.__exit__(None, None, None)
        self.server.close()

    def fill(self, before: Sequence[Report]) -> None:
        """Place the window's articles, `before` among them, in order of time."""
        began = time.perf_counter()
        reports = merge(filling(self._articles - len(before)), before, key=lambda r: (r.time, r.id))
        for done, batch in enumerate(batches(reports, FILL_BATCH)):
            self._clock.now_s = batch[-1].time
            self._place(batch)
            if done % 100 == 0:
                taken_s = time.perf_counter() - began
                print(f"{done * FILL_BATCH:9,} articles  {taken_s:6.0f} s", file=sys.stderr, flush=True)

    def find(self, probes: Sequence[Report]) -> Iterator[tuple[bool, bool]]:
        """Whether a story with an earlier report of the event is among the candidates, and among the compared ones."""
        view, members = self._view(), [_member(probe) for probe in probes]
        best = self._answer(view, prefetch(view, members))
        for probe, member, stories in zip(probes, members, best, strict=True):
            if not probe.place:
                continue
            true = self._true_stories(probe)
            prints = member.prints
            ranked = posting.rank([view.terms[term] for term in prints.terms], prints.weights)
            candidates = {story.number for number in ranked if (story := view.root(number))}
            compared = {story.number for story in stories}
            yield bool(true & (candidates | compared)), bool(true & compared)

    def cost(self, batch: Sequence[Report]) -> Cost:
        """Place a batch: what an article cost without its fingerprints."""
        articles = [report.article() for report in batch]
        self._clock.now_s = max(self._clock.now_s, batch[-1].time)
        prints_s = min(_prints_s(articles), _prints_s(articles))
        refs = self.runtime.outbox.publish(FEED, articles, {}, self._clock.now())
        server, wall, worker = self._server_s(), time.perf_counter(), _own_s()
        self.runtime.ingest.run(refs)
        worker, wall = _own_s() - worker - prints_s, time.perf_counter() - wall - prints_s
        server = self._server_s() - server
        return Cost(*(1000 * s / len(batch) for s in (worker, server, wall)))

    def joined(self, probe: Report) -> bool:
        """Whether a probe that was placed is in a story with an earlier report of its event."""
        return self._story(probe.id) in self._true_stories(probe)

    def _place(self, reports: Sequence[Report]) -> None:
        articles = [report.article() for report in reports]
        self.runtime.ingest.run(self.runtime.outbox.publish(FEED, articles, {}, self._clock.now()))

    @property
    def used_memory(self) -> int:
        """Bytes that the server holds."""
        return int(self.redis.info("memory")["used_memory"])

    def _server_s(self) -> float:
        used = self.redis.info("cpu")
        return float(used["used_cpu_user_main_thread"]) + float(used["used_cpu_sys_main_thread"])

    def _view(self) -> View:
        with self._commits.lease(LANG) as lease:
            return lease.view()

    def _answer(self, view: View, steps: Generator[Need, None, T]) -> T:
        """Run the steps to their end, loading what they ask for."""
        while True:
            try:
                need = next(steps)
            except StopIteration as stop:
                value: T = stop.value
                return value
            self._commits.load(view, need)

    def _true_stories(self, probe: Report) -> set[int]:
        ids = [f"{probe.event}.{place}" for place in range(probe.place)]
        return {number for article_id in ids if (number := self._story(article_id))}

    def _story(self, article_id: str) -> int:
        found = self.runtime.stories.article(article_id)
        story = self.runtime.stories.find(LANG, found[1].story) if found else None
        return story.number if story else 0


def _prints_s(articles: Sequence[Article]) -> float:
    began = _own_s()
    for article in articles:
        fingerprints(article.title, article.text, article.lang)
    return _own_s() - began


def _member(report: Report) -> Member:
    """The report as the decision gets it."""
    prints = fingerprints(report.title, report.text, LANG)
    at = report.time
    return Member(report.id, 1, report.title, "", report.source, at, at, at, False, prints)


def _own_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _share(hits: Iterable[bool]) -> float:
    every = list(hits)
    return sum(every) / max(1, len(every))


def measured(sizes: Sequence[int], probes: int = PROBES) -> list[Growth]:
    """Fill a window of each size, and probe them in turns."""
    before, asked = observed(probes)
    with ExitStack() as closing:
        windows = []
        for articles in sizes:
            window = Window(articles)
            closing.callback(window.close)
            window.fill(before)
            windows.append(window)
        return probed(windows, asked)


def probed(windows: Sequence[Window], probes: Sequence[Report]) -> list[Growth]:
    """Look for the stories of the probes, then place them, batch by batch in all windows: whatever else the machine
    does, it does to all of them. Each is the first in turn, as what the process remembers of a batch helps the next.
    """
    found = [[hit for batch in batches(probes, BATCH) for hit in window.find(batch)] for window in windows]
    stored = [(window.runtime.stories.counts(), window.used_memory) for window in windows]
    costs: list[list[Cost]] = [[] for _ in windows]
    for turn, batch in enumerate(batches(probes, BATCH)):
        for place in range(len(windows)):
            at = (turn + place) % len(windows)
            costs[at].append(windows[at].cost(batch))
    return [
        Growth(
            articles=counts["articles"],
            stories=counts["stories"],
            worker_ms=median(cost.worker for cost in own),
            server_ms=median(cost.server for cost in own),
            wall_ms=median(cost.wall for cost in own),
            slowest_ms=max(cost.worker + cost.server for cost in own),
            found=_share(hit for hit, _ in seen),
            compared=_share(hit for _, hit in seen),
            joined=_share(window.joined(probe) for probe in probes if probe.place),
            used_memory=used,
        )
        for window, own, seen, (counts, used) in zip(windows, costs, found, stored, strict=True)
    ]


def table(rows: Sequence[Growth]) -> str:
    """A Markdown table, each cost beside that of the first row."""
    lines = [
        "| stored | stories | worker ms | server ms | together | against the first | slowest batch "
        "| story among the candidates | among the compared | joined | bytes an article |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.articles:,} | {r.stories:,} | {r.worker_ms:.2f} | {r.server_ms:.2f} | {r.cost_ms:.2f} "
        f"| {r.cost_ms / rows[0].cost_ms:.2f} | {r.slowest_ms:.2f} | {r.found:.1%} | {r.compared:.1%} | {r.joined:.1%} "
        f"| {r.used_memory / r.articles:,.0f} |"
        for r in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure the volumes one after another, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.growth", description=__doc__)
    parser.add_argument("--articles", type=int, nargs="+", default=SIZES, help="how many are stored")
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()
    rows = measured(options.articles)
    print(table(rows))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps([to_builtins(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()

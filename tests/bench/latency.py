"""How long after an article is queued a reader of the event stream sees it, at 100 articles a second.

    python -m tests.bench.latency

Method: an open loop. Article i is due at i / 100 s, whatever became of the others, and its time counts from there: if
queueing, a worker or the reader falls behind, the waiting counts (no coordinated omission). Each article is a job of
its own, the dearest way to queue them; one worker. The reader is `storywire report --follow --json --members`, as
anybody would run it; an article is visible when the line that shows it has arrived here.
"""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import quantiles
from typing import IO

from msgspec import Struct, to_builtins

from tests.bench import newswire
from tests.bench.running import Pipeline, keep, pipeline, table
from tests.command import start_storywire
from worker.model import Article

RATE = 100
SECONDS = 20
WARM = 500
WITHIN_S = 1.0
LEAST_SHARE = 0.99
_PATIENCE_S = 60.0


class Latency(Struct, frozen=True):
    """Seconds from due to visible, and the share of articles that were visible in time."""

    articles: int
    rate: int
    median_s: float
    p95_s: float
    p99_s: float
    slowest_s: float
    in_time: float


class _Reader:
    """Notes when each article is first shown."""

    def __init__(self, lines: IO[str]) -> None:
        self.seen: dict[str, float] = {}
        self._thread = threading.Thread(target=self._read, args=(lines,), daemon=True)
        self._thread.start()

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            now = time.monotonic()
            for member in json.loads(line)["members"]:
                self.seen.setdefault(member["id"], now)

    def wait(self, articles: Sequence[Article], within_s: float) -> bool:
        """Until all of these were shown; False where one was not in time."""
        until = time.monotonic() + within_s
        while not all(article.id in self.seen for article in articles):
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True


def measure(articles: Sequence[Article]) -> Latency:
    """Send the articles after the first WARM at RATE a second, and see when each becomes visible."""
    warm, measured = articles[:WARM], articles[WARM:]
    with pipeline(1, warm[:-50]) as running, _reader(running) as reader:
        for article in warm[-50:]:  # the reader shows what comes after it has started
            _queue(running, [article])
            if reader.wait([article], 0.5):
                break
        due = _send(running, measured)
        assert reader.wait(measured, _PATIENCE_S), f"{len(set(due) - set(reader.seen))} articles were never shown"
        return _latency([reader.seen[article_id] - due_s for article_id, due_s in due.items()])


def _send(running: Pipeline, articles: Sequence[Article]) -> dict[str, float]:
    """Queue each article when it is due; article id -> when that was."""
    start, due = time.monotonic() + 0.1, {}
    for place, article in enumerate(articles):
        due[article.id] = start + place / RATE
        time.sleep(max(0.0, due[article.id] - time.monotonic()))
        _queue(running, [article])
    return due


def _queue(running: Pipeline, articles: Sequence[Article]) -> None:
    running.runtime.jobs.enqueue(running.publish("live", articles))


def _latency(seconds: Sequence[float]) -> Latency:
    cuts = quantiles(seconds, n=100, method="inclusive")
    in_time = sum(s <= WITHIN_S for s in seconds) / len(seconds)
    return Latency(len(seconds), RATE, cuts[49], cuts[94], cuts[98], max(seconds), in_time)


@contextmanager
def _reader(running: Pipeline) -> Iterator[_Reader]:
    arguments = ("report", "--follow", "--json", "--members")
    follower = start_storywire(*arguments, data_dir=running.runtime.settings.data_dir)
    assert follower.stdout is not None
    try:
        yield _Reader(follower.stdout)
    finally:
        follower.terminate()
        _, errors = follower.communicate(timeout=10)
        print(errors, end="")


def report(latency: Latency) -> None:
    """Print the table and keep the figures."""
    print(f"\nFrom queued to visible, {newswire.WORDS}-word articles, {latency.rate} a second, one worker")
    table(
        ("articles", "median", "95 %", "99 %", "slowest", f"within {WITHIN_S:.0f} s"),
        [
            (
                str(latency.articles),
                *(f"{s:.2f} s" for s in (latency.median_s, latency.p95_s, latency.p99_s, latency.slowest_s)),
                f"{latency.in_time:.1%}",
            )
        ],
    )
    keep("latency", to_builtins(latency))


if __name__ == "__main__":
    report(measure(newswire.generated(WARM + RATE * SECONDS)))

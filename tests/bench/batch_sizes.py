"""What the size of a job brings (STORYWIRE_BATCH): articles a second, and how long they wait, with one worker and two.

    python -m tests.bench.batch_sizes [--repeat 3] [--sizes 50 100 200 400]

Method: generated articles of 400 words, of one language; each size has a new store in each round, and the rounds go
through the sizes in turns, so ratios are of neighbours in time. Three loads: few (20 a second) and too many (1,000 a
second), both queued as a poller does, what came in a fifth of a second at a time; and a file, all at once. An article's
wait counts from when it was due, as in latency.py, until it has left the outbox: jobs are first in, first out, so it is
read off the number that have.

Invariant: the same articles for every size, in the same order.
"""

import argparse
import time
from collections.abc import Sequence
from statistics import median, quantiles

from msgspec import Struct, to_builtins

from tests.bench import newswire
from tests.bench.deciding import changed
from tests.bench.running import Pipeline, keep, pipeline, table
from tests.bench.workers import PATIENT
from worker.model import Article

SIZES = (50, 100, 200, 400)
WORKERS = (1, 2)
WARM, FEW, MANY, FILE = 500, 160, 2_000, 2_000
FEW_A_SECOND, MANY_A_SECOND = 20, 1_000
_GATHERED_S = 0.2
_LOOK_S = 0.002


class Size(Struct, frozen=True):
    """What jobs of at most so many articles come to: articles a second of a file, and of too many; milliseconds of
    processor of workers and server an article of the file; seconds from due to placed, median and 95th percentile."""

    batch: int
    workers: int
    file_rate: float
    file_ms: float
    many_rate: float
    few_s: tuple[float, float]
    many_s: tuple[float, float]


def measure(batch: int, workers: int, articles: Sequence[Article]) -> Size:
    """One size in a store of its own."""
    few, many, file = (articles[WARM:][start : start + n] for start, n in ((0, FEW), (FEW, MANY), (FEW + MANY, FILE)))
    with changed(PATIENT), pipeline(workers, articles[:WARM], batch) as running:
        few_s, _ = _open_loop(running, "few", few, FEW_A_SECOND)
        many_s, rate = _open_loop(running, "many", many, MANY_A_SECOND)
        run = running.measure("file", file)
    cost_ms = 1000 * (run.workers_cpu_s + run.server_cpu_s) / run.articles
    return Size(batch, workers, run.rate, cost_ms, rate, _spread(few_s), _spread(many_s))


def _open_loop(running: Pipeline, feed: str, articles: Sequence[Article], rate: int) -> tuple[list[float], float]:
    """The seconds from due to placed of each article, and how many were placed a second."""
    start, sent, waits = time.monotonic(), 0, list[float]()
    while len(waits) < len(articles):
        elapsed_s = time.monotonic() - start
        gathered = min(len(articles), int(elapsed_s // _GATHERED_S * _GATHERED_S * rate))
        if gathered > sent:
            running.runtime.jobs.enqueue(running.publish(feed, articles[sent:gathered]))
            sent = gathered
        placed, now_s = sent - running.runtime.outbox.waiting(feed), time.monotonic() - start
        waits += [now_s - place / rate for place in range(len(waits), placed)]
        time.sleep(_LOOK_S)
    return waits, len(articles) / (time.monotonic() - start)


def _spread(seconds: Sequence[float]) -> tuple[float, float]:
    return median(seconds), quantiles(seconds, n=20, method="inclusive")[18]


def report(rounds: Sequence[Sequence[Size]]) -> None:
    """Print the medians over rounds, each rate beside that of the first size of its round, and keep the figures."""
    print(f"\nArticles in one job, {newswire.WORDS}-word articles, medians of {len(rounds)} rounds")
    table(
        ("batch", "workers", "file/s", "ratio", "ms an article", "ratio", "many/s", "ratio", "few: s", "95 %",
         "many: s", "95 %"),
        [_row(same, [_first(each, same[0].workers) for each in rounds]) for same in zip(*rounds, strict=True)],
    )  # fmt: skip
    keep("batch_sizes", to_builtins(rounds))


def _first(sizes: Sequence[Size], workers: int) -> Size:
    return min((size for size in sizes if size.workers == workers), key=lambda size: size.batch)


def _row(same: Sequence[Size], firsts: Sequence[Size]) -> tuple[str, ...]:
    def ratio(name: str) -> str:
        return f"{median(getattr(a, name) / getattr(b, name) for a, b in zip(same, firsts, strict=True)):.2f}"

    return (
        str(same[0].batch), str(same[0].workers),
        f"{median(s.file_rate for s in same):.0f}", ratio("file_rate"),
        f"{median(s.file_ms for s in same):.2f}", ratio("file_ms"),
        f"{median(s.many_rate for s in same):.0f}", ratio("many_rate"),
        *(f"{median(s.few_s[at] for s in same):.2f}" for at in (0, 1)),
        *(f"{median(s.many_s[at] for s in same):.2f}" for at in (0, 1)),
    )  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    asked = parser.parse_args()
    articles = newswire.generated(WARM + FEW + MANY + FILE)
    plan = [(size, workers) for workers in WORKERS for size in asked.sizes]
    rounds = []
    for number in range(asked.repeat):
        turn = plan if number % 2 == 0 else plan[::-1]
        found = {each: measure(*each, articles) for each in turn}
        rounds.append([found[each] for each in plan])
        report(rounds)


if __name__ == "__main__":
    main()

"""What more workers bring: articles of 400 words a second with 1, 2 and 4, and how long they wait for the lease.

    python -m tests.bench.workers

Method: as in worker_path.py, generated articles of one language, a new store for each number of workers. Waiting is
the workers' own account: the time between asking for the lease and having it, of the time they spend on batches. On a
machine with fewer processors than workers they wait for a processor too, which no stage is blamed for.
"""

import os
from collections.abc import Sequence

from msgspec import to_builtins

from tests.bench import newswire
from tests.bench.running import Run, keep, pipeline, table
from tests.bench.worker_path import WARM
from worker.model import Article

WORKERS = (1, 2, 4)
ARTICLES = 2_000


def measure(articles: Sequence[Article]) -> list[Run]:
    """A run for each number of workers; the first WARM of `articles` are clustered before the clock starts."""
    runs = []
    for workers in WORKERS:
        with pipeline(workers, articles[:WARM]) as running:
            runs.append(running.measure("measured", articles[WARM:]))
    return runs


def report(runs: Sequence[Run]) -> None:
    """Print the table and keep the figures."""
    print(f"\nWorkers, {newswire.WORDS}-word articles of one language, {os.cpu_count()} processors")
    stages = ("fingerprint", "wait", "read", "decide", "commit")
    table(
        ("workers", "articles/s", "waiting", *(f"{stage} ms" for stage in stages)),
        [
            (
                str(run.workers),
                f"{run.rate:.0f}",
                f"{run.waiting:.0%}",
                *(f"{run.stages_ms.get(stage, 0) / run.articles:.2f}" for stage in stages),
            )
            for run in runs
        ],
    )
    print("  (milliseconds by the clock an article, of all workers together)")
    keep("workers", [{**to_builtins(run), "rate": run.rate, "waiting": run.waiting} for run in runs])


if __name__ == "__main__":
    report(measure(newswire.generated(WARM + ARTICLES)))

"""What more workers bring: articles of 400 words a second with 1, 2, 4 and 8, how long they wait for the lease, and
whether that is what an article's cost under the lease says.

    python -m tests.bench.workers [--repeat 3] [--articles 2000] [--picture docs/scaling.svg]

Method: as in worker_path.py, generated articles, a new store for each number of workers; once of one language, and once
of sixteen by turns, as a poller gathers the articles of many feeds into one job. Waiting is the workers' own account:
the time between asking for the lease and having it, of the time they spend on batches. Held: the share of the time in
which somebody read, decided or committed. Both are by the clock, so they and the rates are those of a machine with
whatever else runs on it; the milliseconds are processor time, and the limit is that of workers_alone.py.

Invariant: the same articles for every number of workers, in the same order.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from msgspec import Struct, to_builtins

from tests.bench import newswire
from tests.bench.deciding import Change, changed
from tests.bench.running import Run, keep, pipeline, table
from tests.bench.worker_path import WARM
from tests.bench.workers_alone import Alone, spoken
from tests.bench.workers_alone import measure as measure_alone
from tests.bench.workers_law import Expected, expected
from worker import supervisor
from worker.model import Article

WORKERS = (1, 2, 4, 8)
LANGUAGES = (1, 16)
ARTICLES = 2_000
BATCHES = (10, 200)
"""Other values of STORYWIRE_BATCH whose cost is counted, for one language."""
_HELD = ("read", "decide", "commit")
PATIENT: Sequence[Change] = [(supervisor, "_READY_S", 300.0)]
"""Eight workers take a while to start on two processors."""


class Scale(Struct, frozen=True):
    """What so many workers did: medians of some runs; `speedup` is against one worker in the same round."""

    workers: int
    languages: int
    rate: float
    speedup: float
    waiting: float
    held: float
    worker_ms: float
    server_ms: float


def measure(articles: Sequence[Article], numbers: Sequence[int] = WORKERS) -> list[Run]:
    """A run for each number of workers; the first WARM of `articles` are clustered before the clock starts."""
    runs = []
    for workers in numbers:
        with changed(PATIENT), pipeline(workers, articles[:WARM]) as running:
            runs.append(running.measure("measured", articles[WARM:]))
        print(f"  {runs[-1]}", file=sys.stderr, flush=True)
    return runs


def scales(rounds: Sequence[Sequence[Run]], languages: int) -> list[Scale]:
    """The medians over rounds, of which each has a run for the same numbers of workers, the first number first."""
    return [_scale(same, [one[0] for one in rounds], languages) for same in zip(*rounds, strict=True)]


def _scale(runs: Sequence[Run], firsts: Sequence[Run], languages: int) -> Scale:
    return Scale(
        workers=runs[0].workers,
        languages=languages,
        rate=median(run.rate for run in runs),
        speedup=median(run.rate / first.rate for run, first in zip(runs, firsts, strict=True)),
        waiting=median(run.waiting for run in runs),
        held=median(_held(run) for run in runs),
        worker_ms=median(1000 * run.workers_cpu_s / run.articles for run in runs),
        server_ms=median(1000 * run.server_cpu_s / run.articles for run in runs),
    )


def _held(run: Run) -> float:
    return sum(run.stages_ms.get(stage, 0) for stage in _HELD) / (1000 * run.wall_s)


def law(found: Sequence[Scale], alone: Alone, numbers: Sequence[int]) -> list[Expected]:
    """What the counted cost says of so many workers of one language, a processor for each; what a worker alone needs
    besides the stages (RQ, marks, log lines) is outside of the lease."""
    one = next(scale for scale in found if scale.languages == alone.languages)
    apart_ms = max(alone.apart.ms, one.worker_ms + one.server_ms - alone.shared.ms)
    return [expected(workers, apart_ms, alone.shared.ms, alone.batch) for workers in numbers]


def report(found: Sequence[Scale], alone: Sequence[Alone], batches: Sequence[Alone] = ()) -> None:
    """Print the tables and keep the figures; `batches`: what other sizes of jobs cost."""
    print(f"\nWorkers, {newswire.WORDS}-word articles, {os.cpu_count()} processors, medians")
    table(
        ("languages", "workers", "articles/s", "against one", "waiting", "lease held", "worker ms", "server ms"),
        [
            (
                str(s.languages), str(s.workers), f"{s.rate:.0f}", f"{s.speedup:.2f}", f"{s.waiting:.0%}",
                f"{s.held:.0%}" if s.languages == 1 else "-", f"{s.worker_ms:.2f}", f"{s.server_ms:.2f}",
            )
            for s in found
        ],
    )  # fmt: skip
    print("\nAn article, counted: milliseconds of processor time of worker + server, times something was sent")
    table(
        ("languages", "a job", "fingerprint", *_HELD, "under the lease", "sent", "apart", "limit/s", "0.2 ms away"),
        [
            (
                str(a.languages), str(a.batch), *(_shown(a, stage) for stage in ("fingerprint", *_HELD)),
                f"{a.shared.worker_ms:.2f} + {a.shared.server_ms:.2f}", f"{a.shared.sent:.2f}",
                f"{a.apart.worker_ms:.2f} + {a.apart.server_ms:.2f}", f"{a.limit():.0f}", f"{a.limit(0.2):.0f}",
            )
            for a in (*alone, *batches)
        ],
    )  # fmt: skip
    print("  (0.2 ms away: the limit where the server is on another machine, to it and back)")
    numbers = [s.workers for s in found if s.languages == alone[0].languages]
    print("\nOne language, as that cost says, were there a processor for each worker and for the server")
    table(
        ("workers", "articles/s", "waiting", "lease held"),
        [
            (str(n), f"{e.rate:.0f}", f"{e.waiting:.0%}", f"{e.held:.0%}")
            for n, e in zip(numbers, law(found, alone[0], numbers), strict=True)
        ],
    )
    keep("workers", {"runs": to_builtins(found), "alone": to_builtins([*alone, *batches])})


def _shown(alone: Alone, stage: str) -> str:
    cost = alone.stages[stage]
    return f"{cost.worker_ms:.2f} + {cost.server_ms:.2f}"


def main() -> None:
    """Measure, print, and draw if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3, help="rounds, of which the medians count")
    parser.add_argument("--articles", type=int, default=ARTICLES)
    parser.add_argument("--workers", type=int, nargs="+", default=WORKERS)
    parser.add_argument("--picture", type=Path, help="where a picture of it goes, as SVG; needs the extra `bench`")
    asked = parser.parse_args()
    articles = newswire.generated(WARM + asked.articles)
    found, alone = [], []
    for languages in LANGUAGES:
        said = spoken(articles, languages)
        alone.append(measure_alone(said, WARM, languages))
        found += scales([measure(said, asked.workers) for _ in range(asked.repeat)], languages)
    report(found, alone, [measure_alone(spoken(articles, 1), WARM, batch=size) for size in BATCHES])
    if asked.picture:
        from tests.bench.workers_plot import draw

        draw(found, alone, asked.picture)


if __name__ == "__main__":
    main()

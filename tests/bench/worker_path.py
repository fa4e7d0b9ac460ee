"""How many articles of 400 words a second go through everything: RQ, server with AOF everysec, fingerprints, decision,
commit, with two workers on two cores, beside the `simhash` package alone on one core.

    python -m tests.bench.worker_path

Method: the articles lie in the outbox, the workers have clustered others before; then all jobs are queued at once, and
the clock runs until the last article is settled. All are of one language, so both workers need the one lease. The
package fingerprints the same articles before and after, with nothing else running; its mean counts.
"""

from collections.abc import Sequence

from msgspec import Struct, to_builtins

from tests.bench import newswire
from tests.bench.fingerprints import SHARED_STORIES, sets
from tests.bench.running import Run, keep, pipeline, table
from tests.bench.yardstick import rate_by_clock
from worker.model import Article

WORKERS = 2
ARTICLES = 3_000
WARM = 1_000
_YARDSTICK = 300
LEAST_RATE = 500
LEAST_RATIO = 1.0


class Path(Struct, frozen=True):
    """A run of the whole path, and the package's articles a second."""

    texts: str
    run: Run
    simhash: float

    @property
    def ratio(self) -> float:
        """How many times the package's articles a second."""
        return self.run.rate / self.simhash


def measure(texts: str, articles: Sequence[Article]) -> Path:
    """The first WARM of `articles` are clustered before the clock starts."""
    warm, measured = articles[:WARM], articles[WARM:]
    before = rate_by_clock(measured[:_YARDSTICK])
    with pipeline(WORKERS, warm) as running:
        run = running.measure("measured", measured)
    after = rate_by_clock(measured[-_YARDSTICK:])
    return Path(texts, run, (before + after) / 2)


def report(paths: Sequence[Path]) -> None:
    """Print the tables and keep the figures."""
    print(f"\nThe whole path, {newswire.WORDS}-word articles, {WORKERS} workers, queued beforehand")
    table(
        ("texts", "articles/s", "simhash alone", "ratio", "ms of workers", "ms of server"),
        [
            (
                path.texts,
                f"{path.run.rate:.0f}",
                f"{path.simhash:.0f}",
                f"{path.ratio:.2f}",
                f"{1000 * path.run.workers_cpu_s / path.run.articles:.2f}",
                f"{1000 * path.run.server_cpu_s / path.run.articles:.2f}",
            )
            for path in paths
        ],
    )
    print("  (milliseconds of processor time an article)")
    for path in paths:
        keep(f"worker_path_{path.texts}", {**to_builtins(path), "ratio": path.ratio, "rate": path.run.rate})


if __name__ == "__main__":
    report([measure(name, articles) for name, articles in sets(SHARED_STORIES, WARM + ARTICLES)])

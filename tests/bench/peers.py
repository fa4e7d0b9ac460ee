"""Storywire and three packages side by side: the same articles, the same machine, one process each.

    python -m tests.bench.peers [--grid] [--sets newsroom basil] [--json build/bench/peers.json] [--plot docs/peers.svg]

Method: every labelled set goes through every method article by article, in order of time; BCubed F1 and articles a
second, tokenising and all else included. A peer has one setting for all sets: the one with the best mean F1 of a small
grid, which `--grid` runs. Storywire runs as a worker does, without the queue, with its defaults.

Invariant: the figures of one table come from one run.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean

from msgspec import Struct, to_builtins

from tests.bench.labelled import LabelledSet, available
from tests.bench.peer_methods import Method, MinHashes, NearSimhashes, Storywire, TextClusters
from tests.bench.peer_plot import Bar, draw
from tests.scoring import bcubed

NEEDED = ("datasketch", "matplotlib", "river")


class Contender(Struct, frozen=True):
    """A method in one setting; `make` builds it anew for each set, so that none knows another's articles."""

    name: str
    setting: str
    make: Callable[[], Method]


class Result(Struct, frozen=True):
    """What a method made of a set: scores from 0 to 1, and articles a second."""

    name: str
    setting: str
    set: str
    articles: int
    f1: float
    precision: float
    recall: float
    seconds: float

    @property
    def rate(self) -> float:
        """Articles a second."""
        return self.articles / self.seconds


def simhash(features: str, k: int) -> Contender:
    return Contender("simhash.SimhashIndex", f"{features} features, k = {k}", lambda: NearSimhashes(features, k))


def minhash(shingle: int, threshold: float) -> Contender:
    setting = f"{shingle}-word shingles, threshold {threshold}"
    return Contender("datasketch MinHash LSH, Redis", setting, lambda: MinHashes(shingle, threshold))


def textclust(radius: float, fade_days: float) -> Contender:
    setting = f"radius {radius}, " + (f"fading over {fade_days:g} days" if fade_days else "no fading")
    return Contender("river TextClust", setting, lambda: TextClusters(radius, fade_days))


STORYWIRE = Contender("Storywire", "defaults", Storywire)
BEST = (simhash("words", 8), minhash(1, 0.15), textclust(0.65, 2.0))
"""Of each peer the best of GRID by its mean F1 on basil, ecb, roundups and headlines."""
GRID = (
    *(simhash(features, k) for features in ("package", "words") for k in (3, 8, 12, 16)),
    *(minhash(shingle, threshold) for shingle in (1, 2, 3) for threshold in (0.1, 0.15, 0.2, 0.25)),
    *(textclust(radius, days) for radius in (0.55, 0.6, 0.65, 0.7) for days in (0.0, 2.0, 4.0)),
)


def missing() -> list[str]:
    """The packages that the peers need and that are not installed."""
    return [name for name in NEEDED if find_spec(name) is None]


def contest(contenders: Sequence[Contender], sets: Sequence[LabelledSet]) -> Iterator[Result]:
    """Run every method over every set, one after another."""
    for contender in contenders:
        for each in sets:
            method = contender.make()
            began = time.perf_counter()
            clusters = method.run(each.articles)
            seconds = time.perf_counter() - began
            gold = list(each.truth.values())
            score = bcubed(gold, [clusters[article_id] for article_id in each.truth])
            yield Result(contender.name, contender.setting, each.name, len(each.articles), *_order(score), seconds)


def _order(score: tuple[float, float, float]) -> tuple[float, float, float]:
    precision, recall, f1 = score
    return f1, precision, recall


def table(results: Sequence[Result]) -> str:
    """A Markdown table: a line a method, BCubed F1 a set, their mean, articles a second over all sets."""
    rows = bars(results)
    sets = list(rows[0].f1)
    lines = [f"| | setting | {' | '.join(sets)} | mean | articles a second |", "|---" * (len(sets) + 4) + "|"]
    for row, setting in zip(rows, dict.fromkeys((r.name, r.setting) for r in results), strict=True):
        cells = " | ".join(f"{score:.3f}" for score in [*row.f1.values(), fmean(row.f1.values())])
        lines.append(f"| {row.name} | {setting[1]} | {cells} | {row.rate:,.0f} |")
    return "\n".join(lines)


def bars(results: Sequence[Result]) -> list[Bar]:
    """The results by method."""
    found = []
    for name in dict.fromkeys((result.name, result.setting) for result in results):
        own = [result for result in results if (result.name, result.setting) == name]
        rate = sum(result.articles for result in own) / sum(result.seconds for result in own)
        found.append(Bar(name[0], {result.set: result.f1 for result in own}, rate))
    return found


def _line(result: Result) -> str:
    method = f"{result.name:30} {result.setting:40} {result.set:10}"
    scores = f"F1 {result.f1:.3f} precision {result.precision:.3f} recall {result.recall:.3f}"
    return f"{method} {scores} {result.rate:8,.0f} a second"


def main() -> None:
    """Run, print the table, write the figures and the plot."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers", description=__doc__)
    parser.add_argument("--grid", action="store_true", help="every setting of the grid instead of each peer's best")
    parser.add_argument("--sets", nargs="+", help="only these")
    parser.add_argument("--methods", nargs="+", default=[""], help="only those whose names begin so")
    parser.add_argument("--json", type=Path, default=Path("build/bench/peers.json"), help="where the figures go")
    parser.add_argument("--plot", type=Path, help="where the plot goes")
    options = parser.parse_args()
    if missing():
        sys.exit(f"not installed: {', '.join(missing())}; pip install 'storywire[bench]'")
    shared = Path(__file__).parents[3] / "shared"
    with tempfile.TemporaryDirectory() as folder:
        sets = [s for s in available(shared, Path(folder)) if not options.sets or s.name in options.sets]
    results = []
    contenders = [
        c for c in (STORYWIRE, *(GRID if options.grid else BEST)) if c.name.startswith(tuple(options.methods))
    ]
    for result in contest(contenders, sets):
        results.append(result)
        print(_line(result), file=sys.stderr, flush=True)
    print(table(results))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps([to_builtins(result) for result in results], indent=1))
    if options.plot:
        draw(bars(results), options.plot)


if __name__ == "__main__":
    main()

"""How good the stories are, what each idea brings, and whether cross-validation would choose the same defaults.

    python -m tests.bench.quality [FOLDER]

FOLDER: that of the labelled sets, `../shared/stories` if not given.

Method: each set goes through the pure decision, article by article in order of time; BCubed and pairs over the labelled
articles. An idea is switched off by its constant, all else as it is. Cross-validation leaves one set out: of a grid
around the defaults, the setting with the best mean F1 over the other sets is judged on that one. The grid takes ten
minutes; what was measured is kept in build/bench/quality.json as long as the sources stay the same.

Invariant: the figures of one table are of the same sources.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import product
from math import exp
from pathlib import Path
from statistics import fmean

from tests.bench.deciding import NOISY, SHARED, Bench, Change, Figures, report, sets
from tests.scoring import Score
from worker import fingerprint
from worker.cluster import evidence, halves, merge, search
from worker.model import Fingerprints

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "build" / "bench" / "quality.json"
_GAUSS_DAYS = 1.5

Setting = tuple[float, ...]
"""Values of TUNED, in order."""
Grid = Mapping[Setting, Mapping[str, Figures]]

TUNED = ("THRESHOLD", "_BY_SIZE", "_RARE")
VALUES = ((0.105, 0.125, 0.145, 0.165), (0.08, 0.105, 0.13), (0.003, 0.005, 0.01))


def gauss(days: float) -> float:
    """The time factor that the hyperbola took the place of."""
    return exp(-((days / _GAUSS_DAYS) ** 2) / 2)


def as_in_the_language(article: Fingerprints, postings: Sequence[bytes], made: int) -> dict[str, int]:
    """What key terms are worth where nothing is known of the present."""
    return evidence.as_they_are(article)


IDEAS: Mapping[str, Sequence[Change]] = {
    "names count more": [(fingerprint, "NAMED", 1.0)],
    "the lead counts apart": [(fingerprint, "LEAD_WORDS", fingerprint.STORY_WORDS)],
    "slow forgetting": [(module, "time_factor", gauss) for module in (evidence, search, merge)],
    "rarity in the stream": [(evidence, "present_terms", as_in_the_language)],
    "division": [(halves, "LEAST_TEXTS", sys.maxsize)],
    "threshold by size": [(evidence, "_BY_SIZE", 0.0)],
}
"""What switches each idea off."""


def table(found: Mapping[str, Figures]) -> str:
    """The sets with the defaults."""
    rows = [[name, *_shown(f.bcubed.f1, *f.bcubed[:2], f.pairs.precision)] for name, f in found.items()]
    return _markdown(["set", "BCubed F1", "precision", "recall", "pairwise precision"], rows)


def ablation(bench: Bench, defaults: Mapping[str, Figures]) -> str:
    """F1 of every set with each idea alone switched off, and the pairwise precision of the last set."""
    rows = [["all as it is", *_row(defaults)]]
    for idea, changes in IDEAS.items():
        report(f"without: {idea}")
        rows.append([f"without: {idea}", *_row(bench.measure(changes))])
    return _markdown(["F1", *defaults, f"pairwise precision, {list(defaults)[-1]}"], rows)


def _row(found: Mapping[str, Figures]) -> list[str]:
    figures = list(found.values())
    return _shown(*(f.bcubed.f1 for f in figures), figures[-1].pairs.precision)


def default() -> Setting:
    """The values that the program has."""
    return tuple(getattr(evidence, name) for name in TUNED)


def measured(bench: Bench, kept: Path = KEPT) -> Grid:
    """The grid and the default, on every set; what `kept` has of the same sources is not run again."""
    key = _digest(bench)
    old = json.loads(kept.read_text()) if kept.is_file() else {}
    rows = dict(old["settings"]) if old.get("sources") == key else {}
    found = {}
    for setting in dict.fromkeys((default(), *product(*VALUES))):
        name = " ".join(map(str, setting))
        if name not in rows:
            report(f"{' '.join(TUNED)} = {name}")
            rows[name] = bench.measure([(evidence, *change) for change in zip(TUNED, setting, strict=True)])
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps({"sources": key, "settings": rows}))
        found[setting] = {of: Figures(*(Score(*score) for score in scores)) for of, scores in rows[name].items()}
    return found


def _digest(bench: Bench) -> str:
    """Of what the figures depend on: the pure modules, and the articles in order."""
    hashed = blake2b(digest_size=8)
    for path in sorted([*(ROOT / "worker").glob("*.py"), *(ROOT / "worker" / "cluster").glob("*.py")]):
        hashed.update(path.read_bytes())
    for labelled in bench.labelled:
        hashed.update(" ".join([labelled.name, *(article.id for article in labelled.articles)]).encode())
    return hashed.hexdigest()


def mean_f1(found: Mapping[str, Figures], but: str = "") -> float:
    """The mean BCubed F1 over the sets, one of them left out."""
    return fmean(figures.bcubed.f1 for name, figures in found.items() if name != but)


def best(grid: Grid, but: str = "") -> Setting:
    """The setting with the best mean F1 over all sets but one; the first of equals, which is the default."""
    return max(grid, key=lambda setting: mean_f1(grid[setting], but))


def cross_validation(grid: Grid) -> str:
    """Each set, the setting that the others choose, and what it and the default make of the set."""
    usual = grid[default()]
    rows = []
    for name in usual:
        chosen = best(grid, name)
        pair = (grid[chosen][name], usual[name])
        shown = _shown(*(f.bcubed.f1 for f in pair), *(f.pairs.precision for f in pair))
        rows.append([name, " / ".join(f"{value:g}" for value in chosen), *shown])
    held_out = fmean(grid[best(grid, name)][name].bcubed.f1 for name in usual)
    rows.append(["mean", "", *_shown(held_out, mean_f1(usual)), "", ""])
    head = ["left out", " / ".join(TUNED), "F1", "of the default", "pairwise precision", "of the default"]
    return _markdown(head, rows)


def verdict(grid: Grid) -> str:
    """Where the default stands among all settings, by the mean F1 over all sets."""
    ranked = sorted(grid, key=lambda setting: -mean_f1(grid[setting]))
    means = [mean_f1(grid[setting]) for setting in ranked]
    usual = default()
    return (
        f"Best on all sets: {ranked[0]}, mean F1 {means[0]:.4f}; the default {usual} is number "
        f"{ranked.index(usual) + 1} of {len(ranked)}, {mean_f1(grid[usual]):.4f}; the last one {means[-1]:.4f}."
    )


def _shown(*values: float) -> list[str]:
    return [f"{value:.3f}" for value in values]


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])


def main() -> None:
    """Print the tables, each as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=SHARED)
    bench = Bench(sets(parser.parse_args().folder))
    report("defaults")
    defaults = bench.measure()
    print(table(defaults), flush=True)
    print(f"\n{ablation(bench, defaults)}", flush=True)
    alone = Bench([labelled for labelled in bench.labelled if labelled.name != NOISY])
    grid = measured(alone)
    print(f"\n{cross_validation(grid)}\n\n{verdict(grid)}")


if __name__ == "__main__":
    main()

"""How good the stories are, what each idea brings, and whether cross-validation would choose the same defaults.

    python -m tests.bench.quality [FOLDER]

FOLDER: that of the labelled sets, `../shared/stories` if not given.

Method: each set goes through the pure decision, article by article in order of time; BCubed and pairs over the labelled
articles. An idea is switched off by its constant, all else as it is. Cross-validation leaves one set out: of a grid
around the defaults, the setting with the best mean F1 over the other sets is judged on that one; and the same by F0.5,
as a false merge is worse than a miss. The grid takes ten minutes; what was measured is kept in build/bench/quality.json
as long as the sources stay the same.

Invariant: the figures of one table are of the same sources.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import product
from pathlib import Path
from statistics import fmean

from tests.bench.deciding import IDEAS, NOISY, SHARED, Bench, Figures, f_score, report, sets
from tests.scoring import Score
from worker.cluster import evidence

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "build" / "bench" / "quality.json"

Setting = tuple[float, ...]
"""Values of TUNED, in order."""
Grid = Mapping[Setting, Mapping[str, Figures]]

TUNED = ("THRESHOLD", "_BY_SIZE", "_RARE")
VALUES = ((0.095, 0.105, 0.125, 0.145), (0.06, 0.08, 0.105), (0.004, 0.006, 0.01))
BETAS = (1.0, 0.5)
"""F1, and F with precision counted twice as much as recall."""


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


def mean(found: Mapping[str, Figures], beta: float, but: str = "") -> float:
    """The mean BCubed F over the sets, one of them left out."""
    return fmean(f_score(figures.bcubed, beta) for name, figures in found.items() if name != but)


def best(grid: Grid, beta: float, but: str = "") -> Setting:
    """The setting with the best mean over all sets but one; the first of equals, which is the default."""
    return max(grid, key=lambda setting: mean(grid[setting], beta, but))


def cross_validation(grid: Grid, beta: float) -> str:
    """Each set, the setting that the others choose by their mean F, and what it and the default make of the set."""
    usual, rows, held_out = grid[default()], [], {}
    for name in usual:
        chosen = best(grid, beta, name)
        held_out[name] = grid[chosen][name]
        pair = (held_out[name], usual[name])
        shown = [*(f_score(f.bcubed, beta) for f in pair), *(f.pairs.precision for f in pair)]
        rows.append([name, " / ".join(f"{value:g}" for value in chosen), *_shown(*shown)])
    means = [*(mean(found, beta) for found in (held_out, usual))]
    means += [fmean(figures.pairs.precision for figures in found.values()) for found in (held_out, usual)]
    rows.append(["**mean**", "", *_shown(*means)])
    head = ["left out", " / ".join(TUNED), f"F{beta:g}", "of the default", "pairwise precision", "of the default"]
    return _markdown(head, rows)


def verdict(grid: Grid, beta: float) -> str:
    """Where the default stands among all settings, by the mean F over all sets."""
    ranked = sorted(grid, key=lambda setting: -mean(grid[setting], beta))
    figures = [f"{mean(grid[setting], beta):.4f}" for setting in (ranked[0], default(), ranked[-1])]
    return (
        f"By F{beta:g} the best of {len(ranked)} on all sets: {ranked[0]}, {figures[0]}; the default, {default()}, "
        f"is number {ranked.index(default()) + 1}, {figures[1]}; the last has {figures[2]}."
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
    for beta in BETAS:
        print(f"\n{cross_validation(grid, beta)}\n\n{verdict(grid, beta)}")


if __name__ == "__main__":
    main()

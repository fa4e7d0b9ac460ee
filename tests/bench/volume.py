"""What becomes of the stories where there are many more articles a day, and what the rivalry of stories does for them.

    python -m tests.bench.volume [FOLDER] [--articles N ...]

FOLDER: that of the labelled sets, `../shared/stories` if not given; without them, the generated stream alone.

Method: most labelled sets have one to nine articles a day, an installation's feeds have thousands. So the times of a
set are squeezed, all by one factor, and its texts stay as they are: what was months apart is told in one day, and
nothing but the texts tells it apart. The generated streams, of a week each, have the true density, and made words. Both
go through the pure decision in order of time, once as it is and once with no regard to what other stories fit.

Invariant: the same articles in the same order with and without; the same sets and arguments give the same figures.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from tests.bench.deciding import NOISY, SHARED, Bench, Change, Figures, report, sets
from tests.bench.labelled import LabelledSet
from tests.bench.stream import filling
from worker.cluster import evidence

DAY_S = 86_400.0
DAYS: Mapping[str, Sequence[float]] = {
    NOISY: (300, 30, 3),
    "roundups": (30, 3),
    "neus": (300, 30, 3),
    "basil": (1,),
}
"""What the labelled sets are squeezed to; they have 3,031, 88, 1,517 and 3,323 days."""
VOLUMES = (2_000, 8_000, 32_000)
"""Articles of a generated week."""
NO_RIVALRY: Sequence[Change] = [(evidence, "_BY_RIVAL", 0.0)]


class Compared(NamedTuple):
    """A set's articles a day, and its figures with the rivalry of stories and without."""

    daily: float
    rivalry: Figures
    without: Figures


def squeezed(labelled: LabelledSet, days: float) -> LabelledSet:
    """The set with the same order and texts, told in so many days."""
    times = [article.received for article in labelled.articles]
    begin = min(times)
    factor = days * DAY_S / (max(times) - begin)
    articles = [replace(a, received=begin + (a.received - begin) * factor) for a in labelled.articles]
    return LabelledSet(f"{labelled.name}, {days:g} {'day' if days == 1 else 'days'}", articles, labelled.truth)


def generated(articles: int) -> LabelledSet:
    """A week of so many articles, of which all are labelled."""
    reports = list(filling(articles))
    name = f"{articles:,} articles a week"
    return LabelledSet(name, [each.article() for each in reports], {each.id: each.event for each in reports})


def crowded(folder: Path) -> Iterator[LabelledSet]:
    """The labelled sets of the folder, as they are and squeezed."""
    known = {labelled.name: labelled for labelled in sets(folder)}
    for name in (name for name in DAYS if name in known):
        yield known[name]
        yield from (squeezed(known[name], days) for days in DAYS[name])


def compared(labelled: Sequence[LabelledSet]) -> dict[str, Compared]:
    """Each set's figures with and without; the fingerprints are made once."""
    bench = Bench(labelled)
    report("with the rivalry of stories")
    rivalry = bench.measure()
    report("without")
    without = bench.measure(NO_RIVALRY)
    return {each.name: Compared(_daily(each), rivalry[each.name], without[each.name]) for each in labelled}


def _daily(labelled: LabelledSet) -> float:
    times = [article.received for article in labelled.articles]
    return len(times) / max((max(times) - min(times)) / DAY_S, 1.0)


def table(found: Mapping[str, Compared]) -> str:
    """Markdown; each figure with the rivalry, and without in brackets."""
    head = ["set", "articles a day", "BCubed F1", "precision", "recall", "pairwise precision", "recall"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name, each in found.items():
        pairs = zip(_figures(each.rivalry), _figures(each.without), strict=True)
        lines.append("| " + " | ".join([name, _shown(each.daily), *(f"{a:.3f} ({b:.3f})" for a, b in pairs)]) + " |")
    return "\n".join(lines)


def _shown(daily: float) -> str:
    return f"{daily:,.0f}" if daily >= 10 else f"{daily:.1f}"


def _figures(found: Figures) -> tuple[float, ...]:
    return found.bcubed.f1, found.bcubed.precision, found.bcubed.recall, found.pairs.precision, found.pairs.recall


def main() -> None:
    """Print the tables, each as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=SHARED)
    parser.add_argument("--articles", type=int, nargs="+", default=VOLUMES, help="of a generated week")
    asked = parser.parse_args()
    if labelled := list(crowded(asked.folder)):
        print(table(compared(labelled)), flush=True)
    for articles in asked.articles:
        print(f"\n{table(compared([generated(articles)]))}", flush=True)


if __name__ == "__main__":
    main()

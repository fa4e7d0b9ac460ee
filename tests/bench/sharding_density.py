"""Whether a report still finds its story where ten or a hundred times as much is told at once: a scale model.

    python -m tests.bench.sharding_density [--articles 6000] [--density 1 10 100]

Ten million articles cannot be clustered within an hour, but what makes many of them hard can be had with few: rivals,
that is stories of the same subject at the same time. So the week has the same number of articles, and a tenth or a
hundredth of the subjects (stream.py has 1,000): each is told ten or a hundred times as often, as it would be at that
multiple of the volume. The scale holds for what a subject's words do; the words of the language as a whole are as rare
as before, so this flatters. How well it holds shows where growth.py has filled a window with the articles themselves.

Method: the pure decision in memory. The window holds earlier reports of events, and others; then come the events' next
reports, the probes. Found: a story with an earlier report is among the candidates; compared: among those compared text
by text; joined: the probe went there. BCubed is over the whole window.

Invariant: the number of articles, the probes' times and the sizes of stories are the same at every density.
"""

import argparse
import sys
from collections.abc import Sequence
from heapq import merge
from statistics import mean

from msgspec import Struct, to_builtins

from tests.bench import stream
from tests.bench.deciding import changed
from tests.bench.running import keep, table
from tests.bench.stream import Report
from tests.memory import Memory, answer
from tests.scoring import bcubed
from worker.cluster import posting, prefetch
from worker.fingerprint import fingerprints
from worker.model import Member, Story, uid

ARTICLES, PROBES = 6_000, 600
DENSITIES = (1, 10, 100)
SUBJECTS = stream._BEATS


class Dense(Struct, frozen=True):
    """A window whose subjects are told `density` times as often as in one of so many articles, and how it came out."""

    density: int
    articles: int
    found: float
    compared: float
    joined: float
    precision: float
    recall: float

    @property
    def like(self) -> int:
        """The articles of a window with all subjects that are as dense."""
        return self.density * self.articles


def measure(articles: int, density: int, probes: int = PROBES) -> Dense:
    """Fill a window, look for the stories of the probes, then place them."""
    with changed([(stream, "_BEATS", max(1, SUBJECTS // density))]):
        before, asked = stream.observed(probes)
        reports = list(merge(stream.filling(max(1, articles - len(before))), before, key=lambda r: (r.time, r.id)))
    shard = Memory().place_all(map(_member, reports))
    stories = shard.assignments()
    score = bcubed([report.event for report in reports], [stories[report.id] for report in reports])
    asked = [report for report in asked if report.place]
    sought = [_seek(shard, report) for report in asked]
    shard.place_all(map(_member, asked))
    return Dense(
        density=density,
        articles=len(reports),
        found=mean(found for found, _ in sought),
        compared=mean(compared for _, compared in sought),
        joined=mean(bool(_stories(shard, [report.id]) & _earlier(shard, report)) for report in asked),
        precision=score.precision,
        recall=score.recall,
    )


def _member(report: Report) -> Member:
    prints = fingerprints(report.title, report.text, "en")
    at = report.time
    return Member(report.id, 1, report.title, "", report.source, at, at, at, False, prints)


def _seek(shard: Memory, report: Report) -> tuple[bool, bool]:
    """Whether a story with an earlier report of the event is found, and whether it is compared."""
    view, probe = shard.view, _member(report)
    best: list[Story] = answer(view, prefetch(view, [probe]))[0]
    ranked = posting.rank([view.terms[term] for term in probe.prints.terms], probe.prints.weights)
    compared = {story.number for story in best}
    found = compared | {story.number for number in ranked if (story := view.root(number))}
    true = _earlier(shard, report)
    return bool(true & found), bool(true & compared)


def _earlier(shard: Memory, report: Report) -> set[int]:
    """The stories that hold an earlier report of the event."""
    return _stories(shard, [f"{report.event}.{place}" for place in range(report.place)])


def _stories(shard: Memory, article_ids: Sequence[str]) -> set[int]:
    found = (shard.view.members.get(uid(article_id)) for article_id in article_ids)
    return {story.number for member in found if member and (story := shard.view.root(member.story))}


def report(rows: Sequence[Dense]) -> None:
    """Print the table and keep the figures."""
    print("\nSubjects told more often: a window of a week")
    table(
        ("density", "articles", "as dense as", "found", "compared", "joined", "BCubed precision", "recall"),
        [
            (
                str(r.density), f"{r.articles:,}", f"{r.like:,}", f"{r.found:.1%}", f"{r.compared:.1%}",
                f"{r.joined:.1%}", f"{r.precision:.3f}", f"{r.recall:.3f}",
            )
            for r in rows
        ],
    )  # fmt: skip
    keep("sharding_density", to_builtins(rows))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=ARTICLES)
    parser.add_argument("--density", type=int, nargs="+", default=DENSITIES)
    asked = parser.parse_args()
    rows = []
    for density in asked.density:
        rows.append(measure(asked.articles, density))
        print(f"  {rows[-1]}", file=sys.stderr, flush=True)
    report(rows)


if __name__ == "__main__":
    main()

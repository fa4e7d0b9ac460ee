"""The decision with some of its constants changed, over the labelled sets: what `quality` measures with.

Invariant: nothing stays changed, and the same sets and changes give the same figures.
"""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from math import exp
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from tests.bench.labelled import SETS, LabelledSet, read
from tests.memory import Memory
from tests.scoring import Score, bcubed, pairwise
from worker import fingerprint
from worker.cluster import evidence, halves, merge, search
from worker.model import Article, Fingerprints, Member

SHARED = Path(__file__).parents[3] / "shared" / "stories"
NEUS, BACKGROUND = "neus", "background"
NOISY = f"{NEUS} + {BACKGROUND}"

Change = tuple[Any, str, object]
"""A module, the name of one of its constants or functions, and the value that takes its place."""


_GAUSS_DAYS = 1.5


class Figures(NamedTuple):
    """What a setting makes of a set."""

    bcubed: Score
    pairs: Score


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
    "rivals": [(evidence, "_BY_RIVAL", 0.0)],
    "key terms count more": [(evidence, "_TERMS", 0.5)],
}
"""What switches each idea off."""


def f_score(score: Score, beta: float) -> float:
    """F of van Rijsbergen 1979: recall counts beta times as much as precision."""
    both = beta**2 * score.precision + score.recall
    return (1 + beta**2) * score.precision * score.recall / both if both else 0.0


@contextmanager
def changed(changes: Sequence[Change]) -> Iterator[None]:
    """The program with other constants, for a while."""
    with ExitStack() as stack:
        for module, name, value in changes:
            stack.enter_context(patch.object(module, name, value))
        yield


def sets(folder: Path) -> list[LabelledSet]:
    """The labelled sets that are in the folder, and neus among the background."""
    found = [read(path) for name in SETS if (path := folder / f"{name}.jsonl").is_file()]
    neus, background = folder / f"{NEUS}.jsonl", folder / f"{BACKGROUND}.jsonl"
    if neus.is_file() and background.is_file():
        found.append(read(neus, background)._replace(name=NOISY))
    return found


class Bench:
    """Sets, and the fingerprints of their articles: most changes are to the decision alone, and share them."""

    def __init__(self, labelled: Sequence[LabelledSet]) -> None:
        self.labelled = labelled
        self._prints: dict[tuple[str, str, float, int], Fingerprints] = {}

    def measure(self, changes: Sequence[Change] = ()) -> dict[str, Figures]:
        """Every set's figures with some constants changed."""
        with changed(changes):
            return {labelled.name: self._measure(labelled) for labelled in self.labelled}

    def _measure(self, labelled: LabelledSet) -> Figures:
        """The set, article by article in order of time, and how the labelled ones came out."""
        started = time.perf_counter()
        shards: dict[str, Memory] = {}
        for article in labelled.articles:
            shards.setdefault(article.lang, Memory(article.lang)).place(self._member(article))
        assigned = {article: story for shard in shards.values() for article, story in shard.assignments().items()}
        gold = list(labelled.truth.values())
        predicted = [assigned[article] for article in labelled.truth]
        figures = Figures(bcubed(gold, predicted), pairwise(gold, predicted))
        report(f"  {labelled.name}: {figures.bcubed.f1:.3f}, {time.perf_counter() - started:.1f} s")
        return figures

    def _member(self, article: Article) -> Member:
        key = article.lang, article.id, fingerprint.NAMED, fingerprint.LEAD_WORDS
        if key not in self._prints:
            self._prints[key] = fingerprint.fingerprints(article.title, article.text, article.lang)
        at = article.received
        return Member(article.id, 1, article.title, "", article.source, at, at, at, False, self._prints[key])


def report(line: str) -> None:
    """Progress, to stderr: the tables go to stdout."""
    print(line, file=sys.stderr, flush=True)

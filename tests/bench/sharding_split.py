"""What stories would lose if one language were split over several shards that decide each for itself.

    python -m tests.bench.sharding_split [FOLDER]

FOLDER: that of the labelled sets, `../shared/stories` if not given; the generated newsroom is always there.

Method: the pure decision, an article going to the shard that one of three rules names, each of which needs no more than
the article: its outlet; its heaviest key term; the day (UTC) of its time. BCubed F1 of all shards together.

Invariant: the same articles in the same order under every rule; a shard knows nothing of the others.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from zlib import crc32

from tests.bench.deciding import SHARED
from tests.bench.labelled import LabelledSet, available
from tests.bench.running import keep, table
from tests.memory import Memory
from tests.scoring import Score, bcubed
from worker.fingerprint import fingerprints
from worker.model import Member

Rule = Callable[[Member, int], int]
SHARDS = (2, 4)
_DAY_S = 86_400


def by_outlet(article: Member, shards: int) -> int:
    return crc32(article.source.encode()) % shards


def by_term(article: Member, shards: int) -> int:
    """By the heaviest key term; what has none, together."""
    weighed = sorted(
        zip(article.prints.weights, article.prints.terms, strict=True), key=lambda pair: (-pair[0], pair[1])
    )
    return crc32(weighed[0][1].encode()) % shards if weighed else 0


def by_day(article: Member, shards: int) -> int:
    return int(article.time // _DAY_S) % shards


RULES: Mapping[str, Rule] = {"outlet": by_outlet, "heaviest key term": by_term, "day": by_day}


def score(labelled: LabelledSet, members: Iterable[tuple[str, Member]], rule: Rule, shards: int) -> Score:
    """How a set comes out; members: each with its language, in order of time."""
    stores: dict[tuple[str, int], Memory] = {}
    for lang, member in members:
        stores.setdefault((lang, rule(member, shards)), Memory(lang)).place(member)
    assigned = {
        article: f"{shard}:{story}" for shard, store in stores.items() for article, story in store.assignments().items()
    }
    return bcubed(list(labelled.truth.values()), [assigned[article] for article in labelled.truth])


def measure(labelled: LabelledSet) -> dict[str, Score]:
    """The set's scores, by what splits it."""
    members = [(a.lang, _member(a.id, a.title, a.text, a.source, a.lang, a.received)) for a in labelled.articles]
    found = {"one shard": score(labelled, members, by_outlet, 1)}
    for name, rule in RULES.items():
        found |= {f"{shards} by {name}": score(labelled, members, rule, shards) for shards in SHARDS}
    return found


def _member(article_id: str, title: str, text: str, source: str, lang: str, at: float) -> Member:
    return Member(article_id, 1, title, "", source, at, at, at, False, fingerprints(title, text, lang))


def report(found: Mapping[str, Mapping[str, Score]]) -> None:
    """Print the table, BCubed F1 and recall, and keep the figures."""
    print("\nA language split over shards: BCubed F1, and recall")
    ways: Sequence[str] = list(next(iter(found.values())))
    rows = [(way, *(f"{each[way].f1:.3f} {each[way].recall:.3f}" for each in found.values())) for way in ways]
    table(("shards", *found), rows)
    keep("sharding_split", {name: {way: s._asdict() for way, s in each.items()} for name, each in found.items()})


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=SHARED)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sw-") as folder:
        sets = available(asked.folder.parent, Path(folder))
    report({labelled.name: measure(labelled) for labelled in sets})


if __name__ == "__main__":
    main()

"""Who copied whom, measured: `python -m tests.bench.relations [FOLDER]` prints the relations by kind of pair.

Pairs are made from the articles of the labelled sets (tests/rewriting.py), or are those that the labels give: reports
of one event by two outlets, and articles of two events. Invariant: fixed seeds; the same sets give the same table.
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.bench.wordnet import wordnet
from tests.rewriting import SHARES, Synonym, Text, as_rare, copies, rewritten, shuffled, swapped
from worker.cluster.relation import COPY_CONTAINMENT, Kinship, relate
from worker.fingerprint import fingerprints, shingle_hashes
from worker.model import Fingerprints, Member, Relation, uid
from worker.text import clean, tokens

FOLDER = Path(__file__).parents[3] / "shared" / "stories"
SETS = ("basil", "neus", "roundups", "ecb", "background")
JUDGED = ("basil", "neus", "roundups")
"""Sets that say which outlet reports which event."""
PAIRS = 200
UNRELATED = 20_000
CHAINS = 60
FEWEST_WORDS = 60

Shares = Counter[Relation]


class Labelled(NamedTuple):
    """An article of a set; `story` is empty where it has no label."""

    text: Text
    source: str
    story: str


class Named(NamedTuple):
    """Whom a link of a chain was said to repeat: the very text that it was made of; that one or a copy of it."""

    exactly: bool
    version: bool


class Made(NamedTuple):
    """Relations of made pairs, by kind: of copies, and of rewrites by (share replaced, order of the sentences)."""

    copies: dict[str, Shares]
    rewrites: dict[tuple[float, str], Shares]


@cache
def articles(folder: Path, name: str) -> tuple[Labelled, ...]:
    """A set, in order of the file."""
    with (folder / f"{name}.jsonl").open(encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return tuple(
        Labelled(Text(clean(a["title"]), clean(a["text"])), a["source"].casefold(), a["story"] or "") for a in lines
    )


def prints(text: Text) -> Fingerprints:
    """The fingerprints of an English text."""
    return fingerprints(text.title, text.text, "en")


def made(known: Sequence[Labelled], synonym: Synonym, *, pairs: int = PAIRS, seed: int = 1) -> Made:
    """So many pairs of each kind, from articles of 60 words or more."""
    result = Made(defaultdict(Counter), defaultdict(Counter))
    rng = Random(seed)
    texts = [article.text for article in known if len(tokens(article.text.text)) >= FEWEST_WORDS]
    rng.shuffle(texts)
    for text, other in zip(texts[:pairs], [*texts[1:], texts[0]], strict=False):
        original = prints(text)
        for kind, copy in copies(text, other, rng):
            result.copies[kind][relate(original, prints(copy))] += 1
        for share in SHARES:
            for order in (swapped, shuffled):
                rewrite = rewritten(text, other.title, share, synonym, rng, order)
                result.rewrites[share, order.__name__][relate(original, prints(rewrite))] += 1
    return result


def independent(known: Sequence[Labelled]) -> tuple[Shares, int]:
    """Relations of reports of one story by two outlets, and how many pairs were left out: near verbatim by all of their
    shingles, so not independent, which reading confirmed."""
    found: Shares = Counter()
    near_verbatim = 0
    stories = defaultdict(list)
    for article in known:
        stories[article.story].append((article.source, prints(article.text), _shingles(article.text)))
    for members in stories.values():
        for (one, a, left), (other, b, right) in combinations(members, 2):
            if one == other:
                continue
            if len(left & right) >= COPY_CONTAINMENT * min(len(left), len(right)):
                near_verbatim += 1
            else:
                found[relate(a, b)] += 1
    return found, near_verbatim


def unrelated(known: Sequence[Labelled], *, pairs: int = UNRELATED, seed: int = 2) -> Shares:
    """Relations of articles of two stories, any two of a set."""
    rng = Random(seed)
    compared = [(article.story, prints(article.text)) for article in known]
    found: Shares = Counter()
    while found.total() < pairs:
        (story, a), (other, b) = rng.sample(compared, 2)
        if story != other or not story:
            found[relate(a, b)] += 1
    return found


def chains(
    known: Sequence[Labelled], synonym: Synonym, *, pairs: int = CHAINS, seed: int = 3
) -> dict[str, list[Named]]:
    """Whom each link of a chain names: an original and its copies, a rewrite of it and that one's copies, a rewrite of
    the rewrite and that one's copies, all of them known."""
    rng = Random(3)
    texts = [article.text for article in known if len(tokens(article.text.text)) >= FEWEST_WORDS]
    rng.shuffle(texts)
    right: dict[str, list[Named]] = defaultdict(list)
    for number, text in enumerate(texts[:pairs]):
        members: list[Member] = []
        versions = {b"": "nobody"}
        for link, of, told in _chain(text, texts[number - 1], synonym, rng):
            member = _member(link, told, len(members))
            named = Kinship(member).origin(members)[1]
            if of:
                right[link.partition(":")[0]].append(Named(named == uid(of), versions[named] == of))
            versions[member.uid] = of if link.startswith("copy") else link
            members.append(member)
    return right


def _chain(text: Text, other: Text, synonym: Synonym, rng: Random) -> Iterator[tuple[str, str, Text]]:
    """(link, the link that it repeats, its text), in order of time."""
    yield "original", "", text
    of, share = "original", rng.choice((0.1, 0.2, 0.3))
    for rewrite in ("", "rewrite", "rewrite of a rewrite"):
        if rewrite:
            text = rewritten(text, other.title, share, synonym, rng)
            yield rewrite, of, text
            of = rewrite
        for kind, copy in copies(text, other, rng):
            yield f"copy of {'the ' if not rewrite else 'a '}{of}:{kind}", of, copy


def _member(name: str, text: Text, at: int) -> Member:
    return Member(name, 1, text.title, "", "", at, at, at, False, prints(text), seq=at)


def _shingles(text: Text) -> frozenset[int]:
    return frozenset(shingle_hashes(tokens(text.text) or tokens(text.title) or ["-"]).tolist())


def share(found: Shares, *relations: Relation) -> float:
    """The part that these relations have of all."""
    return sum(found[relation] for relation in relations) / found.total()


def repeated(found: Shares) -> float:
    """The part that is called a copy or a rewrite."""
    return share(found, Relation.COPY, Relation.REWRITE)


def part(true: Iterable[bool]) -> float:
    """The part that is true."""
    values = list(true)
    return sum(values) / len(values)


def table(folder: Path = FOLDER) -> Iterator[str]:
    """The lines of the table, Markdown."""
    for name, synonym in (("WordNet's synonyms", wordnet()), ("words as rare", as_rare)):
        if synonym is None:
            yield f"({name}: not installed, left out)"
        else:
            yield from _made_table(folder, name, synonym)
    yield from ("", "| reports of one event by two outlets | pairs | rewrites | copies | near verbatim, left out |")
    yield "|---|---|---|---|---|"
    for name in JUDGED:
        found, verbatim = independent(articles(folder, name))
        yield (
            f"| {name} | {found.total()} | {share(found, Relation.REWRITE):.2%} | {share(found, Relation.COPY):.2%} "
            f"| {verbatim} |"
        )
    yield from ("", "| articles of two events | pairs | rewrites or copies |", "|---|---|---|")
    for name in SETS:
        found = unrelated(articles(folder, name))
        yield f"| {name} | {found.total()} | {found.total() - found[Relation.REPORT]} |"
    yield from ("", "| link of a chain | " + " | ".join(SETS) + " |", "|---|" + "---|" * len(SETS))
    links = [chains(articles(folder, name), wordnet() or as_rare) for name in SETS]
    for link in links[0]:
        yield _row(f"{link}: names it", (part(n.exactly for n in right[link]) for right in links))
        yield _row(f"{link}: names it or a copy of it", (part(n.version for n in right[link]) for right in links))


def _made_table(folder: Path, name: str, synonym: Synonym) -> Iterator[str]:
    every = [made(articles(folder, name), synonym) for name in SETS]
    yield from ("", f"| called copies ({name}) | " + " | ".join(SETS) + " |", "|---|" + "---|" * len(SETS))
    for kind in every[0].copies:
        yield _row(kind, (share(of.copies[kind], Relation.COPY) for of in every))
    yield from ("", f"| called rewrites or copies ({name}) | " + " | ".join(SETS) + " |", "|---|" + "---|" * len(SETS))
    for replaced, order in every[0].rewrites:
        label = f"{replaced:.0%} replaced, sentences {order}"
        yield _row(label, (repeated(of.rewrites[replaced, order]) for of in every))


def _row(label: str, shares: Iterator[float]) -> str:
    return f"| {label} | " + " | ".join(f"{value:.1%}" for value in shares) + " |"


if __name__ == "__main__":
    for line in table(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER):
        print(line)

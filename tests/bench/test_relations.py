"""Relations on pairs from real texts: the bounds, and the table of which they are taken."""

from pathlib import Path

import pytest

from tests.bench.relations import (
    JUDGED,
    SETS,
    articles,
    chains,
    independent,
    made,
    part,
    repeated,
    share,
    table,
    unrelated,
)
from tests.bench.wordnet import wordnet
from tests.rewriting import LEAST_COPIES, LEAST_FOUND, as_rare
from worker.model import Relation

MOST_INDEPENDENT = 0.01
LEAST_NAMED = 0.93


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_copies_and_rewrites_are_found(shared: Path, name: str) -> None:
    for synonym in filter(None, (wordnet(), as_rare)):
        found = made(articles(shared / "stories", name), synonym)
        for kind, least in LEAST_COPIES.items():
            assert share(found.copies[kind], Relation.COPY) >= least, kind
        for (replaced, order), relations in found.rewrites.items():
            assert repeated(relations) >= LEAST_FOUND.get(replaced, 0.0), (replaced, order)


@pytest.mark.slow
@pytest.mark.parametrize("name", JUDGED)
def test_independent_reports_are_no_rewrites(shared: Path, name: str) -> None:
    found, near_verbatim = independent(articles(shared / "stories", name))
    assert found.total() >= 200
    assert near_verbatim <= 2
    assert share(found, Relation.REWRITE) <= MOST_INDEPENDENT
    assert not found[Relation.COPY]


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_articles_of_two_events_are_reports(shared: Path, name: str) -> None:
    found = unrelated(articles(shared / "stories", name))
    assert repeated(found) <= 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_every_link_of_a_chain_names_the_version_it_repeats(shared: Path, name: str) -> None:
    right = chains(articles(shared / "stories", name), wordnet() or as_rare)
    for link, named in right.items():
        assert part(of.version for of in named) >= LEAST_NAMED, link


@pytest.mark.slow
def test_the_table_is_printed(shared: Path) -> None:
    print()
    for line in table(shared / "stories"):
        print(line)

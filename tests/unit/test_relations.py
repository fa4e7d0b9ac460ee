"""Who copied whom, on texts written for tests: what tests/bench/relations.py measures on real ones."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations, islice, permutations
from random import Random

import pytest

from tests.memory import Memory, member
from tests.rewriting import (
    LEAST_COPIES,
    LEAST_FOUND,
    Text,
    as_rare,
    copies,
    cut,
    is_content,
    replaced,
    retitled,
    rewritten,
    sentences,
    shuffled,
    swapped,
)
from tests.unit.articles import (
    CUP,
    CUP_TITLE,
    DAM,
    DAM_REPORT,
    DAM_REPORT_TITLE,
    DAM_REWRITE,
    DAM_REWRITE_TITLE,
    DAM_TITLE,
)
from worker.cluster.relation import relate
from worker.demo.newsroom import Newsroom, Published
from worker.fingerprint import fingerprints
from worker.model import Fingerprints, Relation

DAM_TEXT, CUP_TEXT = Text(DAM_TITLE, DAM.replace("\n", " ")), Text(CUP_TITLE, CUP.replace("\n", " "))
BOILERPLATE = """Thank you for reading the Morning Harbour. Sign up for our free newsletter to get the top stories in
your inbox every day, and follow us on social media for breaking news, sport, weather and traffic. Subscribers support
independent local journalism: a subscription costs less than a cup of coffee a week and gives you unlimited access to
our website, our app and the digital edition. Do you have a story for us, a picture or a video? Contact the newsroom by
email or by telephone, day or night. Comments are moderated; please read our community guidelines before posting."""


@pytest.fixture(scope="module")
def news() -> list[Published]:
    """1,000 articles of the demo's newsroom, in their first revision."""
    return [article for article in islice(Newsroom(7).articles(), 1_000) if article.revision == 1]


@pytest.fixture(scope="module")
def originals(news: list[Published]) -> list[Text]:
    """English articles of 60 words and more that repeat none."""
    own = [a for a in news if a.lang == "en" and a.relation is Relation.FIRST and len(a.text.split()) >= 60]
    return [Text(article.title, article.text) for article in own[:120]]


def prints(text: Text) -> Fingerprints:
    return fingerprints(text.title, text.text, "en")


def pairs(texts: list[Text]) -> Iterator[tuple[Text, Text]]:
    """Each text beside a foreign one."""
    yield from zip(texts, [*texts[1:], texts[0]], strict=True)


def part(found: Iterable[Relation], *relations: Relation) -> float:
    values = list(found)
    return sum(relation in relations for relation in values) / len(values)


def test_copies_are_copies_whatever_was_put_around_them(originals: list[Text]) -> None:
    rng, found = Random(1), defaultdict(list)
    for text, other in pairs([DAM_TEXT, CUP_TEXT, *originals]):
        for kind, copy in copies(text, other, rng):
            found[kind].append(relate(prints(text), prints(copy)))
    assert set(found) == set(LEAST_COPIES)
    for kind, least in LEAST_COPIES.items():
        assert part(found[kind], Relation.COPY) >= least, kind


@pytest.mark.parametrize("order", [swapped, shuffled])
@pytest.mark.parametrize("replaced_part", LEAST_FOUND)
def test_rewrites_are_found(originals: list[Text], replaced_part: float, order: object) -> None:
    rng, put = Random(2), swapped if order is swapped else shuffled
    found = [
        relate(prints(text), prints(rewritten(text, other.title, replaced_part, as_rare, rng, put)))
        for text, other in pairs([DAM_TEXT, CUP_TEXT, *originals])
    ]
    assert part(found, Relation.REWRITE, Relation.COPY) >= LEAST_FOUND[replaced_part]


def test_the_newsroom_s_copies_rewrites_and_reports_are_told_apart(news: list[Published]) -> None:
    known = {a.id: fingerprints(a.title, a.text, a.lang) for a in news}
    found = defaultdict(list)
    for article in news:
        if article.of in known:
            found[article.relation].append(relate(known[article.of], known[article.id]))
    assert part(found[Relation.COPY], Relation.COPY) >= 0.98
    assert part(found[Relation.REWRITE], Relation.REWRITE, Relation.COPY) >= 0.9
    stories = defaultdict(list)
    for article in news:
        if not article.of:
            stories[article.story].append(known[article.id])
    reports = [relate(a, b) for members in stories.values() for a, b in combinations(members, 2)]
    assert len(reports) >= 500
    assert part(reports, Relation.REWRITE, Relation.COPY) <= 0.01
    strangers = Counter(relate(a[0], b[0]) for a, b in combinations(stories.values(), 2))
    assert strangers[Relation.COPY] == 0
    assert strangers[Relation.REWRITE] <= 1e-4 * strangers.total()


def test_a_quote_that_two_reports_share_makes_no_rewrite() -> None:
    quote = ' "We were told that it would hold for another ten years, and nobody told us otherwise until it broke."'
    one, other = Text(DAM_TITLE, DAM + quote), Text(DAM_REPORT_TITLE, DAM_REPORT + quote)
    assert relate(prints(one), prints(other)) is Relation.REPORT


@pytest.mark.parametrize("own_words", [20, 40, 60])
def test_an_outlet_s_boilerplate_makes_no_copy(own_words: int) -> None:
    """At 20 words of their own and twice as many in common, too."""
    common = " ".join(BOILERPLATE.split()[: 2 * own_words])
    one = Text(DAM_TITLE, " ".join(DAM.split()[:own_words]) + "\n" + common)
    other = Text(CUP_TITLE, " ".join(CUP.split()[:own_words]) + "\n" + common)
    assert relate(prints(one), prints(other)) is not Relation.COPY


def test_headlines_are_copies_only_word_for_word() -> None:
    headline = prints(Text(DAM_TITLE, ""))
    assert relate(headline, prints(Text(DAM_TITLE.upper(), ""))) is Relation.COPY
    assert relate(headline, prints(Text(DAM_TITLE + " homes", ""))) is Relation.REPORT
    assert relate(headline, prints(DAM_TEXT)) is Relation.REPORT


@pytest.mark.parametrize("words", [35, 60])
def test_excerpts_are_told_apart_too(words: int) -> None:
    excerpt = Text(DAM_TITLE, " ".join(DAM.split()[:words]))
    rewrite = Text(DAM_REWRITE_TITLE, " ".join(DAM_REWRITE.split()[:words]))
    report = Text(DAM_REPORT_TITLE, " ".join(DAM_REPORT.split()[:words]))
    assert relate(prints(excerpt), prints(retitled(excerpt, CUP_TITLE))) is Relation.COPY
    assert relate(prints(excerpt), prints(DAM_TEXT)) is Relation.COPY
    assert relate(prints(excerpt), prints(rewrite)) is Relation.REWRITE
    assert relate(prints(excerpt), prints(report)) is Relation.REPORT


def chain() -> dict[str, Text]:
    """An original, a rewrite of it, a copy of the rewrite, a rewrite of the rewrite and a copy of that, in order."""
    rewrite = rewritten(DAM_TEXT, DAM_REWRITE_TITLE, 0.2, as_rare, Random(5))
    again = rewritten(rewrite, "Vellmark under water", 0.2, as_rare, Random(6))
    return {
        "original": DAM_TEXT,
        "rewrite": rewrite,
        "copy": cut(rewrite, "Thousands flee"),
        "again": again,
        "last": retitled(again, "Flood!"),
    }


CHAIN = {
    "original": (Relation.FIRST, ""),
    "rewrite": (Relation.REWRITE, "original"),
    "copy": (Relation.COPY, "rewrite"),
    "again": (Relation.REWRITE, "rewrite"),
    "last": (Relation.COPY, "again"),
}


@pytest.mark.parametrize("arrival", list(permutations(CHAIN))[::6])
def test_every_link_of_a_chain_names_the_one_before_it_in_whatever_order_they_arrive(arrival: tuple[str, ...]) -> None:
    texts = chain()
    times = {name: 600.0 * place for place, name in enumerate(texts)}
    memory = Memory().place_all(member(name, *texts[name], times[name], source=name) for name in arrival)
    assert len(memory.stories()) == 1
    names = {memory.member(name).uid: name for name in texts} | {b"": ""}
    assert {name: (memory.member(name).relation, names[memory.member(name).of]) for name in texts} == CHAIN


def test_the_generator_changes_just_what_it_says() -> None:
    rng = Random(4)
    words, others = DAM_TEXT.text.split(), replaced(DAM_TEXT.text, 0.3, as_rare, rng).split()
    content = sum(is_content(word.strip('".,').lower()) for word in words)
    changed = sum(a != b for a, b in zip(words, others, strict=True))
    assert changed == pytest.approx(0.3 * content, abs=3)
    assert sorted(swapped(sentences(DAM_TEXT.text), rng)) == sorted(sentences(DAM_TEXT.text))
    assert len(cut(DAM_TEXT, "").text.split()) == pytest.approx(2 / 3 * len(words), abs=1)
    assert DAM_TEXT.text.startswith(cut(DAM_TEXT, "").text)

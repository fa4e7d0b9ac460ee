"""The local newsroom: the same seed tells the same news, its truth holds, and its texts are as different as in life."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations
from statistics import quantiles

import pytest

from worker.demo import __main__ as lines
from worker.demo import stylebook
from worker.demo.newsroom import DAY_S, START_S, Newsroom, Published
from worker.demo.outlets import OUTLETS
from worker.demo.stylebook import Choice, Fact, Kind, Line
from worker.fingerprint import cosine, fingerprints
from worker.model import Fingerprints, Relation
from worker.sketch import containment

LANGS = sorted({outlet.lang for outlet in OUTLETS})


@pytest.fixture(scope="module")
def news() -> list[Published]:
    return list(Newsroom(5).articles(2000))


@pytest.fixture(scope="module")
def articles(news: list[Published]) -> list[Published]:
    return [article for article in news if article.revision == 1]


@pytest.fixture(scope="module")
def prints(articles: list[Published]) -> dict[str, Fingerprints]:
    return {a.id: fingerprints(a.title, a.text, a.lang) for a in articles}


def by_story(articles: Iterable[Published]) -> dict[str, list[Published]]:
    stories = defaultdict(list)
    for article in articles:
        stories[article.story].append(article)
    return stories


def test_the_same_seed_tells_the_same_news_and_another_seed_other_news(news: list[Published]) -> None:
    assert list(Newsroom(5).articles(2000)) == news
    others = {article.text for article in Newsroom(6).articles(500)}
    assert not others & {article.text for article in news}


def test_news_comes_in_order_of_time_at_about_the_rate_asked_for() -> None:
    until_s = START_S + 2 * DAY_S
    times = [article.updated for article in Newsroom(1, per_hour=40).articles(until=until_s)]
    assert times == sorted(times)
    assert START_S <= times[0] <= times[-1] <= until_s
    assert len(times) == pytest.approx(48 * 40, rel=0.15)


def test_an_id_belongs_to_one_article_and_its_revisions(news: list[Published]) -> None:
    seen: dict[str, Published] = {}
    revised = 0
    for article in news:
        before = seen.get(article.id)
        if before is None:
            assert article.revision == 1
        else:
            revised += 1
            assert article.revision == before.revision + 1
            assert (article.guid, article.url, article.published) == (before.guid, before.url, before.published)
            assert (article.story, article.relation, article.of) == (before.story, before.relation, before.of)
            assert article.updated > before.updated
            assert (article.title, article.text) != (before.title, before.text)
        seen[article.id] = article
    assert revised > 10, "corrections happen"
    assert len({article.guid for article in seen.values()}) == len(seen)


def test_every_story_begins_with_its_first_and_repeats_only_what_was_there(articles: list[Published]) -> None:
    for story in by_story(articles).values():
        assert [article.relation for article in story].count(Relation.FIRST) == 1
        assert story[0].relation is Relation.FIRST
        earlier: set[str] = set()
        for article in story:
            repeats = article.relation in (Relation.COPY, Relation.REWRITE)
            assert bool(article.of) == repeats
            assert not article.of or article.of in earlier
            assert article.lang == story[0].lang
            earlier.add(article.id)


def test_there_are_stories_of_every_size_in_three_languages(articles: list[Published]) -> None:
    sizes = [len(story) for story in by_story(articles).values()]
    assert min(sizes) == 1
    assert max(sizes) >= 10
    assert {article.lang for article in articles} == {"de", "en", "es"}
    assert {article.outlet for article in articles} == {outlet.id for outlet in OUTLETS}


def test_texts_are_as_long_as_news_and_nothing_is_left_unfilled(news: list[Published]) -> None:
    for article in news:
        assert not set("{}[]|$@") & set(article.title + article.text), article
        if "weather" not in article.story and "markets" not in article.story:
            assert 60 <= len(article.text.split()) <= 400, article
    words = quantiles([len(article.text.split()) for article in news], n=20)
    assert words[1] >= 80


def test_copies_share_nearly_all_and_rewrites_much_of_their_shingles(
    articles: list[Published], prints: dict[str, Fingerprints]
) -> None:
    shared = defaultdict(list)
    for article in articles:
        if article.of in prints:
            shared[article.relation].append(containment(prints[article.id], prints[article.of]))
    assert quantiles(shared[Relation.COPY], n=20)[0] > 0.9
    assert quantiles(shared[Relation.REWRITE], n=20)[0] > 0.4
    assert quantiles(shared[Relation.REWRITE], n=20)[-1] < 0.85


def test_independent_reports_share_facts_but_not_wording(
    articles: list[Published], prints: dict[str, Fingerprints]
) -> None:
    pairs = [pair for story in by_story(_own(articles)).values() for pair in combinations(story, 2)]
    shingles = quantiles([containment(prints[a.id], prints[b.id]) for a, b in pairs], n=20)
    cosines = quantiles([cosine(prints[a.id].story, prints[b.id].story) for a, b in pairs], n=20)
    assert shingles[14] < 0.15, "three in four pairs"
    assert 0.4 < cosines[9] < 0.62, "the median: of outlets' own reports of one event it is .43 to .52"
    assert cosines[0] > 0.15
    assert cosines[-1] < 0.78


def test_two_events_of_one_kind_are_strangers(articles: list[Published], prints: dict[str, Fingerprints]) -> None:
    kinds = defaultdict(list)
    for story, members in by_story(_own(articles)).items():
        kinds[story.rpartition("-")[0]].append(members[0])
    pairs = [pair for kind in kinds.values() for pair in combinations(kind, 2)]
    cosines = quantiles([cosine(prints[a.id].story, prints[b.id].story) for a, b in pairs], n=20)
    assert cosines[9] < 0.12
    assert cosines[-1] < 0.24


def _own(articles: Iterable[Published]) -> Iterator[Published]:
    """Reports of their own, without weather and markets, which are alike by nature."""
    for article in articles:
        recurring = article.story.split("-")[1] in ("weather", "markets")
        if article.relation in (Relation.FIRST, Relation.REPORT) and not recurring:
            yield article


def test_a_breaking_story_comes_when_asked_for_and_grows() -> None:
    at_s = START_S + 3600
    room = Newsroom(3, breaking=[at_s], breaking_span_s=3000)
    stories = by_story(room.articles(until=at_s + 4000))
    broken = [story for story in stories.values() if story[0].published == at_s]
    assert len(broken) == 1
    assert len(broken[0]) >= 10
    assert len({article.outlet for article in broken[0]}) >= 8


def test_a_line_is_what_replay_reads_with_the_truth_besides() -> None:
    made = list(lines.articles(seed=2, count=300))
    read = [json.loads(lines.line(article)) for article in made]
    assert len({line["id"] for line in read}) == 300
    assert all(line["title"] and line["text"] and line["published"].endswith("Z") for line in read)
    assert {line["source"] for line in read} <= {outlet.id for outlet in OUTLETS}
    assert [line["story"] for line in read] == [article.story for article in made]
    assert {line["relation"] for line in read} == {"first", "copy", "rewrite", "report"}


@pytest.mark.parametrize("lang", LANGS)
def test_every_fact_that_a_stylebook_names_exists(lang: str) -> None:
    book = stylebook.load(lang)
    given = {*book.common.facts, "day", "quote"}
    for kind in (book.common, *book.kinds, *book.recurring):
        for aspect, wordings in kind.aspects.items():
            named = {fact for line in wordings for fact in _facts(line)}
            assert named <= given | set(kind.facts), (kind.name, aspect)


@pytest.mark.parametrize("lang", LANGS)
def test_every_kind_has_enough_wordings_of_each_aspect(lang: str) -> None:
    book = stylebook.load(lang)
    least = 5 if lang == "en" else 4
    assert len(book.kinds) >= (20 if lang == "en" else 4)
    for kind in book.kinds:
        for aspect in {"headline", "lead", *kind.aspects} - {"follow", "followhead", "quote"}:
            assert len(kind.aspects[aspect]) >= least, (kind.name, aspect)
        assert {"follow", "followhead", "quote"} <= set(kind.aspects), kind.name


def test_a_stylebook_is_read_as_it_is_written() -> None:
    kind: Kind = stylebook.parse_kind("flood\nname: Ada | Bo\nsize: 2..8/3\n@lead\n{name} [rose|fell by {size}].\n")
    assert kind.facts["name"].phrases == ("Ada", "Bo")
    assert list(kind.facts["size"].numbers) == [2, 5, 8]
    assert kind.numbers == ("size",)
    assert kind.aspects["lead"] == ((Fact("name"), " ", Choice((("rose",), ("fell by ", Fact("size")))), "."),)


def _facts(line: Line) -> Iterator[str]:
    for part in line:
        if isinstance(part, Fact):
            yield part.name
        elif isinstance(part, Choice):
            for option in part.options:
                yield from _facts(option)

"""A story that turns out to be two: what each part is afterwards, and which stories stay whole."""

from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from tests.invariants import check, check_relations
from tests.memory import Memory, answer
from tests.unit.confusable import report
from worker.cluster import Placed, pin, split, undo, unite
from worker.cluster.correct import Corrected
from worker.cluster.divide import MOST_ARTICLES
from worker.cluster.halves import LEAST_WORDS
from worker.model import Member, Relation, uid

INTERLEAVED = [report(name) for name in ("a1", "b1", "a2", "b2", "a3", "b3")]
COPIES = [report(name, 4.0, copy) for name, copy in (("b1", "-x"), ("a1", "-x"), ("b2", "-x"))]


def placed(articles: Iterable[Member]) -> Memory:
    """All of them, the shard sound after each one."""
    memory = Memory()
    for article in articles:
        memory.place(article)
        check(memory.view)
        check_relations(memory.view)
    return memory


def splits(memory: Memory) -> list[tuple[int, int]]:
    """Of each split event the story, and the one that was taken out of it."""
    return [(event.story, event.into) for event in memory.view.changes.events if event.kind == "split"]


def numbers(memory: Memory, articles: Iterable[Member]) -> set[int]:
    return {memory.story(article.id).number for article in articles}


def of(event: str, articles: Iterable[Member]) -> list[Member]:
    return [article for article in articles if article.id[0] == event]


def figures(memory: Memory, article_id: str) -> dict[str, object]:
    """What a story is, apart from its number and from what its order of arrival decides."""
    story = memory.story(article_id)
    names = ("headline", "first", "last", "lead", "articles", "copies", "rewrites", "outlets", "planes", "voters")
    return {name: getattr(story, name) for name in names} | {"texts": sorted(story.texts)}


def terms(memory: Memory, article_id: str) -> dict[str, int]:
    """Term -> weight in the postings of a story."""
    number = memory.story(article_id).number
    entries = {
        term: {int.from_bytes(p[at : at + 4], "little"): p[at + 4] for at in range(0, len(p), 5)}
        for term, p in memory.view.terms.items()
    }
    return {term: weights[number] for term, weights in entries.items() if number in weights}


def test_a_story_of_two_events_becomes_two_once_their_texts_tell() -> None:
    memory = placed(INTERLEAVED[:4])
    assert numbers(memory, INTERLEAVED[:4]) == {1}, "the texts do not confuse the search: the test says nothing"
    memory = placed(INTERLEAVED)
    assert splits(memory) == [(1, 2)]
    assert numbers(memory, of("a", INTERLEAVED)) == {1}, "the group with the first article keeps the number"
    assert numbers(memory, of("b", INTERLEAVED)) == {2}


def test_the_group_with_the_earliest_article_keeps_the_number_though_another_began_the_story() -> None:
    memory = placed(report(name) for name in ("b3", "a1", "b2", "a2", "b1", "a3"))
    assert len(splits(memory)) == 1
    assert {memory.story(name).number for name in ("a1", "a2", "a3")} == {1}
    assert {memory.story(name).number for name in ("b1", "b2", "b3")} == {2}


@pytest.mark.parametrize("event", ["a", "b"])
def test_each_part_is_what_its_articles_alone_would_have_given(event: str) -> None:
    articles = [*INTERLEAVED[:4], *COPIES, *INTERLEAVED[4:]]
    memory, alone = placed(articles), placed(of(event, articles))
    assert splits(memory) == [(1, 2)]
    first = f"{event}1"
    assert figures(memory, first) == figures(alone, first)
    assert terms(memory, first) == terms(alone, first)
    assert memory.story(first).heat == pytest.approx(alone.story(first).heat)
    for article in of(event, articles):
        now, then = memory.member(article.id), alone.member(article.id)
        assert (now.relation, now.of, now.voting) == (then.relation, then.of, then.voting), article.id
    for key, band in alone.view.bands.items():
        posted = {band[at : at + 16] for at in range(0, len(band), 16)}
        whole = memory.view.bands[key]
        assert posted <= {whole[at : at + 16] for at in range(0, len(whole), 16)}


def test_copies_go_with_their_text() -> None:
    memory = placed([*INTERLEAVED[:4], *COPIES, *INTERLEAVED[4:]])
    assert numbers(memory, of("b", COPIES)) == {2}
    assert numbers(memory, of("a", COPIES)) == {1}
    assert {memory.member(copy.id).relation for copy in COPIES} == {Relation.COPY}


def test_a_late_original_of_the_smaller_group_s_text_does_not_hold_the_parts_together() -> None:
    original = report("b1", 0.0, "-original")
    memory = placed([*INTERLEAVED[:4], original, *INTERLEAVED[4:]])
    assert numbers(memory, of("b", [*INTERLEAVED, original])) == {1}, "the first article's group keeps the number"
    assert numbers(memory, of("a", INTERLEAVED)) == {2}


def test_each_keeps_the_score_that_it_joined_with_but_for_the_new_first_one() -> None:
    before, memory = placed(INTERLEAVED[:4]), placed(INTERLEAVED)
    assert memory.member("b1").score is None
    assert memory.member("b2").score == before.member("b2").score
    assert memory.member("a2").score == before.member("a2").score


def test_later_articles_join_the_part_that_they_belong_to_and_nothing_flips() -> None:
    later = [report(f"{event}{number}") for number in range(4, 14) for event in "ab"]
    memory = placed(INTERLEAVED)
    for article in later:
        memory.place(article)
        check(memory.view)
        assert splits(memory) == [(1, 2)]
        assert not [event for event in memory.view.changes.events if event.kind == "merged"]
    assert numbers(memory, of("a", later)) == {1}
    assert numbers(memory, of("b", later)) == {2}


def test_one_event_stays_one_story() -> None:
    articles = [report(f"a{number}") for number in range(1, 13)]
    memory = placed(articles)
    assert numbers(memory, articles) == {1}
    assert splits(memory) == []


def test_what_an_editor_merged_is_not_divided() -> None:
    memory = placed(INTERLEAVED)
    answer(memory.view, unite(memory.view, [1, 2], 0.0))
    check(memory.view)
    later = [report(f"{event}{number}") for number in range(4, 10) for event in "ab"]
    memory.place_all(later)
    assert numbers(memory, [*INTERLEAVED, *later]) == {1}
    assert splits(memory) == [(1, 2)]


def test_what_an_editor_pinned_is_not_divided_until_that_is_lifted() -> None:
    memory = placed(INTERLEAVED[:4])
    pinned: Corrected = answer(memory.view, pin(memory.view, uid("b1"), None, 0.0))
    memory.place_all(INTERLEAVED[4:])
    assert numbers(memory, INTERLEAVED) == {1}
    assert answer(memory.view, undo(memory.view, pinned.correction.number, 0.0))
    memory.place(report("a4"))
    assert numbers(memory, of("a", INTERLEAVED)) == {1}
    assert numbers(memory, of("b", INTERLEAVED)) == {2}


def test_a_story_out_of_which_an_editor_split_an_article_is_left_as_it_is() -> None:
    memory = placed(INTERLEAVED[:4])
    answer(memory.view, split(memory.view, 1, [uid("b2")], 0.0))
    memory.place_all([report("a3"), report("b4"), report("b5"), report("a5")])
    assert splits(memory) == [(1, 2)], "an editor's split alone"


@pytest.mark.parametrize("backfill", [True, False])
def test_a_division_is_news_where_the_article_that_told_is(backfill: bool) -> None:
    memory = placed([*INTERLEAVED[:4], replace(report("a3"), backfill=backfill)])
    assert [event.backfill for event in memory.view.changes.events if event.kind == "split"] == [backfill]


def test_an_editor_s_split_is_news_also_where_an_article_of_it_is_not() -> None:
    memory = placed(replace(article, backfill=True) for article in INTERLEAVED[:4])
    answer(memory.view, split(memory.view, 1, [uid("b2")], 0.0))
    assert [event.backfill for event in memory.view.changes.events if event.kind == "split"] == [False]


def test_the_part_of_the_article_that_told_is_numbered_as_an_edition() -> None:
    def again(name: str, hour: float, shared: float = 0.5) -> Member:
        return replace(report(name, hour, shared=shared), title="The day in Zb", source="Wire")

    before = again("b9", -24.0, shared=0.2)
    memory = placed([before, report("a1"), again("b1", 1.0), report("a2"), report("a3"), again("b2", 3.0)])
    assert splits(memory) == [(2, 3)]
    assert numbers(memory, [report("b1"), report("b2")]) == {3}
    assert (memory.story("b1").edition, memory.story("b1").every) == (1, 25 * 3600.0)


def headline(name: str, hour: float) -> Member:
    return replace(report(name, hour, words=LEAST_WORDS - 10), title="")


def test_headlines_are_not_divided() -> None:
    memory = placed(headline(f"{event}{number}", number) for number in range(1, 9) for event in "ab")
    assert splits(memory) == []


def test_a_story_of_very_many_articles_is_not_divided() -> None:
    copies = [report("b1", 2 + i / 100, f"-{i}") for i in range(MOST_ARTICLES)]
    memory = Memory().place_all([*INTERLEAVED[:4], *copies, *INTERLEAVED[4:]])
    assert memory.story("a1").articles == MOST_ARTICLES + len(INTERLEAVED)
    assert splits(memory) == []


def test_the_news_tells_of_the_article_and_then_of_the_division() -> None:
    memory = placed(INTERLEAVED[:4])
    memory.view.changes.events.clear()
    assert memory.place(report("a3")) is Placed.JOINED
    told = [(event.kind, event.story, event.uid, event.into) for event in memory.view.changes.events]
    assert told == [("grew", 1, uid("a3"), 0), ("split", 1, uid("b1"), 2)]

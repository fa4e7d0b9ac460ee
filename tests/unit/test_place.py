"""Where an article goes, and what it is to the others: cases."""

import random

import pytest
from msgspec.structs import replace

from tests.memory import Memory, member
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
from worker.cluster import Placed
from worker.cluster.vote import majority
from worker.model import Alias, Relation, uid

HOUR, DAY = 3600.0, 86_400.0

DAM_1 = member("dam-1", DAM_TITLE, DAM, 0, source="Wire")
REWRITE = member("dam-2", DAM_REWRITE_TITLE, DAM_REWRITE, HOUR, source="Echo")
REPORT = member("dam-3", DAM_REPORT_TITLE, DAM_REPORT, 2 * HOUR, source="Courier")
COPY = member("dam-4", "Flood!", DAM, 3 * HOUR, source="Mirror")
CUP_1 = member("cup-1", CUP_TITLE, CUP, HOUR, source="Wire")


def test_one_event_is_one_story_and_another_is_another() -> None:
    memory = Memory().place_all([DAM_1, CUP_1, REWRITE, REPORT, COPY])
    assert memory.story("dam-1") == memory.story("dam-4")
    assert memory.story("dam-1").number != memory.story("cup-1").number
    assert {m: memory.member(m).relation for m in ("dam-1", "dam-2", "dam-3", "dam-4")} == {
        "dam-1": Relation.FIRST,
        "dam-2": Relation.REWRITE,
        "dam-3": Relation.REPORT,
        "dam-4": Relation.COPY,
    }
    assert memory.member("dam-2").of == memory.member("dam-4").of == DAM_1.uid


def test_counts_add_up_and_a_copy_has_no_vote() -> None:
    story = Memory().place_all([DAM_1, REWRITE, REPORT, COPY]).story("dam-1")
    assert (story.articles, story.copies, story.rewrites, story.voters) == (4, 1, 1, 3)
    assert len(story.outlets) == 4 * 4
    assert (story.first, story.last, story.lead, story.headline) == (0, 3 * HOUR, DAM_1.uid, DAM_TITLE)


def test_an_earlier_article_that_arrives_late_becomes_the_first() -> None:
    memory = Memory().place_all([REWRITE, REPORT, DAM_1])
    assert memory.member("dam-1").relation is Relation.FIRST
    assert (memory.member("dam-2").relation, memory.member("dam-2").of) == (Relation.REWRITE, DAM_1.uid)
    assert memory.member("dam-3").relation is Relation.REPORT
    story = memory.story("dam-1")
    assert (story.headline, story.lead, story.rewrites) == (DAM_TITLE, DAM_1.uid, 1)


def test_an_original_that_arrives_after_its_copy_makes_the_other_the_copy() -> None:
    memory = Memory().place_all([COPY, DAM_1])
    assert (memory.member("dam-4").relation, memory.member("dam-4").of) == (Relation.COPY, DAM_1.uid)
    assert memory.story("dam-1").copies == 1


def test_equal_times_go_in_order_of_arrival() -> None:
    twin = member("dam-0", "Same text", DAM, 0)
    memory = Memory().place_all([DAM_1, twin])
    assert (memory.member("dam-1").relation, memory.member("dam-0").relation) == (Relation.FIRST, Relation.COPY)


def test_a_copy_joins_whatever_its_age_but_a_report_does_not() -> None:
    late_copy = member("old", "Remember?", DAM, 6 * DAY)
    late_report = member("other", DAM_REPORT_TITLE, DAM_REPORT, 46 * DAY)
    memory = Memory().place_all([DAM_1, late_copy, late_report])
    assert memory.story("old").number == memory.story("dam-1").number
    assert memory.story("other").number != memory.story("dam-1").number


def test_a_short_text_that_comes_again_days_later_is_not_forced_into_the_old_story() -> None:
    editions = [member(f"m{day}", "Morning briefing", "", day * 4 * DAY) for day in range(3)]
    memory = Memory().place_all(editions)
    assert len({memory.story(e.id).number for e in editions}) == 3


@pytest.mark.parametrize("text", ["", "Good morning. " + DAM])
def test_daily_editions_of_one_outlet_are_stories_of_their_own_and_another_outlet_joins_its_day_s(text: str) -> None:
    memory = Memory()
    for day in range(30):
        memory.place(member(f"a{day}", f"Morning briefing, {day} May", text, day * DAY, source="Wire"))
        memory.place(member(f"b{day}", f"Morning briefing, {day} May", text, day * DAY + HOUR, source="Echo"))
    assert len(memory.stories()) == 30
    assert all(memory.story(f"a{day}") == memory.story(f"b{day}") for day in range(30))


def test_a_text_of_one_common_word_is_an_article_like_others() -> None:
    memory = Memory().place_all([member("a", "", "one"), member("b", "", "me")])
    assert len(memory.stories()) == 2


def test_a_corrected_headline_leaves_the_copies_what_they_are() -> None:
    copies = [member(f"c{i}", f"Copy {i}", DAM, HOUR + i, source=f"S{i}") for i in range(3)]
    memory = Memory().place_all([DAM_1, *copies, member("dam-1", "Corrected", DAM, 0, source="Wire", revision=2)])
    assert [memory.member(m).relation for m in ("dam-1", "c0", "c1", "c2")] == [Relation.FIRST] + 3 * [Relation.COPY]
    assert {memory.member(f"c{i}").of for i in range(3)} == {DAM_1.uid}
    assert (memory.story("dam-1").copies, memory.story("dam-1").articles) == (3, 4)


def test_an_original_that_came_late_votes_when_the_copy_that_stood_for_it_is_revised() -> None:
    late, early = member("late", "Late", DAM, 100), member("early", "Early", DAM, 0)
    memory = Memory().place_all([late, early, member("late", CUP_TITLE, CUP, 100, revision=2)])
    assert memory.story("early").voters == 1
    memory.place(member("again", "Again", DAM, 200))
    assert memory.story("again").number == memory.story("early").number


def test_editing_a_headline_again_and_again_is_no_news() -> None:
    memory = Memory().place_all([DAM_1, REWRITE])
    heat = memory.story("dam-1").heat
    for revision in range(2, 20):
        memory.place(member("dam-2", f"Edit {revision}", DAM_REWRITE, HOUR, source="Echo", revision=revision))
    assert memory.story("dam-1").heat == pytest.approx(heat)


def test_a_lone_article_with_a_new_headline_stays_though_a_like_story_is_near() -> None:
    memory = Memory().place_all([DAM_1, member("x", "", shuffled(CUP, 1), HOUR)])
    memory.place(member("x", "Dam at Vellmark", shuffled(CUP, 1), HOUR, revision=2))
    assert memory.story("x").number == 2


def test_the_same_revision_again_changes_nothing_and_an_older_one_too() -> None:
    memory = Memory().place_all([DAM_1, member("dam-1", DAM_TITLE, DAM, 0, source="Wire", revision=3)])
    before = memory.story("dam-1")
    assert memory.place(member("dam-1", "Old title", DAM, 0, revision=2)) is Placed.REPEATED
    assert memory.place(member("dam-1", "Same", DAM, 0, revision=3)) is Placed.REPEATED
    assert memory.story("dam-1") == before


def test_an_edited_title_stays_the_same_article_in_the_same_story() -> None:
    memory = Memory().place_all([DAM_1, REWRITE])
    number = memory.story("dam-1").number
    assert (
        memory.place(member("dam-1", "Corrected: dam gives way", DAM, 0, source="Wire", revision=2)) is Placed.REVISED
    )
    story = memory.story("dam-1")
    assert (story.number, story.articles, story.voters, story.rewrites) == (number, 2, 2, 1)
    assert story.headline == "Corrected: dam gives way"


def test_an_edit_is_not_what_brought_an_article() -> None:
    """Another feed may tell of an edit: when the article came, and whether a first fetch brought it, stays; and it
    heats nothing where it did."""
    memory = Memory().place_all([member("a", DAM_TITLE, DAM, 0, backfill=True), member("b", CUP_TITLE, CUP, HOUR)])
    heats = [memory.story(name).heat for name in "ab"]
    told = [member("a", DAM_TITLE, DAM_REWRITE, 0, revision=2), member("b", CUP_TITLE, CUP, HOUR, revision=2)]
    memory.place(replace(told[0], received=DAY))
    memory.place(replace(told[1], received=DAY, backfill=True))
    assert [(m.received, m.backfill) for m in map(memory.member, "ab")] == [(0.0, True), (HOUR, False)]
    assert [memory.story(name).heat for name in "ab"] == pytest.approx(heats)
    assert [event.backfill for event in memory.view.changes.events] == [True, False] * 2
    memory.place(replace(told[1], revision=3, received=0.0))
    assert memory.member("b").received == 0.0, "the earlier one, in whichever order they come"


def test_a_lone_article_keeps_its_story_s_number_through_every_revision() -> None:
    memory = Memory().place_all([DAM_1])
    number = memory.story("dam-1").number
    memory.place(member("dam-1", CUP_TITLE, CUP, 0, revision=2))
    assert memory.story("dam-1").number == number
    assert len(memory.stories()) == 1


def test_a_revision_leaves_nothing_of_its_old_text_behind() -> None:
    revised = member("x", CUP_TITLE, CUP, 0, revision=2)
    through = Memory().place_all([member("x", DAM_TITLE, DAM, 0), revised]).view
    straight = Memory().place_all([revised]).view
    assert {t: p for t, p in through.terms.items() if p} == {t: p for t, p in straight.terms.items() if p}
    assert {b: p for b, p in through.bands.items() if p} == {b: p for b, p in straight.bands.items() if p}
    one, other = through.root(1), straight.root(1)
    assert one is not None
    assert other is not None
    assert (one.planes, one.voters, one.articles) == (other.planes, other.voters, other.articles)


def test_a_revision_that_turns_into_another_story_moves_and_its_old_number_leads_there() -> None:
    turned = member("x", DAM_REPORT_TITLE, DAM_REPORT, HOUR, revision=2)
    memory = Memory().place_all([DAM_1, member("x", CUP_TITLE, CUP, HOUR), turned])
    assert memory.story("x").number == memory.story("dam-1").number == 1
    assert memory.view.stories[2] == Alias(1)
    assert memory.story("x").aliases == (2,)
    assert [(e.story, e.into) for e in memory.view.changes.events if e.kind == "merged"] == [(2, 1)]


def test_when_the_original_is_withdrawn_by_revision_its_copy_takes_over() -> None:
    memory = Memory().place_all([DAM_1, COPY, CUP_1, member("dam-1", CUP_TITLE, CUP, 0, revision=2)])
    copy = memory.member("dam-4")
    assert (copy.relation, copy.of, copy.voting) == (Relation.FIRST, b"", True)
    story = memory.story("dam-4")
    assert (story.articles, story.copies, story.voters, story.headline) == (1, 0, 1, "Flood!")
    assert majority(story.planes, story.voters) == COPY.prints.story
    assert memory.story("dam-1").number == memory.story("cup-1").number


def test_a_text_without_words_stands_alone() -> None:
    memory = Memory().place_all([member("a", "!!!", "..."), member("b", "!!!", "...")])
    assert len(memory.stories()) == 2
    assert not memory.view.terms


def shuffled(text: str, seed: int) -> str:
    """The same words in another order: as alike as can be, and no copy."""
    words = text.split()
    random.Random(seed).shuffle(words)
    return " ".join(words)


def test_stories_that_turn_out_to_be_one_are_merged_and_the_older_keeps_its_number() -> None:
    """Articles that tell both events draw the first story towards the second, until they are one."""
    both = [member(f"both{i}", "", shuffled(f"{DAM} {CUP}", i), 60 + i) for i in range(5)]
    memory = Memory().place_all([DAM_1, member("cup-1", "", CUP, 30)])
    assert len(memory.stories()) == 2
    memory.place_all(both)
    assert (2, 1) in [(e.story, e.into) for e in memory.view.changes.events if e.kind == "merged"]
    story = memory.story("cup-1")
    assert (story.number, story.aliases[0], memory.view.stories[2]) == (1, 2, Alias(1))
    assert story.articles == story.voters == 7
    kinds = [m.relation for m in memory.view.members.values() if m is not None]
    assert (story.copies, story.rewrites) == (kinds.count(Relation.COPY), kinds.count(Relation.REWRITE)) == (0, 0)
    assert memory.member("cup-1").relation is Relation.REPORT
    assert set(memory.view.rolls[1]) == {m.uid for m in [DAM_1, *both, memory.member("cup-1")]}


def test_backfill_is_clustered_but_gives_no_heat() -> None:
    quiet = member("dam-1", DAM_TITLE, DAM, 0, backfill=True)
    story = Memory().place_all([quiet]).story("dam-1")
    assert story.heat == 0
    assert Memory().place_all([DAM_1]).story("dam-1").heat == pytest.approx(1)


def test_heat_counts_arrivals_and_halves_every_two_hours() -> None:
    story = Memory().place_all([DAM_1, member("dam-2", DAM_REWRITE_TITLE, DAM_REWRITE, 2 * HOUR)]).story("dam-1")
    assert story.heat == pytest.approx(1.5)


def test_events_tell_what_happened_in_order() -> None:
    memory = Memory().place_all([DAM_1, CUP_1, REWRITE])
    events = [(e.kind, e.seq, e.story, e.uid) for e in memory.view.changes.events]
    assert events == [("new", 1, 1, uid("dam-1")), ("new", 2, 2, uid("cup-1")), ("grew", 3, 1, uid("dam-2"))]

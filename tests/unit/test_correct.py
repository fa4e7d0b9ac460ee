"""An editor's corrections in the pure decision: what they move, what follows them, what they override."""

from itertools import permutations
from time import process_time

import pytest

from tests.invariants import check
from tests.memory import Memory, answer, member
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
from tests.unit.confusable import report
from worker.cluster import Undone, forget, outlive, pin, split, undo, unite
from worker.cluster.correct import MOST_CORRECTIONS, MOST_NAMED, Corrected, adopt
from worker.cluster.index import TEXTS, compared
from worker.cluster.ties import Ties
from worker.errors import BadInput
from worker.model import Alias, Correction, Member, Relation, Story, uid

HOUR = 3600.0
DAM_1 = member("dam-1", DAM_TITLE, DAM, 0, source="Wire")
DAM_2 = member("dam-2", DAM_REWRITE_TITLE, DAM_REWRITE, HOUR, source="Echo")
DAM_3 = member("dam-3", DAM_REPORT_TITLE, DAM_REPORT, 2 * HOUR, source="Courier")
DAM_3_COPY = member("dam-3-copy", "Boats in the streets", DAM_REPORT, 3 * HOUR, source="Copycat")
CUP_1 = member("cup-1", CUP_TITLE, CUP, HOUR, source="Wire")
ALL = [DAM_1, DAM_2, DAM_3, DAM_3_COPY, CUP_1]


class Desk(Memory):
    """A language in memory, and an editor; after every step the shard is sound."""

    def place_all(self, articles: list[Member]) -> "Desk":  # type: ignore[override]
        for article in articles:
            self.place(article)
            check(self.view)
        return self

    def split(self, story: str, *articles: str) -> Corrected:
        """Take articles out of the story that one is in."""
        return self._done(answer(self.view, split(self.view, self.number(story), list(map(uid, articles)), 0)))

    def merge(self, *articles: str) -> Corrected:
        """Unite the stories that these are in."""
        return self._done(answer(self.view, unite(self.view, [self.number(name) for name in articles], 0)))

    def pin(self, article: str, story: str | None = None) -> Corrected:
        """Pin an article in its story, or in the one that another is in."""
        number = self.number(story) if story else None
        return self._done(answer(self.view, pin(self.view, uid(article), number, 0)))

    def undo(self, number: int) -> Undone | None:
        """Undo a correction."""
        undone: Undone | None = answer(self.view, undo(self.view, number, 0))
        check(self.view)
        return undone

    def forget(self, article: str) -> Story | None:
        """Remove an article."""
        left: Story | None = answer(self.view, forget(self.view, uid(article)))
        check(self.view)
        return left

    def number(self, article: str) -> int:
        return self.story(article).number

    def groups(self) -> list[list[str]]:
        """The ids of each story's members, sorted."""
        ids: dict[int, list[str]] = {}
        for each in filter(None, self.view.members.values()):
            ids.setdefault(self.number(each.id), []).append(each.id)
        return sorted(map(sorted, ids.values()))

    def kinds(self) -> list[str]:
        return [event.kind for event in self.view.changes.events]

    def _done(self, done: Corrected) -> Corrected:
        check(self.view)
        return done


def desk(*articles: Member) -> Desk:
    return Desk().place_all(list(articles or ALL))


def test_a_split_takes_articles_and_their_copies_into_a_story_of_their_own() -> None:
    it = desk()
    assert it.groups() == [["cup-1"], ["dam-1", "dam-2", "dam-3", "dam-3-copy"]]
    done = it.split("dam-1", "dam-3")
    assert it.groups() == [["cup-1"], ["dam-1", "dam-2"], ["dam-3", "dam-3-copy"]]
    assert (it.number("dam-1"), it.number("dam-3")) == (1, 3), "the old story keeps its number, the new one gets one"
    assert it.story("dam-3").headline == DAM_REPORT_TITLE
    assert it.member("dam-3-copy").relation is Relation.COPY
    assert done.correction.one == ("dam-3", "dam-3-copy")
    assert set(done.correction.other) == {"dam-1", "dam-2"}


def test_a_story_that_loses_its_first_article_takes_the_next_one_s_headline() -> None:
    it = desk(DAM_1, DAM_2, DAM_3)
    it.split("dam-1", "dam-1")
    assert it.story("dam-2").headline == DAM_REWRITE_TITLE
    assert it.member("dam-2").relation is Relation.FIRST
    assert it.number("dam-2") == 1


def test_a_late_copy_follows_the_text_that_was_taken_out() -> None:
    it = desk(DAM_1, DAM_2, DAM_3)
    it.split("dam-1", "dam-3")
    it.place_all([DAM_3_COPY, member("dam-1-copy", "Again", DAM, 4 * HOUR)])
    assert it.groups() == [["dam-1", "dam-1-copy", "dam-2"], ["dam-3", "dam-3-copy"]]


def version(name: str, of: str, hour: float, shift: int) -> Member:
    """A text of its own that is like another: every sixth word is one that nobody else has."""
    words = [f"{name}zq{at}" if at % 6 == shift else word for at, word in enumerate(of.split())]
    return member(name, DAM_TITLE, " ".join(words), hour * HOUR)


def test_two_parts_never_merge_again_until_the_split_is_undone() -> None:
    it = desk(DAM_1, DAM_2)
    done = it.split("dam-1", "dam-2")
    it.place_all([version(f"v{hour}", DAM, hour, hour) for hour in (2, 3)])
    apart = it.groups()
    assert len(apart) == 2
    undone = it.undo(done.correction.number)
    assert (undone and undone.correction, undone and undone.stories) == (done.correction, (1,))
    assert it.groups() == [["dam-1", "dam-2", "v2", "v3"]], "what came to either side comes along"
    assert it.undo(done.correction.number) is None


def test_stories_that_were_merged_are_the_same_stories_again_when_that_is_undone() -> None:
    it = desk()
    before = it.groups()
    done = it.merge("dam-1", "cup-1")
    it.place(member("dam-4", "Again", DAM, 5 * HOUR))
    it.place(member("cup-2", "Again", CUP, 5 * HOUR))
    undone = it.undo(done.correction.number)
    assert it.groups() == [["cup-1", "cup-2"], [*before[1], "dam-4"]], "copies that came since follow their texts"
    assert undone is not None
    assert undone.stories == (it.number("cup-1"),) == (3,), "one gets a number, the oldest story keeps its own"
    assert not it.view.ties.all(), "nothing keeps them apart for good"


def test_all_that_one_merge_united_is_apart_again() -> None:
    it = desk(DAM_1, CUP_1, member("tax", "Tax office closes", " ".join(f"tax{n}" for n in range(40))))
    before = it.groups()
    done = it.merge("dam-1", "cup-1", "tax")
    undone = it.undo(done.correction.number)
    assert it.groups() == before
    assert undone is not None
    assert len(undone.stories) == 2


def test_undoing_one_by_one_leads_back_and_out_of_order_moves_nothing() -> None:
    it, before = desk(), desk().groups()
    merged, pinned = it.merge("dam-1", "cup-1").correction, it.pin("dam-2").correction
    united = it.groups()
    early = it.undo(merged.number)
    assert early is not None
    assert (early.stories, early.later, it.groups()) == ((), (pinned,), united)
    it = desk()
    numbers = [it.merge("dam-1", "cup-1").correction.number, it.pin("dam-2").correction.number]
    assert [bool(undone and undone.stories) for undone in map(it.undo, reversed(numbers))] == [False, True]
    assert it.groups() == before


def test_a_merge_of_more_than_a_split_may_take_is_only_lifted() -> None:
    it = desk(DAM_1, CUP_1, *(member(f"copy-{n}", CUP_TITLE, CUP, (2 + n / 100) * HOUR) for n in range(MOST_NAMED)))
    one = it.merge("dam-1", "cup-1")
    undone = it.undo(one.correction.number)
    assert undone is not None
    assert (undone.stories, len(it.groups())) == ((), 1)


def test_a_merge_keeps_the_oldest_number_and_lifts_a_split() -> None:
    it = desk()
    earlier = it.split("dam-1", "dam-3").correction
    done = it.merge("dam-3", "dam-1")
    assert it.groups() == [["cup-1"], ["dam-1", "dam-2", "dam-3", "dam-3-copy"]]
    assert it.number("dam-3") == 1
    assert it.view.stories[3] == Alias(1)
    assert done.lifted == [earlier]
    assert it.view.ties.all() == [done.correction]


def test_stories_that_were_merged_by_hand_are_one_when_their_articles_come_again() -> None:
    it = desk()
    done = it.merge("dam-1", "cup-1")
    again = Desk()
    again.view.ties = it.view.ties
    again.place_all([CUP_1, DAM_3, DAM_1, DAM_2])
    assert again.groups() == [["cup-1", "dam-1", "dam-2", "dam-3"]]
    assert done.correction.kind == "merge"


def test_a_pinned_article_stays_whatever_its_next_revision_says() -> None:
    it = desk(DAM_1, DAM_3, CUP_1)
    it.pin("dam-3")
    it.place(member("dam-3", CUP_TITLE, CUP, 2 * HOUR, source="Courier", revision=2))
    check(it.view)
    assert it.groups() == [["cup-1"], ["dam-1", "dam-3"]]
    other = desk(DAM_1, DAM_3, CUP_1)
    other.place(member("dam-3", CUP_TITLE, CUP, 2 * HOUR, source="Courier", revision=2))
    assert other.groups() == [["cup-1", "dam-3"], ["dam-1"]], "without the pin it goes where its text belongs"


def test_a_pin_moves_an_article_and_an_emptied_story_leads_where_it_went() -> None:
    it = desk()
    it.pin("dam-2", "cup-1")
    assert it.groups() == [["cup-1", "dam-2"], ["dam-1", "dam-3", "dam-3-copy"]]
    assert it.kinds()[-1] == "moved"
    it.pin("dam-2", "dam-1")
    it.pin("cup-1", "dam-1")
    assert it.groups() == [["cup-1", "dam-1", "dam-2", "dam-3", "dam-3-copy"]]
    assert it.view.stories[2] == Alias(1)
    assert it.kinds()[-1] == "merged"


def test_the_later_correction_wins_and_says_what_it_lifted() -> None:
    it = desk()
    parted = it.split("dam-1", "dam-2", "dam-3").correction
    done = it.pin("dam-2", "dam-1")
    assert (done.lifted, done.partly) == ([parted], {parted.number})
    left = it.view.ties.get(parted.number)
    assert left is not None
    assert left.one == ("dam-3", "dam-3-copy"), "what the pin says nothing of holds on"
    again = it.pin("dam-2", "dam-3")
    assert (again.lifted, again.partly) == ([done.correction], set()), "one article is pinned to one story"
    assert it.view.ties.get(done.correction.number) is None


def test_splitting_off_what_stands_for_a_pin_s_story_takes_it_out_of_the_pin() -> None:
    it = desk(DAM_1, DAM_2, DAM_3)
    first = it.pin("dam-3").correction
    done = it.split("dam-1", "dam-2")
    assert done.lifted == [first]
    assert [said.other for said in it.view.ties.all() if said.kind == "pin"] == [("dam-1",)]


@pytest.mark.parametrize("order", list(permutations(range(len(ALL))))[::5], ids=str)
def test_a_correction_holds_for_articles_that_come_again_in_any_order(order: tuple[int, ...]) -> None:
    """Given to a new store, each of the three holds by itself at every step; every fifth order is tried."""
    kept = desk()
    said = [
        kept.split("dam-1", "dam-3").correction,
        desk().merge("dam-1", "cup-1").correction,
        desk().pin("dam-2", "cup-1").correction,
    ]
    for correction in said:
        again = Desk()
        again.view.ties = Ties([correction])
        again.place_all([ALL[place] for place in order])
        where = {name: again.number(name) for name in (*correction.one, *correction.other)}
        one, other = ({where[name] for name in names} for names in (correction.one, correction.other))
        assert len(one | other) == (2 if correction.kind == "split" else 1)
        assert correction.kind != "split" or one.isdisjoint(other)


def test_as_many_corrections_as_there_may_be_are_adopted_in_a_second() -> None:
    """The lease lasts ten; those of one worker copied all for each."""
    names = [tuple(f"article-{n}-{i}" for i in range(20)) for n in range(MOST_CORRECTIONS)]
    said = [Correction(n, "split", 0.0, 0, (1,), one, (f"other-{n}", "same")) for n, one in enumerate(names)]
    it = Desk()
    began = process_time()
    assert answer(it.view, adopt(it.view, said)) == MOST_CORRECTIONS
    assert process_time() - began < 1.5
    assert [found.one for found in it.view.ties.of(uid("same"))] == names[::-1]
    assert it.view.changes.corrections == set(range(1, MOST_CORRECTIONS + 1))


def test_corrections_of_another_store_are_adopted_once() -> None:
    said = [desk().split("dam-1", "dam-3").correction, desk().pin("dam-2", "cup-1").correction]
    it = Desk()
    assert answer(it.view, adopt(it.view, said)) == 2
    assert answer(it.view, adopt(it.view, said)) == 0
    it.place_all(ALL)
    assert it.groups() == [["cup-1", "dam-2"], ["dam-1"], ["dam-3", "dam-3-copy"]]


def test_one_event_tells_a_correction() -> None:
    it = desk()
    before = len(it.kinds())
    it.split("dam-1", "dam-3")
    it.merge("dam-1", "dam-3")
    it.pin("dam-2", "cup-1")
    it.pin("dam-2")
    assert it.kinds()[before:] == ["split", "merged", "moved", "pinned"]
    events = it.view.changes.events[before:]
    assert [(event.story, event.into) for event in events] == [(1, 3), (3, 1), (1, 2), (2, 0)]
    assert len({event.seq for event in events}) == 4, "each has its place in the order of commits"


def test_what_cannot_be_is_refused() -> None:
    it = desk()
    with pytest.raises(BadInput, match="not all of these articles are in en-1"):
        it.split("dam-1", "cup-1")
    with pytest.raises(BadInput, match="nothing would be left of en-2"):
        it.split("cup-1", "cup-1")
    with pytest.raises(BadInput, match="nothing would be left of en-1"):
        it.split("dam-1", "dam-1", "dam-2", "dam-3")
    with pytest.raises(BadInput, match="one story already, en-1"):
        it.merge("dam-1", "dam-2")
    with pytest.raises(BadInput, match="en-9 has ended"):
        answer(it.view, pin(it.view, uid("dam-1"), 9, 0))
    with pytest.raises(BadInput, match="has left the store"):
        answer(it.view, pin(it.view, uid("nobody"), None, 0))
    assert not len(it.view.ties)
    check(it.view)


def test_a_correction_outlives_its_articles_and_holds_on_when_they_come_back() -> None:
    it = desk(DAM_1, DAM_3)
    number = it.split("dam-1", "dam-3").correction.number
    it.view.changes.members.clear()
    for name in ("dam-1", "dam-3"):
        it.view.drop_member(uid(name))
    outlive(it.view, 90.0)
    assert it.view.ties.all()[0].until == 90.0
    again = Desk()
    again.view.ties = it.view.ties
    again.place_all([DAM_1, DAM_3])
    assert again.groups() == [["dam-1"], ["dam-3"]]
    said = again.view.ties.get(number)
    assert said is not None
    assert said.until == 0.0


def test_a_forgotten_article_leaves_as_if_it_had_never_come() -> None:
    it = desk()
    it.split("dam-1", "dam-3")
    left = it.forget("dam-1")
    assert left is not None
    assert (left.articles, left.headline) == (1, DAM_REWRITE_TITLE)
    assert it.groups() == [["cup-1"], ["dam-2"], ["dam-3", "dam-3-copy"]]
    assert all("dam-1" not in (*said.one, *said.other) for said in it.view.ties.all())


def test_a_headline_is_never_that_of_a_forgotten_article() -> None:
    untitled = member("dam-2", "", DAM_REWRITE, HOUR)
    it = desk(DAM_1, untitled)
    assert it.number("dam-2") == it.number("dam-1")
    left = it.forget("dam-1")
    assert left is not None
    assert left.headline == ""


def test_an_emptied_story_ends_and_its_aliases_with_it() -> None:
    it = desk()
    it.merge("dam-1", "cup-1")
    for name in ("dam-2", "dam-3", "dam-3-copy", "cup-1"):
        it.forget(name)
    left = it.forget("dam-1")
    assert left is not None
    assert left.articles == 0
    assert it.view.root(1) is None
    assert it.view.changes.ended == [2]
    assert it.forget("dam-1") is None
    assert not any(it.view.terms.values())
    assert not any(it.view.bands.values())
    assert not len(it.view.ties)


def test_there_is_a_most_of_what_one_split_takes_and_of_corrections() -> None:
    copies = [member(f"copy-{n}", f"Copy {n}", DAM_REPORT, 2 * HOUR + n) for n in range(MOST_NAMED)]
    it = Desk()
    Memory.place_all(it, [DAM_1, DAM_3, *copies])
    with pytest.raises(BadInput, match="65 articles with their copies, and one split takes 64"):
        it.split("dam-1", "dam-3")
    it.view.ties = Ties(Correction(n, "pin", 0.0, 0, (1,), (f"x{n}",), ()) for n in range(MOST_CORRECTIONS))
    with pytest.raises(BadInput, match="5000 corrections of en are in force"):
        it.pin("dam-1")


@pytest.mark.parametrize("gone", [1, 5, 20, 37], ids=lambda number: f"a{number}")
def test_a_story_of_many_texts_that_loses_one_is_compared_by_those_that_are_left(gone: int) -> None:
    articles = [report(f"a{number}") for number in range(1, TEXTS + 6)]
    desk = Desk().place_all(articles)
    assert desk.story("a1").voters == len(articles) > TEXTS, "they are not one story of so many texts: no test"
    left = [article.uid for article in articles if article.id != f"a{gone}"]
    desk.forget(f"a{gone}")
    assert desk.story("a2").texts == compared(tuple(left))
    for article in articles[6:12]:
        if article.id != f"a{gone}":
            desk.forget(article.id)
    assert desk.story("a2").voters == len(desk.story("a2").texts) < TEXTS

"""Which story a text is: the same answer that placing it would give, and nothing of it stays."""

import pytest

from tests.memory import Memory, answer, member
from tests.unit.harbour import BRIDGE, REPORT, REWRITTEN, VOLCANO
from worker.cluster import place
from worker.model import Relation, Story
from worker.report.similar import MOST_STORIES, Match, asked_member, joined, matches


@pytest.fixture
def memory() -> Memory:
    made = Memory()
    title = "Bridge in Port Vell closed after cracks are found"
    made.place(member("herald.1", title, BRIDGE, 1_000.0, source="Herald"))
    made.place(member("gazette.1", "Volcano on Hesta erupts", VOLCANO, 2_000.0, source="Gazette"))
    return made


def ask(memory: Memory, title: str, text: str, now: float = 9_000.0) -> list[Match]:
    """What the stories of the memory are to a text, and that they stay as they are."""
    before = {n: s for n, s in memory.view.stories.items() if s is not None}
    changes = len(memory.view.changes.moves)
    _, article = asked_member(title, text, "en", now)
    found: list[Match] = answer(memory.view, matches(memory.view, article))
    assert {n: s for n, s in memory.view.stories.items() if s is not None} == before
    assert len(memory.view.changes.moves) == changes
    return found


@pytest.mark.parametrize(
    ("title", "text", "relation"),
    [
        ("Bridge closed", BRIDGE, Relation.COPY),
        ("Bridge shut", REWRITTEN, Relation.REWRITE),
        ("Queues at the ferries of Port Vell", REPORT, Relation.REPORT),
    ],
)
def test_a_text_is_told_its_story_and_what_it_would_be_there(
    memory: Memory, title: str, text: str, relation: Relation
) -> None:
    found = ask(memory, title, text)
    best = joined(found)
    assert best is not None
    assert best.headline.startswith("Bridge")
    assert best.relation is relation
    assert best.score >= best.threshold
    assert (best.of.id if best.of else "") == ("" if relation is Relation.REPORT else "herald.1")
    assert best.nearest is not None
    assert best.nearest.id == "herald.1"
    assert {"pillar", "ferri"} & {each.term for each in best.shared}
    assert "joins it" in best.why


@pytest.mark.parametrize("text", [BRIDGE, REWRITTEN, REPORT, VOLCANO, "Parliament passed a budget on Thursday night."])
def test_the_answer_is_what_placing_the_text_comes_to(memory: Memory, text: str) -> None:
    """Said and done are one: the same story, or a new one."""
    best = joined(ask(memory, "A headline", text))
    lang, article = asked_member("A headline", text, "en", 9_000.0)
    answer(memory.view, place(memory.view, article, 9_000.0))
    placed = memory.view.present([article.uid])[0]
    story = memory.view.root(placed.story)
    assert lang == "en"
    assert isinstance(story, Story)
    assert (best is None) == (story.articles == 1)
    if best is not None:
        assert best.headline == story.headline
        assert best.relation is placed.relation


def test_a_text_of_no_story_is_told_how_far_it_is(memory: Memory) -> None:
    found = ask(memory, "Budget passed", "Parliament passed the budget on Thursday; a tax on ash trees fell.")
    assert joined(found) is None
    assert all(not match.joins and match.relation is Relation.REPORT and match.of is None for match in found)


@pytest.mark.parametrize("text", ["", "!!!", "\u202e \u200b", "<script></script>"])
def test_a_text_without_words_is_no_story(memory: Memory, text: str) -> None:
    assert ask(memory, "", text) == []


def test_no_more_than_the_best_are_told() -> None:
    memory = Memory()
    for number in range(3 * MOST_STORIES):
        text = f"Port Vell met team number{number} in round word{number}."
        memory.place(member(f"a.{number}", f"Match {number}", text, 1e5 * number))
    assert len(ask(memory, "Match", "Port Vell met a team in a round.", 5e6)) <= MOST_STORIES

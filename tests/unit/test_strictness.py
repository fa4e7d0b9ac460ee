"""One setting for the user: what strictness does to a decision."""

from itertools import pairwise

import pytest

from tests.memory import Memory, member
from tests.scoring import bcubed
from tests.unit.articles import DAM, DAM_REPORT, DAM_REPORT_TITLE, DAM_TITLE
from worker.cluster import THRESHOLD, USUAL_STRICTNESS, demanded
from worker.demo.newsroom import Newsroom
from worker.demo.outlets import OUTLETS

STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)


def test_the_usual_strictness_changes_no_limit_and_every_limit_grows_with_it() -> None:
    for limit in (0.05, THRESHOLD, 0.5):
        assert demanded(limit, USUAL_STRICTNESS) == limit
        limits = [demanded(limit, strictness / 20) for strictness in range(21)]
        assert all(lower < higher for lower, higher in pairwise(limits))


@pytest.mark.parametrize("strictness", STEPS)
def test_a_copy_joins_at_any_strictness(strictness: float) -> None:
    memory = Memory(strictness=strictness)
    memory.place_all([member("a", DAM_TITLE, DAM, 0), member("b", "Flood!", DAM, 3600.0)])
    assert len(memory.stories()) == 1


def test_another_report_of_the_event_joins_at_the_usual_strictness_and_not_at_the_greatest() -> None:
    def stories(strictness: float) -> int:
        memory = Memory(strictness=strictness)
        memory.place_all([member("a", DAM_TITLE, DAM, 0), member("b", DAM_REPORT_TITLE, DAM_REPORT, 1.5 * 86_400.0)])
        return len(memory.stories())

    assert [stories(strictness) for strictness in (0.0, USUAL_STRICTNESS, 1.0)] == [1, 1, 2]


def test_more_strictness_is_more_stories_more_precision_and_less_recall() -> None:
    """On generated news; recall may rise by a hair where a stranger is kept out that drew others to it."""
    room = Newsroom(17, outlets=[outlet for outlet in OUTLETS if outlet.lang == "en"])
    news = [article for article in room.articles(600) if article.revision == 1]
    gold, stories, scores = [article.story for article in news], [], []
    for strictness in STEPS:
        memory = Memory(strictness=strictness)
        memory.place_all(member(a.id, a.title, a.text, a.published, source=a.outlet) for a in news)
        assigned = memory.assignments()
        stories.append(len(memory.stories()))
        scores.append(bcubed(gold, [assigned[article.id] for article in news]))
    assert stories == sorted(set(stories))
    assert all(a.precision < b.precision or b.precision > 0.999 for a, b in pairwise(scores)), scores
    assert all(a.recall > b.recall - 0.01 for a, b in pairwise(scores)), scores
    assert scores[-1].precision > 0.995
    assert scores[0].recall > 0.95

"""Why each article is in its story: the score and the least that was asked, an editor's word, what the texts share."""

import pytest
from msgspec.structs import replace

from tests.memory import Memory, member
from tests.unit.articles import (  # fmt: skip
    CUP,
    CUP_TITLE,
    DAM,
    DAM_REPORT,
    DAM_REPORT_TITLE,
    DAM_REWRITE,
    DAM_REWRITE_TITLE,
    DAM_TITLE,
)
from worker.cluster import THRESHOLD, USUAL_STRICTNESS
from worker.model import Correction, Member
from worker.report.belonging import belonging, shared_terms

HOUR = 3600.0
ARTICLES = [
    member("dam-1", DAM_TITLE, DAM, 0),
    member("dam-2", DAM_TITLE, DAM, HOUR),
    member("dam-3", DAM_REWRITE_TITLE, DAM_REWRITE, 2 * HOUR),
    member("dam-4", DAM_REPORT_TITLE, DAM_REPORT, 3 * HOUR),
]


def placed(*articles: Member, strictness: float = USUAL_STRICTNESS) -> list[Member]:
    """These as the decision places them, one after the other; in the order of time."""
    memory = Memory(strictness=strictness).place_all(articles or ARTICLES)
    return sorted((memory.member(article.id) for article in articles or ARTICLES), key=lambda m: m.time)


@pytest.mark.parametrize("strictness", [0.2, USUAL_STRICTNESS, 0.7])
def test_what_joined_by_its_score_reached_what_is_said_to_have_been_asked(strictness: float) -> None:
    first, copied, rewritten, reported = belonging("en", 1, placed(strictness=strictness), strictness)
    assert first.words == "the story began with it"
    assert copied.words == "the same text: joins at any score"
    for why in (rewritten, reported):
        assert why.score is not None
        assert why.threshold is not None
        assert why.score >= why.threshold
        assert "was enough" in why.words


def test_more_is_asked_where_the_story_has_more_texts() -> None:
    _, _, of_one_text, of_two = belonging("en", 1, placed(), USUAL_STRICTNESS)
    assert of_one_text.threshold == pytest.approx(THRESHOLD, abs=0.01)
    assert (of_two.threshold or 0) > (of_one_text.threshold or 0)


def test_an_article_that_came_late_began_nothing_though_it_was_published_first() -> None:
    late = replace(ARTICLES[0], id="dam-0", time=-HOUR)
    first, second, *_ = belonging("en", 1, placed(*ARTICLES, late), USUAL_STRICTNESS)
    assert first.words != "the story began with it"
    assert second.words == "the story began with it"


def test_one_that_a_merge_brought_is_said_not_to_have_joined_by_its_score() -> None:
    stranger = replace(placed(member("cup-1", CUP_TITLE, CUP, 4 * HOUR))[0], seq=9, score=0.01)
    *_, why = belonging("en", 1, [*placed(), stranger], USUAL_STRICTNESS)
    assert "it came by a merge" in why.words
    assert (why.score, (why.threshold or 0) > 0.01) == (0.01, True)


def test_the_score_of_one_that_a_merge_brought_is_marked_with_the_story_that_it_was_measured_against() -> None:
    other = [replace(one, story=5) for one in placed()]
    own = placed(member("cup-1", CUP_TITLE, CUP, 4 * HOUR))
    alone = belonging("en", 5, other, USUAL_STRICTNESS)
    merged = belonging("en", 1, [*other, *own], USUAL_STRICTNESS)
    assert merged[3].words == f"{alone[3].words}, as it was in en-5"
    assert merged[3].threshold == alone[3].threshold, "what its own story asked of it then"
    assert "as it was in" not in merged[4].words, "this one was here"


def test_an_editors_word_comes_before_any_score() -> None:
    pinned = Correction(3, "pin", 0.0, 0, (1,), ("dam-4",), ("dam-1",))
    merged = Correction(4, "merge", 0.0, 0, (1, 2), ("dam-1",), ("dam-3",))
    whys = belonging("en", 1, placed(), USUAL_STRICTNESS, [("en.3", pinned), ("en.4", merged)])
    assert [why.by_hand for why in whys] == ["", "", "", "en.3"]
    assert whys[3].words == "put here by an editor, correction en.3"


def test_the_terms_that_most_texts_share_come_first() -> None:
    texts, terms = shared_terms(placed())
    assert texts == 3, "a copy is no text of its own"
    assert "vellmark" in [shared.term for shared in terms[:5]]
    counts = [shared.texts for shared in terms]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] >= 2
    assert shared_terms([]) == (0, ())

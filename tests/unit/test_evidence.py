"""What terms are worth these days, and what time leaves of a likeness."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.cluster import posting, time_factor
from worker.cluster.evidence import as_they_are, key_terms, pair_score, present_terms, score
from worker.fingerprint import fingerprints
from worker.model import Fingerprints

DAM = fingerprints("Dam at Vellmark gives way", "Mayor Ilse Tarnow asked the army for boats on Tuesday.", "en")
CUP = fingerprints("Brenholm win cup", "Goalkeeper Aron Mikkelsen saved two shots on Tuesday.", "en")
WEIGHTS = st.lists(st.integers(1, 255), min_size=1, max_size=12)


def named(stories: range) -> bytes:
    """The posting of a term that these stories have."""
    packed = b""
    for story in stories:
        packed = posting.put(packed, story, 100)
    return packed


def worth(stories: range, made: int) -> int:
    """What a term of full weight is worth, in 256ths of a weight, where these stories have it."""
    return present_terms(Fingerprints(terms=("x",), weights=b"\xff"), [named(stories)], made)["x"]


def test_a_term_of_many_of_the_newest_stories_is_worth_less() -> None:
    by_stories = [worth(range(1000 - held, 1000), 1000) for held in (0, 1, 2, 5, 10, 20, 40)]
    assert by_stories == sorted(by_stories, reverse=True)
    assert by_stories[0] == 256 * 255, "nobody has it: what its rarity in the language says"
    assert 0 < by_stories[-1] < by_stories[0] / 4


def test_stories_of_long_ago_say_nothing_of_the_present() -> None:
    assert worth(range(1, 41), 1000) == worth(range(0), 1000)
    assert worth(range(1, 41), 60) < worth(range(0), 60)


def test_among_few_stories_a_share_says_little() -> None:
    assert worth(range(1, 3), 2) > worth(range(921, 1001), 1000)


@given(WEIGHTS, st.data(), st.integers(0, 300))
def test_a_term_is_worth_a_whole_number_and_never_more_than_its_weight(
    weights: list[int], data: st.DataObject, made: int
) -> None:
    stories = st.lists(st.integers(1, made), max_size=60) if made else st.just([])
    postings = []
    for _ in weights:
        packed = b""
        for story in data.draw(stories):
            packed = posting.put(packed, story, 9)
        postings.append(packed)
    prints = Fingerprints(terms=tuple(f"t{i}" for i in range(len(weights))), weights=bytes(weights))
    found = present_terms(prints, postings, made)
    assert list(found) == list(prints.terms)
    assert all(type(value) is int for value in found.values())
    assert all(0 <= found[term] <= as_they_are(prints)[term] for term in prints.terms)


def test_where_nothing_is_common_terms_are_worth_what_they_weigh() -> None:
    nobody = [b""] * len(DAM.terms)
    assert present_terms(DAM, nobody, 1000) == as_they_are(DAM)
    assert key_terms(as_they_are(DAM), DAM.weights, [DAM])[1] == pytest.approx(1.0)


def test_a_shared_term_that_is_common_now_makes_two_texts_less_alike() -> None:
    common = [named(range(961, 1001)) if term == "tuesday" else b"" for term in DAM.terms]
    assert "tuesday" in DAM.terms and "tuesday" in CUP.terms
    usual = key_terms(as_they_are(DAM), DAM.weights, [CUP])
    now = key_terms(present_terms(DAM, common, 1000), DAM.weights, [CUP])
    assert 0 < now[0] < usual[0]
    assert 0 < now[1] < usual[1]


def test_no_texts_have_nothing_in_common() -> None:
    assert key_terms(as_they_are(DAM), DAM.weights, []) == (0, 0.0)


def test_two_articles_score_the_same_both_ways_and_highest_with_themselves() -> None:
    assert pair_score(DAM, CUP, 1.0) == pytest.approx(pair_score(CUP, DAM, 1.0))
    assert pair_score(DAM, DAM, 0.0) == pytest.approx(1.0, abs=0.05)
    assert pair_score(DAM, CUP, 0.0) < pair_score(DAM, DAM, 0.0)


@pytest.mark.parametrize(("days", "left"), [(0, 1.0), (1, 2 / 3), (2, 0.5), (6, 0.25), (7, 2 / 9)])
def test_time_halves_a_likeness_in_two_days(days: float, left: float) -> None:
    assert time_factor(days) == pytest.approx(left)
    assert score(1.0, 1.0, 1.0, 1.0, days) == pytest.approx(left)


@given(st.floats(0, 3650), st.floats(0, 3650))
def test_what_is_further_apart_is_never_more_alike(one: float, other: float) -> None:
    near, far = sorted((one, other))
    assert 0 < time_factor(far) <= time_factor(near) <= 1

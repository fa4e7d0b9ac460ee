"""News in many languages: stories, relations and languages of texts that we wrote, told as native outlets tell them."""

from itertools import combinations
from statistics import mean, median

import pytest

from tests.languages import LANGUAGES, Report, reports
from tests.memory import Memory, member
from tests.scoring import Score, bcubed
from worker.cluster import THRESHOLD, pair_score, relate
from worker.model import UNDETERMINED, Member, Relation
from worker.text import clean, common_language, language

SIX = ("ar", "de", "es", "ja", "ru", "zh")
"""The languages with the most reports: eight events or more, two of a kind among them."""


def members(lang: str, stated: str = "") -> list[tuple[Report, Member]]:
    """The reports of a language as the decision gets them; `stated` is the language that they are taken to be in."""
    return [
        (r, member(r.id, clean(r.title), clean(r.text), r.time, source=r.outlet, lang=stated or lang))
        for r in reports(lang)
    ]


def clustered(lang: str, stated: str = "") -> Score:
    told = members(lang, stated)
    found = Memory(stated or lang).place_all(article for _, article in told).assignments()
    return bcubed([report.story for report, _ in told], [found[report.id] for report, _ in told])


def test_there_are_texts_in_each_kind_of_language() -> None:
    """Inflecting, agglutinating, with particles before the word, with vowel signs, and without spaces."""
    assert {*SIX, "fr", "he", "hi", "ko", "pt", "th", "tr", "uk"} <= set(LANGUAGES)
    assert all(len({report.story for report in reports(lang)}) >= 8 for lang in SIX)
    assert all(len({report.story for report in reports(lang)}) >= 4 for lang in LANGUAGES)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_reports_of_one_event_are_one_story_and_others_are_not(lang: str) -> None:
    score = clustered(lang)
    assert score.f1 >= 0.9, score
    assert score.precision >= 0.9, score


def test_all_languages_together_are_as_good_as_english() -> None:
    scores = [clustered(lang) for lang in LANGUAGES]
    assert mean(score.f1 for score in scores) >= 0.97
    assert mean(score.precision for score in scores) >= 0.98


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_language_that_nobody_could_tell_still_makes_stories(lang: str) -> None:
    score = clustered(lang, UNDETERMINED)
    assert score.f1 >= 0.8, score
    assert score.precision >= 0.9, score


@pytest.mark.parametrize("lang", LANGUAGES)
def test_reports_of_one_event_are_far_nearer_than_those_of_two(lang: str) -> None:
    same: list[float] = []
    other: list[float] = []
    for (one, a), (two, b) in combinations([pair for pair in members(lang) if not pair[0].of], 2):
        (same if one.story == two.story else other).append(pair_score(a.prints, b.prints, 0))
    assert median(same) >= 1.5 * THRESHOLD
    assert mean(other) <= 0.05
    assert sum(score >= THRESHOLD for score in other) <= max(1, 0.025 * len(other)), (
        "rarity in the stream does the rest"
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_copies_and_rewrites_are_told_from_reports_in_every_script(lang: str) -> None:
    told = {report.id: (report, article) for report, article in members(lang)}
    for report, article in told.values():
        if report.of:
            found = relate(told[report.of][1].prints, article.prints)
            assert found is report.relation, report.id
    own = [article for report, article in told.values() if not report.of]
    assert all(relate(a.prints, b.prints) is Relation.REPORT for a, b in combinations(own, 2))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_report_tells_its_language_and_a_headline_does_not_tell_another(lang: str) -> None:
    for report in reports(lang):
        assert language("", f"{report.title}\n{report.text}") == lang
        assert language("", report.title) in (lang, UNDETERMINED), report.title
    assert common_language(report.title for report in reports(lang)) == lang

"""What a report shows of a story: counts, heat now, growth, order, and the documented JSON."""

import json
from math import inf

import pytest

from tests.unit.report_makers import member, story
from worker.model import UNTOLD, Relation, uid
from worker.report.listing import Query
from worker.report.views import growth, rank, rfc3339, story_record, story_view

NOW = 1_800_000_000.0


def test_articles_are_the_first_and_copies_and_rewrites_and_reports() -> None:
    view = story_view("en", story(articles=9, copies=3, rewrites=2), NOW)
    assert view.articles == 1 + view.copies + view.rewrites + view.reports


def test_heat_is_halved_every_two_hours_since_the_last_article() -> None:
    assert story_view("en", story(heat=8.0, last=NOW - 7200), NOW).heat == pytest.approx(4.0)
    assert story_view("en", story(heat=8.0, last=NOW + 300), NOW).heat == pytest.approx(8.0)


def test_the_hottest_story_comes_first_then_the_most_recent() -> None:
    hot = story(1, heat=8.0, last=NOW - 7200)
    cool = story(2, heat=3.0, last=NOW)
    equal_but_older = story(3, heat=6.0, last=NOW - 7200)
    assert [s.number for s in sorted([cool, equal_but_older, hot], key=rank)] == [1, 2, 3]


def test_the_order_holds_over_spans_in_which_heat_itself_underflows() -> None:
    years = [story(n, heat=5.0, last=NOW - n * 400 * 86400) for n in (3, 1, 2)]
    assert [s.number for s in sorted(years, key=rank)] == [1, 2, 3]
    assert rank(story(heat=0.0)) > rank(years[0])


@pytest.mark.parametrize(
    ("times", "counts"),
    [
        ([], ()),
        ([5.0], (1,)),
        ([5.0, 5.0], (2,)),
        ([0.0, 8.0], (1, 0, 0, 0, 0, 0, 0, 1)),
        ([7.9, 0.0, 0.1, 8.0, 4.0], (2, 0, 0, 0, 1, 0, 0, 2)),
    ],
)
def test_growth_counts_arrivals_in_equal_parts_of_the_storys_life(times: list[float], counts: tuple[int, ...]) -> None:
    assert growth(times) == counts


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0.0, "1970-01-01T00:00:00Z"),
        (1_700_000_000.25, "2023-11-14T22:13:20.250Z"),
        (-1e30, "0001-01-01T00:00:00Z"),
        (1e30, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_rfc_3339_whatever_a_feed_claims(time: float, text: str) -> None:
    assert rfc3339(time) == text


def test_a_story_and_its_members_have_the_documented_keys_in_their_order() -> None:
    first = member("a", published=None)
    copy = member("b", relation=Relation.COPY, of=uid("a"), score=0.91234567, published=NOW)
    record = story_record(story_view("en", story(7, articles=2, copies=1), NOW, members=[first, copy]))
    keys = "story headline lang articles outlets copies rewrites reports first last heat members"
    assert list(record) == keys.split()
    keys = "id title url source published relation of score outlet titles feeds page"
    assert list(record["members"][0]) == keys.split()
    assert record["story"] == "en-7"
    assert (record["members"][0]["of"], record["members"][0]["score"], record["members"][0]["published"]) == (None,) * 3
    assert (record["members"][1]["of"], record["members"][1]["score"]) == ("a", 0.9123)
    assert record["members"][1]["relation"] == "copy"
    json.dumps(record, allow_nan=False)


def test_a_member_says_whose_it_is_who_carried_it_and_what_it_was_called() -> None:
    """An aggregator's is nobody's; a feed's article was carried by the feed that its id names, a file's by none."""
    name = f"{'0a' * 6}.{'1b' * 8}"
    told = member(name, outlet="harbourpost.com", titles=((NOW, "Bridge shut"),), feeds=("f" * 12,))
    bare = member("a.b", outlet=UNTOLD)
    one, other = story_record(story_view("en", story(7), NOW, members=[told, bare]))["members"]
    assert one["outlet"] == "harbourpost.com"
    assert one["titles"] == [{"until": "2027-01-15T08:00:00Z", "title": "Bridge shut"}]
    assert one["feeds"] == ["0a" * 6, "f" * 12]
    assert (other["outlet"], other["titles"], other["feeds"]) == (None, [], [])


def test_members_stand_in_the_record_only_when_they_were_asked_for() -> None:
    assert "members" not in story_record(story_view("en", story(), NOW))
    assert story_record(story_view("en", story(), NOW, members=[]))["members"] == []


def test_a_copy_of_an_article_that_is_gone_repeats_none() -> None:
    view = story_view("en", story(), NOW, members=[member("b", relation=Relation.COPY, of=uid("gone"))])
    assert view.members is not None
    assert view.members[0].of is None


def test_ages_are_never_negative() -> None:
    view = story_view("en", story(first=NOW + 60, last=NOW + 60), NOW)
    assert (view.age_s, view.quiet_s) == (0.0, 0.0)
    assert view.age_s < inf


def test_a_story_whose_outlet_nobody_stated_is_one_outlet_to_a_query() -> None:
    unnamed = story(outlets=0)
    assert Query().fits(unnamed, NOW)
    assert not Query(min_outlets=2).fits(unnamed, NOW)

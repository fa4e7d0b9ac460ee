"""The picture of who repeats whom: lanes, marks, lines and the axis of time; and the page that it stands on."""

import re
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec.structs import replace

from worker.model import Relation
from worker.report.belonging import Shared, Why
from worker.report.views import MemberView, StoryView
from worker.web.drawing import MOST_LANES, ROW_PX, draw
from worker.web.pages.story import Dossier, facts, page_asked
from worker.web.pages.telling import PAGE, lines, relation_words, retitled, summary
from worker.web.timescale import TimeScale, tick_label

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
MONDAY = 1_767_571_200.0
"""2026-01-05, midnight UTC."""


def view(
    name: str, minutes: float, relation: Relation = Relation.REPORT, of: str | None = None, **more: Any
) -> MemberView:
    usual: dict[str, Any] = {
        "title": f"Headline of {name}",
        "url": f"https://{name}.example/",
        "source": name.partition("/")[0].title(),
        "published": None,
        "score": 0.5,
        "received": 0.0,
    }
    return MemberView(id=name, relation=relation, of=of, time=MONDAY + 9 * HOUR + minutes * MINUTE, **(usual | more))


FIRST = view("herald/1", 0, Relation.FIRST, score=None)
STORY = [
    FIRST,
    view("post/1", 12, Relation.COPY, "herald/1"),
    view("echo/1", 30, Relation.REWRITE, "herald/1"),
    view("courier/1", 41),
    view("post/2", 90, Relation.COPY, "echo/1"),
]


def crowd(articles: int, outlets: int, seed: int = 1) -> list[MemberView]:
    """A story in which everybody repeats everybody, with long headlines."""
    random = Random(seed)
    found = [FIRST]
    for n in range(1, articles):
        of = random.choice(found)
        relation = random.choice([Relation.COPY, Relation.COPY, Relation.REWRITE, Relation.REPORT])
        title = f"Headline {n} of some length, as an outlet writes them when a dam gives way above a town"
        name = f"the outlet number {random.randrange(outlets)}/{n}"
        found.append(view(name, 0.1 * n**1.3, relation, None if relation is Relation.REPORT else of.id, title=title))
    return found


def test_each_outlet_has_a_lane_and_who_was_there_first_is_on_top() -> None:
    picture = draw(STORY)
    assert [(lane.name, lane.articles) for lane in picture.lanes] == [
        ("Herald", 1),
        ("Post", 2),
        ("Echo", 1),
        ("Courier", 1),
    ]
    for above, below in pairwise(picture.lanes):
        assert above.bottom == below.top
    for mark, member in zip(picture.marks, STORY, strict=True):
        lane = next(lane for lane in picture.lanes if lane.name == member.source)
        assert lane.top < mark.y < lane.bottom
        assert mark.relation is member.relation


def test_later_stands_further_right() -> None:
    xs = [mark.x for mark in draw(STORY).marks]
    assert xs == sorted(xs)
    assert len(set(xs)) == len(xs)
    assert 0 < xs[0] < xs[-1] < 1000


def test_a_line_leads_from_what_is_repeated_to_each_that_repeats_it() -> None:
    picture = draw(STORY)
    first, post, echo, _, again = picture.marks
    starts = re.findall(r"M(\d+) (\d+)", picture.copies)
    ends = re.findall(r"(\d+)H(\d+)", picture.copies)
    assert [(int(x), int(y)) for x, y in starts] == [(first.x, first.y), (echo.x, echo.y)]
    assert [(int(x), int(y)) for y, x in ends] == [(post.x, post.y), (again.x, again.y)]
    assert picture.rewrites.count("M") == 1
    assert picture.rewrites.endswith(f" {echo.y}H{echo.x}")


def test_what_repeats_an_article_that_is_gone_has_a_mark_and_no_line() -> None:
    picture = draw([FIRST, view("post/1", 5, Relation.COPY, "gone/1")])
    assert len(picture.marks) == 2
    assert picture.copies == ""


def test_marks_of_one_outlet_do_not_cover_each_other() -> None:
    same = [FIRST, *(view(f"post/{n}", 60) for n in range(3)), view("echo/1", 600)]
    _, *marks, _ = draw(same).marks
    assert sorted(mark.y for mark in marks) == [marks[0].y, marks[0].y + ROW_PX, marks[0].y + 2 * ROW_PX]


@pytest.mark.parametrize(("articles", "outlets"), [(1, 1), (2, 1), (40, 17), (500, 200)])
def test_the_picture_is_bounded_and_has_every_article(articles: int, outlets: int) -> None:
    members = crowd(articles, outlets)
    picture = draw(members)
    assert len(picture.marks) == articles
    assert len(picture.lanes) <= MOST_LANES
    assert sum(lane.articles for lane in picture.lanes) == articles
    assert picture.height < 1_500
    assert all(0 < mark.y < picture.height and 0 <= mark.x <= 1000 for mark in picture.marks)
    named = {(member.source or "").lower() for member in members}
    assert sum(lane.folded or 1 for lane in picture.lanes) == len(named)


def test_of_many_outlets_those_keep_their_lane_that_others_repeat() -> None:
    quiet = [view(f"quiet{n}/1", n) for n in range(1, 40)]
    copied = view("agency/1", 50)
    copies = [view(f"local{n}/1", 60 + n, Relation.COPY, "agency/1") for n in range(5)]
    *lanes, rest = draw([FIRST, *quiet, copied, *copies]).lanes
    assert lanes[0].name == "Herald"
    assert "Agency" in [lane.name for lane in lanes]
    assert (rest.name, rest.folded) == ("31 more outlets", 31)


def test_articles_of_one_moment_and_of_no_outlet_are_drawn() -> None:
    picture = draw([replace(FIRST, source=""), view("/2", 0, Relation.COPY, "herald/1")])
    assert [lane.name for lane in picture.lanes] == ["outlet not stated"]
    assert len({mark.y for mark in picture.marks}) == 2
    assert picture.ticks == ((20, "09:00"),)


def test_ticks_are_round_times_with_room_for_their_labels() -> None:
    scale = TimeScale([MONDAY + 9 * HOUR, MONDAY + 9.4 * HOUR, MONDAY + 10 * HOUR, MONDAY + 30 * HOUR])
    ticks = scale.ticks()
    assert "6 Jan" in [label for _, label in ticks], "midnight is the roundest"
    assert all(later - earlier >= 0.13 for (earlier, _), (later, _) in pairwise(ticks))
    assert (tick_label(MONDAY), tick_label(MONDAY + 14.5 * HOUR)) == ("5 Jan", "14:30")


def test_busy_times_are_drawn_wider() -> None:
    burst = [MONDAY + n * MINUTE for n in range(10)]
    scale = TimeScale([*burst, MONDAY + 10 * HOUR])
    assert scale.place(burst[-1]) > 0.4, "nine minutes of ten hours, and ten articles of eleven"
    assert not scale.even
    places = [scale.place(MONDAY + n * 600) for n in range(61)]
    assert places == sorted(places)


@pytest.mark.parametrize("years", [0.0, 1.0, 500.0, 7900.0])
def test_any_span_of_time_has_an_axis(years: float) -> None:
    ticks = TimeScale([MONDAY, MONDAY + 5, MONDAY + 5 + years * 365 * DAY]).ticks()
    assert len(ticks) <= 9


def test_a_story_is_told_in_a_sentence() -> None:
    told = summary(story(STORY))
    assert told == (
        "Herald was first, 2026-01-05 09:00 UTC. Then 2 copies, the first 12 min later; 1 rewrite, 30 min later; "
        "1 report of its own, 41 min later."
    )
    assert summary(story([FIRST])).endswith("Nobody else has told it so far.")


def test_each_article_says_what_it_is_to_which_other() -> None:
    words = [relation_words(STORY, n, of) for n, of in enumerate([None, 0, 0, None, 2])]
    assert words == [
        "first",
        "copy of Herald, 12 min later",
        "rewrite of Herald, 30 min later",
        "report of its own, 41 min after the first",
        "copy of Echo, 60 min later",
    ]
    again = [*STORY, view("herald/2", 95, Relation.COPY, "herald/1")]
    assert relation_words(again, 5, 0) == "copy of its own article, 95 min later"
    assert relation_words(again, 1, None) == "copy of an article that is no longer here"


def test_headlines_that_were_changed_are_told_in_order() -> None:
    before = ((MONDAY + 9.5 * HOUR, "Dam holds"), (MONDAY + 10 * HOUR, "Dam leaks"))
    changed = view("post/1", 12, titles=before, title="Dam gives way")
    (found,) = retitled([FIRST, changed])
    assert (found.number, found.outlet) == (2, "Post")
    assert found.titles == (
        ("2026-01-05 09:12 UTC", "Dam holds"),
        ("2026-01-05 09:30 UTC", "Dam leaks"),
        ("2026-01-05 10:00 UTC", "Dam gives way"),
    )


def test_each_article_says_by_which_feeds_it_came() -> None:
    names = {"f1": "Herald: all", "f2": "Herald: town", "f3": "Wire", "f4": "More"}
    carried = replace(FIRST, feeds=("f1", "gone", "f2", "f3", "f4"), page="read")
    (line,) = lines([carried], [Why("")], names, 0, 1)
    assert line.feeds == (("f1", "Herald: all"), ("f2", "Herald: town"), ("f3", "Wire"))
    assert (line.more_feeds, line.page) == (2, "full text from its page")
    (line,) = lines([replace(FIRST, page="is behind a wall")], [Why("")], {}, 0, 1)
    assert line.page == "by its feed's summary: its page is behind a wall"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//other.example", ""])
def test_an_address_that_is_not_http_is_no_link(url: str) -> None:
    (line,) = lines([replace(FIRST, url=url)], [Why("")], {}, 0, 1)
    assert line.url is None


@pytest.mark.parametrize(
    ("asked", "page"), [("", 1), ("2", 2), ("99", 10), ("0", 1), ("-1", 1), ("x", 1), ("9" * 50, 1)]
)
def test_a_page_that_is_asked_for_is_the_nearest_there_is(asked: str, page: int) -> None:
    assert page_asked(asked, 500) == page


def story(members: list[MemberView]) -> StoryView:
    counts = {kind: sum(member.relation is kind for member in members) for kind in Relation}
    return StoryView(
        story="en-7", headline="Dam gives way", lang="en", articles=len(members), outlets=2,
        copies=counts[Relation.COPY], rewrites=counts[Relation.REWRITE], first=members[0].time, last=members[-1].time,
        heat=1.0, age_s=HOUR, quiet_s=MINUTE, members=tuple(members),
    )  # fmt: skip


def rendered(members: list[MemberView]) -> str:
    """The page of a story of these, as an editor sees it."""
    found = Dossier(
        view=story(members), why=[Why("score .43, where .12 was enough", 0.43, 0.12)] * len(members), texts=9,
        terms=[Shared("vellmark", 9)] * 24, took_in=["en-9"] * 50, past=[], lang="en",
    )  # fmt: skip
    templates = Environment(
        loader=PackageLoader("worker.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["asset"] = str
    around: dict[str, Any] = {"base": "", "here": "/stories/en-7", "now": MONDAY, "trouble": "", "has_token": True}
    around |= {"form_token": "x" * 32, "may_edit": True, "was": "", "done": None, "wrong": ""}
    return templates.get_template("story.html").render(around | facts(found, {}, 1))


def test_the_page_of_a_large_story_stays_under_200_kb() -> None:
    """500 articles of 200 outlets, as an editor sees it, before compression."""
    page = rendered(crowd(500, 200))
    assert page.count("<use href") >= 500 + PAGE
    assert page.count("<tr id=") == PAGE
    assert len(page.encode()) < 200_000


def test_nothing_on_the_page_is_markup_of_a_feed_or_style_of_its_own() -> None:
    """The content security policy forbids inline style and script; a feed's text is text."""
    hostile = "</title></svg><script>alert(1)</script>\u202e"
    page = rendered([replace(member, title=hostile, source=hostile, id=hostile + member.id) for member in STORY])
    assert "<script>alert" not in page
    assert "\u202e" not in re.sub(r'(value|href)="[^"]*"', "", page), "but where it has to be sent back as it is"
    assert not re.search(r"\sstyle=|\son[a-z]+=", page)

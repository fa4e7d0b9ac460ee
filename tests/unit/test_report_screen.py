"""The table, the members' tree and the stream of changes, as a terminal gets them."""

import io
import re
import traceback
import unicodedata

import pytest
from rich.cells import cell_len

from tests.unit.report_makers import NOW, shown, view
from worker.cli.screen.changes import MOST_SINGLES, show_changes
from worker.cli.screen.members import guides, tree
from worker.cli.screen.quarantine import innermost
from worker.cli.screen.table import show_listing
from worker.cli.screen.terminal import Screen
from worker.model import Relation
from worker.report.following import KINDS, Change
from worker.report.harmless import MAX_CHARACTERS, harmless
from worker.report.listing import Listing, Query
from worker.report.views import StoryView
from worker.report.words import ASCII_BLOCKS, fraction, local_time, span, sparkline

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")

HOSTILE = [
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J",
    "[bold]markup[/bold] [link=https://example.org]x[/link] :smile:",
    "abc\u202eevil\u2066\u2069\u200b\u200d\u00ad\ufeff",
    "two\nlines\r\nand a\ttab\x0b\x85\u2028end",
    "z" + "\u0301" * 500 + "algo",
    "A" * 10_000,
    "漢字" * 5_000,
    "\u3164\u115f\u2800\u200b",
    "\ud800 half a pair",
    "",
]


def screen(width: int = 80, *, terminal: bool = True) -> tuple[Screen, io.StringIO]:
    out = io.StringIO()
    colours = "standard" if terminal else None
    return Screen(file=out, width=width, force_terminal=terminal, color_system=colours, legacy_windows=False), out


def printed(found: Listing, query: Query, width: int = 80, *, terminal: bool = True) -> list[str]:
    console, out = screen(width, terminal=terminal)
    show_listing(console, found, query)
    return ESCAPE.sub("", out.getvalue()).splitlines()


def listing(*views: StoryView, **fields: int) -> Listing:
    counts = {"stories": len(views), "articles": len(views), "outlets": 1, "stored": len(views)} | fields
    return Listing(views=views, newest=NOW - 90_000, now=NOW, **counts)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_becomes_one_harmless_line(text: str) -> None:
    line = harmless(text, "(none)")
    assert line
    assert not [c for c in line if unicodedata.category(c)[0] == "C" or unicodedata.category(c) in ("Zl", "Zp")]
    assert cell_len(line) <= MAX_CHARACTERS
    assert "\u0301" * 5 not in line


def test_what_is_not_hostile_is_left_as_it_is() -> None:
    for text in ("Žižkov – “ano”, 5 % [sic]", "ข่าวน้ำท่วมที่เชียงใหม่", "שָׁלוֹם", "東京で地震", "قمة المناخ"):
        assert harmless(text) == text


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
@pytest.mark.parametrize("text", HOSTILE)
def test_no_line_is_wider_than_the_terminal_whatever_a_feed_says(text: str, width: int) -> None:
    members = (shown("a", title=text, source=text), shown("b" * 300, Relation.COPY, "a", title=text, source=text))
    wide = view(headline=text, articles=12_345, outlets=321, copies=1_000, rewrites=99, members=members)
    lines = printed(listing(wide), Query(members=True), width)
    assert len(lines) == 6
    assert max(cell_len(line) for line in lines[2:]) <= width
    assert not any(unicodedata.category(c)[0] == "C" for line in lines for c in line)


def test_markup_in_a_headline_is_shown_and_not_obeyed() -> None:
    assert "[bold]x[/bold] :smile:" in printed(listing(view(headline="[bold]x[/bold] :smile:")), Query(), 120)[3]


def test_a_wide_terminal_shows_more_columns_and_the_whole_headline() -> None:
    headline = "Harbour bridge closed after a ship hits it, and the ferries are full until Sunday evening"
    narrow, wide = (printed(listing(view(headline=headline)), Query(), width) for width in (80, 200))
    assert "…" in narrow[3]
    assert headline in wide[3]
    assert {"Outlets", "Articles", "Cop/rew", "Age", "Growth"} <= set(narrow[2].split())
    assert {"Copies", "Rewrites", "Reports", "Latest", "Heat", "Story"} <= set(wide[2].split())


def test_off_a_terminal_lines_are_plain_and_headlines_whole() -> None:
    console, out = screen(80, terminal=False)
    show_listing(console, listing(view(headline="H" * 300)), Query())
    assert "\x1b" not in out.getvalue()
    assert out.getvalue().splitlines()[1].endswith("H" * 300)


def test_the_line_on_top_counts_the_span_and_the_last_line_what_was_left_out() -> None:
    lines = printed(listing(view(), stories=41, articles=1200, outlets=17), Query(since_s=86_400.0))
    assert lines[0] == "41 stories, 1,200 articles, 17 outlets in the last 24 h, hottest first"
    assert lines[-1] == "and 40 more stories: --limit 41"


def test_an_empty_store_says_what_to_do() -> None:
    (line,) = printed(Listing(views=(), stories=0, articles=0, outlets=0, stored=0, newest=None, now=NOW), Query(), 200)
    assert "storywire up" in line
    assert "storywire demo" in line


def test_a_span_without_stories_says_how_old_the_newest_is_and_how_to_widen_it() -> None:
    (line,) = printed(listing(stored=3), Query(since_s=3600.0, min_outlets=2, lang="en"), 300)
    assert line.startswith("No story in the last 60 min with 2 outlets or more in 'en'; 3 stories are stored")
    assert "25 h old" in line
    assert "--since" in line


def test_the_tree_shows_each_member_once_under_what_it_repeats() -> None:
    members = [
        shown("early report", Relation.REPORT),
        shown("first"),
        shown("copy", Relation.COPY, "first"),
        shown("copy of copy", Relation.COPY, "copy"),
        shown("rewrite", Relation.REWRITE, "early report"),
        shown("orphan", Relation.COPY, "gone"),
        shown("ring 1", Relation.COPY, "ring 2"),
        shown("ring 2", Relation.COPY, "ring 1"),
        shown("itself", Relation.COPY, "itself"),
    ]
    assert [(depth, m.id) for depth, m in tree(members)] == [
        (0, "first"),
        (1, "copy"),
        (2, "copy of copy"),
        (0, "early report"),
        (1, "rewrite"),
        (0, "orphan"),
        (0, "itself"),
        (0, "ring 1"),
        (1, "ring 2"),
    ]


def test_a_chain_of_a_thousand_copies_is_drawn() -> None:
    chain = [shown("0"), *(shown(str(n), Relation.COPY, str(n - 1)) for n in range(1, 1000))]
    assert len(printed(listing(view(members=tuple(chain))), Query(members=True), 100)) == 1004


def test_guides_lead_from_each_entry_to_the_next_of_its_level() -> None:
    assert guides([0, 1, 2, 1, 0, 1]) == ["├ ", "│ ├ ", "│ │ └ ", "│ └ ", "└ ", "  └ "]


def change(
    kind: str = "grew", *, new: tuple[Relation, ...] = (Relation.COPY,), number: int = 1, **fields: int
) -> Change:
    newcomers = tuple(shown(f"{number}.{n}", relation) for n, relation in enumerate(new))
    return Change(
        kind=kind,
        view=view(story=f"en-{number}", headline=f"Story {number}", **({"articles": 2, "outlets": 2} | fields)),
        newcomers=newcomers,
        repeated={member.id: "Wire" for member in newcomers if member.relation is not Relation.REPORT},
    )


def streamed(*changes: Change, width: int = 120, terminal: bool = True) -> list[str]:
    console, out = screen(width, terminal=terminal)
    show_changes(console, changes, NOW)
    return ESCAPE.sub("", out.getvalue()).splitlines()


def test_a_newcomer_is_named_with_its_outlet_and_whom_it_repeats() -> None:
    (line,) = streamed(change())
    assert "▲ Story 1" in line
    assert "2 outlets, 2 articles" in line
    assert line.endswith("Outlet 1.0: = copy of Wire")


def test_a_report_repeats_nobody() -> None:
    assert streamed(change(new=(Relation.REPORT,)))[0].endswith("Outlet 1.0: + report")


def test_a_narrow_terminal_takes_two_lines_for_a_story_that_grew() -> None:
    lines = streamed(change(), width=80)
    assert len(lines) == 2
    assert "Story 1" in lines[0]
    assert "copy of Wire" in lines[1]


def test_several_newcomers_at_once_are_one_line_a_story() -> None:
    (line,) = streamed(change(new=(Relation.COPY, Relation.COPY, Relation.REPORT)))
    assert line.endswith("+2 copies, +1 report")


def test_a_new_version_of_an_article_is_no_growth() -> None:
    revised = Change(kind="grew", view=view(articles=2, outlets=2), newcomers=(shown("x", revision=2, source="Post"),))
    (line,) = streamed(revised)
    assert "~ Harbour bridge" in line
    assert line.endswith("Post: a new version")


def test_a_merged_story_says_which_it_took_in() -> None:
    merged = Change(kind="merged", view=view(articles=4, outlets=3), former=("en-9",))
    assert streamed(merged)[0].endswith("took in en-9")


@pytest.mark.parametrize(
    ("kind", "parts_of", "told"),
    [
        ("split", ("en-9",), "taken out of en-9"),
        ("moved", ("en-9",), "taken out of en-9"),
        ("pinned", (), "an article was pinned"),
        ("shrank", (), "an article was forgotten"),
    ],
)
def test_what_was_done_by_hand_is_said(kind: str, parts_of: tuple[str, ...], told: str) -> None:
    assert streamed(Change(kind=kind, view=view(articles=4, outlets=3), parts_of=parts_of))[0].endswith(told)


def test_backfill_is_silent_until_a_second_outlet_tells_the_story() -> None:
    def filled(outlets: int) -> Change:
        return Change(kind="grew", view=view(articles=3, outlets=outlets), backfill=True)

    assert streamed(filled(1)) == []
    assert len(streamed(filled(2))) == 1
    console, _ = screen()
    assert show_changes(console, [filled(1), filled(2)], NOW), "what follows them can say that some are left out"
    assert not show_changes(console, [filled(2)], NOW)


def test_a_flood_of_single_articles_is_summed_up() -> None:
    flood = [change("new", new=(Relation.FIRST,), number=n, articles=1, outlets=1) for n in range(MOST_SINGLES + 1)]
    assert len(streamed(*flood[1:])) == MOST_SINGLES
    lines = streamed(*flood, change(number=99))
    assert len(lines) == 2
    assert "Story 99" in lines[0]
    assert lines[1].endswith(f"{MOST_SINGLES + 1} more stories of one article, from {MOST_SINGLES + 1} outlets")


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize("text", HOSTILE)
def test_no_change_is_wider_than_the_terminal_whatever_a_feed_says(text: str, width: int) -> None:
    newcomer = shown("x", Relation.COPY, "y", source=text, title=text)
    for kind in KINDS:
        for articles in (1, 12):
            told = view(headline=text, articles=articles, outlets=articles)
            hostile = Change(kind=kind, view=told, newcomers=(newcomer,), repeated={"x": text}, former=("en-2",))
            lines = streamed(hostile, width=width)
            assert max(cell_len(line) for line in lines) <= width
            assert not any(unicodedata.category(c)[0] == "C" for line in lines for c in line)


def test_off_a_terminal_a_change_is_one_plain_line_with_the_event_in_words() -> None:
    (line,) = streamed(change(), terminal=False)
    assert re.search(r"▲ grew +en-1 +Story 1 +2 outlets, 2 articles +Outlet 1\.0: = copy of Wire$", line)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (-5, "0 s"), (59.9, "59 s"), (60, "60 s"), (180, "3 min"), (86_400, "24 h"), (1e9, "31 y")],
)
def test_spans_are_read_at_a_glance(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_a_sparkline_shows_something_for_every_arrival() -> None:
    assert sparkline((100, 0, 1)) == "█ ▁"
    assert sparkline((4,), ASCII_BLOCKS) == "@"
    assert sparkline(()) == ""


def test_fractions_and_times() -> None:
    assert [fraction(x) for x in (0.5, 1.0, 0.0, -0.05)] == [".50", "1.00", ".00", "-.05"]
    assert len(local_time(NOW, NOW)) == 5
    assert len(local_time(NOW, NOW + 86_400)) == len("15 Jan 08:00")
    assert len(local_time(NOW, NOW + 500 * 86_400)) == len("2027-01-15")
    assert local_time(1e30, NOW) == "no date"


def raised() -> list[str]:
    """The traceback of an error deep down, that became another one, that became another."""

    def deep(frames: int) -> int:
        return deep(frames - 1) + 1 if frames else int("thirteen")

    try:
        try:
            try:
                deep(30)
            except ValueError as error:
                raise RuntimeError("cannot parse the figure") from error
        except RuntimeError:
            raise KeyError("figure")  # noqa: B904 - an error while another one is handled
    except KeyError:
        return traceback.format_exc().splitlines()
    raise AssertionError("nothing was raised")


def test_of_a_long_traceback_the_cause_and_what_it_led_to_are_shown() -> None:
    whole, cut = raised(), innermost(raised())
    assert len(cut) <= 20 < len(whole)
    assert "int(" in "".join(cut)
    assert cut[-3:] == [
        "ValueError: invalid literal for int() with base 10: 'thirteen'",
        "which led to: RuntimeError: cannot parse the figure",
        "which led to: KeyError: 'figure'",
    ]


@pytest.mark.parametrize(
    "lines",
    [[], ["no traceback at all"], ["", ""], ["During handling of the above exception, another exception occurred:"]],
)
def test_what_is_no_traceback_is_shown_as_far_as_it_goes(lines: list[str]) -> None:
    assert len(innermost(lines)) <= len(lines)
    assert len(innermost([*lines, *map(str, range(9_000))])) <= 20

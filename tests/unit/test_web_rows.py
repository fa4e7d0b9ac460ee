"""Stories of a list as the page shows them: order, pictures, words."""

import pytest
from msgspec.structs import replace

from worker.report.board import SORTS, Board, Filter, Row
from worker.web.pages.rows import HIGH_PX, STRIP_PX, ago, arrivals, bars, place, shown, strip

NOW = 1_767_571_200.0
ROW = Row(
    story="en-1",
    lang="en",
    number=1,
    headline="Dam gives way",
    articles=12,
    outlets=5,
    copies=4,
    rewrites=2,
    first=NOW - 7200,
    last=NOW - 600,
    heat=3.0,
    rank=(-5.0, -NOW),
    growth=(1, 0, 4),
    sources=("Herald", "Ledger", "Globe", "Nine"),
)


@pytest.mark.parametrize("sort", SORTS)
def test_a_page_sorts_as_the_board_does(sort: str) -> None:
    """What the open page sorts by gives the board's own order, as long as no two places are the same."""
    board = Board()
    for n in range(1, 30):
        odd = {"first": NOW - n * 37 % 11 * 60 - n, "articles": 5 + n * 7 % 13, "rank": (-(n * 13 % 29) - 0.5, -NOW)}
        board.put(replace(ROW, story=f"en-{n}", number=n, **odd))
    rows = board.select(Filter(), NOW, sort=sort).rows
    assert len(rows) == 29
    assert sorted(rows, key=lambda row: place(row, sort)) == list(rows)


def test_a_story_names_three_outlets_and_counts_the_others() -> None:
    """The number is that of newsrooms, of which each may have several names, or none."""
    assert (shown(ROW, "hot", NOW).named, shown(ROW, "hot", NOW).others) == (("Herald", "Ledger", "Globe"), 2)
    assert shown(replace(ROW, outlets=2), "hot", NOW).others == 0
    assert (shown(replace(ROW, sources=()), "hot", NOW).named, shown(replace(ROW, sources=()), "hot", NOW).others) == (
        (),
        0,
    )


def test_what_a_feed_hides_is_not_shown() -> None:
    """Control and bidi characters are gone, a headline of nothing says so, one of 10,000 characters is cut."""
    hostile = shown(replace(ROW, headline="a\u202eb\x00c", sources=("\u200b", "He\u202erald")), "hot", NOW)
    assert (hostile.headline, hostile.named) == ("abc", ("Herald",))
    assert shown(replace(ROW, headline="\u200b\u3164"), "hot", NOW).headline == "(no headline)"
    assert len(shown(replace(ROW, headline="x" * 10_000), "hot", NOW).headline) <= 400


def test_the_strip_shows_shares() -> None:
    """Reports with the first, rewrites, copies, from the left edge to the right; nothing for what there is none of."""
    drawn = strip(ROW)
    assert [relation for relation, _, _ in drawn] == ["report", "rewrite", "copy"]
    assert sum(wide for _, _, wide in drawn) == pytest.approx(STRIP_PX, abs=0.2)
    assert drawn[2][2] == pytest.approx(STRIP_PX * 4 / 12, abs=0.1)
    assert strip(replace(ROW, articles=1, copies=0, rewrites=0)) == (("report", 0.0, float(STRIP_PX)),)


def test_the_sparkline_is_as_high_as_its_largest_bar() -> None:
    """No bar where nothing came; a low one is still seen."""
    assert bars((1, 0, 4)).count("M") == 2
    assert f"v-{HIGH_PX}" in bars((1, 0, 4))
    assert "v-1.5h" in bars((1, 1000))
    assert bars(()) == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "just now"), (59, "just now"), (60, "1 min ago"), (125, "2 min ago"), (7199, "119 min ago"),
     (7200, "2 h ago"), (3 * 86400, "3 d ago"), (1e9, "31 y ago")],
)  # fmt: skip
def test_how_long_ago(seconds: float, words: str) -> None:
    """In the largest unit of which there are two; the future is now."""
    assert ago(seconds) == words


def test_the_sparkline_in_words() -> None:
    """How many, and from when to when; dates that no calendar has do no harm."""
    assert arrivals(ROW) == "12 articles within 110 min, from 2026-01-04 22:00 UTC to 2026-01-04 23:50 UTC"
    assert arrivals(replace(ROW, first=1e18, last=1e18)) == "12 articles, no date"

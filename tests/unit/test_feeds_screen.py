"""The list of feeds on a terminal of any width, and in a pipe: one line a feed."""

import io
from collections.abc import Sequence

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from worker.cli.screen.feeds import show_feeds
from worker.cli.screen.terminal import Screen
from worker.report.feeds import is_failing
from worker.schedule import PAUSED, PollState
from worker.store.feeds import Feed
from worker.store.gates import CLOSED

NOW = 1_800_000_000.0
TROUBLE = "https://news.example/a/long/way/feed.xml answered with status 404 for the third time in a row, tried again"
URL = "https://news.example/a/long/way/feed.xml"
POLLS = PollState(
    outcome="failed",
    entries=12,
    polled=NOW - 300,
    succeeded=NOW - 900,
    next_poll=NOW + 900,
    trouble=TROUBLE,
    exposed_s=86400.0,
    arrived=12.3,
    brought=NOW - 900,
)
FEEDS = [
    Feed("news.1", URL, "The Long Name of an Outlet of the North \x1b[31m", 1, POLLS, NOW + 900),
    Feed("b.2", "https://b.example/feed", "全国新聞" * 20, NOW, PollState(), NOW),
]


def printed(width: int, *, terminal: bool = True, limit: int | None = None, feeds: Sequence[Feed] = FEEDS) -> list[str]:
    out = io.StringIO()
    show_feeds(Screen(file=out, width=width, force_terminal=terminal, color_system=None), feeds, len(feeds), NOW, limit)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 120, 160, 240])
def test_a_feed_is_one_line_within_the_terminal_and_every_header_is_whole(width: int) -> None:
    lines = printed(width)
    lines = lines[next(number for number, line in enumerate(lines) if line.startswith("Outlet")) - 1 :]
    assert len(lines) == 2 + len(FEEDS)
    assert max(map(cell_len, lines)) <= width
    columns = {
        "Outlet": 0,
        "Status": 0,
        "Next": 50,
        "New/day": 60,
        "Last": 70,
        "Why": 76,
        "Entries": 120,
        "Address": 160,
    }
    assert set(lines[1].split()) == {title for title, least in columns.items() if width >= least}


@pytest.mark.parametrize("width", [80, 120])
def test_the_reason_has_room_to_be_read_and_ends_with_an_ellipsis(width: int) -> None:
    line = printed(width)[2]
    assert "failed" in line
    assert "15 min" in line
    assert "https://news.exa" in line
    assert line.rstrip().endswith("…")


def test_in_a_pipe_nothing_is_cut_and_nothing_is_wrapped() -> None:
    lines = printed(80, terminal=False)
    assert len(lines) == 2 + len(FEEDS)
    assert lines[0] == "2 feeds: 1 failing, 1 not polled yet, 1 due now, about 12 new entries a day"
    assert lines[1].split() == ["Status", "New/day", "Last", "Next", "Address", "Outlet", "Why"]
    assert TROUBLE in lines[2]
    assert FEEDS[0].url in lines[2]
    assert FEEDS[1].title in lines[3]
    assert "\x1b" not in "".join(lines)


def test_what_is_gone_is_neither_failing_nor_paused() -> None:
    """And who waits for its host is counted."""
    gone = FEEDS[0]._replace(polls=replace(POLLS, outcome="gone"), due=PAUSED)
    paused = gone._replace(held=True)
    asked = FEEDS[0]._replace(polls=replace(POLLS, outcome="ok", reason=f"waits until 13:18 UTC: host a {CLOSED}"))
    assert [is_failing(feed) for feed in (gone, paused, asked)] == [False] * 3
    [said, *_] = printed(80, terminal=False, feeds=[gone, paused, asked])
    assert said == "3 feeds: 1 gone, 1 paused, 1 held back by its host, about 12 new entries a day"


def test_feeds_of_one_name_are_told_apart_by_their_paths() -> None:
    urls = ("https://news.example/world/rss", "https://news.example/sport/rss", "https://b.example/feed")
    names = ("The Long Name of an Outlet", "The Long Name of an Outlet", "Another")
    feeds = [Feed(str(n), url, name, 1, POLLS, NOW) for n, (url, name) in enumerate(zip(urls, names, strict=True))]
    shown = [line.partition("  ")[0] for line in printed(80, feeds=feeds)[-3:]]
    assert shown == ["The Long Nam… /world/rss", "The Long Nam… /sport/rss", "Another"]


def test_a_long_list_is_cut_and_says_how_to_see_the_rest() -> None:
    lines = printed(80, limit=1)
    assert len(lines) == 4
    assert lines[-1].startswith("and 1 more feed: --limit 2")


def test_a_column_that_tells_nothing_leaves_its_room_to_the_others() -> None:
    """Where no feed has brought anything, nothing is said of how much."""
    unknown = [feed._replace(polls=PollState(outcome="failed", trouble=TROUBLE, polled=NOW)) for feed in FEEDS]
    [header] = [line for line in printed(120, feeds=unknown) if line.startswith("Outlet")]
    assert header.split() == ["Outlet", "Status", "Last", "Next", "Why"]

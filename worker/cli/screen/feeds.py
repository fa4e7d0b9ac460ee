"""The list of feeds: how the last poll went, when the next one is and why.

Invariant: whatever a feed calls itself or answers reaches the screen only through `harmless`; a feed is one
line, no wider than the terminal.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from worker.cli.screen.terminal import Screen, fit, wrapped
from worker.feed.address import host, shown_url
from worker.report.feeds import rate, status, summary, until_next, why_next
from worker.report.harmless import cut, harmless
from worker.report.words import count, span
from worker.schedule.adapt import new_a_day
from worker.store.feeds import Feed

Part = tuple[str, str]
"""A text and its style."""

_GAP = "  "
_NAME, _LEAST_NAME = 24, 8
"""Cells of an outlet's name, and the least of it beside a path."""

_STYLES = {
    "ok": "green",
    "new": "cyan",
    "failed": "red",
    "unreachable": "red",
    "gone": "red",
    "refused": "yellow",
    "paused": "dim",
}


class Column(NamedTuple):
    """A column: from which width on, what it shows of a feed, and at most how wide (0: whatever is left)."""

    title: str
    least_width: int
    cell: Callable[[Feed, float], Part]
    most_cells: int = 16
    right: bool = False


def _outlet(feed: Feed, _: float) -> Part:
    return harmless(feed.title or feed.polls.title or host(feed.url), "?"), ""


def _address(feed: Feed, _: float) -> Part:
    return harmless(shown_url(feed.url), "?"), "dim"


def _status(feed: Feed, _: float) -> Part:
    state = status(feed)
    return state, _STYLES.get(state, "")


def _entries(feed: Feed, _: float) -> Part:
    return f"{feed.polls.entries:,}" if feed.polls.succeeded else "-", ""


def _new(feed: Feed, _: float) -> Part:
    return rate(new_a_day(feed.polls)), ""


def _polled(feed: Feed, now: float) -> Part:
    return span(now - feed.polls.polled) if feed.polls.polled else "never", ""


def _due(feed: Feed, now: float) -> Part:
    return until_next(feed, now), ""


def _folder(feed: Feed, _: float) -> Part:
    return harmless(feed.folder), "dim"


def _why(feed: Feed, _: float) -> Part:
    return harmless(feed.polls.trouble or why_next(feed)), "" if feed.polls.trouble else "dim"


COLUMNS = (
    Column("Outlet", 0, _outlet, most_cells=_NAME),
    Column("Address", 160, _address, most_cells=44),
    Column("Folder", 140, _folder, most_cells=20),
    Column("Status", 0, _status),
    Column("Entries", 120, _entries, right=True),
    Column("New/day", 60, _new, right=True),
    Column("Last", 70, _polled, right=True),
    Column("Next", 50, _due, right=True),
    Column("Why", 76, _why, most_cells=0),
)


def show_feeds(screen: Screen, feeds: Sequence[Feed], total: int, now: float, limit: int | None = None) -> None:
    """Two lines on top, then one line a feed: a table with as many columns as the terminal has room for; off a terminal
    all of it, uncut. `total`: feeds of the store; `limit`: of those to show."""
    said = summary(feeds, total, now)
    for line in wrapped(said, screen.width) if screen.is_terminal else [said]:
        screen.say((line, "bold"))
    shown = feeds[:limit]
    if not screen.is_terminal:
        screen.say(_PLAIN_TITLES)
        for feed in shown:
            screen.say(_plain_line(feed, now))
    else:
        _show_table(screen, shown, now)
    if len(feeds) > len(shown):
        rest = count(len(feeds) - len(shown), "more feed")
        line = f"and {rest}: --limit {len(feeds)}, or words of what you look for"
        screen.say((cut(line, screen.width) if screen.is_terminal else line, "dim"))


def _show_table(screen: Screen, feeds: Sequence[Feed], now: float) -> None:
    columns = [column for column in COLUMNS if column.least_width <= screen.width]
    cells = [[column.cell(feed, now) for feed in feeds] for column in columns]
    cells[0] = list(_told_apart(feeds, cells[0]))
    known = [any(text not in ("", "-") for text, _ in each) for each in cells]
    columns = [column for column, tells in zip(columns, known, strict=True) if tells]
    rows = list(zip(*(each for each, tells in zip(cells, known, strict=True) if tells), strict=True))
    titles: list[Part] = [(column.title, "bold") for column in columns]
    widths = _widths(columns, [titles, *rows], screen.width)
    for row in (titles, *rows):
        screen.say(*fit(_row(row, columns, widths), screen.width))


def _told_apart(feeds: Sequence[Feed], named: Sequence[Part]) -> Iterator[Part]:
    """The names of feeds; of those that several have, as much as there is room for beside their addresses' paths."""
    times = Counter(named)
    for feed, (name, style) in zip(feeds, named, strict=True):
        if times[name, style] == 1:
            yield name, style
            continue
        path = harmless(shown_url(feed.url).partition("//")[2].partition("/")[2])
        room = max(_LEAST_NAME, _NAME - len(" /") - cell_len(path))
        yield f"{cut(name, room)} /{path}", style


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[Part]], width: int) -> list[int]:
    """The cells of each column: what its cells need up to its most; the last one has what is left."""
    widths = [max(cell_len(row[i][0]) for row in rows) for i in range(len(columns))]
    widths = [min(cells, column.most_cells or cells) for cells, column in zip(widths, columns, strict=True)]
    if not columns[-1].most_cells:
        widths[-1] = max(0, width - sum(widths[:-1]) - len(_GAP) * len(widths[:-1]))
    elif (over := sum(widths) + len(_GAP) * (len(widths) - 1) - width) > 0:
        widths[0] = max(1, widths[0] - over)
    return widths


def _row(row: Sequence[Part], columns: Sequence[Column], widths: Sequence[int]) -> Iterator[Part]:
    for i, ((text, style), column, width) in enumerate(zip(row, columns, widths, strict=True)):
        shown = cut(text, width)
        blank = " " * (width - cell_len(shown))
        yield _GAP if i else "", ""
        yield from ((blank, ""), (shown, style)) if column.right else ((shown, style), (blank, ""))


_PLAIN_TITLES = f"{'Status':<12} {'New/day':>7} {'Last':>10} {'Next':>9}  Address  Outlet  Why"


def _plain_line(feed: Feed, now: float) -> str:
    """Status, new entries a day, last and next poll in fixed places; then address, outlet and the reason as long as
    they are."""
    state, new, polled, due = (cell(feed, now)[0] for cell in (_status, _new, _polled, _due))
    polled = f"{polled} ago" if feed.polls.polled else polled
    due = due if due in ("now", "never") else f"in {due}"
    words = (cell(feed, now)[0] for cell in (_address, _outlet, _why))
    return "  ".join(filter(None, [f"{state:<12} {new:>7} {polled:>10} {due:>9}", *words]))

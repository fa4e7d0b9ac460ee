"""The list of feeds: how the last poll went, when the next one is and why.

Invariant: whatever a feed calls itself or answers reaches the screen only through `harmless`; a feed is one
line, no wider than the terminal.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from rich.cells import cell_len

from worker.cli.screen.harmless import cut, harmless
from worker.cli.screen.terminal import Screen, fit
from worker.cli.screen.words import span
from worker.feed.address import host, shown_url
from worker.store.feeds import Feed

Part = tuple[str, str]
"""A text and its style."""

_GAP = "  "
_STYLES = {"ok": "green", "new": "cyan", "failed": "red", "unreachable": "red", "gone": "red", "refused": "yellow"}


def status(feed: Feed) -> str:
    """How the last poll went, in a word: `new`, `ok`, `unchanged`, `empty`, `failed`, `unreachable`, `paused` ..."""
    if feed.paused:
        return "paused"
    same = {"": "new", "not-modified": "unchanged", "same-body": "unchanged"}
    return same.get(feed.polls.outcome, feed.polls.outcome)


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


def _polled(feed: Feed, now: float) -> Part:
    return f"{span(now - feed.polls.polled)} ago" if feed.polls.polled else "never", ""


def _due(feed: Feed, now: float) -> Part:
    return _next(feed, now), ""


def _why(feed: Feed, _: float) -> Part:
    return harmless(feed.polls.trouble or feed.polls.reason), "" if feed.polls.trouble else "dim"


COLUMNS = (
    Column("Outlet", 0, _outlet, most_cells=28),
    Column("Address", 140, _address, most_cells=44),
    Column("Status", 0, _status),
    Column("Entries", 100, _entries, right=True),
    Column("Polled", 100, _polled, right=True),
    Column("Next", 50, _due, right=True),
    Column("Why", 70, _why, most_cells=0),
)


def show_feeds(screen: Screen, feeds: Sequence[Feed], now: float) -> None:
    """One line a feed: a table with as many columns as the terminal has room for; off a terminal all of it, uncut."""
    if not screen.is_terminal:
        for feed in feeds:
            screen.say(_plain_line(feed, now))
        return
    columns = [column for column in COLUMNS if column.least_width <= screen.width]
    rows = [[column.cell(feed, now) for column in columns] for feed in feeds]
    titles: list[Part] = [(column.title, "bold") for column in columns]
    widths = _widths(columns, [titles, *rows], screen.width)
    for row in (titles, *rows):
        screen.say(*fit(_row(row, columns, widths), screen.width))


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


def _plain_line(feed: Feed, now: float) -> str:
    """Status, entries, last and next poll in fixed places; then address, outlet and the reason as long as they are."""
    state, entries, polled, due = (cell(feed, now)[0] for cell in (_status, _entries, _polled, _due))
    words = (cell(feed, now)[0] for cell in (_address, _outlet, _why))
    return "  ".join(filter(None, [f"{state:<12} {entries:>7} {polled:>10} {due:>9}", *words]))


def _next(feed: Feed, now: float) -> str:
    """When the next poll is. A feed that is being polled stands in the schedule by the end of its lease."""
    if feed.paused:
        return "never"
    due = feed.polls.next_poll or feed.added
    return f"in {span(due - now)}" if due > now + 1 else "now"


def as_record(feed: Feed) -> dict[str, Any]:
    """A feed as `feeds list --json` prints it; times are RFC 3339, null for never."""
    polls = feed.polls
    return {
        "id": feed.id,
        "url": feed.url,
        "title": feed.title or polls.title,
        "status": status(feed),
        "entries": polls.entries,
        "added": _time(feed.added),
        "polled": _time(polls.polled),
        "succeeded": _time(polls.succeeded),
        "next": None if feed.paused else _time(polls.next_poll or feed.added),
        "why": polls.reason,
        "errors": polls.errors,
        "trouble": polls.trouble or None,
    }


def _time(seconds: float) -> str | None:
    if not seconds:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

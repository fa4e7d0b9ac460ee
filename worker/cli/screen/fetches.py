"""The last polls of a feed as a table: what each found, and what was decided and why.

Invariant: on a terminal no line is wider than it; a reason that a poll's line has no room for stands below it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from worker.cli.screen.terminal import Screen, wrapped
from worker.report.feeds import outcome_word
from worker.report.harmless import cut, harmless
from worker.report.words import local_time, size, span
from worker.schedule import Fetch

_GAP, _BELOW, _LEAST_ROOM = "  ", "    ", 20


class _Column(NamedTuple):
    title: str
    least_width: int
    right: bool = True


_COLUMNS = (
    _Column("Time", 0, right=False),
    _Column("Outcome", 0, right=False),
    _Column("Status", 100),
    _Column("ms", 60),
    _Column("Size", 60),
    _Column("Entries", 110),
    _Column("New", 0),
    _Column("Revised", 120),
    _Column("Carried", 130),
    _Column("Wait", 50),
    _Column("Why", 70, right=False),
)


def _cells(fetch: Fetch, now: float) -> list[str]:
    return [
        local_time(fetch.at, now, near="%H:%M:%S"),
        outcome_word(fetch.outcome) if fetch.outcome != "same-body" else "same body",
        str(fetch.status or "-"),
        f"{fetch.took_ms:,.0f}",
        size(fetch.size) if fetch.size else "-",
        str(fetch.entries or "-"),
        str(fetch.new or "-"),
        str(fetch.revised or "-"),
        str(fetch.carried or "-"),
        "never" if fetch.wait_s == float("inf") else span(fetch.wait_s),
        harmless(fetch.reason),
    ]


def show_fetches(screen: Screen, fetches: Sequence[Fetch], now: float) -> None:
    """A line a poll, the newest first: on a terminal with as many columns as it has room for and the reason below where
    it needs that, otherwise all, uncut."""
    kept = [i for i, column in enumerate(_COLUMNS) if not screen.is_terminal or column.least_width <= screen.width]
    titles = [column.title for column in _COLUMNS]
    rows = [titles, *(_cells(fetch, now) for fetch in fetches)]
    widths = {i: max(cell_len(row[i]) for row in rows) for i in kept}
    for number, row in enumerate(rows):
        cells = [(" " * (widths[i] - cell_len(row[i])), row[i], _COLUMNS[i].right) for i in kept]
        line = _GAP.join(blank + text if right else text + blank for blank, text, right in cells).rstrip()
        for each in _in_room(line, row[-1], screen.width) if screen.is_terminal else [line]:
            screen.say((each, "bold" if not number else ""))


def _in_room(line: str, reason: str, width: int) -> list[str]:
    """The line as it fits: where its reason does not, with that in lines of its own below."""
    if cell_len(line) <= width:
        return [line]
    before = line.removesuffix(reason)
    room = width - len(_BELOW)
    if before == line or room < _LEAST_ROOM:
        return [cut(line, width)]
    below = [cut(_BELOW + each, width) for each in wrapped(reason.strip(), room)]
    return [cut(before.rstrip(), width), *below]

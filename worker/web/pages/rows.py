"""Stories of a list as the page shows them: each with its outlets, its numbers, a sparkline, how long ago.

Invariant: pure; what a template writes is decided here, and the texts are still as hostile as the feeds.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from msgspec import Struct

from worker.report.board import Row
from worker.report.harmless import readable
from worker.report.views import rfc3339
from worker.report.words import count, span

NAMED = 3
"""Outlets that a story names; of the others it says how many."""

BIN_PX, HIGH_PX = 5, 18
STRIP_PX = 72

_plain = lru_cache(8_192)(readable)
"""The same headlines and outlets are shown again and again."""


class Shown(Struct, frozen=True, kw_only=True):
    """A row with what is drawn of it. `others`: how many outlets are not named; `place`: what a list with this order
    is sorted by, numbers of which the smaller come first; `bars`: the path of the sparkline; `strip`: (relation, from,
    width) of each part of the picture of what the story consists of."""

    row: Row
    headline: str
    named: tuple[str, ...]
    others: int
    last: str
    ago: str
    place: str
    bars: str
    arrivals: str
    strip: tuple[tuple[str, float, float], ...]


def shown(row: Row, sort: str, now: float) -> Shown:
    """A row as a list in this order shows it."""
    named = tuple(name for source in row.sources[:NAMED] if (name := _plain(source)))
    return Shown(
        row=row,
        headline=_plain(row.headline) or "(no headline)",
        named=named,
        others=max(0, row.outlets - len(named)) if named else 0,
        last=rfc3339(row.last),
        ago=ago(now - row.last),
        place=" ".join(repr(float(number)) for number in place(row, sort)),
        bars=bars(row.growth),
        arrivals=arrivals(row),
        strip=strip(row),
    )


def place(row: Row, sort: str) -> tuple[float, ...]:
    """What a list is sorted by, as far as it is numbers."""
    match sort:
        case "new":
            return (-row.first,)
        case "large":
            return (-row.articles, *row.rank)
    return row.rank


def ago(seconds: float) -> str:
    """`just now`, `5 min ago`, `3 h ago`; static/page.js says the same as time goes on."""
    return f"{span(seconds)} ago" if seconds >= 120 else "1 min ago" if seconds >= 60 else "just now"


def utc(time: float) -> str:
    """`2026-05-04 09:30 UTC`, or `no date`."""
    try:
        return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return "no date"


def bars(growth: Sequence[int]) -> str:
    """The path of a bar for each count, as high as its share of the largest, at least a pixel where there is any."""
    top = max(growth, default=0)
    drawn = []
    for at, number in enumerate(growth):
        if number:
            high = max(1.5, round(number / top * HIGH_PX, 1))
            drawn.append(f"M{at * BIN_PX} {HIGH_PX}v-{high:g}h{BIN_PX - 1}v{high:g}z")
    return "".join(drawn)


def arrivals(row: Row) -> str:
    """The sparkline in words."""
    life_s = row.last - row.first
    if life_s <= 0:
        return f"{count(row.articles, 'article')}, {utc(row.first)}"
    return f"{count(row.articles, 'article')} within {span(life_s)}, from {utc(row.first)} to {utc(row.last)}"


def strip(row: Row) -> tuple[tuple[str, float, float], ...]:
    """What the story consists of, as shares of STRIP_PX: reports (with the first), rewrites, copies."""
    parts = (("report", 1 + row.reports), ("rewrite", row.rewrites), ("copy", row.copies))
    whole = sum(number for _, number in parts)
    drawn, begin = [], 0.0
    for relation, number in parts:
        if number:
            wide = round(number / whole * STRIP_PX, 1)
            drawn.append((relation, round(begin, 1), wide))
            begin += wide
    return tuple(drawn)

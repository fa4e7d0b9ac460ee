"""What fits a filter, found once and kept in order while stories change.

    rows in order -> those that fit -> what changed since, when it is asked for again

Invariant: pure; a change costs nothing until somebody asks, and who asks pays for what changed since or for one pass
over all rows, whichever is bounded.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, cached_property
from typing import Any

from msgspec import Struct

from worker.report.rows import Row, needles, outlet_name

SORTS = ("hot", "new", "large")
"""Hottest, most recently begun, most articles."""

Place = tuple[Any, ...]
Change = tuple[Row | None, Row | None]
"""A row as it was, and as it is."""


class Filter(Struct, frozen=True, kw_only=True, dict=True):
    """What a person asks for: the same in a page's address, the API, feeds out and the stream of changes.

    `outlet`: a domain, or words that begin words of a name, in a row; `since_s`: by last activity, None: any;
    `words`: each begins a word of a headline, or stands anywhere in it where its script puts no spaces between
    words.
    """

    lang: str = ""
    outlet: str = ""
    min_outlets: int = 1
    since_s: float | None = None
    words: str = ""

    @cached_property
    def _needles(self) -> tuple[str, ...]:
        """The longest first: the fewest have it."""
        return tuple(sorted(needles(self.words), key=len, reverse=True))

    @cached_property
    def _name(self) -> str:
        return outlet_name(self.outlet)

    def _calls(self, name: str) -> bool:
        """Whether an outlet's name, folded, is one that is asked for; a domain is asked for as a whole."""
        return name == self._name or ("." not in self.outlet and f" {self._name}" in f" {name}")

    def fits(self, row: Row, now: float) -> bool:
        """Whether a story is one of those asked for."""
        return (
            row.outlets >= self.min_outlets
            and (self.since_s is None or row.last >= now - self.since_s)
            and (not self.lang or row.lang == self.lang)
            and (not self.outlet or any(map(self._calls, row.named)))
            and all(needle in row.words for needle in self._needles)
        )

    def among(self, rows: Sequence[Row], now: float) -> list[Row]:
        """Those that fit, in their order: one test after the other, what is cheap first."""
        found = list(rows)
        if self.min_outlets > 1:
            found = [row for row in found if row.outlets >= self.min_outlets]
        if self.since_s is not None:
            since = now - self.since_s
            found = [row for row in found if row.last >= since]
        if self.lang:
            found = [row for row in found if row.lang == self.lang]
        if self.outlet:
            calls = cache(self._calls)
            found = [row for row in found if any(map(calls, row.named))]
        for needle in self._needles:
            found = [row for row in found if needle in row.words]
        return found


class Fitting:
    """All rows that fit a filter at `now`, in order. `version`: of the board whose rows they are; `articles`: theirs
    together."""

    def __init__(self, asked: Filter, sort: str, rows: Sequence[Row], now: float, version: int) -> None:
        self.asked, self.sort, self._place = asked, sort, PLACES[sort]
        self.now, self.version = now, version
        self._fill(rows)

    def _fill(self, rows: Sequence[Row]) -> None:
        self.rows = self.asked.among(rows, self.now)
        self.articles = sum(row.articles for row in self.rows)
        self._oldest = min((row.last for row in self.rows), default=float("inf"))

    def has_aged(self, now: float) -> bool:
        """Whether some have been quiet for too long by now."""
        return self.asked.since_s is not None and self._oldest < now - self.asked.since_s

    def follow(self, changes: Iterable[Change], now: float, version: int) -> None:
        """Take in what changed since `version`, and leave out what has been quiet for too long by now, which is not
        before the last time."""
        for was, row in changes:
            if was is not None and self.asked.fits(was, self.now):
                self._drop(was)
            if row is not None and self.asked.fits(row, self.now):
                self._put(row)
        self.now, self.version = now, version
        if self.has_aged(now):
            self._fill(self.rows)

    def _put(self, row: Row) -> None:
        self.rows.insert(bisect_left(self.rows, self._place(row), key=self._place), row)
        self.articles += row.articles
        self._oldest = min(self._oldest, row.last)

    def _drop(self, row: Row) -> None:
        index = bisect_left(self.rows, self._place(row), key=self._place)
        if self.rows[index : index + 1] == [row]:
            del self.rows[index]
            self.articles -= row.articles


def without_each(parts: Sequence[Filter], rows: Sequence[Row], now: float) -> list[int]:
    """For each of these, how many rows fit all the others. One pass: what two of them leave out is not looked at by the
    rest, so those that are quick to tell come first."""
    fit, missed = list(rows), list[list[Row]]()
    for part in parts:
        passed = part.among(fit, now)
        known = {id(row) for row in passed}
        missed = [part.among(others, now) for others in missed]
        missed.append([row for row in fit if id(row) not in known])
        fit = passed
    return [len(fit) + len(others) for others in missed]


def _hot(row: Row) -> Place:
    return *row.rank, row.lang, row.number


def _new(row: Row) -> Place:
    return -row.first, row.lang, row.number


def _large(row: Row) -> Place:
    return -row.articles, *row.rank, row.lang, row.number


PLACES: Mapping[str, Callable[[Row], Place]] = {"hot": _hot, "new": _new, "large": _large}
"""Where a row stands in each order: numbers, then what makes it its own."""

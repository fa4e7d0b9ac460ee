"""All stories of the store in memory, as lists of them are shown: filtered, sorted, page by page.

Invariant: pure; a row is what the store said when it was last read; every order is kept as rows come and go, and is the
report's; a cursor names a place in an order, not a row, so a story that does not move is on one page only, and on one.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from math import isnan
from typing import NamedTuple

from worker.errors import BadInput
from worker.report.fitting import PLACES, SORTS, Change, Filter, Fitting, Place
from worker.report.rows import Row, folded, link_digest, row_of

__all__ = ["SORTS", "Board", "Filter", "Row", "Selection", "folded", "row_of"]

MOST_REMEMBERED = 32
"""Filters whose rows are kept for the next who ask: 8 bytes a story each."""

MOST_BEHIND = 200
"""Changes that a remembered filter takes in when it is asked for again, in milliseconds; after more it begins anew."""

QUICK = 2_000
"""Rows that are looked through at once: a millisecond or two."""


class Selection(NamedTuple):
    """A page of a list. `stories`, `articles`: of all that fits, shown or not; `following`: the cursor of the next
    page, "" where there is none."""

    rows: Sequence[Row]
    stories: int
    articles: int
    following: str


class Board:
    """The rows of all stories. `version` grows with every change."""

    def __init__(self) -> None:
        self.version = 0
        self._rows: dict[tuple[str, int], Row] = {}
        self._roots: dict[tuple[str, int], int] = {}
        self._orders: dict[str, list[Row]] = {sort: [] for sort in SORTS}
        self._languages: Counter[str] = Counter()
        self._articles = 0
        self._changes: deque[Change] = deque(maxlen=MOST_BEHIND)
        self._remembered: OrderedDict[tuple[Filter, str], Fitting] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def put(self, row: Row) -> None:
        """A story is new, or has changed; nothing where it has not. However many filters are remembered, they take it
        in when they are asked for."""
        was = self._rows.get((row.lang, row.number))
        if was == row:
            return
        if was is not None:
            self._take_off(was)
        self._rows[row.lang, row.number] = row
        self._languages[row.lang] += 1
        self._articles += row.articles
        for number in row.aliases:
            self._roots[row.lang, number] = row.number
        for sort, order in self._orders.items():
            place = PLACES[sort]
            order.insert(bisect_left(order, place(row), key=place), row)
        self._note((was, row))

    def drop(self, lang: str, number: int) -> None:
        """A story has ended, or was merged into another."""
        was = self._rows.get((lang, number))
        if was is not None:
            self._take_off(was)
            self._note((was, None))

    def _take_off(self, row: Row) -> None:
        del self._rows[row.lang, row.number]
        self._languages[row.lang] -= 1
        self._articles -= row.articles
        for alias in row.aliases:
            self._roots.pop((row.lang, alias), None)
        for sort, order in self._orders.items():
            place = PLACES[sort]
            del order[bisect_left(order, place(row), key=place)]

    def _note(self, change: Change) -> None:
        self.version += 1
        self._changes.append(change)

    def get(self, lang: str, number: int) -> Row | None:
        """The row of a story."""
        return self._rows.get((lang, number))

    def find(self, lang: str, number: int) -> Row | None:
        """The row of a story, or of the one that it was merged into."""
        return self._rows.get((lang, self._roots.get((lang, number), number)))

    def by_link(self, url: str) -> Row | None:
        """The story that has an article at this address, however its link is written; of several, that to which an
        article came last. Looks through all (30,000 stories: some 5 ms), and so costs no memory but the digests."""
        digest = link_digest(url)
        found = [row for row in self._rows.values() if digest in row.links] if digest else []
        return max((row for row in found if _holds(row.links, digest)), key=lambda row: row.fed, default=None)

    def numbers(self, lang: str) -> set[int]:
        """The numbers of all stories of a language."""
        return {number for of, number in self._rows if of == lang}

    def count(self, lang: str) -> int:
        """How many stories a language has."""
        return self._languages[lang]

    def languages(self) -> Mapping[str, int]:
        """language -> stories, most first."""
        return {lang: count for lang, count in self._languages.most_common() if count}

    def select(self, asked: Filter, now: float, *, sort: str = "hot", limit: int = 50, after: str = "") -> Selection:
        """A page of what fits. after: `following` of the page before. Raises BadInput for what is no cursor.

        Microseconds, and milliseconds where much changed since, as long as `is_quick`; else one pass over all stories:
        30,000 take 5 to 50 ms, words longest. A story that moves between two pages may be on both, or on neither.
        """
        rows, articles = self._fitting(asked, now, sort)
        start = bisect_right(rows, _after(after, sort), key=PLACES[sort]) if after else 0
        page = rows[start : start + limit]
        following = _cursor(page[-1], sort) if page and start + limit < len(rows) else ""
        return Selection(page, len(rows), articles, following)

    def order(self, sort: str) -> Sequence[Row]:
        """All rows in an order, as they are now."""
        return self._orders[sort]

    def is_quick(self, asked: Filter, now: float, sort: str) -> bool:
        """Whether `select` need not look through many rows."""
        if asked == Filter() or len(self._rows) <= QUICK:
            return True
        known = self._known(asked, now, sort)
        return known is not None and (len(known.rows) <= QUICK or not known.has_aged(now))

    def remember(self, fitting: Fitting) -> None:
        """Keep what fits, found in an order of this board as it was at its version."""
        self._remembered[fitting.asked, fitting.sort] = fitting
        self._remembered.move_to_end((fitting.asked, fitting.sort))
        if len(self._remembered) > MOST_REMEMBERED:
            self._remembered.popitem(last=False)

    def _known(self, asked: Filter, now: float, sort: str) -> Fitting | None:
        """What is remembered, where it can go on from there."""
        known = self._remembered.get((asked, sort))
        is_near = known is not None and known.now <= now and self.version - known.version <= len(self._changes)
        return known if is_near else None

    def _fitting(self, asked: Filter, now: float, sort: str) -> tuple[list[Row], int]:
        """All rows that fit, in order, and how many articles they have."""
        if asked == Filter():
            return self._orders[sort], self._articles
        known = self._known(asked, now, sort)
        if known is None:
            known = Fitting(asked, sort, self._orders[sort], now, self.version)
        missed = islice(self._changes, len(self._changes) - (self.version - known.version), None)
        known.follow(missed, now, self.version)
        self.remember(known)
        return known.rows, known.articles


def _holds(links: bytes, digest: bytes) -> bool:
    """Not across two others."""
    return any(links[at : at + len(digest)] == digest for at in range(0, len(links), len(digest)))


_NUMBERS = {"hot": 2, "new": 1, "large": 3}
"""How many numbers a place begins with; after them the language and the story's number."""


def _cursor(row: Row, sort: str) -> str:
    return "_".join(map(str, (sort, *PLACES[sort](row))))


def _after(cursor: str, sort: str) -> Place:
    """The place that a cursor names, whose row may be gone or have moved."""
    kind, *parts = cursor.split("_")
    if kind != sort and kind in SORTS:
        raise BadInput("after: is a place in a list sorted otherwise: leave it out to begin at the top")
    try:
        *numbers, lang, number = parts
        place = (*map(float, numbers), lang, int(number))
    except ValueError:
        place = ()
    if kind != sort or len(place) != _NUMBERS[sort] + 2 or any(isnan(n) for n in place if isinstance(n, float)):
        raise BadInput("after: is no place in this list: leave it out to begin at the top")
    return place

"""All stories of the store in memory, as lists of them are shown: filtered, sorted, page by page.

Invariant: pure; a row is what the store said when it was last read; every order is kept as rows come and go, and is the
report's; a cursor names a place in an order, not a row, so a story that does not move is on one page only, and on one.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isnan
from typing import Any, NamedTuple

from msgspec import Struct

from worker.errors import BadInput
from worker.report.rows import Row, folded, link_digest, needles, outlet_name, row_of

__all__ = ["SORTS", "Board", "Filter", "Row", "Selection", "folded", "row_of"]

SORTS = ("hot", "new", "large")
"""Hottest, most recently begun, most articles."""

MOST_REMEMBERED = 32
"""Filters whose rows are kept for the next who ask: 8 bytes a story each, and some microseconds a change."""

Place = tuple[Any, ...]


class Filter(Struct, frozen=True, kw_only=True):
    """What a person asks for: the same in a page's address, the API, feeds out and the stream of changes.

    `outlet`: a domain or a name; `since_s`: by last activity, None: any; `words`: each begins a word of a headline,
    or stands anywhere in it where its script puts no spaces between words.
    """

    lang: str = ""
    outlet: str = ""
    min_outlets: int = 1
    since_s: float | None = None
    words: str = ""

    def fits(self, row: Row, now: float) -> bool:
        """Whether a story is one of those asked for."""
        return bool(self.among([row], now))

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
            name = outlet_name(self.outlet)
            found = [row for row in found if name in row.named]
        for needle in sorted(needles(self.words), key=len, reverse=True):
            found = [row for row in found if needle in row.words]
        return found


class Selection(NamedTuple):
    """A page of a list. `stories`, `articles`: of all that fits, shown or not; `following`: the cursor of the next
    page, "" where there is none."""

    rows: Sequence[Row]
    stories: int
    articles: int
    following: str


class _Fitting:
    """All rows that fit a filter, in order, kept as rows come and go. `oldest`: no row's last activity was before."""

    def __init__(self, asked: Filter, sort: str, rows: Sequence[Row], now: float) -> None:
        self._asked, self._place, self.now = asked, _PLACES[sort], now
        self._fill(rows)

    def _fill(self, rows: Sequence[Row]) -> None:
        self.rows = self._asked.among(rows, self.now)
        self.articles = sum(row.articles for row in self.rows)
        self._oldest = min((row.last for row in self.rows), default=float("inf"))

    def put(self, row: Row) -> None:
        if self._asked.fits(row, self.now):
            self.rows.insert(bisect_left(self.rows, self._place(row), key=self._place), row)
            self.articles += row.articles
            self._oldest = min(self._oldest, row.last)

    def drop(self, row: Row) -> None:
        index = bisect_left(self.rows, self._place(row), key=self._place)
        if self.rows[index : index + 1] == [row]:
            del self.rows[index]
            self.articles -= row.articles

    def age(self, now: float) -> None:
        """Leave out what has been quiet for too long by now, which is not before the last time."""
        self.now = now
        if self._asked.since_s is not None and self._oldest < now - self._asked.since_s:
            self._fill(self.rows)


class Board:
    """The rows of all stories. `version` grows with every change."""

    def __init__(self) -> None:
        self.version = 0
        self._rows: dict[tuple[str, int], Row] = {}
        self._roots: dict[tuple[str, int], int] = {}
        self._orders: dict[str, list[Row]] = {sort: [] for sort in SORTS}
        self._languages: Counter[str] = Counter()
        self._articles = 0
        self._remembered: OrderedDict[tuple[Filter, str], _Fitting] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def put(self, row: Row) -> None:
        """A story is new, or has changed."""
        self.drop(row.lang, row.number)
        self.version += 1
        self._rows[row.lang, row.number] = row
        self._languages[row.lang] += 1
        self._articles += row.articles
        for number in row.aliases:
            self._roots[row.lang, number] = row.number
        for sort, order in self._orders.items():
            place = _PLACES[sort]
            order.insert(bisect_left(order, place(row), key=place), row)
        for known in self._remembered.values():
            known.put(row)

    def drop(self, lang: str, number: int) -> None:
        """A story has ended, or was merged into another."""
        row = self._rows.pop((lang, number), None)
        if row is None:
            return
        self.version += 1
        self._languages[lang] -= 1
        self._articles -= row.articles
        for alias in row.aliases:
            self._roots.pop((lang, alias), None)
        for sort, order in self._orders.items():
            place = _PLACES[sort]
            del order[bisect_left(order, place(row), key=place)]
        for known in self._remembered.values():
            known.drop(row)

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

        30,000 stories: 2 to 20 ms the first time that something is asked for (words take longest), then microseconds,
        as what fits is kept while stories change. A story that moves between two pages may be on both, or on neither.
        """
        rows, articles = self._fitting(asked, now, sort)
        start = bisect_right(rows, _after(after, sort), key=_PLACES[sort]) if after else 0
        page = rows[start : start + limit]
        following = _cursor(page[-1], sort) if page and start + limit < len(rows) else ""
        return Selection(page, len(rows), articles, following)

    def _fitting(self, asked: Filter, now: float, sort: str) -> tuple[list[Row], int]:
        """All rows that fit, in order, and how many articles they have."""
        if asked == Filter():
            return self._orders[sort], self._articles
        known = self._remembered.get((asked, sort))
        if known is None or known.now > now:
            known = self._remembered[asked, sort] = _Fitting(asked, sort, self._orders[sort], now)
            if len(self._remembered) > MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        self._remembered.move_to_end((asked, sort))
        known.age(now)
        return known.rows, known.articles


def _holds(links: bytes, digest: bytes) -> bool:
    """Not across two others."""
    return any(links[at : at + len(digest)] == digest for at in range(0, len(links), len(digest)))


def _hot(row: Row) -> Place:
    return *row.rank, row.lang, row.number


def _new(row: Row) -> Place:
    return -row.first, row.lang, row.number


def _large(row: Row) -> Place:
    return -row.articles, *row.rank, row.lang, row.number


_PLACES: Mapping[str, Callable[[Row], Place]] = {"hot": _hot, "new": _new, "large": _large}
_NUMBERS = {"hot": 2, "new": 1, "large": 3}
"""How many numbers a place begins with; after them the language and the story's number."""


def _cursor(row: Row, sort: str) -> str:
    return "_".join(map(str, (sort, *_PLACES[sort](row))))


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

"""All stories of the store in memory, as lists of them are shown: filtered, sorted, page by page.

Invariant: pure; a row is what the store said when it was last read, and the order is that of the report.
"""

import unicodedata
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from worker.cluster.timing import heat_at
from worker.errors import BadInput
from worker.model import Member, Story, story_id
from worker.report.views import growth, outlets, rank

SORTS = ("hot", "new", "large")
"""Hottest, most recently begun, most articles."""


class Row(Struct, frozen=True, kw_only=True):
    """A story in a list. `outlets`: how many newsrooms; `named`: what they are called, folded; `words`: those of its
    headlines, folded, a space around each; `rank`: its place by heat; `grew`: commit sequence of its last change."""

    story: str
    lang: str
    number: int
    headline: str
    articles: int
    outlets: int
    copies: int
    rewrites: int
    first: float
    last: float
    heat: float
    rank: tuple[float, float]
    growth: tuple[int, ...] = ()
    named: frozenset[str] = frozenset()
    words: str = ""
    sources: tuple[str, ...] = ()
    came: float = 0.0
    """When the first of its articles that are there reached us, and `fed` the last: by the wall clock."""

    fed: float = 0.0

    @property
    def texts(self) -> int:
        """Distinct texts: all but the copies."""
        return self.articles - self.copies

    @property
    def reports(self) -> int:
        """Articles of their own, the first not counted."""
        return max(0, self.articles - 1 - self.copies - self.rewrites)

    def heat_now(self, now: float) -> float:
        """Arrivals, halved every two hours until now."""
        return heat_at(self.heat, self.last, now)


class Filter(Struct, frozen=True, kw_only=True):
    """What a person asks for: the same in a page's address, the API, feeds out and the stream of changes.

    `outlet`: a domain or a name; `since_s`: by last activity, None: any; `words`: each begins a word of a headline.
    """

    lang: str = ""
    outlet: str = ""
    min_outlets: int = 1
    since_s: float | None = None
    words: str = ""

    def fits(self, row: Row, now: float) -> bool:
        """Whether a story is one of those asked for."""
        return (
            (not self.lang or row.lang == self.lang)
            and row.outlets >= self.min_outlets
            and (self.since_s is None or row.last >= now - self.since_s)
            and (not self.outlet or folded(self.outlet) in row.named)
            and all(f" {word}" in row.words for word in folded(self.words).split())
        )


class Selection(NamedTuple):
    """A page of a list. `stories`, `articles`: of all that fits, shown or not; `following`: the cursor of the next
    page, "" where there is none."""

    rows: Sequence[Row]
    stories: int
    articles: int
    following: str


class Board:
    """The rows of all stories."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int], Row] = {}
        self._hottest: list[tuple[tuple[float, float], str, int]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, row: Row) -> None:
        """A story is new, or has changed."""
        self.drop(row.lang, row.number)
        self._rows[row.lang, row.number] = row
        insort(self._hottest, (row.rank, row.lang, row.number))

    def drop(self, lang: str, number: int) -> None:
        """A story has ended, or was merged into another."""
        if row := self._rows.pop((lang, number), None):
            del self._hottest[bisect_left(self._hottest, (row.rank, lang, number))]

    def get(self, lang: str, number: int) -> Row | None:
        """The row of a story."""
        return self._rows.get((lang, number))

    def languages(self) -> Mapping[str, int]:
        """language -> stories, most first."""
        counts: dict[str, int] = {}
        for lang, _ in self._rows:
            counts[lang] = counts.get(lang, 0) + 1
        return dict(sorted(counts.items(), key=lambda pair: -pair[1]))

    def select(self, asked: Filter, now: float, *, sort: str = "hot", limit: int = 50, after: str = "") -> Selection:
        """A page of what fits. after: `following` of the page before. Raises BadInput for what is no cursor."""
        fitting = [row for row in self._in_order(sort) if asked.fits(row, now)]
        start = _after(after, sort, fitting)
        rows = fitting[start : start + limit]
        more = start + limit < len(fitting)
        following = _cursor(rows[-1], sort) if more and rows else ""
        return Selection(rows, len(fitting), sum(row.articles for row in fitting), following)

    def _in_order(self, sort: str) -> Iterator[Row]:
        if sort == "hot":
            return (self._rows[lang, number] for _, lang, number in self._hottest)
        return iter(sorted(self._rows.values(), key=lambda row: _place(row, sort)))


def row_of(lang: str, story: Story, members: Sequence[Member]) -> Row:
    """The row of a story with these members."""
    sources = tuple(dict.fromkeys(member.source for member in members if member.source))
    titles = " ".join(dict.fromkeys(member.title for member in members))
    return Row(
        story=story_id(lang, story.number),
        lang=lang,
        number=story.number,
        headline=story.headline,
        articles=story.articles,
        outlets=max(1, len(outlets(story))),
        copies=story.copies,
        rewrites=story.rewrites,
        first=story.first,
        last=story.last,
        heat=story.heat,
        rank=rank(story),
        growth=growth([member.time for member in members], 16),
        named=frozenset(folded(name) for m in members for name in (m.source, m.newsroom) if name),
        words=f" {folded(titles)} ",
        sources=sources,
        came=min((member.received for member in members), default=story.first),
        fed=max((member.received for member in members), default=story.last),
    )


def folded(text: str) -> str:
    """A text as it is searched: without case and accents, words apart by one space."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() or c in ".-" else " " for c in plain).split())


def _place(row: Row, sort: str) -> tuple[object, ...]:
    match sort:
        case "new":
            return -row.first, row.lang, row.number
        case "large":
            return -row.articles, *row.rank, row.lang, row.number
    return *row.rank, row.lang, row.number


def _cursor(row: Row, sort: str) -> str:
    return "_".join(map(str, (sort, *_place(row, sort))))


def _after(cursor: str, sort: str, rows: Sequence[Row]) -> int:
    """The index of the first row behind a cursor, whose own row may be gone or have moved."""
    if not cursor:
        return 0
    kind, *parts = cursor.split("_")
    try:
        *numbers, lang, number = parts
        place = (*map(float, numbers), lang, int(number))
    except ValueError:
        raise BadInput("after: is no place in this list: leave it out to begin at the top") from None
    if kind != sort or len(place) != len(_place(rows[0], sort) if rows else place):
        raise BadInput("after: is a place in a list sorted otherwise: leave it out to begin at the top")
    return bisect_left(rows, place, key=lambda row: _place(row, sort)) + (
        1 if any(_place(row, sort) == place for row in rows) else 0
    )

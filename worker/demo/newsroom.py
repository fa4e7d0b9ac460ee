"""The newsroom: events happen over simulated time, outlets publish articles about them, and the truth is known.

Invariant: what comes out is a pure function of the arguments, in order of time.
"""

import html
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from itertools import count as counting
from random import Random

from msgspec import Struct

from worker.demo import stylebook, writing
from worker.demo.outlets import OUTLETS, Outlet
from worker.demo.writing import Draft, Happening
from worker.model import Relation

DAY_S = 86400.0
START_S = 1_767_571_200.0
"""Monday 2026-01-05, 00:00 UTC: when simulated time begins unless told otherwise."""

_ARTICLES_AN_EVENT = 2.89
"""The mean over a long run; the gaps between events are made so that `per_hour` articles come out."""
_REPORTS_MOST = 4
"""Independent reports of one story beside its follow-ups: the stylebooks have five or six wordings of an aspect."""


class Published(Struct, frozen=True, kw_only=True):
    """An article as an outlet published it, with the truth. Times are simulated seconds since 1970.

    A revision above 1 replaces the article of the same `id`: `published` stays, `updated` moves on. `story` is the true
    story; `relation` what the article is to the earlier ones of it, `of` the id that it repeats, or empty.
    """

    id: str
    outlet: str
    title: str
    paragraphs: tuple[str, ...]
    url: str
    guid: str
    lang: str
    published: float
    updated: float
    revision: int = 1
    story: str
    relation: Relation
    of: str = ""

    @property
    def text(self) -> str:
        """The plain text, paragraphs set off by blank lines."""
        return "\n\n".join(self.paragraphs)

    @property
    def html(self) -> str:
        """The text as a feed carries it."""
        return "".join(f"<p>{html.escape(paragraph, quote=False)}</p>" for paragraph in self.paragraphs)


class Newsroom:
    """A dozen outlets and what happens around them.

    per_hour: articles an hour of simulated time. breaking: times at which a large story breaks, besides what happens
    anyway; its articles come within `breaking_span_s`. site: where the URLs point.
    """

    def __init__(
        self,
        seed: int,
        *,
        outlets: Sequence[Outlet] = OUTLETS,
        start_s: float = START_S,
        per_hour: float = 60.0,
        breaking: Sequence[float] = (),
        breaking_span_s: float = 3000.0,
        site: str = "https://newsroom.example",
    ) -> None:
        self._random = Random(seed)
        self._outlets = {lang: [o for o in outlets if o.lang == lang] for lang in sorted({o.lang for o in outlets})}
        self._books = {lang: stylebook.load(lang) for lang in self._outlets}
        self._start_s = start_s
        self._gap_s = 3600.0 * _ARTICLES_AN_EVENT / per_hour
        self._breaking = sorted(breaking)
        self._breaking_span_s = breaking_span_s
        self._site = site
        self._serial = counting(1)
        self._stories = counting(1)
        self._due: list[tuple[float, int, Published]] = []

    def articles(self, count: int | None = None, until: float | None = None) -> Iterator[Published]:
        """Articles and revisions in order of `updated`: so many, or up to a simulated time, or without end."""
        for number, article in enumerate(self._stream()):
            if (count is not None and number >= count) or (until is not None and article.updated > until):
                return
            yield article

    def _stream(self) -> Iterator[Published]:
        random, now_s, editions = self._random, self._start_s, 0
        while True:
            now_s += random.expovariate(1 / self._gap_s)
            while self._breaking and self._breaking[0] <= now_s:
                self._cover(self._breaking.pop(0), "en", size=10, span_s=self._breaking_span_s)
            while editions * DAY_S / 2 <= now_s - self._start_s:
                self._editions(self._start_s + editions * DAY_S / 2)
                editions += 1
            self._cover(now_s, self._language(), size=self._size())
            while self._due and self._due[0][0] <= now_s:
                yield heappop(self._due)[2]

    def _language(self) -> str:
        langs = list(self._outlets)
        return self._random.choices(langs, [len(self._outlets[lang]) ** 1.5 for lang in langs])[0]

    def _size(self) -> int:
        draw = self._random.random()
        if draw < 0.55:
            return 1
        return self._random.randint(2, 4) if draw < 0.87 else self._random.randint(5, 10)

    def _cover(self, now_s: float, lang: str, size: int, span_s: float = 4 * 3600.0) -> None:
        """Let something happen, and outlets write `size` articles about it within about a third of the span."""
        random, book = self._random, self._books[lang]
        kind = random.choice(book.kinds)
        happening = writing.happen(kind, book, _weekday(now_s), random)
        desk = _Desk(self, happening, f"{lang}-{kind.name}-{next(self._stories)}")
        pool = random.sample(self._outlets[lang], len(self._outlets[lang]))
        pool.sort(key=lambda outlet: outlet.habit[0] < random.random())  # whoever reports is first
        if size > 1:
            pool.sort(key=lambda outlet: not (outlet.wire and random.random() < 0.7))
        time_s = now_s
        for place, outlet in enumerate(pool[:size]):
            desk.publish(outlet, time_s, first=place == 0)
            time_s += random.expovariate(3 * size / span_s) if size > 4 else random.expovariate(6 / span_s)
        if size > 1:
            self._follow(desk, pool, time_s, size, span_s)

    def _follow(self, desk: "_Desk", pool: list[Outlet], time_s: float, size: int, span_s: float) -> None:
        random = self._random
        later = 2 if size > 4 else int(random.random() < 0.4)
        for outlet in sorted(pool, key=lambda outlet: -outlet.habit[0] - random.random())[:later]:
            time_s += span_s * (0.15 + random.random() * 0.5)
            desk.follow_up(outlet, time_s)

    def _editions(self, now_s: float) -> None:
        """Weather and markets: the same every half day, and every edition a story of its own."""
        for book in self._books.values():
            for kind in book.recurring:
                happening = writing.happen(kind, book, _weekday(now_s), self._random)
                wire = next((o for o in self._outlets[book.lang] if o.wire), self._outlets[book.lang][0])
                aspects = ("lead", "detail", "outlook")
                lines = [stylebook.fill(happening.line(a, 0), happening.facts, self._random) for a in aspects]
                draft = Draft(
                    writing.headline(happening, wire, happening.line("headline", 0), self._random), tuple(lines)
                )
                story = f"{book.lang}-{kind.name}-{next(self._stories)}"
                self.put(wire, draft, now_s, story=story, relation=Relation.FIRST)

    def put(
        self, outlet: Outlet, draft: Draft, time_s: float, *, story: str, relation: Relation, of: str = ""
    ) -> Published:
        """Schedule a new article of an outlet."""
        serial = next(self._serial)
        article_id = f"{outlet.id}-{serial}"
        url = f"{self._site}/{outlet.id}/{article_id}"
        article = Published(
            id=article_id,
            outlet=outlet.id,
            title=draft.title,
            paragraphs=_paragraphs(draft.sentences),
            url=url,
            guid=url if serial % 2 else f"tag:{outlet.id}.example,2026:{serial}",
            lang=outlet.lang,
            published=time_s,
            updated=time_s,
            story=story,
            relation=relation,
            of=of,
        )
        heappush(self._due, (time_s, serial, article))
        return article

    def revise(self, article: Published, draft: Draft, time_s: float) -> None:
        """Schedule the next revision of an article."""
        fields = {name: getattr(article, name) for name in article.__struct_fields__}
        fields |= {"title": draft.title, "paragraphs": _paragraphs(draft.sentences), "updated": time_s}
        fields["revision"] = article.revision + 1
        heappush(self._due, (time_s, next(self._serial), Published(**fields)))


class _Desk:
    """One story while it is covered: who wrote what, so that others can copy it."""

    def __init__(self, newsroom: Newsroom, happening: Happening, story: str) -> None:
        self._newsroom = newsroom
        self._random = newsroom._random
        self._happening = happening
        self._story = story
        self._originals: list[tuple[Published, Draft]] = []

    def publish(self, outlet: Outlet, time_s: float, *, first: bool) -> None:
        """One more outlet has it: in its own words, copied, or rewritten, as is its habit."""
        happening, random = self._happening, self._random
        manner = Relation.FIRST if first else self._manner(outlet)
        if manner in (Relation.COPY, Relation.REWRITE):
            original, draft = self._originals[0] if random.random() < 0.8 else random.choice(self._originals)
            write = writing.copy if manner is Relation.COPY else writing.rewrite
            again = write(draft, happening, outlet, random)
            self._newsroom.put(outlet, again, time_s, story=self._story, relation=manner, of=original.id)
            return
        mistake = writing.misreport(happening, random) if random.random() < 0.12 else None
        draft = writing.report(happening, outlet, happening.reports, facts=mistake and mistake[1])
        article = self._newsroom.put(outlet, draft, time_s, story=self._story, relation=manner)
        self._originals.append((article, draft))
        if mistake and (right := writing.report(happening, outlet, happening.reports)) != draft:
            line = stylebook.fill(happening.line("correction", 0), dict(happening.facts), random)
            right = Draft(right.title, (*right.sentences, line))
            self._newsroom.revise(article, right, time_s + random.uniform(600, 3600))
        happening.reports += 1

    def _manner(self, outlet: Outlet) -> Relation:
        report, copy, rewrite = outlet.habit
        if self._happening.reports >= _REPORTS_MOST:
            report = 0.05 * (copy + rewrite == 0)
        manners = (Relation.REPORT, Relation.COPY, Relation.REWRITE)
        return self._random.choices(manners, (report, copy, rewrite))[0]

    def follow_up(self, outlet: Outlet, time_s: float) -> None:
        """Hours later, with new facts."""
        happening = self._happening
        draft = writing.follow_up(happening, outlet, happening.follow_ups, happening.reports)
        self._newsroom.put(outlet, draft, time_s, story=self._story, relation=Relation.REPORT)
        happening.follow_ups += 1
        happening.reports += 1


def _paragraphs(sentences: Sequence[str]) -> tuple[str, ...]:
    return (sentences[0], *(" ".join(sentences[at : at + 2]) for at in range(1, len(sentences), 2)))


def _weekday(time_s: float) -> int:
    """0 is Monday; 1970 began on a Thursday."""
    return int(time_s // DAY_S + 3) % 7

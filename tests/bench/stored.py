"""A store of many stories, written in a minute: for what reads stories and does not decide about them.

Invariant: the keys that are read for a page are as a worker's commits leave them: articles, stories, their members, the
indexes, events; fingerprints are random bytes of the usual size, and terms and bands are left out.
"""

import random
from collections.abc import Iterator

from wordfreq import top_n_list

from worker.cluster import View
from worker.model import Event, Fingerprints, Member, Relation, Story
from worker.runtime import Runtime

OUTLETS = 400
SPAN_S = 30 * 86_400.0
_LANGUAGES = {"en": 0.6, "es": 0.2, "de": 0.15, "fr": 0.05}
_AT_ONCE = 500
_MOST = 400
_HEAVY = 1.3
"""Exponent of the Pareto law of the sizes of stories: most have one article, the largest hundreds."""


class Writer:
    """Commits stories and their growth; `random` makes the same of the same seed."""

    def __init__(self, runtime: Runtime, now: float, seed: int = 1) -> None:
        self._commits, self._now, self._random = runtime.ingest._commits, now, random.Random(seed)
        self._words = {lang: [w for w in top_n_list(lang, 20_000) if len(w) > 2] for lang in _LANGUAGES}
        self._members = 0
        self._prints = [self._some_prints() for _ in range(200)]

    def fill(self, stories: int, articles: int) -> None:
        """So many stories with so many articles in all."""
        for lang, share in _LANGUAGES.items():
            sizes = self._sizes(round(stories * share), round(articles * share))
            for start in range(0, len(sizes), _AT_ONCE):
                with self._commits.lease(lang) as lease:
                    view = lease.view()
                    for size in sizes[start : start + _AT_ONCE]:
                        self._story(view, size)
                    self._commits.commit(lease, view)

    def arrive(self, articles: int, lang: str = "en") -> list[str]:
        """One commit of new stories, of one article each, of now; the cursors of its events in its language."""
        with self._commits.lease(lang) as lease:
            view = lease.view()
            for _ in range(articles):
                self._story(view, 1, at=self._now)
            self._commits.commit(lease, view)
            return [f"{event.seq}-{event.part}" for event in view.changes.events]

    def _sizes(self, stories: int, articles: int) -> list[int]:
        sizes = [min(_MOST, int(self._random.paretovariate(_HEAVY))) for _ in range(stories)]
        for _ in range(max(0, articles - sum(sizes))):
            sizes[self._random.randrange(stories // 4)] += 1
        self._random.shuffle(sizes)
        return sizes

    def _story(self, view: View, size: int, at: float | None = None) -> None:
        view.made += 1
        first = self._now - self._random.random() * SPAN_S if at is None else at
        members = list(self._articles(view, view.made, size, first))
        last, outlets = members[-1].time, sorted({m.outlet.encode()[:4] for m in members})
        copies = sum(m.relation is Relation.COPY for m in members)
        view.put_story(
            Story(
                view.made, members[0].title, first, last, self._now, members[0].uid, articles=size, copies=copies,
                outlets=b"".join(outlets), heat=float(size), planes=(self._random.randbytes(256),) * 3, voters=size,
                texts=tuple(m.uid for m in members if m.relation is not Relation.COPY)[:20],
            )
        )  # fmt: skip

    def _articles(self, view: View, number: int, size: int, first: float) -> Iterator[Member]:
        for index in range(size):
            view.seq += 1
            self._members += 1
            outlet, time = self._random.randrange(OUTLETS), min(self._now, first + index * 1_800.0)
            relation = Relation.FIRST if index == 0 else self._random.choice((Relation.COPY, Relation.REPORT))
            member = Member(
                f"{outlet:012x}.{self._members:016x}", 1, self._title(view.lang),
                f"https://{outlet:04d}.example.com/news/{self._members}", f"The {outlet:04d} Herald", time, time, time,
                False, self._random.choice(self._prints), number, view.seq, relation, score=0.5,
                outlet=f"{outlet:04d}.example.com",
            )  # fmt: skip
            view.put_member(member)
            view.join(number, member.uid, time)
            view.emit(Event("grew" if index else "new", view.seq, view.lang, number, member.uid))
            yield member

    def _title(self, lang: str) -> str:
        return " ".join(self._random.choices(self._words[lang], k=self._random.randint(6, 12))).capitalize()

    def _some_prints(self) -> Fingerprints:
        chance, terms = self._random, tuple(self._random.sample(self._words["en"], 40))
        return Fingerprints(
            chance.randbytes(8), chance.randbytes(256), chance.randbytes(768), 300, 320, chance.randbytes(8), terms,
            chance.randbytes(40),
        )  # fmt: skip

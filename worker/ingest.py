"""The use case of a batch: from refs in the outbox to stories in the store.

Invariant: an article leaves the outbox only after the commit that placed it; running a batch twice, or in two workers
at once, places each revision once.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from worker.clock import Clock
from worker.cluster import event_time, place, prefetch, restore
from worker.config import Settings
from worker.errors import LeaseLost, ServerUnavailable, StorywireError, Unsecured
from worker.expiry import Expiry
from worker.fingerprint import fingerprints
from worker.model import AWAITED, Article, Kept, Member, Ref, Story, is_file, uid
from worker.store.commits import Commits, Lease
from worker.store.forgotten import of_article, of_feed, of_url
from worker.store.lags import Lags
from worker.store.outbox import Outbox
from worker.store.reach import Reach
from worker.store.stories import Stories

_NOT_IN_TIME = "was not read in time"
"""What became of the page of an article that was clustered while it waited for it."""

_ATTEMPTS = 5
"""How often a batch starts over when another worker took its lease."""


@dataclass
class BatchResult:
    """What became of a batch: `counts` of new, joined, revised, repeated, forgotten articles, milliseconds a stage, of
    each article that was measured the seconds since its fetch, and how many stories each was compared with. `waiting`:
    how many were left as their servers are away."""

    articles: int = 0
    waiting: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    stages_ms: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    lags_s: list[float] = field(default_factory=list)
    candidates: list[int] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the block to a stage."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.stages_ms[name] += (time.perf_counter() - began) * 1000


class Unplaced(ServerUnavailable):
    """The articles of some languages wait: `why`, and `waiting` of each language. `result` is what became of the
    others."""

    def __init__(
        self, why: Mapping[str, ServerUnavailable], waiting: Mapping[str, Sequence[Ref]], result: BatchResult
    ) -> None:
        super().__init__("; ".join(f"{lang} waits: {error}" for lang, error in why.items()))
        self.why, self.waiting, self.result = why, waiting, result


class Ingest:
    """Clusters batches; `begun` is called before each article's fingerprints, and before its decision. `reach`: which
    languages' servers answer, where there are several.

    Raises LeaseLost, or what the server's client raises: the articles then wait in the outbox.
    """

    def __init__(
        self,
        outbox: Outbox,
        stories: Stories,
        commits: Commits,
        settings: Settings,
        clock: Clock,
        lags: Lags | None = None,
        begun: Callable[[], object] = lambda: None,
        reach: Reach | None = None,
    ) -> None:
        self.reach = reach or Reach()
        self._expiry = Expiry(stories, commits, settings, clock, self.reach)
        self._outbox = outbox
        self._lags = lags
        self._begun = begun
        self._commits = commits
        self._settings = settings
        self._clock = clock

    def run(self, refs: Sequence[Ref]) -> BatchResult:
        """Place the articles of these refs that still wait; those of one language are committed together. Raises
        Unplaced where the servers of some languages are away, after those of the others were placed; on whatever else
        is raised `placed` is what became of those before."""
        result, failed = BatchResult(), dict[str, ServerUnavailable]()
        with result.stage("load"):
            waiting = self._outbox.load(refs)
            self._outbox.forget_missing(refs, [ref for ref, _ in waiting])
        with result.stage("fingerprint"):
            shards: dict[str, list[tuple[Ref, Member]]] = defaultdict(list)
            for ref, article in waiting:
                self._begun()
                shards[article.lang].append((ref, self._member(ref, article)))
            kept = {uid(article.id): article.kept for _, article in waiting if article.kept}
        for lang, batch in shards.items():
            try:
                self._settle(lang, batch, kept, result)
            except BaseException as error:
                if not isinstance(error, ServerUnavailable) or not self.reach.several:
                    error.placed = result  # type: ignore[attr-defined]
                    raise
                self.reach.failed(lang, error)
                failed[lang] = error
        if failed:
            result.waiting = sum(len(shards[lang]) for lang in failed)
            raise Unplaced(failed, {lang: [ref for ref, _ in shards[lang]] for lang in failed}, result)
        return result

    def _settle(
        self, lang: str, batch: Sequence[tuple[Ref, Member]], kept: Mapping[bytes, Kept], result: BatchResult
    ) -> None:
        """Place those of one language, and take them out of the outbox. A server that is known to be away is not asked,
        as that would take seconds each time."""
        if away := self.reach.without_language(lang):
            raise ServerUnavailable(f"it needs {away}")
        self._place(lang, batch, kept, result)
        with result.stage("settle"):
            self._outbox.settle([(ref, member.revision) for ref, member in batch])
        result.articles += len(batch)
        result.lags_s += self._note_lags(batch)

    def _note_lags(self, batch: Sequence[tuple[Ref, Member]]) -> list[float]:
        """Say how long these took since they were fetched; of a revision and of a file's line that is not known, and
        what waited for its page was meant to wait."""
        now = self._clock.now()
        told = [member for ref, member in batch if member.revision == 1 and not is_file(ref.feed) and not member.page]
        lags_s = [max(0.0, now - member.received) for member in told]
        if self.reach.without_lags():
            self.reach.look()
        if self._lags is not None and not self.reach.without_lags():
            try:
                self._lags.note(lags_s, now)
            except StorywireError:  # a measurement: the batch is done without it
                self.reach.look()
        return lags_s

    def expire(self, limit: int = 100) -> int:
        """End stories that have been quiet for too long, up to `limit` a language; articles removed (expiry.py)."""
        return self._expiry.run(limit)

    def _member(self, ref: Ref, article: Article) -> Member:
        another = not is_file(ref.feed) and not article.id.startswith(f"{ref.feed}.")
        kept = article.kept
        return Member(
            id=article.id,
            revision=article.revision,
            title=article.title,
            url=article.url,
            source=article.source,
            published=article.published,
            time=event_time(article.published, article.received, self._settings.retention),
            received=article.received,
            backfill=article.backfill,
            prints=kept.prints if kept else fingerprints(article.title, article.text, article.lang),
            page=_NOT_IN_TIME if article.page == AWAITED else article.page,
            outlet=article.outlet,
            titles=kept.titles if kept else (),
            feeds=kept.feeds if kept else (ref.feed,) if another else (),
        )

    def _place(
        self, lang: str, batch: Sequence[tuple[Ref, Member]], kept: Mapping[bytes, Kept], result: BatchResult
    ) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._commits.lease(lang) as lease:
                    result.stages_ms["wait"] += lease.waited_ms
                    counts = self._decide(lease, batch, kept, result)
                result.counts += counts
                return
            except LeaseLost:
                if attempt == _ATTEMPTS:
                    raise

    def _decide(
        self, lease: Lease, waiting: Sequence[tuple[Ref, Member]], kept: Mapping[bytes, Kept], result: BatchResult
    ) -> Counter[str]:
        view, counts = lease.view(self._settings.strictness), Counter[str]()
        with result.stage("read"):
            batch = self._wanted(waiting)
            counts["forgotten"] += len(waiting) - len(batch)
            compared: list[list[Story]] = self._commits.answer(view, prefetch(view, batch), lease)
        with result.stage("decide"):
            now = self._clock.now()
            for member in batch:
                self._begun()
                old = kept.get(member.uid)
                placing = restore(view, member, old, now) if old else place(view, member, now)
                counts[self._commits.answer(view, placing, lease)] += 1
                self._commits.renew(lease)
        with result.stage("commit"):
            try:
                self._commits.commit(lease, view)
            except Unsecured:  # they are in their stories all the same, and repeated the next time
                result.counts += counts
                raise
        result.candidates += map(len, compared)
        return +counts

    def _wanted(self, waiting: Sequence[tuple[Ref, Member]]) -> list[Member]:
        """The articles that nobody had forgotten: asked under the lease, as whoever forgets takes the lease after it
        has said so."""
        names = [(of_article(m.id), of_url(m.url), of_feed(ref.feed)) for ref, m in waiting]
        gone = self._commits.forgotten.among([name for three in names for name in three], self._clock.now())
        return [member for (_, member), three in zip(waiting, names, strict=True) if gone.isdisjoint(three)]

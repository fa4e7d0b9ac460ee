"""The use case of a batch: from refs in the outbox to stories in the store.

Invariant: an article leaves the outbox only after the commit that placed it; running a batch twice, or in two workers
at once, places each revision once.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from worker.clock import Clock
from worker.cluster import event_time, expire, outlive, place, prefetch, restore
from worker.cluster.correct import GRACE_S
from worker.config import Settings
from worker.errors import LeaseLost, StorywireError
from worker.feed.archived import archive_lines
from worker.fingerprint import fingerprints
from worker.model import AWAITED, Article, Kept, Member, Ref, Story, is_file, uid
from worker.store.archive import Archive
from worker.store.commits import Commits, Lease
from worker.store.forgotten import of_article, of_feed, of_url
from worker.store.lags import Lags
from worker.store.outbox import Outbox
from worker.store.stories import Stories

_NOT_IN_TIME = "was not read in time"
"""What became of the page of an article that was clustered while it waited for it."""

_ATTEMPTS = 5
"""How often a batch starts over when another worker took its lease."""


@dataclass
class BatchResult:
    """What became of a batch: `counts` of new, joined, revised, repeated, forgotten articles, milliseconds a stage, of
    each article that was measured the seconds since its fetch, and how many stories each was compared with."""

    articles: int = 0
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


class Ingest:
    """Clusters batches; `begun` is called before each article's fingerprints, and before its decision.

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
    ) -> None:
        self._outbox = outbox
        self._lags = lags
        self._begun = begun
        self._stories = stories
        self._commits = commits
        self._settings = settings
        self._clock = clock
        self._archive = Archive(Path(settings.archive_dir)) if settings.archive_dir else None

    def run(self, refs: Sequence[Ref]) -> BatchResult:
        """Place the articles of these refs that still wait; those of one language are committed together."""
        result = BatchResult()
        with result.stage("load"):
            waiting = self._outbox.load(refs)
            self._outbox.forget_missing(refs, [ref for ref, _ in waiting])
        result.articles = len(waiting)
        with result.stage("fingerprint"):
            shards: dict[str, list[tuple[Ref, Member]]] = defaultdict(list)
            for ref, article in waiting:
                self._begun()
                shards[article.lang].append((ref, self._member(ref, article)))
            kept = {uid(article.id): article.kept for _, article in waiting if article.kept}
        for lang, batch in shards.items():
            self._place(lang, batch, kept, result)
            with result.stage("settle"):
                self._outbox.settle([(ref, member.revision) for ref, member in batch])
            result.lags_s += self._note_lags(batch)
        return result

    def _note_lags(self, batch: Sequence[tuple[Ref, Member]]) -> list[float]:
        """Say how long these took since they were fetched; of a revision and of a file's line that is not known, and
        what waited for its page was meant to wait."""
        now = self._clock.now()
        told = [member for ref, member in batch if member.revision == 1 and not is_file(ref.feed) and not member.page]
        lags_s = [max(0.0, now - member.received) for member in told]
        if self._lags is not None:
            with suppress(StorywireError):  # a measurement: the batch is done without it
                self._lags.note(lags_s, now)
        return lags_s

    def expire(self, limit: int = 100) -> int:
        """End up to `limit` stories a language that have been quiet for longer than the retention; articles removed.

        With an archive, they are on its disk before anything of them is removed: a crash in between leaves them there
        twice. Raises NotArchived where that cannot be: then nothing ends.
        """
        before = self._clock.now() - self._settings.retention
        removed = 0
        for lang in self._stories.languages():
            quiet = self._commits.quiet(lang, before, limit)
            kept = self._archived(lang, quiet)
            for number in quiet:
                removed += self._expire(lang, number, before, kept)
            self._let_go(lang)
        self._commits.forgotten.let_go(self._clock.now())
        return removed

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
            self._commits.commit(lease, view)
        result.candidates += map(len, compared)
        return +counts

    def _wanted(self, waiting: Sequence[tuple[Ref, Member]]) -> list[Member]:
        """The articles that nobody had forgotten: asked under the lease, as whoever forgets takes the lease after it
        has said so."""
        names = [(of_article(m.id), of_url(m.url), of_feed(ref.feed)) for ref, m in waiting]
        gone = self._commits.forgotten.among([name for three in names for name in three], self._clock.now())
        return [member for (_, member), three in zip(waiting, names, strict=True) if gone.isdisjoint(three)]

    def _archived(self, lang: str, numbers: Sequence[int]) -> dict[int, Story]:
        """Those of these stories that are in the archive now, as they are there, whole."""
        if self._archive is None:
            return {}
        kept, lines = dict[int, Story](), list[bytes]()
        for number in numbers:
            story = self._stories.find(lang, number)
            if story is not None and story.number == number:
                kept[number] = story
                lines += archive_lines(lang, story, self._stories.members(lang, number))
        self._archive.append(lines, self._clock.now())
        return kept

    def _expire(self, lang: str, number: int, before: float, kept: Mapping[int, Story]) -> int:
        removed = 0
        while True:
            with self._commits.lease(lang) as lease:
                view = lease.view()
                self._commits.answer(view, view.want(stories=[number]), lease)
                story = view.root(number)
                if story is None or story.number != number or story.active >= before:
                    return removed
                if self._archive and story.articles and story != kept.get(number):  # somebody changed it just now
                    return removed
                removed += self._commits.answer(view, expire(view, number), lease)
                outlive(view, self._clock.now() + GRACE_S)
                self._commits.commit(lease, view)

    def _let_go(self, lang: str) -> None:
        """Drop the corrections that have outlived the articles that they name."""
        now = self._clock.now()
        if not any(0 < correction.until < now for correction in self._commits.ties(lang).all()):
            return
        with self._commits.lease(lang) as lease:
            view = lease.view()
            view.drop_corrections([said.number for said in view.ties.all() if 0 < said.until < now])
            self._commits.commit(lease, view)

"""The use case of an end: stories that were quiet for longer than the retention go, into the archive if there is one.

Invariant: with an archive, a story is on its disk, as it is, before anything of it is removed.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from worker.clock import Clock
from worker.cluster import expire, outlive
from worker.cluster.correct import GRACE_S
from worker.config import Settings
from worker.errors import ServerUnavailable
from worker.feed.archived import archive_lines
from worker.model import Story
from worker.store.archive import Archive
from worker.store.commits import Commits
from worker.store.reach import Reach
from worker.store.stories import Stories


class Expiry:
    """Ends stories. `reach`: which languages' servers answer; those of the others end when they are back."""

    def __init__(self, stories: Stories, commits: Commits, settings: Settings, clock: Clock, reach: Reach) -> None:
        self._stories, self._commits, self._clock, self._reach = stories, commits, clock, reach
        self._retention_s = settings.retention
        self._archive = Archive(Path(settings.archive_dir)) if settings.archive_dir else None

    def run(self, limit: int) -> int:
        """End up to `limit` stories a language that have been quiet for longer than the retention; articles removed.

        A crash in between leaves them in the archive twice. Raises NotArchived where that cannot be written: then
        nothing ends.
        """
        before = self._clock.now() - self._retention_s
        removed = 0
        for lang in self._stories.languages():
            if self._reach.without_language(lang):
                continue
            try:
                removed += self._end(lang, before, limit)
            except ServerUnavailable as error:
                if not self._reach.failed(lang, error):
                    raise
        self._commits.forgotten.let_go(self._clock.now())
        return removed

    def _end(self, lang: str, before: float, limit: int) -> int:
        quiet = self._commits.quiet(lang, before, limit)
        kept = self._archived(lang, quiet)
        removed = sum(self._end_story(lang, number, before, kept) for number in quiet)
        self._let_go(lang)
        return removed

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

    def _end_story(self, lang: str, number: int, before: float, kept: Mapping[int, Story]) -> int:
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

"""Which of a poll's articles wait for their pages, and which are queued at once.

Invariant: an article waits only while somebody reads pages; without, it is clustered by its summary, and says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from worker.model import AWAITED, Article, Ref
from worker.store.pages import Pages

NOBODY = "was not read: no `storywire pages` was running"
"""The reason of a page that nobody was there to read, in words that follow "its page"."""

BACKFILL_WAITS = 5
"""What a feed shows when it is first seen may wait so many times as long: its fifty pages are of one host."""


@dataclass
class Awaiting:
    """`mode` and `wait_s`: the settings `pages` and `pages_wait`. Methods block, and raise StorywireError."""

    pages: Pages | None
    mode: str = "auto"
    wait_s: float = 120.0

    def mode_of(self, wanted: str) -> str:
        """Of which entries of a feed the pages are read, where a person wants this of it (`auto`: as is set)."""
        if self.pages is None:
            return "off"
        return self.mode if wanted == "auto" else wanted

    def checked(self, articles: Sequence[Article]) -> Sequence[Article]:
        """The articles; where nobody reads pages, none of them waits."""
        if self.pages is None or all(article.page != AWAITED for article in articles) or self.pages.alive():
            return articles
        return [replace(article, page=NOBODY) if article.page == AWAITED else article for article in articles]

    def hold(self, articles: Sequence[Article], published: Sequence[Ref], now: float) -> list[Ref]:
        """Hold back those of the published that wait; the others, to be queued now."""
        waiting = {article.id: article for article in articles if article.page == AWAITED}
        queued = [ref for ref in published if ref.article not in waiting]
        for backfill, wait_s in ((False, self.wait_s), (True, BACKFILL_WAITS * self.wait_s)):
            refs = [ref for ref in published if ref.article in waiting and waiting[ref.article].backfill == backfill]
            if refs and self.pages is not None:
                queued += self.pages.add(refs, now, wait_s)
        return queued

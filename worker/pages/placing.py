"""Reads the page of an article that waits for it, and puts what came of that in the article's place.

Invariant: an article is replaced only where it still is what its page was read for; whatever fails, its lease runs out,
and it is read again or clustered by its summary.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog

from worker.clock import Clock
from worker.errors import StorywireError
from worker.feed.address import shown_url
from worker.metrics import Metrics
from worker.metrics.table import PAGES
from worker.model import AWAITED, PAGE_READ, Article, Ref
from worker.pages.choose import without_page
from worker.pages.leases import Leases
from worker.pages.read import Reading, Told
from worker.store.outbox import Outbox, decode
from worker.store.pages import Awaited, Pages
from worker.visit import NotYet

log = structlog.get_logger()


class Placing:
    """`aside` runs a blocking call in a thread."""

    def __init__(
        self,
        reading: Reading,
        leases: Leases,
        *,
        pages: Pages,
        outbox: Outbox,
        aside: Callable[..., Awaitable[Any]],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._reading, self._leases = reading, leases
        self._pages, self._outbox, self._aside = pages, outbox, aside
        self._clock, self._metrics = clock, metrics
        self._ready: list[Ref] = []

    def ready(self) -> list[Ref]:
        """What is in its place since this was asked last, to be queued."""
        refs, self._ready = self._ready, []
        return refs

    async def place(self, awaited: Awaited) -> None:
        """Read the page of an article and make it ready, or put it back until its gate is open."""
        try:
            payload = await self._aside(self._outbox.payload, awaited.ref)
            article = _awaiting(payload)
            if payload is not None and article is not None and self._clock.now() < awaited.until:
                await self._place(awaited, payload, article)
            else:
                await self._aside(self._pages.done, awaited)
        except StorywireError as error:
            log.warning(
                "page not read", article=awaited.ref.article, trouble=str(error), remedy="read again, if in time"
            )
        except Exception:
            log.exception("page not read", article=awaited.ref.article)

    async def _place(self, awaited: Awaited, payload: bytes, article: Article) -> None:
        told = Told()
        try:
            done = await self._reading.read(article, told)
        except NotYet as error:
            due = self._clock.now() + error.turn.wait_s
            if due < awaited.until:
                await self._leases.put_back(awaited, due)
                return
            done = without_page(article, f"was not read in time: {error}")
        replaced = await self._aside(self._pages.replace, awaited.ref, payload, done, self._clock.now())
        await self._aside(self._pages.done, awaited)
        if replaced:
            self._ready.append(awaited.ref)
        self._tell(article, done.page, told.facts, late=not replaced)
        await self._aside(self._pages.note, "" if done.page == PAGE_READ else done.page)

    def _tell(self, article: Article, page: str, facts: dict[str, Any], *, late: bool) -> None:
        outcome, reason = ("read", {}) if page == PAGE_READ else ("summary", {"reason": f"its page {page}"})
        also = {"late": True} if late else {}
        log.info("page", article=article.id, url=shown_url(article.url), outcome=outcome, **reason, **facts, **also)
        self._metrics.count(PAGES, outcome=outcome)
        self._metrics.stages(facts)


def _awaiting(payload: bytes | None) -> Article | None:
    """The article of a payload, if its page is still wanted."""
    try:
        article = decode(payload) if payload is not None else None
    except msgspec.MsgspecError:
        return None
    return article if article is not None and article.page == AWAITED else None

"""The loop of a process that reads pages: leases what is due, reads it, puts the articles in their place, queues them.

Invariant: what is leased is ended, put back, or runs out by itself; what is read and not queued waits in the outbox,
where the sweeper finds it.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from functools import partial
from time import monotonic
from typing import Any, TypeVar

import msgspec
import structlog

from worker.clock import Clock
from worker.config import Settings
from worker.errors import Permanent, StorywireError
from worker.feed.address import shown_url
from worker.fetch import Fetcher, Guard
from worker.metrics import Metrics
from worker.metrics.table import PAGES
from worker.model import AWAITED, PAGE_READ, Article, Ref
from worker.names import new_name, this_version
from worker.pages.choose import without_page
from worker.pages.extractors import Extractors
from worker.pages.read import Reading, Told
from worker.store.gates import Gates
from worker.store.outbox import Outbox, decode
from worker.store.pages import Awaited, Pages
from worker.store.pollers import Readers, Sign
from worker.visit import NotYet
from worker.watchdog import Watchdog

TICK_S = 0.25
"""How often it is asked what is due: one short script."""

LEASE_S = 15.0
BEAT_S = 4.0
"""How often leases are renewed, and a sign of life is given."""

_AGAIN_S = 60.0
"""An extractor that does not work is tried again after so long: a package may have been installed."""

_ROBOTS_TIMEOUT_S = 10.0
_ACCEPT = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"
_HTML = ("text/html", "application/xhtml+xml")

T = TypeVar("T")
log = structlog.get_logger()


class Pager:
    """Reads pages until stopped. `enqueue` queues refs; it and the stores are called from threads."""

    def __init__(
        self,
        *,
        pages: Pages,
        outbox: Outbox,
        gates: Gates,
        enqueue: Callable[[Sequence[Ref]], int],
        settings: Settings,
        clock: Clock,
        extractors: Extractors | None = None,
        tick_s: float = TICK_S,
        metrics: Metrics | None = None,
        watchdog: Watchdog | None = None,
        readers: Readers | None = None,
    ) -> None:
        self._watchdog, self._met = watchdog or Watchdog({}), False
        self._readers, self._name, self._started = readers, new_name(), clock.now()
        self._metrics = metrics or Metrics("pages")
        self._pages, self._outbox, self._enqueue = pages, outbox, enqueue
        self._settings, self._clock, self._tick_s = settings, clock, tick_s
        guard = Guard(settings.allow_private)
        fetcher = partial(Fetcher, user_agent=settings.user_agent, guard=guard)
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="store")
        self._reading = Reading(
            fetcher=fetcher(timeout_s=settings.fetch_timeout, accept=_ACCEPT, types=_HTML),
            robots_fetcher=fetcher(timeout_s=min(settings.fetch_timeout, _ROBOTS_TIMEOUT_S), accept="text/plain, */*"),
            extractors=extractors or Extractors(),
            gates=gates,
            aside=self._aside,
            clock=clock,
            agent=settings.user_agent,
        )
        self._stopping = asyncio.Event()
        self._running: dict[asyncio.Task[None], Awaited] = {}
        self._ready: list[Ref] = []
        self._beat_due, self._waiting = 0.0, False
        self._broken, self._try_at = "", 0.0
        self._renewing = asyncio.Lock()  # what was put back meanwhile would be held for a whole lease again
        self._back: set[Awaited] = set()

    def stop(self) -> None:
        """End soon: what is being read is put back, for another process."""
        self._stopping.set()
        self._watchdog.end()

    async def run(self) -> None:
        """Read what is due until stopped. A server that is down is waited for."""
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            async with AsyncExitStack() as parts:
                for part in (self._reading.fetcher, self._reading.robots_fetcher, self._reading.extractors):
                    await parts.enter_async_context(part)
                log.info("reading pages", pid=os.getpid())
                while not self._stopping.is_set():
                    leased = await self._turn()
                    self._tell()
                    for awaited in leased:
                        self._back.discard(awaited)
                        task = asyncio.create_task(self._read_one(awaited))
                        self._running[task] = awaited
                        task.add_done_callback(self._running.pop)
                    await asyncio.wait({stopped}, timeout=0 if leased else self._tick_s)
                await self._give_back()
        finally:
            stopped.cancel()
            self._threads.shutdown()

    def _tell(self) -> None:
        """Give the service manager a sign of life; that we are ready only when the server has been met."""
        self._met = self._met or not self._waiting
        if self._met:
            read = (
                f"Pages cannot be read: {self._broken}"
                if self._broken
                else f"Reading; now {len(self._running)} at once"
            )
            self._watchdog.turn("Waiting for the server" if self._waiting else read)

    async def _turn(self) -> Sequence[Awaited]:
        """Queue what is ready, beat, and lease what is due."""
        try:
            await self._flush()
            if monotonic() >= self._beat_due:
                self._beat_due = monotonic() + BEAT_S
                await self._aside(self._pages.beat, self._broken)
                await self._beat()
                async with self._renewing:
                    self._back &= set(self._running.values())
                    held = [awaited for awaited in self._running.values() if awaited not in self._back]
                    await self._aside(self._pages.renew, held, self._clock.now() + LEASE_S)
            leased = await self._lease()
        except StorywireError as error:
            if not self._waiting:
                log.warning("waiting for the server", trouble=str(error))
            self._waiting = True
            await asyncio.sleep(self._tick_s)
            return []
        if self._waiting:
            log.info("the server is back")
        self._waiting = False
        return leased

    async def _beat(self) -> None:
        if self._readers is not None:
            sign = Sign(self._broken, 0.0, self._started, this_version(), "reads pages")
            await self._aside(self._readers.beat, self._name, sign)

    async def _lease(self) -> Sequence[Awaited]:
        """What is due and can be read here; what cannot is left to others, and to its time."""
        room = self._settings.fetch_parallel - len(self._running)
        if room <= 0 or (self._broken and (monotonic() < self._try_at or not await self._works())):
            return []
        leased: Sequence[Awaited] = await self._aside(self._pages.lease, self._clock.now(), LEASE_S, room)
        if not leased or await self._works():
            return leased
        for awaited in leased:
            await self._aside(self._pages.put_back, awaited, self._clock.now())
        return []

    async def _works(self) -> bool:
        """Whether the extractor does: tried on the first page that is due, and after one that it died of. Says so once
        where it does not."""
        if self._reading.extractors.proved:
            return True
        broken, self._broken = self._broken, ""
        try:
            await self._reading.extractors.prove()
        except Permanent as error:
            self._broken, self._try_at = str(error), monotonic() + _AGAIN_S
            if not broken:
                log.error("pages cannot be read", trouble=self._broken, lost="nothing: summaries are clustered")
        if broken or self._broken:
            self._beat_due = 0.0
        if broken and not self._broken:
            log.info("pages are read again")
        return not self._broken

    async def _read_one(self, awaited: Awaited) -> None:
        """Read the page of an article and queue it, or put it back until its gate is open."""
        try:
            payload = await self._aside(self._outbox.payload, awaited.ref)
            article = _awaiting(payload)
            if payload is not None and article is not None and self._clock.now() < awaited.until:
                await self._read(awaited, payload, article)
            else:
                await self._aside(self._pages.done, awaited)
        except StorywireError as error:
            log.warning(
                "page not read", article=awaited.ref.article, trouble=str(error), remedy="read again, if in time"
            )
        except Exception:
            log.exception("page not read", article=awaited.ref.article)

    async def _read(self, awaited: Awaited, payload: bytes, article: Article) -> None:
        told = Told()
        try:
            done = await self._reading.read(article, told)
        except NotYet as error:
            due = self._clock.now() + error.turn.wait_s
            if due < awaited.until:
                async with self._renewing:
                    self._back.add(awaited)
                    await self._aside(self._pages.put_back, awaited, due)
                return
            done = without_page(article, f"was not read in time: {error}")
        replaced = await self._aside(self._pages.replace, awaited.ref, payload, done, self._clock.now())
        await self._aside(self._pages.done, awaited)
        if replaced:
            self._ready.append(awaited.ref)
        facts = told.facts if done.page == PAGE_READ else {"reason": f"its page {done.page}", **told.facts}
        outcome = "read" if done.page == PAGE_READ else "summary"
        late = {} if replaced else {"late": True}
        log.info("page", article=article.id, url=shown_url(article.url), outcome=outcome, **facts, **late)
        self._metrics.count(PAGES, outcome=outcome)
        self._metrics.stages(told.facts)
        await self._aside(self._pages.note, "" if done.page == PAGE_READ else done.page)

    async def _flush(self) -> None:
        """Queue what was read since the last turn, as one batch."""
        if not self._ready:
            return
        refs, self._ready = self._ready, []
        try:
            await self._aside(self._enqueue, refs)
        except StorywireError as error:
            log.warning("queue unavailable", trouble=str(error), articles=len(refs), remedy="workers queue them again")

    async def _give_back(self) -> None:
        running = dict(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        try:
            if self._readers is not None:
                await self._aside(self._readers.leave, self._name)
            for awaited in running.values():
                await self._aside(self._pages.put_back, awaited, self._clock.now())
            await self._flush()
        except StorywireError as error:
            log.warning("leases not given back", trouble=str(error), remedy="they run out")

    async def _aside(self, call: Callable[..., T], *args: Any) -> T:
        """Run a blocking call in a thread of our own."""
        result: Awaitable[T] = asyncio.get_running_loop().run_in_executor(self._threads, partial(call, *args))
        return await result


def _awaiting(payload: bytes | None) -> Article | None:
    """The article of a payload, if its page is still wanted."""
    try:
        article = decode(payload) if payload is not None else None
    except msgspec.MsgspecError:
        return None
    return article if article is not None and article.page == AWAITED else None

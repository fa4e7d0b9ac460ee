"""Figures of the whole store for `/metrics`: read when Prometheus asks, and not more often than they are worth.

Invariant: one look at a time, however many ask; the server spends at most a twentieth of its time on them, and no
answer waits for a server that does not answer.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import structlog

from worker import health
from worker.errors import StorywireError
from worker.metrics import Reading
from worker.metrics import table as metric
from worker.runtime import Runtime

LIMIT_S = 2.0
"""How long an answer waits: Prometheus gives up after ten seconds, and would then have nothing of this process."""

FRESH_S = 1.0
SHARE = 0.05
"""With 10,000 polled feeds a look took 0.13 to 0.33 s on two busy cores: it is then made every 3 to 7 seconds."""

STALE_S = 60.0
"""So old may be what is told while a look takes longer than an answer waits: with 100,000 feeds every one does."""

log = structlog.get_logger()


class Looks:
    """Looks at the store when asked, see above. `aside` runs a blocking call in a thread."""

    def __init__(
        self,
        look: Callable[[], list[Reading]],
        aside: Callable[..., Awaitable[Any]],
        limit_s: float = LIMIT_S,
        fresh_s: float = FRESH_S,
        stale_s: float = STALE_S,
    ) -> None:
        self._look, self._aside = look, aside
        self._limit_s, self._fresh_s, self._stale_s = limit_s, fresh_s, stale_s
        self._looking: asyncio.Task[list[Reading]] | None = None
        self._seen: list[Reading] = []
        self._fresh_until = self._stale_from = 0.0

    async def readings(self) -> list[Reading]:
        """What the store looks like; of a server that does not answer only that."""
        if time.monotonic() < self._fresh_until:
            return self._seen
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._looked())
        try:
            return await asyncio.wait_for(asyncio.shield(self._looking), self._limit_s)
        except TimeoutError:
            return self._seen if time.monotonic() < self._stale_from else [Reading(metric.UP, 0)]

    async def _looked(self) -> list[Reading]:
        began = time.monotonic()
        found: list[Reading] = await self._aside(self._look)
        now = time.monotonic()
        self._seen = [*found, Reading(metric.LOOK, now - began)]
        self._stale_from = now + self._stale_s
        self._fresh_until = now + max(self._fresh_s, (now - began) / SHARE)
        return self._seen


def look(runtime: Runtime) -> list[Reading]:
    """All figures of the store; blocks. What cannot be had is left out, and UP says so."""
    found, up = list[Reading](), 1
    for part in (_queue, _waiting, _feeds, _alerts, _stored):
        try:
            found += part(runtime)
        except StorywireError as error:  # one server of two may be down
            log.debug("not read", part=part.__name__.removeprefix("_"), reason=str(error))
            up = 0
    return [Reading(metric.UP, up), *found]


def _queue(runtime: Runtime) -> Iterator[Reading]:
    jobs = runtime.jobs
    yield Reading(metric.QUEUE, jobs.depth())
    yield Reading(metric.QUEUE_OLDEST, jobs.oldest_age_s(runtime.clock.now()) or 0)
    yield Reading(metric.WORKERS, len(jobs.listening()))


def _waiting(runtime: Runtime) -> Iterator[Reading]:
    now, outbox = runtime.clock.now(), runtime.outbox
    yield Reading(metric.OUTBOX, outbox.depth())
    yield Reading(metric.OUTBOX_MOST, runtime.settings.max_pending)
    yield Reading(metric.OUTBOX_OLDEST, outbox.oldest_age_s(now) or 0)
    yield Reading(metric.AWAITING, runtime.pages.depth())
    yield Reading(metric.QUARANTINE, runtime.quarantine.depth())
    held = [bool(sign.held) for sign in runtime.pollers.alive().values()]
    yield Reading(metric.POLLERS, held.count(False), ("polling",))
    yield Reading(metric.POLLERS, held.count(True), ("held",))


def _feeds(runtime: Runtime) -> Iterator[Reading]:
    feeds = runtime.feeds.all()
    figures = health.of_feeds(feeds).figures
    failing, paused, gone = (_number(figures, name) for name in ("in_error", "paused", "gone"))
    fine = len(feeds) - failing - paused - gone
    for status, number in (("ok", fine), ("failing", failing), ("paused", paused), ("gone", gone)):
        yield Reading(metric.FEEDS, number, (status,))
    yield Reading(metric.LATE, _number(health.of_polls(feeds, runtime.clock.now(), held=False).figures, "late_s"))


def _alerts(runtime: Runtime) -> Iterator[Reading]:
    waiting, dead = runtime.alerts.depths()
    yield Reading(metric.DELIVERIES, waiting, ("waiting",))
    yield Reading(metric.DELIVERIES, dead, ("dead",))
    yield Reading(metric.DELIVERIES, runtime.alerts.lost().dead, ("lost",))


def _stored(runtime: Runtime) -> Iterator[Reading]:
    counts, quiet_since = runtime.stories.counts(), runtime.stories.quiet_since()
    yield Reading(metric.STORIES, counts["stories"])
    yield Reading(metric.STORED, counts["articles"])
    ends = runtime.clock.now() - runtime.settings.retention
    yield Reading(metric.OVERDUE, 0 if quiet_since is None else max(0, ends - quiet_since))
    used, most = runtime.pollers.memory()
    yield Reading(metric.MEMORY, used)
    yield Reading(metric.MEMORY_MOST, most)


def _number(figures: Mapping[str, object], name: str) -> float:
    value = figures[name]
    assert isinstance(value, int | float)
    return value

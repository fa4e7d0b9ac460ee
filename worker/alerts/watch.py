"""Watches the stories for what the rules are about, and sees to it that it is told: part of every web process.

    events after the position in the store -> finds -> one script: marks, deliveries, position -> leased, sent, settled

Invariant: of any number of these each may die at any moment: what it had found is found again, or stands in the store,
and what it had sent without noting so is sent once more under the same id. Where events are gone, the stories are
looked at: they are the truth.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog

from worker.alerts.deliver import Sender
from worker.alerts.dispatch import Dispatch
from worker.alerts.evaluate import changed, finds
from worker.alerts.file import RuleFile
from worker.alerts.gap import Gap, gap
from worker.errors import BadSetting, StorywireError
from worker.metrics import Metrics
from worker.metrics.table import ALERTS
from worker.names import new_name
from worker.report.following import MAX_EVENTS, format_cursor, parse_cursor
from worker.runtime import Runtime
from worker.store.alerts import Alerts

TICK_S = 0.5
"""How often events and deliveries are looked for."""
_SOON_S = 0.05
"""How soon after an attempt has ended the next deliveries are looked for."""

HOLD_S = 15.0

log = structlog.get_logger()


class Watching:
    """Watches until cancelled. `aside` runs a blocking call in a thread."""

    def __init__(
        self,
        runtime: Runtime,
        file: RuleFile,
        sender: Sender,
        aside: Callable[..., Awaitable[Any]],
        tick_s: float = TICK_S,
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics or Metrics("web")
        self._runtime, self._file, self._aside, self._tick_s = runtime, file, aside, tick_s
        self.dispatch = Dispatch(runtime, file, sender, aside, self._metrics)
        self._alerts: Alerts = runtime.alerts
        self._owner = new_name()
        self._waiting = False
        self._gap: Gap | None = None

    async def run(self) -> None:
        """Until cancelled. A server that is away is waited for."""
        if self._file.trouble:
            log.error("no alerts until the rules are mended", trouble=self._file.trouble)
        try:
            await asyncio.gather(self._repeat(self._look, self._tick_s), self._repeat(self._send, _SOON_S))
        finally:
            await self.dispatch.stop()

    async def _repeat(self, turn: Callable[[], Awaitable[None]], pause_s: float) -> None:
        while True:
            try:
                await turn()
                self._waiting = False
            except StorywireError as error:
                if not self._waiting:
                    log.warning("alerts wait for the server", trouble=str(error))
                self._waiting = True
            except Exception:  # a fault of ours: seen, and what comes next is told of
                log.exception("alerts not looked after")
            await asyncio.sleep(pause_s)

    async def _send(self) -> None:
        if not self._file.trouble:
            await self.dispatch.begin()
        await self.dispatch.freed(self._tick_s)

    async def _look(self) -> None:
        self._reread()
        if self._file.trouble:
            await self._aside(self._alerts.note_trouble, self._file.trouble)
            return
        while await self._aside(self.look):
            pass

    def _reread(self) -> None:
        try:
            if self._file.reread():
                log.info("rules of alerts read", rules=len(self._file.rules.rules))
        except BadSetting as error:
            log.error("the rules of alerts stay as they were", trouble=str(error))

    def look(self) -> bool:
        """Go on in the events, if no other process does; True where there may be more. Blocks."""
        if not self._alerts.hold(self._owner, HOLD_S):
            return False
        rules, stories, now = self._file.rules, self._runtime.stories, self._runtime.clock.now()
        since = self._alerts.since({rule.name: rule.digest for rule in rules.rules}, now)
        before = self._alerts.position()
        if before is None:  # what happened before anybody had a rule is no news
            self._alerts.advance(None, format_cursor(stories.end()), (), now)
            return True
        if self._gap is None or self._gap.before != before:
            position = parse_cursor(before)
            found = stories.look(position, MAX_EVENTS)
            self._gap = gap(before, position, found.extents, stories.numbers)
            if self._gap is None:
                after = format_cursor(position | {event.lang: (event.seq, event.part) for event in found.events})
                return bool(found.events) and self._raise(before, after, changed(found.events), since, now)
            self._tell_gap(self._gap, now)
        after, numbers = self._gap.turn()
        self._raise(before, after, numbers, since, now)
        self._gap = self._gap.left()
        return True

    def _tell_gap(self, gap: Gap, now: float) -> None:
        self._alerts.note_gap(gap.langs, now)
        self._metrics.count(ALERTS, outcome="gap")
        said = "events were gone before the rules looked through them: the stories are looked at as they are"
        log.warning(said, languages=list(gap.langs), stories=len(gap.rest))

    def _raise(
        self, before: str, after: str, numbers: Sequence[tuple[str, int]], since: Mapping[str, float], now: float
    ) -> bool:
        """Raise what these stories lead to, and go on; True: there may be more."""
        found = finds(numbers, self._runtime.stories, self._file.rules, since, now)
        raised = self._alerts.advance(before, after, found, now)
        if raised:
            self._metrics.count(ALERTS, raised, outcome="raised")
            log.info("alerts raised", alerts=raised, stories=len(numbers))
        return True

    def let_go(self) -> None:
        """Leave the looking to another process at once. Blocks."""
        self._alerts.let_go(self._owner)


async def watch(runtime: Runtime, file: RuleFile, aside: Callable[..., Awaitable[Any]], metrics: Metrics) -> None:
    """Watch until cancelled."""
    async with Sender(runtime.settings) as sender:
        watching = Watching(runtime, file, sender, aside, metrics=metrics)
        try:
            await watching.run()
        finally:
            with suppress(StorywireError):
                await aside(watching.let_go)

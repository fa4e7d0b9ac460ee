"""Watches the stories for what the rules are about, and sees to it that it is told: part of every web process.

    events after the position in the store -> finds -> one script: marks, deliveries, position -> leased, sent, settled

Invariant: of any number of these each may die at any moment: what it had found is found again, or stands in the store,
and what it had sent without noting so is sent once more under the same id.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import structlog
from msgspec.structs import replace

from worker.alerts.deliver import Sender, Sent, after, next_try, target_of, told
from worker.alerts.evaluate import finds
from worker.alerts.file import RuleFile
from worker.alerts.match import why
from worker.alerts.message import Message
from worker.alerts.rules import Rules
from worker.errors import BadSetting, StorywireError
from worker.metrics import Metrics
from worker.metrics.table import ALERTS
from worker.model import parse_story_id
from worker.names import new_name
from worker.report.following import Follower, format_cursor, parse_cursor
from worker.report.views import story_view
from worker.runtime import Runtime
from worker.store.alerts import Alerts, Delivery

TICK_S = 0.5
"""How often events and deliveries are looked for."""

HOLD_S = 15.0
_LEASE_S = 120.0
"""Longer than any attempt may take, its wait for the process that speaks to services included."""

_AT_ONCE = 32

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
        self._runtime, self._file, self._sender, self._aside, self._tick_s = runtime, file, sender, aside, tick_s
        self._alerts: Alerts = runtime.alerts
        self._owner = new_name()
        self._waiting = False

    async def run(self) -> None:
        """Until cancelled. A server that is away is waited for."""
        await asyncio.gather(self._repeat(self._look, self._tick_s), self._repeat(self.deliver, self._tick_s))

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

    async def _look(self) -> None:
        self._reread()
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
        follower = Follower(stories, parse_cursor(before))
        events = [event for event, _ in follower.read()]
        if not events:
            return False
        found = finds(events, stories, rules, since, now)
        raised = self._alerts.advance(before, format_cursor(follower.position), found, now)
        if raised:
            self._metrics.count(ALERTS, raised, outcome="raised")
            log.info("alerts raised", alerts=raised, events=len(events))
        return True

    def let_go(self) -> None:
        """Leave the looking to another process at once. Blocks."""
        self._alerts.let_go(self._owner)

    async def deliver(self) -> None:
        """Deliver all that is due."""
        while True:
            now = self._runtime.clock.now()
            until = now + _LEASE_S
            due: list[Delivery] = await self._aside(self._alerts.lease, now, until, _AT_ONCE)
            if not due:
                return
            await asyncio.gather(*(self._send(delivery, until) for delivery in due))

    async def _send(self, delivery: Delivery, until: float) -> None:
        """Make an attempt, and note what came of it. Whatever goes wrong, its lease ends by itself."""
        try:
            sent = await self._attempt(delivery)
        except StorywireError:
            raise
        except Exception as error:  # a fault of ours: seen, and tried again like any other
            log.exception("alert not sent", rule=delivery.rule, story=delivery.story)
            sent = Sent(f"failed here with {type(error).__name__}")
        tried, now = after(delivery, sent), self._runtime.clock.now()
        at = next_try(tried, sent, now)
        if not sent.trouble:
            await self._aside(self._alerts.done, tried, until)
        elif at is None:
            await self._aside(self._alerts.bury, tried, until)
        else:
            await self._aside(self._alerts.again, tried, until, at)
        self._metrics.count(ALERTS, outcome="delivered" if not sent.trouble else "dead" if at is None else "again")
        told(tried, sent, at, now)

    async def _attempt(self, delivery: Delivery) -> Sent:
        rules = self._file.rules
        target = target_of(rules.targets.get(delivery.to, ()), delivery.part)
        if rules.get(delivery.rule) is None or target is None:
            return Sent("its rule or its target is in the file no more", final=True)
        message: Message | None = await self._aside(message_of, self._runtime, rules, delivery)
        if message is None:
            return Sent("the story has ended, or was removed", final=True)
        return await self._sender.send(target, message, self._runtime.clock.now())


async def watch(runtime: Runtime, file: RuleFile, aside: Callable[..., Awaitable[Any]], metrics: Metrics) -> None:
    """Watch until cancelled."""
    async with Sender(runtime.settings) as sender:
        watching = Watching(runtime, file, sender, aside, metrics=metrics)
        try:
            await watching.run()
        finally:
            with suppress(StorywireError):
                await aside(watching.let_go)


def message_of(runtime: Runtime, rules: Rules, delivery: Delivery) -> Message | None:
    """What is told of a story as it is now; None where it is there no more. Blocks."""
    lang, number = parse_story_id(delivery.story) or ("", 0)
    stories, now = runtime.stories, runtime.clock.now()
    story = stories.find(lang, number) if lang else None
    if story is None:
        return None
    members = stories.members(lang, story.number)
    view = story_view(lang, story, now, members=members)
    rule = rules.get(delivery.rule)
    return Message(
        id=delivery.id,
        rule=delivery.rule,
        why=(rule and why(rule, lang, members)) or "it was what the rule is about when it was raised",
        link=link(runtime, view.story),
        raised=delivery.raised,
        story=replace(view, outlets=max(1, view.outlets)),
    )


def link(runtime: Runtime, story: str) -> str:
    """The address of a story's page."""
    settings = runtime.settings
    return f"{settings.public_url or f'http://{settings.listen}'}/stories/{story}"

"""Sends what waits to be delivered: each delivery by itself, so that a target that hangs holds up its own alone.

Invariant: so many at once and no more, of one target few; what a target has no room for is left in the queue, at no
cost; what is not noted comes again when its lease ends.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import structlog
from msgspec.structs import replace

from worker.alerts.deliver import Sender, Sent, after, next_try, target_of, told
from worker.alerts.file import RuleFile
from worker.alerts.match import why
from worker.alerts.message import Message
from worker.alerts.rules import MOST_TARGETS, Rules, Target, Webhook
from worker.errors import StorywireError
from worker.metrics import Metrics
from worker.metrics.table import ALERTS
from worker.model import parse_story_id, story_id
from worker.report.views import story_view
from worker.runtime import Runtime
from worker.store.alerts import Delivery, place_of

LEASE_S = 120.0
"""Longer than any attempt may take, its wait for the process that speaks to services included."""

_OF_A_WEBHOOK = 4
AT_ONCE = MOST_TARGETS * _OF_A_WEBHOOK + 64
"""All webhooks that a file may have, though each of them hangs, and 64 services, of which each has one at a time: they
share few processes."""

log = structlog.get_logger()


class Dispatch:
    """Sends as a task each. `aside` runs a blocking call in a thread."""

    def __init__(
        self, runtime: Runtime, file: RuleFile, sender: Sender, aside: Callable[..., Awaitable[Any]], metrics: Metrics
    ) -> None:
        self._runtime, self._file, self._sender, self._aside, self._metrics = runtime, file, sender, aside, metrics
        self._tasks = set[asyncio.Task[None]]()
        self._busy, self._freed = Counter[str](), asyncio.Event()

    async def begin(self) -> None:
        """Begin to send what is due, as far as its targets have room; wait for none of it."""
        self._freed.clear()
        now = self._runtime.clock.now()
        until = now + LEASE_S
        due: list[Delivery] = await self._aside(
            self._runtime.alerts.lease, now, until, AT_ONCE - len(self._tasks), self._room()
        )
        for delivery in due:
            self._send_aside(delivery, until)

    async def freed(self, within_s: float) -> None:
        """Wait until something that was being sent has ended, for so long at most."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._freed.wait(), within_s)

    async def settled(self) -> None:
        """Wait until nothing is being sent."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self) -> None:
        """End what is being sent: it is sent again once its lease has run out."""
        for task in self._tasks:
            task.cancel()
        await self.settled()

    def _room(self) -> dict[str, int]:
        """How many each place may be sent now, as far as that is not one."""
        webhooks = [to for to, targets in self._file.rules.targets.items() if isinstance(targets[0], Webhook)]
        room = dict.fromkeys(self._busy, 0)
        return room | {place: _OF_A_WEBHOOK - self._busy[place] for place in (place_of(to, 0) for to in webhooks)}

    def _send_aside(self, delivery: Delivery, until: float) -> None:
        """Send it in a task."""
        place = place_of(delivery.to, delivery.part)
        self._busy[place] += 1
        task = asyncio.create_task(self._send(delivery, until))
        self._tasks.add(task)
        task.add_done_callback(lambda _: self._ended(task, place))

    def _ended(self, task: "asyncio.Task[None]", place: str) -> None:
        self._tasks.discard(task)
        self._busy[place] -= 1
        if not self._busy[place]:
            del self._busy[place]
        self._freed.set()

    async def _send(self, delivery: Delivery, until: float) -> None:
        """Make an attempt, and note what came of it. Whatever goes wrong, its lease ends by itself."""
        try:
            await self._note(delivery, await self._tried(delivery), until)
        except StorywireError as error:
            log.warning("an alert waits for the server", delivery=delivery.id, trouble=str(error))
        except Exception:  # a fault of ours: seen, and tried again when the lease has run out
            log.exception("alert not noted", delivery=delivery.id)

    async def _tried(self, delivery: Delivery) -> Sent:
        try:
            return await self._attempt(delivery)
        except StorywireError:
            raise
        except Exception as error:  # a fault of ours: seen, and tried again like any other
            log.exception("alert not sent", rule=delivery.rule, story=delivery.story)
            return Sent(f"failed here with {type(error).__name__}")

    async def _note(self, delivery: Delivery, sent: Sent, until: float) -> None:
        alerts, tried, now = self._runtime.alerts, after(delivery, sent), self._runtime.clock.now()
        at = next_try(tried, sent, now)
        if not sent.trouble:
            await self._aside(alerts.done, tried, until)
        elif at is None:
            await self._aside(alerts.bury, tried, until)
        else:
            await self._aside(alerts.again, tried, until, at)
        if not sent.told_as:
            self._metrics.count(ALERTS, outcome="delivered" if not sent.trouble else "dead" if at is None else "again")
        told(tried, sent, at, now)

    async def _attempt(self, delivery: Delivery) -> Sent:
        rules, target = self._file.rules, self._target(delivery)
        if rules.get(delivery.rule) is None or target is None:
            return Sent("its rule or its target is in the file no more", final=True)
        if told_as := await self._aside(told_before, self._runtime, delivery):
            return Sent(told_as=told_as)
        message: Message | None = await self._aside(message_of, self._runtime, rules, delivery)
        if message is None:
            return Sent("the story has ended, or was removed", final=True)
        return await self._sender.send(target, message, self._runtime.clock.now())

    def _target(self, delivery: Delivery) -> Target | None:
        return target_of(self._file.rules.targets.get(delivery.to, ()), delivery.part)


def told_before(runtime: Runtime, delivery: Delivery) -> str:
    """Under which other id its story, merged since it was raised, is told of by the same rule; "" for none. Blocks."""
    lang, number = parse_story_id(delivery.story) or ("", 0)
    story = runtime.stories.find(lang, number) if lang else None
    if story is None or not story.aliases:
        return ""
    return runtime.alerts.told_as(delivery, [story_id(lang, each) for each in (story.number, *story.aliases)])


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

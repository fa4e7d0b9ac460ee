"""Delivers what was raised: to webhooks, and to services through Apprise; what is not taken is tried again.

Invariant: a delivery is forgotten only after its target took it, or stands in the list of dead ones with the reason.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from random import random
from types import TracebackType
from typing import NamedTuple, Self

import structlog
from msgspec.structs import replace

from worker.alerts.message import Message, signed
from worker.alerts.rules import Target, Webhook
from worker.alerts.services import COMMAND, Services
from worker.config import Settings
from worker.fetch import Guard
from worker.fetch.post import Poster
from worker.report.harmless import harmless
from worker.schedule import retry_after_s
from worker.store.alerts import Delivery

TRIES_S = 86_400.0
"""How long a delivery is tried."""

_FIRST_S, _LONGEST_S = 5.0, 3_600.0
_ASKED_S = 6 * 3_600.0
"""The longest wait that a server is granted: one that asks for days is asked again before an alert is given up."""
TIMEOUT_S = 15.0
_GONE = 410

log = structlog.get_logger()


class Sent(NamedTuple):
    """What came of an attempt: the trouble in words, "" where it was taken; `wait_s`: what the server asked for;
    `final`: trying again cannot help; `told_as`: nothing was sent, as the same was told under this id of the story."""

    trouble: str = ""
    wait_s: float = 0.0
    final: bool = False
    told_as: str = ""


class Sender:
    """Sends messages. Use it as an async context manager."""

    def __init__(self, settings: Settings, timeout_s: float = TIMEOUT_S) -> None:
        guard = Guard(settings.allow_private)
        self._poster = Poster(user_agent=settings.user_agent, timeout_s=timeout_s, guard=guard)
        self._services = Services((*COMMAND, settings.allow_private))

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._poster)
            await stack.enter_async_context(self._services)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def send(self, target: Target, message: Message, now: float) -> Sent:
        """Make one attempt."""
        if isinstance(target, Webhook):
            body = message.body()
            posted = await self._poster.send(target.url, body, signed(body, target.secret, message.id, now))
            wait_s = retry_after_s(posted.retry_after, now)
            return Sent(posted.trouble, wait_s, posted.status == _GONE)
        return Sent(await self._services.send(target.address, message.title(), message.text()))


def next_try(delivery: Delivery, sent: Sent, now: float, jitter: float | None = None) -> float | None:
    """When to try again what was just tried, twice as long after each attempt and not before the server wants it, for
    which it is put off no longer than it is tried at all; None for never. jitter: from 0 to 1, so that all that a
    server missed does not come back to it at once."""
    wait_s = min(_FIRST_S * 2.0 ** min(delivery.attempts - 1, 20), _LONGEST_S)
    wait_s *= 1 + 0.2 * (random() if jitter is None else jitter)
    left_s = delivery.raised + TRIES_S - now
    return None if sent.final or wait_s > left_s else now + max(wait_s, min(sent.wait_s, _ASKED_S, left_s))


def after(delivery: Delivery, sent: Sent) -> Delivery:
    """A delivery after one more attempt."""
    return replace(delivery, attempts=delivery.attempts + 1, trouble=harmless(sent.trouble)[:300])


def told(delivery: Delivery, sent: Sent, at: float | None, now: float) -> None:
    """The line of an attempt in the log; no address, which may hold a secret."""
    facts = {"rule": delivery.rule, "story": delivery.story, "to": delivery.to, "delivery": delivery.id}
    facts |= {"attempt": delivery.attempts}  # type: ignore[dict-item]
    if sent.told_as:
        log.info("alert not sent: its story was merged with one that was told of", told_as=sent.told_as, **facts)
    elif not sent.trouble:
        log.info("alert delivered", **facts)
    elif at is None:
        log.error("alert not delivered: it is tried no more", trouble=sent.trouble, **facts)
    else:
        log.warning("alert not delivered yet", trouble=sent.trouble, again_s=round(at - now), **facts)


def target_of(targets: "Sequence[Target]", part: int) -> Target | None:
    """The address of a part of a target; None where the file has it no more."""
    return targets[part] if part < len(targets) else None

"""What lies in the server, one part a thing: made when it is first asked for.

Invariant: what a command does not touch is not imported.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from worker.clock import Clock, SystemClock
from worker.config import Settings
from worker.connect import Redis
from worker.pressure import Hold, Load, hold_import, why_held

if TYPE_CHECKING:
    from worker.store.alerts import Alerts
    from worker.store.feeds import Feeds
    from worker.store.gates import Gates
    from worker.store.hubs import Hubs
    from worker.store.lags import Lags
    from worker.store.outbox import Outbox
    from worker.store.pages import Pages
    from worker.store.pollers import Pollers, Readers, Webs
    from worker.store.quarantine import Quarantine
    from worker.store.stories import Stories


@dataclass(frozen=True)
class Stores:
    """The parts of the store, each over the same client."""

    settings: Settings
    clock: Clock
    redis: Redis = field(repr=False)

    @cached_property
    def outbox(self) -> Outbox:
        """Articles on their way into stories."""
        from worker.store.outbox import Outbox  # noqa: PLC0415

        return Outbox(self.redis)

    @cached_property
    def quarantine(self) -> Quarantine:
        """Articles that cannot be processed."""
        from worker.store.quarantine import Quarantine  # noqa: PLC0415

        return Quarantine(self.redis)

    @cached_property
    def feeds(self) -> Feeds:
        """The feeds and their schedule."""
        from worker.store.feeds import Feeds  # noqa: PLC0415

        return Feeds(self.redis, keep_s=2 * self.settings.retention)

    @cached_property
    def pollers(self) -> Pollers:
        """The pollers' signs of life."""
        from worker.store.pollers import Pollers  # noqa: PLC0415

        return Pollers(self.redis)

    @cached_property
    def readers(self) -> Readers:
        """The signs of life of processes that read pages."""
        from worker.store.pollers import Readers  # noqa: PLC0415

        return Readers(self.redis)

    @cached_property
    def webs(self) -> Webs:
        """The web processes' signs of life."""
        from worker.store.pollers import Webs  # noqa: PLC0415

        return Webs(self.redis)

    @cached_property
    def gates(self) -> Gates:
        """The gates of all hosts; by the server's clock, which all machines share, unless we were given another."""
        from worker.store.gates import Gates, Rule  # noqa: PLC0415

        settings = self.settings
        rule = Rule(settings.gate, settings.gate_parallel, settings.gate_spacing, settings.fetch_timeout)
        return Gates(self.redis, rule, None if isinstance(self.clock, SystemClock) else self.clock)

    @cached_property
    def pages(self) -> Pages:
        """Articles that wait for their pages."""
        from worker.store.pages import Pages  # noqa: PLC0415

        return Pages(self.redis)

    @cached_property
    def hubs(self) -> Hubs:
        """Subscriptions at hubs, and what they push."""
        from worker.store.hubs import Hubs  # noqa: PLC0415

        return Hubs(self.redis)

    @cached_property
    def alerts(self) -> Alerts:
        """Alerts on their way."""
        from worker.store.alerts import Alerts  # noqa: PLC0415

        return Alerts(self.redis)

    @cached_property
    def lags(self) -> Lags:
        """How long articles took of late."""
        from worker.store.lags import Lags  # noqa: PLC0415

        return Lags(self.redis)

    @cached_property
    def stories(self) -> Stories:
        """Stories, their members and events."""
        from worker.store.stories import Stories  # noqa: PLC0415

        return Stories(self.redis)

    def load(self) -> Load:
        """What waits, and how full the server is."""
        return Load(self.outbox.depth(), *self.pollers.memory())

    def held(self) -> str:
        """Why no more articles of a file should be sent now, in words; "" where they may."""
        load, most = self.load(), self.settings.max_pending
        if (reason := hold_import(load, most)) is Hold.QUEUE:
            load = load._replace(without_room=self.outbox.without_room())
        return why_held(reason, load, most)

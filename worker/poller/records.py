"""What polls came to, written many at a time: a round trip and a change of thread cost more than a record.

Invariant: whoever waits for its record is told when it is written, or why it could not be.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import structlog

from worker.errors import StorywireError
from worker.schedule import Fetch, PollState
from worker.store.feeds import Feed, Feeds
from worker.store.gates import Gates, Visit

GATHER_S = 0.01
"""How long a record waits for company: at 1,000 polls a second ten come together."""

log = structlog.get_logger()


class Record(NamedTuple):
    """A feed as it is leased, and what is to be kept of it; `fetch`: None where nobody was asked."""

    feed: Feed
    state: PollState
    fetch: Fetch | None


class Records:
    """Writes records and ends visits. `aside` runs a blocking call in a thread."""

    def __init__(self, feeds: Feeds, gates: Gates, aside: Callable[..., Awaitable[Any]]) -> None:
        self._feeds, self._gates, self._aside = feeds, gates, aside
        self._records: list[Record] = []
        self._visits: list[Visit] = []
        self._written: asyncio.Future[None] | None = None
        self._writing: asyncio.Task[None] | None = None

    async def write(self, record: Record) -> None:
        """Returns when it is written. Raises StorywireError: the feed is due again when its lease ends."""
        self._records.append(record)
        await asyncio.shield(self._soon())

    def leave(self, visit: Visit) -> None:
        """End a visit soon; nobody waits for it."""
        self._visits.append(visit)
        self._soon()

    async def finish(self) -> None:
        """Returns when there is nothing left to write."""
        while self._writing is not None:
            await asyncio.wait({self._writing})

    def _soon(self) -> "asyncio.Future[None]":
        """The future of the next batch, which is told to whoever waits."""
        if self._written is None:
            self._written = asyncio.get_running_loop().create_future()
            self._written.add_done_callback(_seen)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return self._written

    async def _write_all(self) -> None:
        try:
            while self._written is not None:
                await asyncio.sleep(GATHER_S)
                written, self._written = self._written, None
                records, self._records = self._records, []
                visits, self._visits = self._visits, []
                try:
                    await self._aside(self._write, records, visits)
                except Exception as error:  # each of those who wait logs it
                    written.set_exception(error)
                else:
                    written.set_result(None)
        finally:
            self._writing = None

    def _write(self, records: Sequence[Record], visits: Sequence[Visit]) -> None:
        try:
            if visits:
                self._gates.leave(visits)
        except StorywireError as error:  # the places are free when their time is over
            log.debug("gates not left", visits=len(visits), reason=str(error))
        if records:
            self._feeds.record_all(records)


def _seen(written: "asyncio.Future[None]") -> None:
    """A batch that nobody waits for may fail as well."""
    if not written.cancelled():
        written.exception()

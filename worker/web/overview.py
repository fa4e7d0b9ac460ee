"""The feeds and the state of everything, read once for all who ask: pages and the API have the same.

Invariant: ten thousand feeds are read at most once a second, and everything every two seconds, however many look; a
server that is away is said in a second or so.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from worker.errors import StorywireError
from worker.report.roster import Roster
from worker.runtime import Runtime
from worker.store.feeds import Feed
from worker.web.kept import Kept
from worker.web.vitals import Status, read_status

OLDEST_S = 5.0
"""How old may be what a program is told, which asks once and not again in a moment, as who looks at a page can."""

_ROSTER_S, _ROSTER_PATIENCE_S = 1.0, 0.04
"""A few hundred feeds are read within that patience, so their page is never behind; 10,000 take 130 ms of a core."""

_STATUS_S, _STATUS_PATIENCE_S = 2.0, 1.5
_FEEDS_S = 5.0


class Overview:
    """`roster`: all feeds; `status`: how everything does. `aside` runs a blocking call in a thread."""

    def __init__(self, runtime: Runtime, aside: Callable[..., Awaitable[Any]]) -> None:
        self._runtime, self._aside = runtime, aside
        self.roster = Kept[Roster](self._read_roster, fresh_s=_ROSTER_S, patience_s=_ROSTER_PATIENCE_S)
        self.status = Kept[Status](self._read_status, fresh_s=_STATUS_S, patience_s=_STATUS_PATIENCE_S)
        self._feeds = Kept[Sequence[Feed]](self._read_feeds, fresh_s=_FEEDS_S, patience_s=_FEEDS_S)

    async def _read_roster(self) -> Roster:
        found: Roster = await self._aside(read_roster, self._runtime)
        return found

    async def _read_feeds(self) -> Sequence[Feed]:
        found: Sequence[Feed] = await self._aside(self._runtime.feeds.all)
        return found

    async def _read_status(self) -> Status:
        try:
            known = await self._feeds.get()
        except StorywireError:
            known = None
        found: Status = await self._aside(read_status, self._runtime, known)
        return found


def read_roster(runtime: Runtime) -> Roster:
    """All feeds, and which of them their hubs push. Blocks."""
    now, hubs = runtime.clock.now(), runtime.hubs
    known = hubs.known()
    subscriptions = zip(known, hubs.get_all(known), strict=True)
    pushed = {feed for feed, each in subscriptions if each is not None and each.active(now)}
    return Roster(runtime.feeds.all(), now, pushed)

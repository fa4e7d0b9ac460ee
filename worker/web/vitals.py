"""What the page of status shows, as it is read: findings, lags, who is alive, the newest of the quarantine.

Invariant: where the server of the stories is away, that alone is told, and nothing is made up.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from worker.errors import StorywireError
from worker.examinations import asked, findings
from worker.examinations.presence import processes
from worker.examinations.scene import Scene
from worker.health import RECENT_S, Finding, Process, State
from worker.runtime import Runtime
from worker.store.feeds import Feed
from worker.store.lags import Spread, spread
from worker.store.quarantine import Quarantined

_NAMED = 5
"""Of the quarantine."""


class Status(Struct, frozen=True, kw_only=True):
    """All that is shown, as it was at `at`. `spread`: of the last ten minutes or less; `quarantined`: some that came
    last."""

    at: float
    place: str
    findings: tuple[Finding, ...]
    spread: Spread | None = None
    processes: tuple[Process, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()

    def figures(self, check: str) -> dict[str, Any]:
        """The figures of a line; none where it could not be looked at."""
        return next((dict(found.figures) for found in self.findings if found.check == check), {})


def read_status(runtime: Runtime, known: Sequence[Feed] | None = None) -> Status:
    """Look at everything; where the server of the stories is away, that alone is said. known: the feeds, if read."""
    now, place = runtime.clock.now(), runtime.described()
    [server] = findings(runtime, ["server"])
    if server.state is State.FAIL and not server.figures:
        return Status(at=now, place=place, findings=(server,))
    rest = [name for name in asked(runtime.settings) if name != "server"]
    try:
        known = runtime.feeds.all() if known is None else known
        found = (server, *findings(runtime, rest, known=known))
        return Status(
            at=now,
            place=place,
            findings=found,
            spread=spread(runtime.lags.recent(now - RECENT_S), now),
            processes=tuple(processes(Scene(runtime, "", now))),
            quarantined=tuple(runtime.quarantine.newest(_NAMED)),
        )
    except StorywireError as error:
        return Status(at=now, place=place, findings=(Finding("server", State.FAIL, str(error), {}),))

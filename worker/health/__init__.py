"""Whether all is well, judged by what the server and the stores say of themselves. Pure: figures in, findings out.

Invariant: whatever is not `ok` says what to do about it; only what needs a person now is `fail`.
"""

from worker.health.feeds import of_feeds, of_hubs, of_pages, of_pollers, of_polls
from worker.health.finding import Finding, State
from worker.health.processes import Process, of_processes
from worker.health.server import of_persistence, of_schema, of_server
from worker.health.work import (
    OVERDUE_S,
    RECENT_S,
    SLOW_S,
    STUCK_S,
    of_lag,
    of_outbox,
    of_quarantine,
    of_queue,
    of_stories,
)

__all__ = [
    "OVERDUE_S",
    "RECENT_S",
    "SLOW_S",
    "STUCK_S",
    "Finding",
    "Process",
    "State",
    "of_feeds",
    "of_hubs",
    "of_lag",
    "of_outbox",
    "of_pages",
    "of_persistence",
    "of_pollers",
    "of_polls",
    "of_processes",
    "of_quarantine",
    "of_queue",
    "of_schema",
    "of_server",
    "of_stories",
]

"""The use case of a file: its articles through the outbox and the queue, in order, until each is settled.

Invariant: returns only when nothing of it waits any more; never more than WINDOW articles wait at once, so that a file
of any length fits into the server.
"""

import secrets
import time
from collections.abc import Callable, Iterable
from itertools import islice

from worker.clock import Clock
from worker.errors import Transient
from worker.jobs import Jobs
from worker.model import Article
from worker.store.outbox import Outbox

WINDOW = 2_000
CHUNK = 500
_LOOK_S = 0.05
_STALLED_S = 120.0


class Intake:
    """Publishes articles under a feed name of its own, so that runs do not meet."""

    def __init__(self, outbox: Outbox, jobs: Jobs, clock: Clock) -> None:
        self._outbox = outbox
        self._jobs = jobs
        self._clock = clock
        self._feed = f"file-{secrets.token_hex(4)}"

    def run(self, articles: Iterable[Article], progress: Callable[[int], None]) -> int:
        """Publish the articles and wait until all are settled; how many there were.

        progress: called with the number settled so far. Raises Transient when nothing moves for two minutes.
        """
        source, sent = iter(articles), 0
        while chunk := list(islice(source, CHUNK)):
            self._wait(sent, WINDOW - len(chunk), progress)
            refs = self._outbox.publish(self._feed, chunk, {}, self._clock.now())
            self._jobs.enqueue(refs)
            sent += len(chunk)
        self._wait(sent, 0, progress)
        return sent

    def _wait(self, sent: int, most: int, progress: Callable[[int], None]) -> None:
        """Until no more than `most` of this run's articles wait."""
        moved, before = time.monotonic(), -1
        while True:
            waiting = self._outbox.waiting(self._feed)
            progress(sent - waiting)
            if waiting <= most:
                return
            if waiting != before:
                moved, before = time.monotonic(), waiting
            if time.monotonic() - moved > _STALLED_S:
                raise Transient(f"{waiting} articles wait and no worker takes them; start one with `storywire work`")
            time.sleep(_LOOK_S)

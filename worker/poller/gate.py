"""A feed's fetch within its visit (worker/visit.py).

Invariant: what was entered is left when the answer is there, long before the poll has ended.
"""

from collections.abc import Callable

from worker.fetch import Failed, Fetched, Fetcher, NotModified
from worker.store.feeds import Feed
from worker.store.gates import Turn
from worker.store.gates import Visit as Ended
from worker.visit import Visit


class Visiting:
    """One feed's visit, admitted at its first gate by `turn`, as `ask` gives it. `leave` takes what has ended."""

    def __init__(self, feed: Feed, turn: Turn, visit: Visit, fetcher: Fetcher, leave: Callable[[Ended], None]) -> None:
        self._feed, self._turn, self._visit, self._fetcher, self._leave = feed, turn, visit, fetcher, leave
        visit.admit(turn)

    async def begin(self) -> None:
        """Return when the first host may be asked. Raises NotYet where that is not soon, and StorywireError."""
        await self._visit.begin(self._feed.url, self._turn)

    async def fetch(self, url: str, etag: str = "", last_modified: str = "") -> Fetched | NotModified | Failed:
        """GET the feed and leave. Raises NotYet where a redirect leads to a gate that is closed, and StorywireError."""
        answer = await self._fetcher.fetch(url, etag, last_modified, before_redirect=self._visit.enter)
        self.end(answer)
        return answer

    def end(self, answer: Fetched | NotModified | Failed | None = None) -> None:
        """Leave whatever was entered; None where the visit was given up. Again is harmless."""
        for ended in self._visit.end(answer):
            self._leave(ended)

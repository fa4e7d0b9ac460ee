"""Pushed bodies, which a feed's hub has brought, on the way that fetched ones go.

Invariant: a push is published, or stays where it is; it asks nobody, so it passes no gate.
"""

from collections.abc import Sequence

from worker.fetch import Fetched
from worker.schedule import Polled
from worker.store.feeds import Feed
from worker.store.hubs import Hubs, Waiting


class Pushing:
    """Stands where a visit to the feed's host does: its answer is the pushed body."""

    def __init__(self, feed: Feed, waiting: Waiting) -> None:
        self.waiting = waiting
        self._feed = feed

    async def begin(self) -> None:
        """Nobody is asked."""

    async def fetch(self, _url: str, _etag: str = "", _last_modified: str = "") -> Fetched:
        """The pushed body, as if it had been fetched."""
        push = self.waiting.push
        return Fetched(push.body, self._feed.url, push.content_type, "", "", "")

    def end(self) -> None:
        """Nothing was entered."""


class Pushes:
    """What a poller asks of the hubs' store; without one there are no pushes. Methods block."""

    def __init__(self, hubs: Hubs | None) -> None:
        self._hubs = hubs

    def first(self, leased: Sequence[Feed]) -> dict[str, Waiting]:
        """The first push of each leased feed that has any. No round trip where none has a hub."""
        feeds = [feed.id for feed in leased if feed.polls.hub]
        return self._hubs.first(feeds) if self._hubs and feeds else {}

    def done(self, feed: Feed, waiting: Waiting, polled: Polled) -> None:
        """A push was published, or is of no use."""
        if self._hubs:
            self._hubs.done(feed.id, waiting, polled.new)

    def recorded(self, feed: Feed, now: float) -> None:
        """After a record: what was pushed during the poll does not wait for the next one, though the feed may have been
        leased twice meanwhile."""
        if self._hubs and self._hubs.waiting(feed.id):
            self._hubs.feed_due(feed.id, now)

    def trusted(self, feed: Feed, polled: Polled, now: float) -> bool:
        """Whether the feed's hub is trusted after this poll."""
        if not self._hubs or not feed.polls.hub or not polled.outcome.good:
            return False
        new = 0 if polled.later or not feed.polls.succeeded else polled.new
        return self._hubs.judge(feed.id, new, feed.polls.succeeded, now)

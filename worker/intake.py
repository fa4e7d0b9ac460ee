"""The use case of a file: its articles through the outbox and the queue, in order, until each is settled.

Invariant: returns only when nothing of it waits any more; never more than WINDOW articles of it wait at once, and none
is sent while the store has enough to do, so that a file of any length fits into the server. A server that is away is
waited for, and what it may have lost of the last seconds is sent again: who has an article leaves it as it is.
"""

import secrets
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from worker.clock import Clock
from worker.errors import Transient
from worker.jobs import Jobs
from worker.model import Article, file_feed
from worker.patience import REAL, STALLED_S, Pace, Patience
from worker.store.forgotten import Forgotten, of_article, of_url
from worker.store.outbox import Outbox
from worker.store.stories import Stories

WINDOW = 2_000
CHUNK = 500
_LOOK_S = 0.05
_HELD_S = 0.5
_MAY_BE_LOST_S = 10.0
"""What was sent so shortly before the server went away may not be there when it is back: an append-only file loses two
seconds, and a replica that takes over may lag by ten (min-replicas-max-lag)."""

_Answer = TypeVar("_Answer")


class Sent(NamedTuple):
    """How many articles a run sent, how many of them the store had before, and how many are kept out as forgotten."""

    articles: int
    known: int
    forgotten: int


class Intake:
    """Publishes articles under a feed name of its own, so that runs do not meet.

    feed: that name. stalled_s: after so long without any article being settled, or any job of others
    that was queued before, a run gives up. held: why nothing may be sent now, "" where it may. waits: told that reason
    when it comes or changes, and "" when the run goes on. patience: how a server is waited for that is away; without
    it that ends the run.
    """

    def __init__(
        self,
        outbox: Outbox,
        stories: Stories,
        forgotten: Forgotten,
        jobs: Jobs,
        clock: Clock,
        stalled_s: float = STALLED_S,
        held: Callable[[], str] = str,
        pace: Pace = REAL,
        waits: Callable[[str], None] = lambda _: None,
        patience: Patience | None = None,
    ) -> None:
        self._outbox = outbox
        self._stories = stories
        self._forgotten = forgotten
        self._jobs = jobs
        self._clock = clock
        self._stalled_s = stalled_s
        self._held = held
        self._pace = pace
        self._waits = waits
        self._patience = patience or Patience(lambda _: None, pace, 0.0)
        self._sent: deque[tuple[float, list[Article]]] = deque()  # of the last seconds
        self._sent_at = 0.0
        self.feed = file_feed(secrets.token_hex(4))

    def run(self, articles: Iterable[Article], progress: Callable[[int], None]) -> Sent:
        """Publish the articles, of different ids, and wait until all are settled, or in quarantine under `feed`.

        An article that the store has keeps its language: an id is in one shard. progress: called with the number
        settled so far. Raises Transient when nothing moves, or no server answers, for two minutes.
        """
        source, sent, there, gone = iter(articles), 0, 0, 0
        may_be_known = bool(self._ask(self._stories.languages))
        while chunk := list(islice(source, CHUNK)):
            self._wait(sent, WINDOW - len(chunk), progress)
            self._wait_for_room()
            kept_out = self._ask(partial(self._kept_out, chunk))
            gone += len(kept_out)
            if may_be_known:
                known = self._ask(partial(self._stories.known, [article.id for article in chunk]))
                there += len(known.keys() - kept_out)
                chunk = [replace(article, lang=known.get(article.id, article.lang)) for article in chunk]
            self._send(chunk)
            sent += len(chunk)
        self._wait(sent, 0, progress)
        return Sent(sent, there, gone)

    def _send(self, chunk: list[Article]) -> None:
        elapsed = self._pace.elapsed()
        while self._sent and self._sent[0][0] < elapsed - _MAY_BE_LOST_S:
            self._sent.popleft()
        refs = self._ask(lambda: self._outbox.publish(self.feed, chunk, {}, self._clock.now()))
        self._sent.append((elapsed, chunk))
        self._ask(lambda: self._jobs.enqueue(refs))
        self._sent_at = self._clock.now()

    def _ask(self, call: Callable[[], _Answer]) -> _Answer:
        """The answer of the servers; asked anew once they were away, and what they may have lost was sent again."""
        while True:
            before_s = self._patience.away_s
            answer = self._patience.ask(call)
            if self._patience.away_s == before_s:
                return answer
            for _, chunk in self._sent:
                self._patience.ask(partial(self._send_again, chunk))

    def _send_again(self, chunk: list[Article]) -> None:
        self._jobs.enqueue(self._outbox.publish(self.feed, chunk, {}, self._clock.now()))

    def _elapsed(self) -> float:
        """Seconds in which the servers answered."""
        return self._pace.elapsed() - self._patience.away_s

    def _kept_out(self, articles: Sequence[Article]) -> set[str]:
        """The ids of those that a person had forgotten: no worker will place them."""
        names = [(of_article(article.id), of_url(article.url)) for article in articles]
        found = self._forgotten.among([name for two in names for name in two], self._clock.now())
        return {article.id for article, two in zip(articles, names, strict=True) if not found.isdisjoint(two)}

    def _wait(self, sent: int, most: int, progress: Callable[[int], None]) -> None:
        """Until no more than `most` of this run's articles wait."""
        moved, before = self._elapsed(), (-1, 0.0)
        while True:
            waiting = self._ask(lambda: self._outbox.waiting(self.feed))
            progress(sent - waiting)
            if waiting <= most:
                return
            seen = (waiting, self._ask(self._queue_moved))
            if seen != before:
                moved, before = self._elapsed(), seen
            if self._elapsed() - moved > self._stalled_s:
                raise Transient(self._why_stalled(waiting))
            self._pace.pause(_LOOK_S)

    def _queue_moved(self) -> float:
        """When the job at the head of the queue was put there, as long as that is older than this run's last; else 0.

        The queue is first in, first out: what others sent before is done before.
        """
        now = self._clock.now()
        age_s = self._jobs.oldest_age_s(now)
        return round(now - age_s, 5) if age_s is not None and now - age_s < self._sent_at else 0.0

    def _wait_for_room(self) -> None:
        """Until more may be sent. Raises Transient, with the reason, where that does not change for too long."""
        moved, before = self._elapsed(), ""
        while why := self._ask(self._held):
            if why != before:
                moved, before = self._elapsed(), why
                self._waits(why)
            if self._elapsed() - moved > self._stalled_s:
                raise Transient(why)
            self._pace.pause(_HELD_S)
        if before:
            self._waits("")

    def _why_stalled(self, waiting: int) -> str:
        articles = "1 article waits" if waiting == 1 else f"{waiting:,} articles wait"
        if not self._jobs.listening():
            return f"{articles} and no worker listens: start one with `storywire work`"
        return (
            f"{articles} and none gets done, one of them is {self._outbox.oldest(self.feed)!r}: see why "
            "in the worker's log, storywire.log in the data directory (a replay keeps it with --data-dir)"
        )

"""One poll of one feed: fetch, parse, decide, publish, queue.

Invariant: publishes each entry's revision once, and tells the truth about the rest in a Polled.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Protocol, TypeVar

from msgspec.structs import replace

from worker.clock import Clock
from worker.feed.address import host, shown_url
from worker.feed.carried import Claim, claims, settle
from worker.feed.decide import Decision, decide
from worker.feed.hints import header_links
from worker.feed.parse import ParsedFeed, State
from worker.feed.telling import asked, tell, tellers
from worker.fetch import Failed, Fetched, NotModified
from worker.model import Ref
from worker.poller.awaiting import Awaiting
from worker.poller.dispatch import Dispatch
from worker.poller.parsers import Parsers
from worker.schedule import Outcome, Polled
from worker.store.claims import Claims
from worker.store.feeds import Feed
from worker.store.outbox import Outbox

T = TypeVar("T")

_MAX_NAME = 80

_OUTCOMES = {
    "dns": Outcome.UNREACHABLE,
    "connect": Outcome.UNREACHABLE,
    "refused": Outcome.REFUSED,
    "gone": Outcome.GONE,
}


class Fetches(Protocol):
    """Whatever fetches a feed."""

    async def fetch(self, url: str, etag: str = "", last_modified: str = "") -> Fetched | NotModified | Failed:
        """GET a feed."""
        ...


class Aside(Protocol):
    """Runs a blocking call off the event loop."""

    def __call__(self, call: Callable[..., T], *args: Any) -> Awaitable[T]:
        """The call's result."""
        ...


@dataclass
class Told:
    """What the canonical log line says of a poll besides its outcome: counts, and milliseconds a stage."""

    facts: dict[str, Any] = field(default_factory=dict)
    _since: float = field(default_factory=time.perf_counter)

    def begin(self) -> None:
        """The first stage begins only now."""
        self._since = time.perf_counter()

    def stage(self, name: str, **facts: Any) -> None:
        """A stage has ended."""
        now = time.perf_counter()
        self.facts |= facts | {f"{name}_ms": round((now - self._since) * 1000, 1)}
        self._since = now

    @property
    def fetch_ms(self) -> float:
        """What the server took for its answer, 0 where it was not asked."""
        return float(self.facts.get("fetch_ms", 0.0))

    @property
    def size(self) -> int:
        """Bytes of the body, 0 where there was none."""
        return int(self.facts.get("bytes", 0))


def outlet(feed: Feed, title: str = "") -> str:
    """What a feed's outlet is called: as a person said, as the feed says, or by its host."""
    return (feed.title or title or feed.polls.title or host(feed.url))[:_MAX_NAME]


@dataclass
class Poll:
    """Polls feeds with these parts; `keep_s` is how long entries that are no longer shown are remembered,
    `most_daily` how many new articles a feed may bring in a day, `awaiting` which of them wait for their pages."""

    parsers: Parsers
    outbox: Outbox
    claims: Claims
    dispatch: Dispatch
    aside: Aside
    clock: Clock
    keep_s: float
    most_daily: int
    awaiting: Awaiting

    async def read(self, feed: Feed, told: Told, fetcher: Fetches) -> tuple[Polled, ParsedFeed | None]:
        """Fetch and parse; a parsed feed only if there is something new to look at. May be cancelled."""
        answer = await fetcher.fetch(feed.url, *feed.polls.validators(self.clock.now()))
        told.stage("fetch")
        match answer:
            case Failed():
                return _failed(answer), None
            case NotModified():
                return _not_modified(feed, answer), None
        return await self._parse(feed, answer, told)

    async def _parse(self, feed: Feed, fetched: Fetched, told: Told) -> tuple[Polled, ParsedFeed | None]:
        body_hash = blake2b(fetched.body, digest_size=16).digest()
        told.facts["bytes"] = len(fetched.body)
        if body_hash == feed.polls.body_hash:
            return _polled(fetched, Outcome.SAME_BODY, body_hash, trouble=_still(feed)), None
        parsed = await self.parsers.parse(fetched.body, fetched.url, fetched.content_type)
        told.stage("parse", entries=len(parsed.entries))
        if parsed.state is State.NOT_A_FEED:
            led = f" (redirected to {shown_url(fetched.url)[:200]})" if fetched.redirected else ""
            return Polled(outcome=Outcome.FAILED, trouble=parsed.reason + led, kind="not-a-feed", status=200), None
        outcome = Outcome(parsed.state.value)
        return _polled(fetched, outcome, body_hash, trouble=parsed.reason, parsed=parsed), parsed

    async def publish(self, feed: Feed, polled: Polled, parsed: ParsedFeed, told: Told) -> Polled:
        """Publish what is new and revised and queue it. Must not be cancelled; raises StorywireError."""
        decision, refs, ready = await self.aside(self._publish, feed, parsed, polled.full)
        polled = replace(polled, new=decision.new, revised=decision.revised, carried=decision.carried)
        told.stage("store", new=decision.new, revised=decision.revised, queued=len(ready))
        if len(ready) < len(refs):
            told.facts["awaiting"] = len(refs) - len(ready)
        await self.dispatch.send(ready)
        if decision.carried:
            told.facts["carried"] = decision.carried
        if decision.later:
            told.facts["later"] = decision.later
            return _sharing(polled, decision.later, self.most_daily)
        if decision.held:
            told.facts["held"] = decision.held
        if decision.held or len(refs) < len(decision.articles):  # or another poller was first: look at the whole again
            return _forgetting(polled)
        return polled

    def _publish(self, feed: Feed, parsed: ParsedFeed, whole: bool) -> tuple[Decision, Sequence[Ref], Sequence[Ref]]:
        """What was decided, what of it was published, and what of that is to be queued now. whole: the document is all
        that the feed shows, not what a hub has pushed of it."""
        now = self.clock.now()
        decision = decide(
            parsed.entries,
            self.outbox.marks(feed.id),
            feed=feed.id,
            source=outlet(feed, parsed.title),
            now=now,
            keep_s=self.keep_s,
            first_fetch=not feed.polls.succeeded,
            most_daily=self.most_daily,
            address=feed.url,
            pages=self.awaiting.mode_of(feed.pages),
            whole=whole,
        )
        decision, told = self._settled(feed, decision, now)
        articles = self.awaiting.checked(decision.articles)
        refs = self.outbox.publish(feed.id, articles, decision.marks, now, decision.entries)
        self.claims.note(told)  # last: what was noted before it was published would be told by nobody
        return decision, refs, self.awaiting.hold(articles, refs, now)

    def _settled(self, feed: Feed, decision: Decision, now: float) -> tuple[Decision, dict[str, Claim]]:
        """The decision with the articles that another feed had first under its names, and with the edits of such ones
        that this feed is to tell; and what is to be noted of these. A claim is kept as long as a story is, half as long
        as a mark."""
        said = self.claims.stake(asked(decision) | claims(decision), self.keep_s / 2)
        settled, void = settle(decision, feed.id, said)
        self.claims.void(void)
        living = self.claims.living(tellers(settled, said) - {feed.id})
        return settled, tell(settled, feed.id, said, living, now)


def _polled(
    fetched: Fetched, outcome: Outcome, body_hash: bytes, *, trouble: str, parsed: ParsedFeed | None = None
) -> Polled:
    hub, topic = header_links(
        fetched.link, fetched.url
    )  # what the server says counts before the document (W3C WebSub, 4)
    return Polled(
        outcome=outcome,
        trouble=trouble,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        body_hash=body_hash,
        full=True,
        title=parsed.title if parsed else None,
        entries=len(parsed.entries) if parsed else None,
        ttl_s=parsed.ttl_s if parsed else None,
        cache_control=fetched.cache_control,
        age=fetched.age,
        expires=fetched.expires,
        moved=fetched.moved,
        status=200,
        skip_hours=parsed.skip_hours if parsed else None,
        skip_days=parsed.skip_days if parsed else None,
        hub=hub or parsed.hub if parsed else None,
        topic=topic or parsed.topic if parsed else None,
    )


def _not_modified(feed: Feed, answer: NotModified) -> Polled:
    return Polled(
        outcome=Outcome.NOT_MODIFIED,
        trouble=_still(feed),
        etag=answer.etag or None,
        last_modified=answer.last_modified or None,
        cache_control=answer.cache_control,
        age=answer.age,
        expires=answer.expires,
        moved=answer.moved,
        status=304,
    )


def _failed(answer: Failed) -> Polled:
    return Polled(
        outcome=_OUTCOMES.get(answer.kind, Outcome.FAILED),
        trouble=answer.reason,
        retry_after=answer.retry_after,
        asked=answer.kind not in ("private", "bad-url"),
        kind=answer.kind,
        status=answer.status,
    )


def _still(feed: Feed) -> str:
    """What was wrong with a readable document is still wrong with it while it has not changed."""
    return feed.polls.trouble if feed.polls.readable else ""


def _forgetting(polled: Polled) -> Polled:
    """The same without what would let the next poll skip the body."""
    return replace(polled, etag="", last_modified="", body_hash=b"")


def _sharing(polled: Polled, later: int, most: int) -> Polled:
    """The poll of a feed that shows more than it may bring in a day; the next looks at the whole again."""
    trouble = (
        f"brings more than {most:,} new articles a day (STORYWIRE_MAX_DAILY): {later:,} more come later, if it still "
        "shows them then"
    )
    return replace(_forgetting(polled), trouble="; ".join(filter(None, (trouble, polled.trouble))), later=later)


def shown(feed: Feed) -> dict[str, str]:
    """How logs name a feed."""
    return {"feed": outlet(feed), "url": shown_url(feed.url)}

"""One feed: how it does, what is remembered of it, and why it is polled when it is, in words.

Invariant: the same words on a terminal and on the page; what a feed calls itself or answers is as hostile here as
it came.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from worker.feed.address import shown_url
from worker.feed.websub import Subscription
from worker.report import feeds
from worker.report.feeds import rate, rfc3339_or_none, status, until_next, why_next
from worker.report.words import BLOCKS, count, full_time, span, sparkline
from worker.schedule import Fetch, PollState
from worker.schedule.adapt import carried_a_day, new_a_day
from worker.schedule.wording import words as duration
from worker.store.feeds import Feed, Feeds
from worker.store.gates import Gates, Look, Rule
from worker.store.hubs import Counts, Hubs
from worker.store.outbox import Outbox
from worker.store.pollers import Pollers

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_LATE_S = 60.0
"""A feed that has been due for longer has been passed over for a reason."""


class FeedView(NamedTuple):
    """A feed with all that is shown of it: its last polls, the newest first; its gate, by which rule, and how it stands
    there; how many entries are remembered; why each poller that lives polls nothing now ("": it polls); its
    subscription at its hub, and what that has pushed; now."""

    feed: Feed
    fetches: Sequence[Fetch]
    gate: str
    rule: Rule
    look: Look
    remembered: int
    pollers: Sequence[str]
    subscription: Subscription | None
    pushes: Counts
    now: float


class Stores(Protocol):
    """Where a feed is looked up."""

    @property
    def feeds(self) -> Feeds: ...
    @property
    def gates(self) -> Gates: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def pollers(self) -> Pollers: ...
    @property
    def hubs(self) -> Hubs: ...


def look(feed: Feed, stores: Stores, now: float) -> FeedView:
    """All that is shown of a feed, as it is now."""
    gate = stores.gates.rule.gate(feed.url, feed.id)
    return FeedView(
        feed=feed,
        fetches=stores.feeds.fetches(feed.id),
        gate=gate,
        rule=stores.gates.rule,
        look=stores.gates.look(gate),
        remembered=len(stores.outbox.marks(feed.id)),
        pollers=[sign.held for sign in stores.pollers.alive().values()],
        subscription=stores.hubs.get(feed.id),
        pushes=stores.hubs.counts(feed.id),
        now=now,
    )


def rows(view: FeedView, blocks: str = BLOCKS) -> Iterator[tuple[str, str]]:
    """What is known of it, label by label, in words that are as hostile as the feed."""
    feed, polls, now = view.feed, view.feed.polls, view.now
    yield "address", shown_url(feed.url)
    yield "status", _status(view)
    if polls.trouble:
        yield "trouble", polls.trouble
    yield "next", _next(view)
    if polls.succeeded and not polls.readable:
        yield "last good", f"{full_time(polls.succeeded)}, {span(now - polls.succeeded)} ago"
    yield "brings", _brings(polls, now)
    if any(fetch.new for fetch in view.fetches):
        yield "new", f"{_picture(view.fetches, blocks)}  (new entries, poll by poll, the last one on the right)"
    if carried := sum(fetch.carried for fetch in view.fetches):
        yield "carries", f"{count(carried, 'article')} that other feeds had first, in the polls below"
    yield "set", _set(feed)
    yield "remembered", f"{count(view.remembered, 'entry', 'entries')} of it"
    if polls.succeeded:
        yield "validators", _validators(polls, now)
    if asks := _asks(polls):
        yield "asks", asks
    if polls.moved:
        since = f"for {span(now - polls.moved_since)}" if polls.moved_since else "now"
        yield "redirects", f"for good to {shown_url(polls.moved)}, {since}: after a week that is its address"
    if polls.hub:
        yield "hub", f"{polls.hub} (WebSub): {_subscription(view)}"
    yield "gate", _gate(view)


def _status(view: FeedView) -> str:
    polls = view.feed.polls
    if not polls.polled:
        return "new, not polled yet" if not view.feed.held else "paused, never polled"
    errors = f", {count(polls.errors, 'error')} in a row" if polls.errors else ""
    code = f" with status {polls.status}" if polls.status and polls.errors else ""
    return f"{status(view.feed)}{code}{errors}, polled {full_time(polls.polled)}, {span(view.now - polls.polled)} ago"


def _next(view: FeedView) -> str:
    feed, when = view.feed, until_next(view.feed, view.now)
    late_s = view.now - feed.due
    if when == "now":
        when = f"due for {span(late_s)}" if late_s >= _LATE_S else "now"
    elif when != "never":
        when = f"in {when}, {full_time(feed.due)}"
    return "; ".join(filter(None, [f"{when}: {why_next(feed)}", "" if feed.paused else _nobody_polls(view.pollers)]))


def _nobody_polls(pollers: Sequence[str]) -> str:
    if not pollers:
        return "no poller runs: `storywire poll`, or `storywire up`"
    return f"all pollers hold back: {pollers[0]}" if all(pollers) else ""


def _brings(polls: PollState, now: float) -> str:
    if not polls.succeeded:
        return "nothing is known yet"
    shown = count(polls.entries, "entry", "entries") + " shown"
    daily, carried = new_a_day(polls), carried_a_day(polls)
    if daily is None:
        return f"nothing is known yet, {shown}"
    own = f"about {rate(daily)} new entries a day" if daily else ""
    others = f"about {rate(carried)} a day that other feeds had first" if carried else ""
    last = f", the last new one {span(now - polls.brought)} ago" if own or others else ""
    return f"{', '.join(filter(None, (own, others))) or 'nothing new yet'}, {shown}{last}"


def _picture(fetches: Sequence[Fetch], blocks: str) -> str:
    """The new entries of the polls, the oldest first; a point for none."""
    return sparkline([fetch.new for fetch in reversed(fetches)], blocks).replace(" ", "'" if blocks.isascii() else "·")


def _set(feed: Feed) -> str:
    folder = f"folder {feed.folder}, " if feed.folder else ""
    named = "named by a person, " if feed.title else ""
    return f"{folder}{named}pages {feed.pages}, added {full_time(feed.added)}"


def _validators(polls: PollState, now: float) -> str:
    said = [f"ETag {polls.etag}"] if polls.etag else []
    said += [f"Last-Modified {polls.last_modified}"] if polls.last_modified else []
    trust = "; they have lied: something new came under old ones" if polls.honest < 0 else ""
    trust = trust or (f"; true {count(polls.honest, 'time')} in a row" if polls.honest and said else "")
    whole = f"; last fetched as a whole {span(now - polls.fetched)} ago" if polls.fetched else ""
    return (", ".join(said) or "none: each poll brings the whole document") + trust + whole


def _asks(polls: PollState) -> str:
    said = [f"at most every {duration(polls.ttl_s)} (ttl)"] if polls.ttl_s else []
    if polls.skip_hours:
        said.append(f"not at {', '.join(map(str, polls.skip_hours))} h UTC (skipHours)")
    if polls.skip_days:
        said.append(f"not on {', '.join(_DAYS[day % 7] for day in polls.skip_days)} (skipDays)")
    return "; ".join(said)


def _subscription(view: FeedView) -> str:
    """How it stands with the subscription at the feed's hub."""
    known, pushes, now = view.subscription, view.pushes, view.now
    if known is None:
        return "not subscribed; that needs STORYWIRE_PUBLIC_URL and `storywire serve`"
    if not known.active(now):
        asked = f"asked {span(now - known.asked)} ago" if known.asked else "not asked yet"
        return f"not subscribed, {asked}: {known.reason or 'it has not confirmed yet'}"
    last = f", the last {span(now - pushes.last)} ago" if pushes.last else ""
    ignored = f", {pushes.ignored:,} ignored for their signature" if pushes.ignored else ""
    pushed = count(pushes.received, "push", "pushes")
    return f"subscribed for {span(now - known.since)}, until {full_time(known.until)}; {pushed}{last}{ignored}"


def _gate(view: FeedView) -> str:
    rule, look = view.rule, view.look
    said = f"{view.gate}: at most {rule.parallel} at once, {duration(rule.spacing_s)} from start to start"
    if look.closed_s:
        said += f"; closed for {duration(look.closed_s)}: its server asked for that (Retry-After)"
    inside = f"{look.inside} inside" if look.inside else ""
    waiting = f"{look.waiting} waiting" if look.waiting else ""
    return "; ".join(filter(None, [said, inside, waiting]))


def as_record(view: FeedView) -> dict[str, Any]:
    """A feed as `feeds show --json` prints it: what `feeds list --json` does, and more."""
    polls, look, known = view.feed.polls, view.look, view.subscription
    return feeds.as_record(view.feed) | {
        "kind": polls.kind or None,
        "http_status": polls.status or None,
        "etag": polls.etag or None,
        "last_modified": polls.last_modified or None,
        "validators_true": polls.honest,
        "fetched_whole": rfc3339_or_none(polls.fetched),
        "last_new": rfc3339_or_none(polls.brought if polls.arrived or polls.carried else 0.0),
        "carried_a_day": round(carried_a_day(polls), 2),
        "ttl_s": polls.ttl_s,
        "skip_hours": list(polls.skip_hours),
        "skip_days": list(polls.skip_days),
        "moved": polls.moved or None,
        "moved_since": rfc3339_or_none(polls.moved_since),
        "hub": polls.hub or None,
        "topic": polls.topic or None,
        "subscribed": known is not None and known.active(view.now),
        "subscribed_until": rfc3339_or_none(known.until if known else 0.0),
        "subscription_trouble": known.reason or None if known else None,
        "pushes": view.pushes.received,
        "remembered": view.remembered,
        "gate": {"name": view.gate, "closed_s": look.closed_s, "inside": look.inside, "waiting": look.waiting},
        "fetches": [fetch_record(fetch) for fetch in view.fetches],
    }


def fetch_record(fetch: Fetch) -> dict[str, Any]:
    """A poll as `feeds show --json` prints it; times are RFC 3339, `wait_s` is null for never."""
    return {
        "at": rfc3339_or_none(fetch.at),
        "outcome": fetch.outcome,
        "status": fetch.status or None,
        "ms": fetch.took_ms,
        "bytes": fetch.size,
        "entries": fetch.entries,
        "new": fetch.new,
        "revised": fetch.revised,
        "carried": fetch.carried,
        "trouble": fetch.trouble or None,
        "wait_s": None if fetch.wait_s == float("inf") else fetch.wait_s,
        "why": fetch.reason,
    }

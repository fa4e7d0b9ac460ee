"""One feed: how it does, what is remembered of it, and its last polls with what was decided and why.

Invariant: whatever a feed calls itself or answers reaches the screen only through `harmless`; on a terminal the table
of polls is no wider than it.
"""

import sys
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from rich.cells import cell_len

from worker.cli.screen.feeds import as_record as feed_record
from worker.cli.screen.feeds import rate, rfc3339_or_none, status, until_next, why_next
from worker.cli.screen.fetches import fetch_record, show_fetches
from worker.cli.screen.terminal import Screen, wrapped
from worker.feed.address import host, shown_url
from worker.feed.websub import Subscription
from worker.report.harmless import cut, harmless
from worker.report.words import count, full_time, span, sparkline
from worker.schedule import Fetch, PollState
from worker.schedule.adapt import carried_a_day, new_a_day
from worker.schedule.wording import words as duration
from worker.store.feeds import Feed
from worker.store.gates import Look, Rule
from worker.store.hubs import Counts

_LABEL, _LEAST_ROOM = 11, 20
_GAP = "  "
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


def show_feed(screen: Screen, view: FeedView) -> None:
    """The whole of it."""
    feed = view.feed
    title = harmless(feed.title or feed.polls.title or host(feed.url), "?")
    if screen.is_terminal:
        title = cut(title, screen.width - len(_GAP) - cell_len(feed.id))
    screen.say((title, "bold"), _GAP, (feed.id, "dim"))
    for label, said in _rows(view, screen.blocks):
        room = max(_LEAST_ROOM, screen.width - _LABEL) if screen.is_terminal else sys.maxsize
        screen.say((f"{label:<{_LABEL}}", "dim"), ("\n" + " " * _LABEL).join(wrapped(harmless(said), room)))
    if view.fetches:
        screen.say()
        show_fetches(screen, view.fetches, view.now)


def _rows(view: FeedView, blocks: str) -> Iterator[tuple[str, str]]:
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
    return "; ".join(filter(None, [f"{when}: {_why(feed)}", "" if feed.paused else _nobody_polls(view.pollers)]))


def _why(feed: Feed) -> str:
    """Why it stands where it does in the schedule: not always where its last poll put it."""
    away_s = feed.due - feed.polls.next_poll
    if feed.paused or not feed.polls.next_poll or abs(away_s) <= 1:
        return why_next(feed)
    return "a poller has taken it, for so long at most" if away_s > 0 else "made due by hand, or by a push"


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
    return feed_record(view.feed) | {
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

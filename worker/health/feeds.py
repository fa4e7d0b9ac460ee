"""Where entries come from: pollers, feeds, their polls, pages and hubs.

Invariant: figures in, findings out.
"""

from collections import Counter
from collections.abc import Collection, Sequence

from worker.feed.websub import Subscription
from worker.health.finding import Finding, State, count, on, span
from worker.pressure import Hold
from worker.schedule import SHARE, Outcome
from worker.store.feeds import Feed
from worker.store.pollers import Sign

LATE_S = 300.0
IDLE_S = 3600.0
"""Feeds are polled within seconds of their time: five minutes late shows a busy poller, an hour none."""

_MANY_PAGES = 10
"""Pages of which none gave a text tell of more than of themselves."""


def of_pollers(signs: Collection[Sign], now: float, host: str = "") -> Finding:
    """The pollers: whether there is one (on `host`), and whether any holds back."""
    held = [sign for sign in signs if sign.held]
    said = count(len(signs), "poller is alive", "pollers are alive") + on(host)
    figures = {"pollers": len(signs), "held": sorted({sign.held for sign in held})}
    if not signs:
        return Finding("pollers", State.FAIL, f"{said}: start `storywire poll`", figures)
    if not held:
        return Finding("pollers", State.OK, said, figures)
    since = span(max(0.0, now - min(sign.since for sign in held)))
    cause = "the server's memory" if any(sign.held == Hold.MEMORY for sign in held) else "the articles that wait"
    line = "server" if any(sign.held == Hold.MEMORY for sign in held) else "outbox"
    said += f", held back for {since} by {cause}, feeds are polled later: see the line `{line}`"
    return Finding("pollers", State.WARN, said, figures)


def of_feeds(feeds: Sequence[Feed]) -> Finding:
    """The feeds: how many there are, and how many of them cannot be read."""
    bad = [feed for feed in feeds if feed.polls.errors and not feed.paused]
    gone = sum(feed.paused and not feed.held and feed.polls.outcome == Outcome.GONE for feed in feeds)
    paused = sum(feed.paused for feed in feeds) - gone
    beyond = sum(SHARE in feed.polls.reason for feed in feeds)
    figures = {"feeds": len(feeds), "in_error": len(bad), "paused": paused, "gone": gone, "beyond_share": beyond}
    said = count(len(feeds), "feed", "feeds")
    if not feeds:
        return Finding("feeds", State.WARN, f"{said}: add one with `storywire feeds add URL`", figures)
    said += f", {len(bad):,} in error, {paused:,} paused"
    if gone:
        said += f", {gone:,} gone"
    if beyond:
        said += f", {beyond:,} with more than STORYWIRE_MAX_DAILY new articles a day"
    if not bad and not beyond:
        return Finding("feeds", State.OK, said, figures)
    all_bad = len(bad) == len(feeds) - paused - gone and len(bad) > 1
    remedy = "see whether this machine has internet" if all_bad else "see `storywire feeds list`"
    return Finding("feeds", State.FAIL if all_bad else State.WARN, f"{said}: {remedy}", figures)


def of_polls(feeds: Sequence[Feed], now: float, *, held: bool) -> Finding:
    """The polls: how far they are behind their schedule; `held`: pollers hold back, which explains it."""
    late_s = max((now - feed.due for feed in feeds if not feed.paused), default=0.0)
    late_s = max(0.0, late_s)
    polled = max((feed.polls.polled for feed in feeds), default=0.0)
    figures = {"late_s": round(late_s, 3), "last_poll": polled or None}
    if late_s <= LATE_S:
        return Finding("polls", State.OK, "polls are on time", figures)
    said = f"polls are {span(late_s)} late"
    if held:
        return Finding("polls", State.WARN, f"{said}: held back, see the line `pollers`", figures)
    if late_s <= IDLE_S:
        return Finding("polls", State.WARN, f"{said}: start another `storywire poll`", figures)
    return Finding("polls", State.FAIL, f"{said}: see whether `storywire poll` runs", figures)


def of_pages(mode: str, waiting: int, trouble: str, recent: Sequence[str], *, alive: bool) -> Finding:
    """The pages: how many articles wait for theirs, whether any process reads them (`trouble`: why one that lives
    cannot), and what came of the last ones: why a text was not taken, "" where it was."""
    reasons = Counter(filter(None, recent)).most_common(1)
    failed = sum(map(bool, recent))
    figures: dict[str, object] = {"mode": mode, "waiting": waiting, "alive": alive, "trouble": trouble or None}
    figures |= {"read": len(recent), "failed": failed, "reason": reasons[0][0] if reasons else None}
    said = count(waiting, "article waits for its page", "articles wait for their pages")
    said += ", pages are read" if alive else ", nobody reads pages"
    if mode == "off" and not alive:
        said += " (STORYWIRE_PAGES=off)"
    if recent:
        said += f"; of the last {len(recent)}, {failed} gave no text"
    if reasons:
        said += f", mostly: its page {reasons[0][0]}"
    if trouble:
        return Finding("pages", State.WARN if alive else State.FAIL, f"{said}; {trouble}", figures)
    if waiting and not alive:
        return Finding("pages", State.WARN, f"{said}: start `storywire pages`", figures)
    if failed == len(recent) >= _MANY_PAGES:
        return Finding("pages", State.WARN, f"{said}: see the log of `storywire pages`", figures)
    return Finding("pages", State.OK, said, figures)


def of_hubs(subscriptions: Sequence[Subscription | None], now: float, *, listening: bool) -> Finding:
    """The hubs: how many feeds are pushed by theirs, and whether anybody listens."""
    active = sum(each is not None and each.active(now) for each in subscriptions)
    reasons = Counter(each.reason for each in subscriptions if each and each.reason and not each.active(now))
    figures: dict[str, object] = {"feeds": len(subscriptions), "active": active, "listening": listening}
    figures |= {"reason": reasons.most_common(1)[0][0] if reasons else None}
    said = f"{count(len(subscriptions), 'feed has', 'feeds have')} a hub, {active:,} of them pushed by it"
    if reasons:
        said += f"; mostly: {figures['reason']}"
    if not listening:
        return Finding("hubs", State.WARN, f"{said}; nobody listens to hubs: start `storywire serve`", figures)
    return Finding("hubs", State.OK, said, figures)

"""Whether all is well, judged by what the server and the stores say of themselves. Pure: figures in, findings out.

Invariant: whatever is not `ok` says what to do about it; only what needs a person now is `fail`.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from statistics import median
from typing import NamedTuple

from worker.connect import Server
from worker.feed.websub import Subscription
from worker.pressure import FULL, Hold
from worker.schedule import SHARE, Outcome
from worker.store.feeds import Feed
from worker.store.lags import Lag
from worker.store.pollers import Sign

SLOW_S = 60.0
STUCK_S = 600.0
"""Articles are clustered within seconds: a job that has waited a minute shows too few workers, ten minutes none."""

OVERDUE_S = 3600.0
"""Workers look every minute for stories to end: an hour shows that they cannot end them, or that none works."""

LATE_S = 300.0
IDLE_S = 3600.0
"""Feeds are polled within seconds of their time: five minutes late shows a busy poller, an hour none."""

RECENT_S = 600.0
"""What a measured lag is told of: articles of the last ten minutes."""

_MANY_PAGES = 10
"""Pages of which none gave a text tell of more than of themselves."""

_TENTHS_S = 10.0
"""A lag under so many seconds is told to a tenth."""

_NEARLY_FULL = 0.8
"""Of the server's memory: time to act before polls are held back."""


class State(StrEnum):
    """How urgent a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(NamedTuple):
    """One line of a check: its name, its state, its words, and the figures behind them."""

    check: str
    state: State
    said: str
    figures: Mapping[str, object]


def of_server(server: Server, where: str) -> Finding:
    """The server: whether it has room for more; `where` says which it is."""
    figures = {
        "kind": server.kind,
        "version": server.version,
        "used_memory": server.used_memory,
        "max_memory": server.max_memory,
    }
    said = f"{where}, {server}, {_size(server.used_memory)} in use"
    if server.max_memory:
        said += f" of {_size(server.max_memory)}"
    if server.max_memory and server.used_memory > _NEARLY_FULL * server.max_memory:
        state = State.FAIL if server.used_memory >= FULL * server.max_memory else State.WARN
        said += f", polls wait from {FULL:.0%} on: raise its maxmemory or shorten STORYWIRE_RETENTION"
        return Finding("server", state, said, figures)
    if server.evicts and server.max_memory:
        said += ", drops keys when it is full: set its maxmemory-policy to noeviction"
        return Finding("server", State.WARN, said, figures)
    return Finding("server", State.OK, said, figures)


def of_schema(ours: int, found: int, *, left: bool) -> Finding:
    """The version of the store's layout: this program's and the server's (0: empty), and what is left of the one
    before."""
    said = f"version {found or ours}" + ("" if found in (0, ours) else f", this program's is {ours}")
    figures = {"ours": ours, "found": found, "left": left}
    if left:
        said += ", something of the one before is there too: end its processes, then start one of these again"
        return Finding("schema", State.WARN, said, figures)
    return Finding("schema", State.OK, said, figures)


def of_persistence(server: Server) -> Finding:
    """Whether the server keeps what it is told, and its disk takes it."""
    figures = {
        "aof": server.persistent,
        "aof_written": server.aof_written,
        "aof_rewritten": server.aof_rewritten,
        "snapshot": server.snapshot,
        "delayed_fsyncs": server.delayed_fsyncs,
    }
    remedy = "free space on its disk, then look at its log"
    if not server.aof_written:
        state, said = State.FAIL, f"its last write to the append-only file failed, it refuses writes: {remedy}"
    elif not server.snapshot:
        state, said = State.FAIL, f"its last snapshot failed, it may refuse writes: {remedy}"
    elif not server.persistent:
        state, said = State.WARN, "the server loses its data when it ends: set its appendonly to yes"
    elif not server.aof_rewritten:
        state, said = State.WARN, f"its last rewrite of the append-only file failed, the file only grows: {remedy}"
    else:
        delayed = _count(server.delayed_fsyncs, "fsync", "fsyncs")
        late = f", {delayed} delayed since it started" if server.delayed_fsyncs else ""
        state, said = State.OK, f"the server keeps its data{late}"
    return Finding("persistence", state, said, figures)


def of_queue(jobs: int, oldest_s: float | None, workers: int, host: str = "") -> Finding:
    """The queue: jobs that wait, how long the oldest has, and who is there (on `host`) to do them."""
    figures = {"jobs": jobs, "oldest_s": oldest_s, "workers": workers}
    waited_s = oldest_s or 0.0
    said = f"{_count(jobs, 'job waits', 'jobs wait')}"
    if jobs:
        said += f", the oldest for {_span(waited_s)}"
    said += f", {_count(workers, 'worker listens', 'workers listen')}{_on(host)}"
    if not workers:
        return Finding("queue", State.FAIL, f"{said}: start `storywire work`", figures)
    if waited_s > SLOW_S:
        state = State.FAIL if waited_s > STUCK_S else State.WARN
        return Finding("queue", state, f"{said}: start more of `storywire work`", figures)
    return Finding("queue", State.OK, said, figures)


def of_outbox(pending: int, most: int) -> Finding:
    """The outbox: articles that are safe, but in no story yet."""
    said = f"{_count(pending, 'article is', 'articles are')} on the way into stories"
    figures = {"pending": pending, "most": most}
    if pending < most:
        return Finding("outbox", State.OK, said, figures)
    return Finding(
        "outbox", State.WARN, f"{said}, polls wait from {most:,} on: start more of `storywire work`", figures
    )


def of_lag(oldest_s: float | None, lags: Sequence[Lag], over_s: float = RECENT_S) -> Finding:
    """From fetch to story: how long the oldest article has waited by now, how long those of the last `over_s` took."""
    count = sum(lag.articles for lag in lags)
    usual_s = median([lag.median_s for lag in lags for _ in range(lag.articles)]) if count else None
    worst_s = max((lag.worst_s for lag in lags), default=None)
    figures = {"oldest_s": oldest_s, "articles": count, "median_s": usual_s, "worst_s": worst_s, "over_s": over_s}
    said = "no article waits" if oldest_s is None else f"the oldest article has waited for {_span(oldest_s)}"
    if usual_s is not None and worst_s is not None:
        said += f"; {_count(count, 'article', 'articles')} of the last {_span(over_s)} took {_took(usual_s)}"
        said += f", the slowest {_took(worst_s)}"
    slow_s = max(oldest_s or 0.0, usual_s or 0.0)
    if slow_s <= SLOW_S:
        return Finding("lag", State.OK, said, figures)
    state = State.FAIL if slow_s > STUCK_S else State.WARN
    return Finding("lag", state, f"{said}: start more of `storywire work`", figures)


def of_pollers(signs: Collection[Sign], now: float, host: str = "") -> Finding:
    """The pollers: whether there is one (on `host`), and whether any holds back."""
    held = [sign for sign in signs if sign.held]
    said = _count(len(signs), "poller is alive", "pollers are alive") + _on(host)
    figures = {"pollers": len(signs), "held": sorted({sign.held for sign in held})}
    if not signs:
        return Finding("pollers", State.FAIL, f"{said}: start `storywire poll`", figures)
    if not held:
        return Finding("pollers", State.OK, said, figures)
    since = _span(max(0.0, now - min(sign.since for sign in held)))
    cause = "the server's memory" if any(sign.held == Hold.MEMORY for sign in held) else "the articles that wait"
    line = "server" if any(sign.held == Hold.MEMORY for sign in held) else "outbox"
    said += f", held back for {since} by {cause}, feeds are polled later: see the line `{line}`"
    return Finding("pollers", State.WARN, said, figures)


def of_quarantine(depth: int, most: int) -> Finding:
    """The quarantine: articles that could not be processed, and room for more."""
    said = f"{_count(depth, 'article', 'articles')} in quarantine"
    figures = {"articles": depth, "most": most}
    if not depth:
        return Finding("quarantine", State.OK, said, figures)
    full = depth >= most
    state, said = (State.FAIL, f"{said}, no more fit in") if full else (State.WARN, said)
    return Finding("quarantine", state, f"{said}: see `storywire quarantine list`", figures)


def of_feeds(feeds: Sequence[Feed]) -> Finding:
    """The feeds: how many there are, and how many of them cannot be read."""
    bad = [feed for feed in feeds if feed.polls.errors and not feed.paused]
    gone = sum(feed.paused and not feed.held and feed.polls.outcome == Outcome.GONE for feed in feeds)
    paused = sum(feed.paused for feed in feeds) - gone
    beyond = sum(SHARE in feed.polls.reason for feed in feeds)
    figures = {"feeds": len(feeds), "in_error": len(bad), "paused": paused, "gone": gone, "beyond_share": beyond}
    said = _count(len(feeds), "feed", "feeds")
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
    said = f"polls are {_span(late_s)} late"
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
    said = _count(waiting, "article waits for its page", "articles wait for their pages")
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
    said = f"{_count(len(subscriptions), 'feed has', 'feeds have')} a hub, {active:,} of them pushed by it"
    if reasons:
        said += f"; mostly: {figures['reason']}"
    if not listening:
        return Finding("hubs", State.WARN, f"{said}; nobody listens to hubs: start `storywire serve`", figures)
    return Finding("hubs", State.OK, said, figures)


def of_stories(counts: Mapping[str, int], languages: int, overdue_s: float = 0.0) -> Finding:
    """The stories: how much is stored, and how long ago the oldest of them should have ended."""
    said = (
        f"{_count(counts['stories'], 'story', 'stories')} of {_count(counts['articles'], 'article', 'articles')} "
        f"in {_count(languages, 'language', 'languages')}"
    )
    figures = {**counts, "languages": languages, "overdue_s": round(max(0.0, overdue_s), 3)}
    if overdue_s <= OVERDUE_S:
        return Finding("stories", State.OK, said, figures)
    said += f", the end of the oldest is {_span(overdue_s)} overdue: see why in the worker's log (a full archive?)"
    return Finding("stories", State.WARN, said, figures)


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _on(host: str) -> str:
    return f" on {host}" if host else ""


def _size(count: int) -> str:
    return f"{count / 2**20:,.1f} MB" if count < 2**30 else f"{count / 2**30:,.1f} GB"


def _took(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < _TENTHS_S else _span(seconds)


def _span(seconds: float) -> str:
    for unit, unit_s in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * unit_s:
            return f"{int(seconds / unit_s)} {unit}"
    return f"{int(seconds)} s"

"""Whether all is well, judged by what the server and the stores say of themselves. Pure: figures in, findings out.

Invariant: whatever is not `ok` says what to do about it; only what needs a person now is `fail`.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from worker.connect import Server
from worker.store.feeds import Feed

SLOW_S = 60.0
STUCK_S = 600.0
"""Articles are clustered within seconds: a job that has waited a minute shows too few workers, ten minutes none."""

LATE_S = 300.0
IDLE_S = 3600.0
"""Feeds are polled within seconds of their time: five minutes late shows a busy poller, an hour none."""

_NEARLY_FULL = 0.9


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
    """The server: whether it keeps what it is told, and has room for more; `where` says which it is."""
    figures = {
        "kind": server.kind,
        "version": server.version,
        "persistent": server.persistent,
        "used_memory": server.used_memory,
        "max_memory": server.max_memory,
    }
    state, said = State.OK, f"{where}, {server}, {_size(server.used_memory)} in use"
    if server.max_memory and server.used_memory > _NEARLY_FULL * server.max_memory:
        full = server.used_memory >= server.max_memory
        state = State.FAIL if full else State.WARN
        said += f" of {_size(server.max_memory)}: raise its maxmemory or shorten STORYWIRE_RETENTION"
    elif server.evicts and server.max_memory:
        state, said = State.WARN, f"{said}, drops keys when it is full: set its maxmemory-policy to noeviction"
    elif not server.persistent:
        state, said = State.WARN, f"{said}, loses its data when it ends: set its appendonly to yes"
    else:
        said += ", keeps its data"
    return Finding("server", state, said, figures)


def of_queue(jobs: int, oldest_s: float | None, workers: int) -> Finding:
    """The queue: jobs that wait, how long the oldest has, and who is there to do them."""
    figures = {"jobs": jobs, "oldest_s": oldest_s, "workers": workers}
    waited_s = oldest_s or 0.0
    said = f"{_count(jobs, 'job waits', 'jobs wait')}"
    if jobs:
        said += f", the oldest for {_span(waited_s)}"
    said += f", {_count(workers, 'worker listens', 'workers listen')}"
    if jobs and not workers:
        return Finding("queue", State.FAIL, f"{said}: start `storywire work`", figures)
    if waited_s > SLOW_S:
        state = State.FAIL if waited_s > STUCK_S else State.WARN
        return Finding("queue", state, f"{said}: start more of `storywire work`", figures)
    return Finding("queue", State.OK, said, figures)


def of_outbox(pending: int, workers: int) -> Finding:
    """The outbox: articles that are safe, but in no story yet."""
    said = f"{_count(pending, 'article is', 'articles are')} on the way into stories"
    if pending and not workers:
        return Finding(
            "outbox", State.FAIL, f"{said}, and no worker listens: start `storywire work`", {"pending": pending}
        )
    return Finding("outbox", State.OK, said, {"pending": pending})


def of_feeds(feeds: Sequence[Feed]) -> Finding:
    """The feeds: how many there are, and how many of them cannot be read."""
    bad = [feed for feed in feeds if feed.polls.errors and not feed.paused]
    paused = sum(feed.paused for feed in feeds)
    figures = {"feeds": len(feeds), "in_error": len(bad), "paused": paused}
    said = _count(len(feeds), "feed", "feeds")
    if not feeds:
        return Finding("feeds", State.WARN, f"{said}: add one with `storywire feeds add URL`", figures)
    said += f", {len(bad):,} in error, {paused:,} paused"
    if not bad:
        return Finding("feeds", State.OK, said, figures)
    all_bad = len(bad) == len(feeds) - paused and len(bad) > 1
    remedy = "see whether this machine has internet" if all_bad else "see `storywire feeds list`"
    return Finding("feeds", State.FAIL if all_bad else State.WARN, f"{said}: {remedy}", figures)


def of_lag(feeds: Sequence[Feed], now: float) -> Finding:
    """The lag: how far the polls are behind their schedule."""
    late_s = max((now - feed.due for feed in feeds if not feed.paused), default=0.0)
    late_s = max(0.0, late_s)
    polled = max((feed.polls.polled for feed in feeds), default=0.0)
    figures = {"late_s": round(late_s, 3), "last_poll": polled or None}
    if late_s <= LATE_S:
        return Finding("lag", State.OK, "polls are on time", figures)
    said = f"polls are {_span(late_s)} late"
    if late_s <= IDLE_S:
        return Finding("lag", State.WARN, f"{said}: start another `storywire poll`", figures)
    return Finding("lag", State.FAIL, f"{said}: see whether `storywire poll` runs", figures)


def of_stories(counts: Mapping[str, int], languages: int) -> Finding:
    """The stories: how much is stored."""
    said = (
        f"{_count(counts['stories'], 'story', 'stories')} of {_count(counts['articles'], 'article', 'articles')} "
        f"in {_count(languages, 'language', 'languages')}"
    )
    return Finding("stories", State.OK, said, {**counts, "languages": languages})


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _size(count: int) -> str:
    return f"{count / 2**20:,.1f} MB" if count < 2**30 else f"{count / 2**30:,.1f} GB"


def _span(seconds: float) -> str:
    for unit, unit_s in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * unit_s:
            return f"{int(seconds / unit_s)} {unit}"
    return f"{int(seconds)} s"

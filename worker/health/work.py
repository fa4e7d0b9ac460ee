"""The way from a fetched entry to a story: queue, outbox, lag, quarantine, stories.

Invariant: figures in, findings out.
"""

from collections.abc import Mapping, Sequence
from statistics import median

from worker.health.finding import Finding, State, count, on, span, took
from worker.store.lags import Lag

SLOW_S = 60.0
STUCK_S = 600.0
"""Articles are clustered within seconds: a job that has waited a minute shows too few workers, ten minutes none."""

OVERDUE_S = 3600.0
"""Workers look every minute for stories to end: an hour shows that they cannot end them, or that none works."""

RECENT_S = 600.0
"""What a measured lag is told of: articles of the last ten minutes."""


def of_queue(jobs: int, oldest_s: float | None, workers: int, host: str = "") -> Finding:
    """The queue: jobs that wait, how long the oldest has, and who is there (on `host`) to do them."""
    figures = {"jobs": jobs, "oldest_s": oldest_s, "workers": workers}
    waited_s = oldest_s or 0.0
    said = f"{count(jobs, 'job waits', 'jobs wait')}"
    if jobs:
        said += f", the oldest for {span(waited_s)}"
    said += f", {count(workers, 'worker listens', 'workers listen')}{on(host)}"
    if not workers:
        return Finding("queue", State.FAIL, f"{said}: start `storywire work`", figures)
    if waited_s > SLOW_S:
        state = State.FAIL if waited_s > STUCK_S else State.WARN
        return Finding("queue", state, f"{said}: start more of `storywire work`", figures)
    return Finding("queue", State.OK, said, figures)


def of_outbox(pending: int, most: int) -> Finding:
    """The outbox: articles that are safe, but in no story yet."""
    said = f"{count(pending, 'article is', 'articles are')} on the way into stories"
    figures = {"pending": pending, "most": most}
    if pending < most:
        return Finding("outbox", State.OK, said, figures)
    return Finding(
        "outbox", State.WARN, f"{said}, polls wait from {most:,} on: start more of `storywire work`", figures
    )


def of_lag(oldest_s: float | None, lags: Sequence[Lag], over_s: float = RECENT_S) -> Finding:
    """From fetch to story: how long the oldest article has waited by now, how long those of the last `over_s` took."""
    articles = sum(lag.articles for lag in lags)
    usual_s = median([lag.median_s for lag in lags for _ in range(lag.articles)]) if articles else None
    worst_s = max((lag.worst_s for lag in lags), default=None)
    figures = {"oldest_s": oldest_s, "articles": articles, "median_s": usual_s, "worst_s": worst_s, "over_s": over_s}
    said = "no article waits" if oldest_s is None else f"the oldest article has waited for {span(oldest_s)}"
    if usual_s is not None and worst_s is not None:
        said += f"; {count(articles, 'article', 'articles')} of the last {span(over_s)} took {took(usual_s)}"
        said += f", the slowest {took(worst_s)}"
    slow_s = max(oldest_s or 0.0, usual_s or 0.0)
    if slow_s <= SLOW_S:
        return Finding("lag", State.OK, said, figures)
    state = State.FAIL if slow_s > STUCK_S else State.WARN
    return Finding("lag", state, f"{said}: start more of `storywire work`", figures)


def of_quarantine(depth: int, most: int) -> Finding:
    """The quarantine: articles that could not be processed, and room for more."""
    said = f"{count(depth, 'article', 'articles')} in quarantine"
    figures = {"articles": depth, "most": most}
    if not depth:
        return Finding("quarantine", State.OK, said, figures)
    full = depth >= most
    state, said = (State.FAIL, f"{said}, no more fit in") if full else (State.WARN, said)
    return Finding("quarantine", state, f"{said}: see `storywire quarantine list`", figures)


def of_stories(counts: Mapping[str, int], languages: int, overdue_s: float = 0.0) -> Finding:
    """The stories: how much is stored, and how long ago the oldest of them should have ended."""
    said = (
        f"{count(counts['stories'], 'story', 'stories')} of {count(counts['articles'], 'article', 'articles')} "
        f"in {count(languages, 'language', 'languages')}"
    )
    figures = {**counts, "languages": languages, "overdue_s": round(max(0.0, overdue_s), 3)}
    if overdue_s <= OVERDUE_S:
        return Finding("stories", State.OK, said, figures)
    said += f", the end of the oldest is {span(overdue_s)} overdue: see why in the worker's log (a full archive?)"
    return Finding("stories", State.WARN, said, figures)

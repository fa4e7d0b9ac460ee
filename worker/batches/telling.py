"""What is said of batches: a canonical log line each, and their metrics.

Invariant: what would be said over and over is said once a minute.
"""

import time

import structlog

from worker.clock import Clock
from worker.ingest import BatchResult
from worker.metrics import Metrics
from worker.metrics.table import ARTICLES, BATCHES, CANDIDATES, FETCH_TO_STORY, LEASE_WAIT
from worker.model import Ref
from worker.store.quarantine import Put

SAID_AGAIN_S = 60.0

_OUTCOMES = {Put.KEPT: "quarantined", Put.GONE: "superseded", Put.FULL: "waits, the quarantine is full"}

log = structlog.get_logger()


class Telling:
    """Says what became of batches."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock, self._metrics = clock, metrics
        self._said_full: dict[str, float] = {}

    def clustered(self, result: BatchResult, started: float) -> None:
        """A batch begun at `started`, by time.perf_counter, is in its stories, or all of it waits: that is said by who
        has it wait."""
        stages = {f"{stage}_ms": round(ms, 1) for stage, ms in result.stages_ms.items()}
        took_ms = round((time.perf_counter() - started) * 1000)
        outcome = "ok" if result.articles or not result.waiting else "waits"
        say = log.info if outcome == "ok" else log.debug
        say("batch", outcome=outcome, articles=result.articles, **result.counts, ms=took_ms, **stages)
        self._metrics.count(BATCHES, outcome=outcome)
        self._metrics.stages(stages)
        if "wait" in result.stages_ms:
            self._metrics.observe(LEASE_WAIT, result.stages_ms["wait"] / 1000)
        for outcome, articles in result.counts.items():
            self._metrics.count(ARTICLES, articles, outcome=outcome)
        for lag_s in result.lags_s:
            self._metrics.observe(FETCH_TO_STORY, lag_s)
        for stories in result.candidates:
            self._metrics.observe(CANDIDATES, stories)

    def halved(self, articles: int, error: Exception) -> None:
        """So many are run in two halves, as this came of the whole."""
        log.warning("batch", outcome="halved", articles=articles, error=repr(error))
        self._metrics.count(BATCHES, outcome="halved")

    def one_by_one(self, articles: int) -> None:
        """So many are run each for itself."""
        log.warning("batch", outcome="one by one", articles=articles, reason="a worker died of it, or beside it")
        self._metrics.count(BATCHES, outcome="one by one")

    def put(self, put: Put, ref: Ref, reason: str) -> None:
        """This became of an article that was to go into the quarantine."""
        self._metrics.count(BATCHES, outcome="full" if put is Put.FULL else _OUTCOMES[put])
        if put is Put.FULL and not self._is_news(ref.feed):
            return
        see = f"storywire quarantine {'list' if put is Put.FULL else 'show'}"
        outcome = _OUTCOMES[put]
        log.error("batch", outcome=outcome, articles=1, article=ref.article, feed=ref.feed, reason=reason, see=see)

    def _is_news(self, feed: str) -> bool:
        """Whether the last minute has not told yet of this feed that its quarantine is full."""
        now = self._clock.now()
        self._said_full = {feed: at for feed, at in self._said_full.items() if abs(now - at) < SAID_AGAIN_S}
        if feed in self._said_full:
            return False
        self._said_full[feed] = now
        return True

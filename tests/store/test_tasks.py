"""The job and the sweeper: what fails costs nothing else its turn, what is left behind is queued again, once."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from worker.clock import ManualClock
from worker.config import load
from worker.errors import LeaseLost, ServerUnavailable
from worker.ingest import BatchResult
from worker.jobs.worker import TimedOut
from worker.model import Article, Ref
from worker.runtime import Runtime, open_runtime
from worker.tasks import PENDING_S, Sweeper, ingest_batch

NOW = 1_800_000_000.0
REFS = [Ref("f", f"f.{number}") for number in range(8)]


class Failing:
    """A run that raises for some articles, and remembers which it placed."""

    def __init__(self, error: Exception, *bad: Ref, times: int = 1_000) -> None:
        self.error, self.bad, self.times = error, set(bad), times
        self.placed: list[Ref] = []
        self.calls = 0

    def __call__(self, refs: Sequence[Ref]) -> BatchResult:
        self.calls += 1
        if self.bad & set(refs) and self.calls <= self.times:
            raise self.error
        self.placed += refs
        return BatchResult(articles=len(refs), counts=Counter(new=len(refs)))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.tasks._RETRY_AFTER_S", (0.0, 0.0, 0.0))


def test_a_batch_is_one_line_with_its_outcome_counts_and_milliseconds() -> None:
    with capture_logs() as lines:
        ingest_batch(REFS, Failing(ValueError()))
    (line,) = lines
    assert (line["event"], line["outcome"], line["articles"], line["new"]) == ("batch", "ok", 8, 8)
    assert line["ms"] >= 0


@pytest.mark.parametrize("bad", [[0], [7], [3, 4], list(range(8))])
def test_articles_that_nobody_foresaw_never_keep_the_others_of_their_batch(bad: list[int]) -> None:
    run = Failing(ValueError("nobody foresaw this"), *(REFS[number] for number in bad))
    with capture_logs() as lines:
        ingest_batch(REFS, run)
    assert run.placed == [ref for ref in REFS if ref not in run.bad], "the others, in their order"
    failed = [line["article"] for line in lines if line["outcome"] == "failed"]
    assert failed == [REFS[number].article for number in bad]


def test_a_lease_that_is_lost_for_a_moment_is_waited_for() -> None:
    run = Failing(LeaseLost("held"), *REFS, times=2)
    ingest_batch(REFS, run)
    assert run.placed == REFS


@pytest.mark.parametrize("error", [ServerUnavailable("down"), TimedOut("120 s")])
def test_what_is_no_articles_fault_fails_the_job_and_is_not_hunted_in_the_batch(error: Exception) -> None:
    run = Failing(error, *REFS)
    with pytest.raises(type(error)):
        ingest_batch(REFS, run)
    assert run.placed == [] and run.calls <= 4


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def runtime(redis_url: str, clock: ManualClock, tmp_path: Path) -> Iterator[Runtime]:
    settings = load({}, redis_url=redis_url, data_dir=str(tmp_path), batch="2", retention="1d")
    with open_runtime(settings, clock) as runtime:
        yield runtime


def publish(runtime: Runtime, *names: str) -> list[Ref]:
    now = runtime.clock.now()
    articles = [Article(id=f"f.{name}", title=f"Bridge {name} closed", lang="en", received=now) for name in names]
    return runtime.outbox.publish("f", articles, dict.fromkeys(names, (b"", b"seen")), now)


def test_what_has_been_pending_for_a_minute_is_queued_again_once(runtime: Runtime, clock: ManualClock) -> None:
    sweeper = Sweeper(runtime)
    publish(runtime, "a", "b", "c")
    clock.advance(PENDING_S - 1)
    assert sweeper.sweep() == 0, "its job may be on its way"
    clock.advance(2)
    assert (sweeper.sweep(), runtime.jobs.depth()) == (3, 2)
    assert (Sweeper(runtime).sweep(), runtime.jobs.depth()) == (0, 2), "a second worker sweeps at the same time"


def test_what_waits_in_a_long_queue_is_not_queued_a_second_time(runtime: Runtime, clock: ManualClock) -> None:
    # RQ stamps jobs with the machine's clock: so does this test, by a clock that starts there.
    clock.now_s = time.time()
    runtime.jobs.enqueue(publish(runtime, "a", "b", "c"))
    clock.advance(3600)
    assert (Sweeper(runtime).sweep(), runtime.jobs.depth()) == (0, 2)


def test_what_a_lost_queue_held_is_queued_again(runtime: Runtime, clock: ManualClock) -> None:
    clock.now_s = time.time()
    runtime.jobs.enqueue(publish(runtime, "a", "b", "c"))
    runtime.jobs.queue.empty()  # type: ignore[no-untyped-call]
    clock.advance(PENDING_S + 1)
    assert (Sweeper(runtime).sweep(), runtime.jobs.depth()) == (3, 2)


def test_what_is_settled_is_not_queued_again(runtime: Runtime, clock: ManualClock) -> None:
    runtime.ingest.run(publish(runtime, "a", "b"))
    clock.advance(3600)
    assert (Sweeper(runtime).sweep(), runtime.jobs.depth()) == (0, 0)


def test_the_first_turn_sweeps_and_the_next_waits(runtime: Runtime, clock: ManualClock) -> None:
    sweeper = Sweeper(runtime)
    publish(runtime, "a")
    clock.advance(PENDING_S + 1)
    sweeper.turn()
    assert runtime.jobs.depth() == 1
    publish(runtime, "b")
    clock.advance(PENDING_S + 1)
    sweeper.turn()
    assert runtime.jobs.depth() == 1, "15 s of real time have not passed"


def test_stories_that_outlived_the_retention_are_removed(runtime: Runtime, clock: ManualClock) -> None:
    runtime.ingest.run(publish(runtime, "a"))
    sweeper = Sweeper(runtime)
    assert sweeper.expire() == 0
    clock.advance(86_400 + 60)
    assert sweeper.expire() == 1
    assert runtime.stories.counts() == {"articles": 0, "stories": 0}
    assert sweeper.expire() == 0, "doing it twice is harmless"

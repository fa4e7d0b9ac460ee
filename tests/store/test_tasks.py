"""The job and the sweeper: what fails, or kills, costs nothing else its turn; what is left behind is queued again."""

import errno
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from worker.batches import DEATHS, DEATHS_BEFORE, Batches, Ready
from worker.batches.postponed import Run
from worker.clock import ManualClock
from worker.cluster import View, place
from worker.config import load
from worker.errors import LeaseLost, MachineFailed, Permanent, ServerUnavailable
from worker.ingest import BatchResult
from worker.jobs.worker import TimedOut
from worker.model import Article, Member, Ref
from worker.poller.watch import Watch
from worker.runtime import Runtime, open_runtime
from worker.store import keys
from worker.store.commits import Commits
from worker.store.quarantine import AGAIN_S
from worker.store.trials import Stage, Trials
from worker.tasks import PENDING_S, Sweeper

NOW = 1_800_000_000.0
NAMES = "abcdefgh"


class Failing:
    """A run that raises for some articles, and otherwise places them."""

    def __init__(self, runtime: Runtime, error: BaseException, bad: str = "", times: int = 1_000) -> None:
        self.runtime, self.error, self.bad, self.times = runtime, error, {f"f.{name}" for name in bad}, times
        self.batches: list[str] = []

    def __call__(self, refs: Sequence[Ref]) -> BatchResult:
        self.batches.append("".join(ref.article[-1] for ref in refs))
        if self.bad & {ref.article for ref in refs} and len(self.batches) <= self.times:
            raise self.error
        return self.runtime.ingest.run(refs)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.batches.patience.RETRY_AFTER_S", (0.0, 0.0, 0.0))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def runtime(redis_url: str, clock: ManualClock, tmp_path: Path) -> Iterator[Runtime]:
    settings = load({}, redis_url=redis_url, data_dir=str(tmp_path), batch="2", retention="1d")
    with open_runtime(settings, clock) as runtime:
        yield runtime


def publish(runtime: Runtime, *names: str, revision: int = 1) -> list[Ref]:
    now = runtime.clock.now()
    articles = [
        Article(id=f"f.{name}", revision=revision, title=f"Bridge {name} closed", lang="en", received=now)
        for name in names
    ]
    return runtime.outbox.publish("f", articles, {}, now)


def batches(runtime: Runtime, run: Run, *, name: str = "worker", alive: Sequence[str] = ()) -> Batches:
    """The job of a worker of this name, beside those that are alive."""
    trials = Trials(runtime.redis, name)
    ready = Ready(Commits(runtime.redis))
    return Batches(run, ready, runtime.outbox, runtime.quarantine, trials, lambda: {name, *alive}, runtime.clock)


def killed(runtime: Runtime, name: str, killer: str, refs: Sequence[Ref]) -> str:
    """What a worker of this name ran, as it died of an article: it never came to take its marks back."""
    run = Failing(runtime, _Killed(), killer)
    job = batches(runtime, run, name=name)
    job._trials.release = lambda: None  # type: ignore[method-assign]
    with pytest.raises(_Killed):
        job.ingest(refs)
    return " ".join(run.batches)


class _Killed(BaseException):
    """The end of a process."""


def placed(runtime: Runtime) -> str:
    return "".join(sorted(article[-1] for article, _ in runtime.stories.assignments()))


def quarantined(runtime: Runtime) -> str:
    return "".join(sorted(kept.article[-1] for kept in runtime.quarantine.everything()))


def marks(runtime: Runtime) -> int:
    found: Any = runtime.redis.hlen(keys.trials("f"))
    return int(found)


def test_a_batch_is_one_line_with_its_outcome_counts_and_milliseconds(runtime: Runtime) -> None:
    refs = publish(runtime, *NAMES)
    with capture_logs() as lines:
        batches(runtime, runtime.ingest.run).ingest(refs)
    (line,) = lines
    assert (line["event"], line["outcome"], line["articles"], line["joined"]) == ("batch", "ok", 8, 7)
    assert line["ms"] >= 0
    assert marks(runtime) == 0


@pytest.mark.parametrize("bad", ["a", "h", "de", NAMES])
def test_what_cannot_be_clustered_is_quarantined_and_the_others_of_its_batch_go_on(runtime: Runtime, bad: str) -> None:
    run = Failing(runtime, ValueError("nobody foresaw\udcff this"), bad)
    refs = publish(runtime, *NAMES)
    payloads = {ref: runtime.outbox.payload(ref) for ref in refs}
    with capture_logs() as lines:
        batches(runtime, run).ingest(refs)
    assert placed(runtime) == "".join(name for name in NAMES if name not in bad)
    assert (quarantined(runtime), runtime.quarantine.depth(), runtime.outbox.depth()) == (bad, len(bad), 0)
    for kept in runtime.quarantine.everything():
        assert kept.reason == "ValueError: nobody foresaw\\udcff this"
        assert "in __call__" in kept.traceback
        assert (kept.payload, kept.at) == (payloads[kept.ref], NOW)
    assert [line["article"][-1] for line in lines if line["outcome"] == "quarantined"] == list(bad)
    assert marks(runtime) == 0


def test_a_payload_that_cannot_be_read_is_quarantined_as_it_is(runtime: Runtime) -> None:
    refs = publish(runtime, *NAMES)
    broken = [b"", b"\0\0", b"\0\0\0\1", b"\0\0\0\1\xc1\xff", b"\xff" * 40]
    for name, payload in zip(NAMES, broken, strict=False):
        runtime.redis.hset(keys.payloads("f"), f"f.{name}", payload)
    batches(runtime, runtime.ingest.run).ingest(refs)
    assert (placed(runtime), quarantined(runtime), runtime.outbox.depth()) == ("fgh", "abcde", 0)
    assert sorted(kept.payload for kept in runtime.quarantine.everything()) == sorted(broken)
    assert all(kept.content is None for kept in runtime.quarantine.everything())


def test_what_was_placed_before_another_language_failed_is_told(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(view: View, member: Member, now: float) -> Any:
        if view.lang == "de":
            raise ValueError("nobody foresaw this")
        return place(view, member, now)

    monkeypatch.setattr("worker.ingest.place", fails)
    articles = [Article(id=f"f.{lang}", title="Bridge closed", lang=lang, received=NOW) for lang in ("en", "de")]
    refs = runtime.outbox.publish("f", articles, {}, NOW)
    with capture_logs() as lines:
        batches(runtime, runtime.ingest.run).ingest(refs)
    done = [line for line in lines if line["outcome"] == "ok"]
    assert (sum(line["articles"] for line in done), sum(line.get("new", 0) for line in done)) == (1, 1)
    assert runtime.quarantine.depth() == 1


def test_a_death_is_not_forgotten_where_running_the_article_again_left_it_waiting(runtime: Runtime) -> None:
    """As a child does that finds its server away: what it remembers ends with it."""
    refs = publish(runtime, "a")
    killed(runtime, "dead", "a", refs)
    batches(runtime, lambda _: BatchResult()).ingest(refs)
    assert (runtime.outbox.depth(), marks(runtime)) == (1, 2), "the dead worker's, and that it is in hand"
    batches(runtime, runtime.ingest.run).ingest(refs)
    assert (runtime.outbox.depth(), marks(runtime)) == (0, 0)


def test_a_lease_that_is_lost_for_a_moment_is_waited_for(runtime: Runtime) -> None:
    run = Failing(runtime, LeaseLost("held"), NAMES, times=2)
    batches(runtime, run).ingest(publish(runtime, *NAMES))
    assert placed(runtime) == NAMES


@pytest.mark.parametrize("error", [ServerUnavailable("down"), TimedOut("120 s"), Permanent("refused")])
def test_what_is_no_articles_fault_fails_the_job_and_is_not_hunted_in_the_batch(
    runtime: Runtime, error: Exception
) -> None:
    run = Failing(runtime, error, NAMES)
    with pytest.raises(type(error)):
        batches(runtime, run).ingest(publish(runtime, *NAMES))
    assert placed(runtime) == quarantined(runtime) == "" and len(run.batches) <= 4
    assert runtime.outbox.depth() == 8


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO, errno.ENOSPC])
def test_what_the_machine_fails_at_quarantines_nothing_and_is_held_against_nothing(
    runtime: Runtime, number: int
) -> None:
    refs = publish(runtime, *NAMES)
    job = batches(runtime, Failing(runtime, OSError(number, "of the machine"), NAMES, times=24))
    for _ in range(6):
        with pytest.raises(MachineFailed, match="of the machine"):
            job.ingest(refs)
    assert (placed(runtime), quarantined(runtime), marks(runtime)) == ("", "", 0)
    job.ingest(refs)
    assert (placed(runtime), quarantined(runtime)) == (NAMES, "")


def test_what_the_operating_system_refuses_an_article_for_is_still_its_own(runtime: Runtime) -> None:
    """A name too long is no fault of the machine."""
    job = batches(runtime, Failing(runtime, OSError(errno.ENAMETOOLONG, "too long"), "c"))
    job.ingest(publish(runtime, *NAMES))
    assert (placed(runtime), quarantined(runtime)) == ("abdefgh", "c")


def test_memory_that_runs_out_counts_as_a_death_and_falls_on_no_innocent(runtime: Runtime) -> None:
    """Once, and all are clustered; whenever an article is there, and it is known by its third time alone."""
    refs = publish(runtime, *NAMES)
    job = batches(runtime, Failing(runtime, MemoryError(), NAMES, times=1))
    with pytest.raises(MemoryError):
        job.ingest(refs)
    assert quarantined(runtime) == ""
    job = batches(runtime, Failing(runtime, MemoryError(), "c"))
    for _ in range(DEATHS):
        with pytest.raises(MemoryError):
            job.ingest(refs)
        assert quarantined(runtime) == ""
    job.ingest(refs)
    assert (placed(runtime), quarantined(runtime), marks(runtime)) == ("abdefgh", "c", 0)


def test_the_articles_of_a_dead_worker_are_run_one_by_one_until_the_culprit_is_known(runtime: Runtime) -> None:
    refs = publish(runtime, *NAMES)
    assert killed(runtime, "w1", "c", refs) == NAMES
    assert killed(runtime, "w2", "c", refs) == "a b c"
    assert killed(runtime, "w3", "c", refs) == "ab d e f g h c", "the others come before it"
    assert killed(runtime, "w4", "c", refs) == "abdefgh c", "of the others nothing waits any more"
    assert (placed(runtime), quarantined(runtime)) == ("abdefgh", "")
    run = Failing(runtime, _Killed(), "c")
    batches(runtime, run, name="w5").ingest(refs)
    assert (run.batches, quarantined(runtime), runtime.outbox.depth()) == (["abdefgh"], "c", 0)
    (kept,) = runtime.quarantine.everything()
    assert kept.reason == "its worker died, or ran out of time or memory, 3 times with nothing else in hand"
    assert marks(runtime) == 0, "given back to the outbox, it begins anew"


def test_an_article_that_takes_too_long_is_known_by_its_third_time_alone(runtime: Runtime) -> None:
    """The process lives: nobody's heartbeat ends."""
    refs = publish(runtime, *NAMES)
    job = batches(runtime, Failing(runtime, TimedOut("120 s"), "c"))
    for _ in range(1 + DEATHS):
        with pytest.raises(TimedOut):
            job.ingest(refs)
    job.ingest(refs)
    assert (placed(runtime), quarantined(runtime), marks(runtime)) == ("abdefgh", "c", 0)


def test_deaths_of_others_causes_quarantine_no_innocent(runtime: Runtime) -> None:
    """Workers are killed while they happen to have one article or another alone: each is done in the end."""
    refs = publish(runtime, *NAMES)
    killed(runtime, "w0", "a", refs)
    for number, hit in enumerate("abcaabbc"):
        if hit not in placed(runtime):
            killed(runtime, f"w{number + 1}", hit, refs[number % 2 :: 2] + refs[(number + 1) % 2 :: 2])
            if number % 3 == 2:
                batches(runtime, runtime.ingest.run, name=f"v{number}").ingest(refs)
    assert (placed(runtime), quarantined(runtime), marks(runtime)) == (NAMES, "", 0)


def test_a_death_while_the_lease_is_waited_for_is_hardly_held_against_the_article(runtime: Runtime) -> None:
    """A killed worker's lease takes ten seconds to run out: kills hit whatever waits for it, over and over."""
    refs = publish(runtime, "a")
    payload = runtime.outbox.payload(refs[0])
    assert payload is not None
    for number in range(DEATHS_BEFORE - 1):
        dead = Trials(runtime.redis, f"w{number}")
        dead.begin(refs)
        dead.alone(refs[0], payload, Stage.BEFORE)
    batches(runtime, runtime.ingest.run).ingest(refs)
    assert (placed(runtime), quarantined(runtime)) == ("a", "")


def test_an_article_alone_waits_for_the_lease_before_a_death_is_held_against_it(runtime: Runtime) -> None:
    refs = publish(runtime, "a")
    killed(runtime, "w1", "a", refs)
    job, seen = batches(runtime, runtime.ingest.run), []
    real = job._suspects._ready

    def ready(payload: bytes) -> str:
        values: Any = runtime.redis.hvals(keys.trials("f"))
        seen.extend(sorted(value[:1] for value in values))
        return real(payload)

    job._suspects._ready = ready
    job.ingest(refs)
    assert (seen, placed(runtime)) == ([b"", b"?"], "a")


def test_an_article_that_kills_as_it_is_read_is_known_in_the_end(runtime: Runtime) -> None:
    refs = publish(runtime, "a", "b")
    killed(runtime, "w0", "a", refs)
    payload = runtime.outbox.payload(refs[0])
    assert payload is not None
    for number in range(DEATHS_BEFORE):
        dead = Trials(runtime.redis, f"w{number + 1}")
        dead.begin(refs[:1])
        dead.alone(refs[0], payload, Stage.BEFORE)
    batches(runtime, runtime.ingest.run).ingest(refs)
    assert (placed(runtime), quarantined(runtime)) == ("b", "a")


def test_what_living_workers_have_in_hand_is_held_against_nothing(runtime: Runtime) -> None:
    """A job that is delivered many times at once."""
    refs = publish(runtime, "a")
    payload = runtime.outbox.payload(refs[0])
    assert payload is not None
    names = [f"w{number}" for number in range(5)]
    for name in names:
        others = Trials(runtime.redis, name)
        others.begin(refs)
        others.alone(refs[0], payload, Stage.ALONE)
    batches(runtime, runtime.ingest.run, alive=names).ingest(refs)
    assert (placed(runtime), quarantined(runtime)) == ("a", "")


def test_a_server_that_was_away_when_a_batch_ended_makes_no_death_of_it(runtime: Runtime) -> None:
    refs = publish(runtime, "a", "b")
    run = Failing(runtime, ServerUnavailable("down"), "ab", times=4)
    job = batches(runtime, run)
    trials, away = job._trials, ServerUnavailable("down")
    release, trials.release = trials.release, lambda: (_ for _ in ()).throw(away)  # type: ignore[method-assign]
    with pytest.raises(ServerUnavailable):
        job.ingest(refs)
    trials.release = release  # type: ignore[method-assign]
    assert marks(runtime) == 2
    job.ingest(publish(runtime, "c"))
    assert marks(runtime) == 0, "taken back with the next batch"
    job.ingest(refs)
    assert run.batches[-1] == "ab", "not one by one"


def test_a_newer_revision_has_no_part_in_the_deaths_of_the_older(runtime: Runtime) -> None:
    refs = publish(runtime, "a")
    for number in range(1 + DEATHS):
        killed(runtime, f"w{number}", "a", refs)
    publish(runtime, "a", revision=2)
    batches(runtime, runtime.ingest.run).ingest(refs)
    assert (placed(runtime), quarantined(runtime)) == ("a", "")


def test_a_newer_revision_of_what_stands_in_quarantine_is_clustered_and_takes_its_place(runtime: Runtime) -> None:
    refs = publish(runtime, "a", "b")
    batches(runtime, Failing(runtime, ValueError("bad"), "ab")).ingest(refs)
    assert quarantined(runtime) == "ab"
    batches(runtime, runtime.ingest.run).ingest(publish(runtime, "a", revision=2))
    assert (placed(runtime), quarantined(runtime)) == ("a", "b")


def test_a_full_quarantine_leaves_the_article_in_the_outbox_and_says_so(
    runtime: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.store.quarantine.PER_FEED", 2)
    refs = publish(runtime, *NAMES)
    with capture_logs() as lines:
        job = batches(runtime, Failing(runtime, ValueError("bad"), "acde"))
        job.ingest(refs)
        assert (placed(runtime), quarantined(runtime), runtime.outbox.depth()) == ("bfgh", "ac", 2)
        clock.advance(59)
        job.ingest(refs)
        clock.advance(1)
        job.ingest(refs)
    full = [line for line in lines if "the quarantine is full" in line["outcome"]]
    told = ("f.d", "storywire quarantine list")
    assert [(line["article"], line["see"]) for line in full] == [told, told], "once a feed and minute"


def test_what_a_full_quarantine_has_no_room_for_is_tried_again_in_an_hour_and_keeps_nothing_else_waiting(
    runtime: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.store.quarantine.PER_FEED", 1)
    job = batches(runtime, Failing(runtime, ValueError("bad"), "abc"))
    job.ingest(publish(runtime, *"abc"))
    assert (quarantined(runtime), runtime.outbox.depth(), runtime.outbox.without_room()) == ("a", 2, 2)
    publish(runtime, "d")
    sweeper = Sweeper(runtime)
    clock.advance(PENDING_S + 1)
    assert (sweeper.sweep(), runtime.jobs.queue.empty()) == (1, 1), "what else waits of the feed"  # type: ignore[no-untyped-call]
    runtime.ingest.run([Ref("f", "f.d")])
    clock.advance(AGAIN_S - PENDING_S - 2)
    assert sweeper.sweep() == 0
    clock.advance(1)
    assert (sweeper.sweep(), sweeper.sweep(), runtime.outbox.without_room()) == (2, 0, 0), "once, like all that waits"
    runtime.quarantine.drop([Ref("f", "f.a")], clock.now())
    job.ingest([Ref("f", "f.b"), Ref("f", "f.c")])
    assert (quarantined(runtime), runtime.outbox.depth(), runtime.outbox.without_room()) == ("b", 1, 1)
    publish(runtime, "c", revision=2)
    assert runtime.outbox.without_room() == 0, "a newer revision waits for nothing"


def test_polls_and_imports_that_wait_as_the_quarantine_is_full_say_so(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More workers, the remedy for all else that waits, would change nothing."""
    monkeypatch.setattr("worker.store.quarantine.PER_FEED", 1)
    refs = publish(runtime, *"abc")
    before, after = (Watch(runtime.pollers, runtime.outbox, runtime.clock, 2) for _ in range(2))
    with capture_logs(), open_runtime(load({}, redis_url=runtime.url, max_pending="2"), runtime.clock) as importing:
        assert before.turn() and "start more of `storywire work`" in before.why
        batches(runtime, Failing(runtime, ValueError("bad"), "abc")).ingest(refs)
        assert after.turn()
        for why in (after.why, importing.held()):
            assert "2 articles wait, 2 of them as the quarantine is full: see `storywire quarantine list`" in why


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

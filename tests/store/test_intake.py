"""A file's articles through the outbox: what is said when they stall, and the language of those that are known."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import NewServer
from worker import config, intake
from worker.clock import SystemClock
from worker.errors import ServerUnavailable, Transient
from worker.intake import Intake, Sent
from worker.jobs.worker import BatchWorker
from worker.model import Article, Ref
from worker.patience import Pace, Patience
from worker.runtime import Runtime, open_runtime
from worker.store.forgotten import Forgotten

STALLED_S = 0.2


pytestmark = pytest.mark.usefixtures("signals_given_back")


@pytest.fixture
def runtime(redis_url: str) -> Iterator[Runtime]:
    """A store that nobody else uses."""
    with open_runtime(config.load({}, redis_url=redis_url), SystemClock()) as opened:
        yield opened


def article(article_id: str, lang: str = "en") -> Article:
    return Article(id=article_id, title="The dam at Merrow holds", lang=lang, received=time.time())


def send(runtime: Runtime, *articles: Article) -> Sent:
    intake = Intake(runtime.outbox, runtime.stories, Forgotten(runtime.redis), runtime.jobs, runtime.clock, STALLED_S)
    return intake.run(articles, lambda settled: None)


def working(runtime: Runtime, run: Callable[[list[Ref]], object]) -> None:
    """Work on what is queued, in this process."""
    BatchWorker(runtime.jobs, run, lambda: None).run(burst=True)


def test_a_run_that_nobody_works_on_says_that_no_worker_listens(runtime: Runtime) -> None:
    with pytest.raises(Transient, match=r"^2 articles wait and no worker listens: start one with `storywire work`$"):
        send(runtime, article("a"), article("b"))


def test_a_run_that_stalls_under_a_worker_names_an_article_and_the_log(runtime: Runtime) -> None:
    """A worker that fails over and over is not missing: its log knows why."""
    said: list[str] = []

    def stalled(batch: list[Ref]) -> None:
        with pytest.raises(Transient) as failure:
            send(runtime, article("a"), article("b"))
        said.append(str(failure.value))

    runtime.jobs.enqueue([Ref("f", "f.1")])
    working(runtime, lambda batch: stalled(batch) if not said else None)
    assert said[0].startswith("2 articles wait and none gets done, one of them is 'a': see why in the worker's log")


def test_an_article_that_is_sent_again_in_another_language_stays_the_one_it_was(runtime: Runtime) -> None:
    """Two languages are two shards: it would be in both."""
    for articles in ([article("x"), article("y", "de")], [article("x", "de"), article("y", "en"), article("z", "fr")]):
        with pytest.raises(Transient, match="no worker listens"):
            send(runtime, *articles)
        working(runtime, runtime.ingest.run)
    assert runtime.stories.known(["x", "y", "z", "nobody"]) == {"x": "en", "y": "de", "z": "fr"}
    assert runtime.stories.counts()["articles"] == 3
    assert runtime.stories.known([]) == {}


def test_a_run_that_waits_for_room_says_so_once_and_when_it_goes_on(runtime: Runtime) -> None:
    """Here there is none twice, then there is; nobody works, so the run then stalls."""
    reasons, said = iter(["full", "full", "fuller"]), list[str]()
    intake = Intake(
        runtime.outbox,
        runtime.stories,
        Forgotten(runtime.redis),
        runtime.jobs,
        runtime.clock,
        STALLED_S,
        held=lambda: next(reasons, ""),
        pace=Pace(time.monotonic, lambda seconds: None),
        waits=said.append,
    )
    with pytest.raises(Transient, match=r"^1 article waits and no worker listens"):
        intake.run([article("a")], lambda settled: None)
    assert said == ["full", "fuller", ""]


@pytest.mark.parametrize("persistent", [True, False], ids=["persistent", "forgetful"])
def test_a_server_that_goes_away_is_waited_for_and_nothing_is_lost_or_twice(
    new_server: NewServer, monkeypatch: pytest.MonkeyPatch, persistent: bool
) -> None:
    """It dies between two chunks, and is started when the run has said that it waits. What it lost of the last seconds,
    here all of it or nothing, is there again."""
    monkeypatch.setattr(intake, "CHUNK", 2)
    server, told = new_server(persistent=persistent), list[str]()

    def coming() -> Iterator[Article]:
        yield from (article("a"), article("b"))
        server.kill()
        yield from (article("c"), article("d"), article("e"))

    def tell(why: str) -> None:
        told.append(why)
        if why:
            server.start()

    with open_runtime(config.load({}, redis_url=server.url()), SystemClock()) as runtime:

        def work(_pause_s: float) -> None:
            working(runtime, runtime.ingest.run)

        pace = Pace(time.monotonic, work)
        run = Intake(
            runtime.outbox,
            runtime.stories,
            Forgotten(runtime.redis),
            runtime.jobs,
            runtime.clock,
            pace=pace,
            patience=Patience(tell, Pace(time.monotonic, lambda _: None)),
        )
        assert run.run(coming(), lambda settled: None).articles == 5
        assert set(runtime.stories.known(list("abcde"))) == set("abcde")
        assert runtime.stories.counts()["articles"] == 5
    assert [bool(why) for why in told] == [True, False]
    assert told[0].startswith("the server ")


def test_a_server_that_stays_away_is_given_up_after_two_minutes_and_said_once() -> None:
    elapsed, told, asked = [0.0], list[str](), list[float]()

    def never() -> None:
        asked.append(elapsed[0])
        raise ServerUnavailable("the server x refuses connections")

    def pause(pause_s: float) -> None:
        elapsed[0] += pause_s

    patience = Patience(told.append, Pace(lambda: elapsed[0], pause))
    with pytest.raises(ServerUnavailable, match="the server x refuses connections"):
        patience.ask(never)
    assert told == ["the server x refuses connections"]
    assert 120 < elapsed[0] < 122
    assert len(asked) > 100

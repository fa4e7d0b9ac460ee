"""`storywire work` as a process: stopped, killed, worn out, without its server."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.command import ROOT, environment, one_line, running, storywire
from tests.servers import Server
from tests.users import as_user
from tests.waiting import eventually
from worker.config import load
from worker.model import Article, Ref
from worker.runtime import Runtime, open_runtime


@pytest.fixture
def runtime(valkey_url: str, data_dir: Path) -> Iterator[Runtime]:
    with open_runtime(load({}, redis_url=valkey_url, data_dir=str(data_dir), batch="10")) as runtime:
        yield runtime


def publish(runtime: Runtime, count: int, feed: str = "f") -> list[Ref]:
    """Articles in the outbox, their jobs on the queue."""
    now = time.time()
    words = "A cargo ship hit a pier of the harbour bridge on Monday, and the city closed it to all traffic. "
    articles = [
        Article(id=f"{feed}.{n}", title=f"Harbour bridge closed {n}", text=words * 5 + str(n), lang="en", received=now)
        for n in range(count)
    ]
    marks = {str(n): (b"", b"seen") for n in range(count)}
    refs = runtime.outbox.publish(feed, articles, marks, now)
    runtime.jobs.enqueue(refs)
    return refs


def listening(runtime: Runtime, count: int = 1) -> bool:
    return len(runtime.jobs.listening()) == count


def test_a_burst_clusters_what_is_queued_and_ends(runtime: Runtime) -> None:
    publish(runtime, 25)
    done = storywire("work", "--burst", redis_url=runtime.url, log_format="json")
    assert (done.returncode, done.stdout) == (0, "")
    assert runtime.stories.counts()["articles"] == 25
    assert (runtime.outbox.depth(), runtime.jobs.depth()) == (0, 0)
    batches = [line for line in done.stderr.splitlines() if '"event": "batch"' in line]
    assert len(batches) == 3, f"one line a batch:\n{done.stderr}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_worker_at_once(runtime: Runtime, number: signal.Signals) -> None:
    with running("work", log_format="json", redis_url=runtime.url) as process:
        eventually(lambda: listening(runtime), 15, "the worker does not listen")
        process.send_signal(number)
        began = time.monotonic()
        assert process.wait(10) == 0
        assert time.monotonic() - began < 3, "it waited for a job that did not come"
    assert runtime.jobs.listening() == set()


def test_a_signal_lets_the_batch_in_hand_be_finished(runtime: Runtime) -> None:
    with running("work", log_format="json", redis_url=runtime.url) as process:
        eventually(lambda: listening(runtime), 15, "the worker does not listen")
        publish(runtime, 300)
        eventually(lambda: runtime.stories.counts()["articles"] > 0, 15, "nothing is clustered")
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    placed, waiting = runtime.stories.counts()["articles"], runtime.outbox.depth()
    assert placed + waiting == 300
    assert placed % 10 == 0, "a batch was cut in two"
    assert runtime.jobs.depth() == waiting / 10, "a batch is neither done nor queued"


def test_the_batch_of_a_killed_worker_is_run_by_another_within_half_a_minute(runtime: Runtime) -> None:
    with (
        running("work", log_format="json", redis_url=runtime.url) as first,
        running("work", log_format="json", redis_url=runtime.url),
    ):
        eventually(lambda: listening(runtime, 2), 15, "the workers do not listen")
        publish(runtime, 600)
        eventually(lambda: runtime.stories.counts()["articles"] > 50, 15, "nothing is clustered")
        first.kill()
        eventually(
            lambda: runtime.outbox.depth() == 0,
            30,
            lambda: f"{runtime.outbox.depth()} articles still wait, {runtime.jobs.depth()} jobs",
        )
    assert runtime.stories.counts()["articles"] == 600


def test_a_worker_goes_on_when_its_server_comes_back(new_server: Callable[..., Server], data_dir: Path) -> None:
    server = new_server(persistent=True)
    with ExitStack() as stack:
        runtime = stack.enter_context(open_runtime(load({}, redis_url=server.url(0), data_dir=str(data_dir))))
        worker = stack.enter_context(running("work", log_format="json", redis_url=runtime.url))
        eventually(lambda: listening(runtime), 15, "the worker does not listen")
        server.kill()
        assert worker.stderr is not None
        said = [worker.stderr.readline(), worker.stderr.readline()]
        assert '"event": "waiting for the server"' in said[1] and str(server.socket) in said[1]
        server.start()
        publish(runtime, 10)
        eventually(lambda: runtime.stories.counts()["articles"] == 10, 20, "it does not go on")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0


def test_a_worker_that_is_stopped_while_its_server_is_away_ends(new_server: Callable[..., Server]) -> None:
    server = new_server()
    with running("work", log_format="json", redis_url=server.url(0)) as worker:
        assert worker.stderr is not None and '"listening"' in worker.stderr.readline()
        server.kill()
        assert '"waiting for the server"' in worker.stderr.readline()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0


def test_a_worn_worker_starts_itself_afresh_as_the_same_process(runtime: Runtime) -> None:
    publish(runtime, 50)
    program = "from worker import tasks; tasks.MAX_JOBS = 2; from worker.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "work", "--burst"],
        env=environment({"redis_url": as_user(runtime.url, "work"), "log_format": "json"}),
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert said.count(f'"event": "listening", "pid": {process.pid}') == 3, said
    assert runtime.stories.counts()["articles"] == 50


def test_workers_without_a_server_of_their_own_share_the_embedded_one(data_dir: Path) -> None:
    with (
        running("work", log_format="json", data_dir=data_dir) as first,
        running("work", log_format="json", data_dir=data_dir) as second,
    ):
        assert first.stderr is not None and second.stderr is not None
        assert '"listening"' in first.stderr.readline() and '"listening"' in second.stderr.readline()
        with open_runtime(load({}, data_dir=str(data_dir))) as runtime:
            assert not runtime.owns_server
            publish(runtime, 10)
            eventually(lambda: runtime.stories.counts()["articles"] == 10, 20, "nothing is clustered")
        for process in (first, second):
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://127.0.0.1:1/0", "redis://127.0.0.1:1/0 refuses connections"),
        ("http://127.0.0.1/", "is no address of a Redis server"),
        ("unix:///nowhere/at/all.sock", "unix:///nowhere/at/all.sock is not there"),
    ],
)
def test_a_wrong_server_is_one_line_and_status_1(url: str, said: str) -> None:
    done = storywire("work", redis_url=url)
    assert done.returncode == 1
    assert said in one_line(done.stderr) and "STORYWIRE_REDIS_URL" in done.stderr


def test_a_wrong_queue_server_is_named_by_its_own_setting(runtime: Runtime) -> None:
    done = storywire("work", redis_url=runtime.url, queue_url="redis://127.0.0.1:1/0")
    assert done.returncode == 1
    assert "STORYWIRE_QUEUE_URL" in one_line(done.stderr)


def test_queue_and_stories_may_be_on_different_servers(runtime: Runtime, fresh_url: Callable[[], str]) -> None:
    queue_url = fresh_url()
    settings = load({}, redis_url=runtime.url, queue_url=queue_url, data_dir=str(runtime.settings.data_dir))
    with open_runtime(settings) as split:
        publish(split, 20)
        assert runtime.jobs.depth() == 0, "the stories' server has no queue"
        done = storywire("work", "--burst", redis_url=runtime.url, queue_url=queue_url)
        assert done.returncode == 0, done.stderr
        assert split.stories.counts()["articles"] == 20

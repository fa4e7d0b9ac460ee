"""SIGTERM under load: each process ends within ten seconds, its batch finished or given back, and leaves nothing."""

import signal
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.command import start_storywire
from tests.conftest import is_locked
from tests.e2e.feed_server import FeedServer
from tests.e2e.test_concurrency import newsroom_articles
from tests.e2e.test_up import up
from tests.fault.fleet import stored
from tests.fault.held import assert_held, stored_view
from tests.fault.newswire import Wire
from tests.invariants import check
from tests.waiting import eventually
from worker.config import load
from worker.runtime import Runtime, open_runtime

WITHIN_S = 10.0


@pytest.fixture
def wire() -> Iterator[Wire]:
    with FeedServer() as site:
        yield Wire(site, newsroom_articles(1_500))


@pytest.fixture
def runtime(data_dir: Path) -> Iterator[Runtime]:
    with open_runtime(load({}, data_dir=str(data_dir), poll_interval="1s", poll_min="1s", batch="10")) as runtime:
        yield runtime


def ended(process: "subprocess.Popen[str]", number: signal.Signals = signal.SIGTERM) -> float:
    """Signal a process; how long until it and all its children are gone."""
    family = psutil.Process(process.pid).children(recursive=True)
    began = time.monotonic()
    process.send_signal(number)
    process.wait(WITHIN_S)
    _, alive = psutil.wait_procs(family, WITHIN_S - (time.monotonic() - began))
    assert not alive, f"left behind after {WITHIN_S:g} s: {alive}"
    return time.monotonic() - began


def clustered(runtime: Runtime, before: int) -> bool:
    """Whether there are more articles in stories than before."""
    return stored(runtime) > before


def test_a_worker_gives_back_or_finishes_what_it_has(runtime: Runtime, data_dir: Path) -> None:
    """In the middle of many batches, three times over."""
    articles = newsroom_articles(1_500)
    refs = [ref for at in range(0, 1_500, 500) for ref in runtime.outbox.publish("f", articles[at : at + 500], {}, 0.0)]
    runtime.jobs.enqueue(refs)
    for _ in range(3):
        before = stored(runtime)
        worker = start_storywire("work", data_dir=data_dir, batch=10, log_format="json")
        eventually(partial(clustered, runtime, before), 30, "it clusters nothing")
        ended(worker)
        said = worker.communicate()[1]
        assert worker.returncode == 0, said
        assert stored(runtime) + runtime.outbox.depth() == len(articles), "a batch is neither done nor given back"
        assert not runtime.jobs.queue.started_job_registry.get_job_ids(cleanup=False), "a job is still held"
        assert not runtime.jobs.queue.intermediate_queue.get_job_ids(), "a job is stuck on its way"
        check(stored_view(runtime, "en"))
    assert runtime.outbox.depth(), "it was stopped too late to tell"


def test_a_poller_gives_its_leases_back(runtime: Runtime, wire: Wire, data_dir: Path, tmp_path: Path) -> None:
    poller = start_storywire(
        "poll", "--feeds", wire.opml(tmp_path), data_dir=data_dir, poll_interval="1s", poll_min="1s", log_format="json"
    )
    with wire.flowing(100):
        eventually(lambda: runtime.outbox.depth() > 50, 30, "it publishes nothing")
        ended(poller)
    said = poller.communicate()[1]
    assert poller.returncode == 0, said
    now = time.time()
    assert all(feed.due <= now + 2 for feed in runtime.feeds.all()), "a feed is still leased"


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.slow)])
def test_up_leaves_no_process_and_no_socket(wire: Wire, data_dir: Path, tmp_path: Path, number: signal.Signals) -> None:
    arguments = ("--feeds", wire.opml(tmp_path), "--workers", 2)
    settings: dict[str, object] = {"poll_interval": "1s", "poll_min": "1s", "log_format": "json"}
    with up(data_dir, *arguments, page=True, **settings) as running, wire.flowing(20):
        eventually(lambda: any(line.get("outcome") == "ok" for line in running.log()), 40, "nothing happens")
        eventually(lambda: any(line.get("event") == "batch" for line in running.log()), 40, "no batch is done")
        took = ended(running.process, number)
        assert running.process.returncode == 128 + number, running.said()
    assert not (data_dir / "storywire.sock").exists(), "the socket is still there"
    assert not is_locked(data_dir / "server.lock") and not is_locked(data_dir / "up.lock")
    with (
        up(data_dir, *arguments, page=False, **settings) as again,
        open_runtime(load({}, data_dir=str(data_dir))) as runtime,
    ):
        eventually(lambda: stored(runtime) == wire.shown and not runtime.outbox.depth(), 60, again.said)
        assert_held(runtime, wire.articles)
    print(f"  up: ended within {took:.1f} s of {number.name}")  # noqa: T201

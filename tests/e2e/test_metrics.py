"""What processes count is what they did, and `/metrics` of the site tells the state of the store, or that it cannot."""

import asyncio
import re
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from tests.command import here, one_line, start_storywire
from tests.conftest import NewServer
from tests.e2e.feed_server import FeedServer, page
from tests.e2e.polling import rss
from tests.e2e.site import RunningSite, article, fill, running_site, site_runtime
from tests.promtool import promtool
from tests.servers import free_port
from tests.unit.test_metrics import read
from tests.waiting import eventually
from worker import tasks
from worker.config import load
from worker.metrics import Metrics, Reading
from worker.metrics.table import LOOK, STORIES, UP
from worker.poller.loop import Poller
from worker.runtime import Runtime, open_runtime
from worker.web.readings import Looks

TEXT = "The harbour bridge of Port Vell was closed on Monday after engineers found cracks in a pillar of it, they said"


def samples(text: str) -> dict[str, float]:
    """Sample, with its labels as they are written, -> value."""
    lines = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


# --- the site ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def site(valkey_url: str) -> Iterator[RunningSite]:
    with site_runtime(valkey_url) as runtime:
        fill(runtime, [article(f"herald/{n}", f"Bridge closed in Port Vell, day {n}", TEXT) for n in range(3)])
        runtime.feeds.add("https://herald.example/feed", "The Herald", time.time())
        with running_site(runtime) as running:
            yield running


def test_the_site_tells_the_state_of_the_store_and_its_requests_by_route(site: RunningSite) -> None:
    """As the store itself says it; an address that is asked for is in no label."""
    counts = site.runtime.stories.counts()
    for path in ("/healthz", "/healthz", "/.env?secret=hunter2", "/stories/en-zzzz"):
        site.ask(path)
    answer = site.ask("/metrics")
    told = samples(answer.text)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert told["storywire_store_up"] == 1
    assert told["storywire_stories"] == counts["stories"] > 0
    assert told["storywire_articles"] == counts["articles"] == 3
    assert told['storywire_feeds{status="ok"}'] == 1
    assert told["storywire_quarantine"] == told["storywire_queue_depth"] == told["storywire_workers"] == 0
    assert told["storywire_server_memory_bytes"] > 1e6
    assert told['storywire_http_requests_total{route="none",status="404"}'] == 1
    [healthy] = [value for name, value in told.items() if re.match(r'storywire_http_requests.*"/healthz"', name)]
    assert healthy >= 2
    assert not re.search(r"hunter2|\.env|zzzz|herald", answer.text)
    assert promtool("check", "metrics", given=answer.text).strip() == ""


def test_a_site_without_its_server_says_so_and_tells_its_own(new_server: NewServer) -> None:
    """A gauge that stood still would look like a store where nothing happens."""
    server = new_server("valkey")
    with site_runtime(server.url()) as runtime, running_site(runtime) as site:
        server.kill()
        told = samples(site.ask("/metrics").text)
        assert told["storywire_store_up"] == 0
        assert "storywire_stories" not in told
        assert "storywire_queue_depth" not in told
        assert told["storywire_stream_clients"] == 0
        server.start()


# --- asking the store -------------------------------------------------------------------------------------------------


class Store:
    """Counts how often it is looked at; `answers` is set while it does; `slow_s`: how long a look takes then."""

    def __init__(self, slow_s: float = 0.0) -> None:
        self.looks, self.slow_s = 0, slow_s
        self.answers = threading.Event()
        self.answers.set()

    def look(self) -> list[Reading]:
        self.looks += 1
        assert self.answers.wait(20)
        threading.Event().wait(self.slow_s)
        return [Reading(UP, 1), Reading(STORIES, self.looks)]


async def _aside(call: Callable[..., Any], *args: Any) -> Any:
    return await asyncio.to_thread(call, *args)


def _looks(store: Store, aside: Callable[..., Awaitable[Any]] = _aside, **options: float) -> Looks:
    return Looks(store.look, aside, **options)


async def test_however_many_ask_the_store_is_looked_at_once() -> None:
    """And not again while that is fresh."""
    store = Store()
    looks = _looks(store, fresh_s=60)
    answers = await asyncio.gather(*(looks.readings() for _ in range(50)))
    assert store.looks == 1
    assert all(Reading(STORIES, 1) in readings for readings in answers)
    assert Reading(STORIES, 1) in await looks.readings()
    assert store.looks == 1


async def test_a_store_that_hangs_is_told_as_away_and_not_asked_again_meanwhile() -> None:
    """The answer comes in time, and no thread is taken for each scrape."""
    store = Store()
    looks = _looks(store, limit_s=0.05, fresh_s=0, stale_s=0)
    store.answers.clear()
    for _ in range(3):
        assert await looks.readings() == [Reading(UP, 0)]
    assert store.looks == 1
    store.answers.set()
    async with asyncio.timeout(10):
        while Reading(UP, 1) not in await looks.readings():
            pass


async def test_while_a_look_takes_long_the_last_one_is_told() -> None:
    """A store of so many feeds is not away."""
    store = Store()
    looks = _looks(store, limit_s=0.05, fresh_s=0)
    while Reading(UP, 1) not in (seen := await looks.readings()):
        pass
    store.answers.clear()
    await asyncio.to_thread(eventually, lambda: time.monotonic() >= looks._fresh_until, 30)
    assert await looks.readings() == seen
    store.answers.set()


async def test_a_slow_look_is_made_the_more_rarely() -> None:
    """A twentieth of the server's time: what took so long is fresh for twenty times as long."""
    store = Store(slow_s=0.5)
    looks = _looks(store, limit_s=20, fresh_s=0)
    readings = await looks.readings()
    [took_s] = [reading.value for reading in readings if reading.metric is LOOK]
    assert took_s >= 0.4
    assert await looks.readings() == readings, "half a second is worth ten"
    assert store.looks == 1


# --- poller and worker ------------------------------------------------------------------------------------------------


@pytest.fixture
def runtime(valkey_url: str) -> Iterator[Runtime]:
    settings = {"STORYWIRE_REDIS_URL": valkey_url, "STORYWIRE_ALLOW_PRIVATE": "1", "STORYWIRE_GATE_SPACING": "0s"}
    with open_runtime(load(settings)) as opened:
        yield opened


def poll_once(runtime: Runtime, metrics: Metrics) -> None:
    """Poll what is due."""

    async def run() -> None:
        poller = Poller(
            feeds=runtime.feeds,
            outbox=runtime.outbox,
            pollers=runtime.pollers,
            gates=runtime.gates,
            enqueue=runtime.jobs.enqueue,
            settings=runtime.settings,
            clock=runtime.clock,
            metrics=metrics,
        )
        await poller.run(once=True)

    asyncio.run(run())


def test_what_is_counted_is_what_was_done(runtime: Runtime) -> None:
    """From the entries of feeds to the articles in stories, each is counted once on its way."""
    news = [(f"n{n}", f"Bridge {n} closed in Port Vell", f"{TEXT}, bridge {n} of seven") for n in range(7)]
    poller, worker = Metrics("poller"), Metrics("worker")
    with FeedServer() as server:
        server.routes |= {"/good": page(rss(*news)), "/gone": page("no", 404)}
        for path in ("/good", "/gone"):
            runtime.feeds.add(server.url(path), "", time.time())
        poll_once(runtime, poller)
        size = len(rss(*news).encode())
    tasks.work(runtime, burst=True, metrics=worker)
    polled, worked = samples(poller.text().decode()), samples(worker.text().decode())
    assert polled['storywire_polls_total{outcome="ok"}'] == 1
    assert polled['storywire_polls_total{outcome="failed"}'] == 1
    assert polled['storywire_entries_total{kind="new"}'] == 7
    assert polled["storywire_fetched_bytes_total"] == size
    assert polled['storywire_stage_seconds_count{process="poller",stage="fetch"}'] == 2
    assert polled['storywire_stage_seconds_count{process="poller",stage="store"}'] == 1
    outcomes = {name: value for name, value in worked.items() if name.startswith("storywire_articles_total")}
    assert sum(outcomes.values()) == 7
    assert worked['storywire_batches_total{outcome="ok"}'] == 1
    assert worked["storywire_fetch_to_story_seconds_count"] == 7
    assert 0 < worked["storywire_fetch_to_story_seconds_sum"] < 7 * 30
    assert worked["storywire_candidates_count"] == 7
    assert worked["storywire_lease_wait_seconds_count"] == 1
    stages = {found[1] for name in worked if (found := re.search(r'_count\{process="worker",stage="(\w+)"', name))}
    assert stages == {"load", "fingerprint", "wait", "read", "decide", "commit", "settle"}
    assert worked["storywire_process_resident_memory_bytes"] > 1e6


# --- commands ---------------------------------------------------------------------------------------------------------


def test_processes_share_a_setting_and_take_a_port_each(runtime: Runtime) -> None:
    """As under `storywire up`, or with a Procfile."""
    first = free_port()
    settings = {"redis_url": runtime.url, "metrics": f"127.0.0.1:{first}"}
    processes = [start_storywire(command, **settings) for command in ("work", "pages")]
    try:

        def names() -> set[str]:
            found = set()
            for port in range(first, first + 4):
                try:
                    found |= set(re.findall(r'build_info\{process="(\w+)"', read(f"127.0.0.1:{port}")[1]))
                except OSError:
                    continue
            return found

        eventually(lambda: names() == {"worker", "pages"}, 30, lambda: f"told: {names()}")
        eventually(lambda: runtime.jobs.listening() and runtime.pages.alive(), 30, "they do not work")
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.communicate(timeout=20)
    assert [process.returncode for process in processes] == [0, 0]


def test_others_than_this_machine_are_told_only_with_a_token(valkey_url: str) -> None:
    """Refused before anything listens."""
    done = here("work", "--burst", redis_url=valkey_url, metrics="0.0.0.0:9611")
    assert "STORYWIRE_METRICS=0.0.0.0:9611: others than this machine reach it" in one_line(done.stderr)
    refused = here("work", "--burst", redis_url=valkey_url, metrics="news.example:9611")
    assert "STORYWIRE_METRICS='news.example:9611': write an IP address and a port" in one_line(refused.stderr)

"""When more comes than the workers or the server can take: polls wait, in order, and nothing is lost."""

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from structlog.testing import capture_logs

from tests.command import storywire
from tests.conftest import NewServer
from tests.e2e.feed_server import FeedServer, Request, page
from tests.e2e.polling import NOW, Bench, bench, eventually, poller, rss
from tests.servers import KINDS, Server
from tests.waiting import eventually as eventually_in_thread
from worker.clock import ManualClock, SystemClock
from worker.config import load
from worker.connect import connect
from worker.errors import ServerUnavailable, Transient
from worker.intake import Intake
from worker.jobs.worker import BatchWorker
from worker.model import Article, Ref
from worker.patience import REAL, Pace
from worker.poller.watch import Watch
from worker.pressure import Hold
from worker.runtime import Runtime, open_runtime
from worker.store import keys
from worker.store.forgotten import Forgotten
from worker.store.pollers import Pollers

FEEDS = 12
MB = 2**20


@pytest.fixture
def site() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


def subscribe(store: Bench, site: FeedServer) -> list[str]:
    """Feeds of two articles each, due one after the other; their paths in that order."""
    paths = [f"/{number}" for number in range(FEEDS)]
    for number, path in enumerate(paths):
        texts = [(f"{number}.{entry}", f"Title {number} {entry}", "The river rose by a metre.") for entry in range(2)]
        site.routes[path] = page(rss(*texts))
        store.feeds.add(site.url(path), "", NOW - 100 + number)
    return paths


def settle_all(store: Bench) -> None:
    """Do what workers do: everything that was queued leaves the outbox."""
    store.outbox.settle([(ref, 1) for ref in store.refs])


def said(logs: Sequence[object], event: str) -> int:
    return sum(entry.get("event") == event for entry in logs if isinstance(entry, dict))


def held(store: Bench) -> list[str]:
    """Why pollers hold back, as they say themselves: "" for one that does not."""
    return [sign.held for sign in Pollers(store.outbox._redis).alive().values()]


async def test_polls_wait_while_too_much_does_and_go_on_in_the_order_they_were_due(
    site: FeedServer, valkey_url: str
) -> None:
    """At most 6 articles may wait: a poller that fetches one feed at a time stops after the third, again and again."""
    store = bench(valkey_url)
    paths = subscribe(store, site)
    with capture_logs() as logs:
        async with poller(store, parallel=1, max_pending=6):
            rounds = 0
            while len(store.refs) < 2 * FEEDS:
                rounds += 1
                count = min(6 * rounds, 2 * FEEDS)
                await eventually(lambda n=count: len(store.refs) >= n, lambda: f"{store.refs} queued")  # type: ignore[misc]
                if len(store.refs) < 2 * FEEDS:
                    await eventually(lambda: held(store) == ["queue"], lambda: f"{held(store)}")
                assert len(store.refs) == count, "no more than may wait"
                assert store.outbox.depth() == 6
                settle_all(store)
            await eventually(lambda: held(store) == [""], lambda: f"{held(store)}")
        assert held(store) == [], "a poller that ends says so"
    assert [request.path for request in site.requests] == paths, "who has been due longest goes first, each once"
    assert len({ref.article for ref in store.refs}) == 2 * FEEDS
    assert 3 <= said(logs, "polls held back") == said(logs, "polling again") <= 4, (
        "a line when it begins, one at its end"
    )


async def test_polls_wait_near_the_memory_limit(site: FeedServer, new_server: NewServer) -> None:
    """From 90 % on no feed is leased; as soon as there is room, all are polled."""
    server = new_server()
    store = bench(server.url(0))
    paths = subscribe(store, site)
    client = connect(server.url(0))
    for number in range(640):  # so that what the clients of the test need does not count
        client.set(f"filler:{number}", bytes(MB // 16))
    client.config_set("maxmemory", str(int(client.info("memory")["used_memory"] / 0.92)))
    with capture_logs() as logs:
        async with poller(store):
            await eventually(lambda: held(store) == ["memory"], lambda: f"{held(store)}")
            done = storywire("check", "--only", "server,pollers", redis_url=server.url(0))
            assert (done.returncode, site.requests) == (1, [])
            assert re.search(r"^server +fail .*raise its maxmemory", done.stdout, re.MULTILINE)
            assert re.search(r"^pollers +warn .*held back .* by the server's memory", done.stdout, re.MULTILINE)
            client.config_set("maxmemory", str(100 * MB))
            await eventually(lambda: len(store.refs) == 2 * FEEDS, lambda: f"{store.refs} queued")
    client.close()
    assert sorted(request.path for request in site.requests) == sorted(paths)
    [line] = [entry for entry in logs if entry["event"] == "polls held back"]
    assert "% full: raise its maxmemory or shorten STORYWIRE_RETENTION" in line["why"]


def full(server: Server) -> Callable[[], None]:
    """Lets a server be out of memory; returns what makes room again."""
    client = connect(server.url(0))
    client.config_set("maxmemory", "1")

    def make_room() -> None:
        client.config_set("maxmemory", "0")
        client.close()

    return make_room


def without_a_disk(server: Server) -> Callable[[], None]:
    """Lets a server refuse writes as its snapshot cannot be written; returns what mends that."""
    client = connect(server.url(0))
    client.config_set("save", "3600 1")
    obstacle = server.folder / "dump.rdb"
    obstacle.mkdir()

    def ended(status: str) -> bool:
        about = client.info("persistence")
        return about["rdb_last_bgsave_status"] == status and not about["rdb_bgsave_in_progress"]

    client.bgsave()
    eventually_in_thread(lambda: ended("err"), 10, "the snapshot to fail")

    def mend() -> None:
        obstacle.rmdir()
        client.bgsave()
        eventually_in_thread(lambda: ended("ok"), 10, "the snapshot to succeed")
        client.close()

    return mend


@pytest.mark.parametrize("refusing", [full, without_a_disk], ids=["memory full", "disk full"])
async def test_a_poll_that_the_server_refuses_is_made_again(
    site: FeedServer, new_server: NewServer, refusing: Callable[[Server], Callable[[], None]]
) -> None:
    """It begins to refuse while the feed is being fetched: nothing of the poll is kept, the next brings it all."""
    server = new_server()
    store = bench(server.url(0))
    answer = page(rss(("a", "Dam breaks", "Two villages were cleared."), ("b", "Council votes", "It was close.")))
    mends: list[Callable[[], None]] = []

    async def refuse(request: Request, writer: asyncio.StreamWriter) -> None:
        if not mends:
            mends.append(await asyncio.to_thread(refusing, server))
        await answer(request, writer)

    site.routes["/feed"] = refuse
    url = site.url("/feed")
    store.feeds.add(url, "", NOW)
    with capture_logs() as logs:
        async with poller(store):
            await eventually(lambda: said(logs, "poll not recorded") == 1, lambda: f"{logs}")
            assert (store.outbox.depth(), store.outbox.marks(store.feed(url).id), store.refs) == (0, {}, [])
            await asyncio.to_thread(mends[0])
            await store.turn(url, after_s=120)
    assert sorted(article.url[-1] for article in store.articles()) == ["a", "b"]
    assert len(store.outbox.marks(store.feed(url).id)) == 2
    assert len(site.requests) == 2


def test_poll_once_ends_with_the_reason(site: FeedServer, valkey_url: str) -> None:
    """A timer that starts it is told, and starts it again; nothing is fetched."""
    store = bench(valkey_url)
    store.feeds.add(site.url("/feed"), "", NOW)
    store.outbox.publish("f", [article("f.1")], {"1": (b"", b"1")}, SystemClock().now())
    done = storywire("poll", "--once", redis_url=valkey_url, max_pending=1)
    assert done.returncode == 1
    assert "polls are held back: 1 article waits, 1 may (STORYWIRE_MAX_PENDING): start more" in done.stderr
    assert site.requests == []


def article(article_id: str) -> Article:
    return Article(id=article_id, title="The dam at Merrow holds", lang="en", received=NOW)


@pytest.fixture
def runtime(valkey_url: str) -> Iterator[Runtime]:
    with open_runtime(load({"STORYWIRE_REDIS_URL": valkey_url, "STORYWIRE_MAX_PENDING": "3"})) as opened:
        yield opened


def intake(runtime: Runtime, stalled_s: float = 20.0, held: Callable[[], str] = str, pace: Pace = REAL) -> Intake:
    stores = (runtime.outbox, runtime.stories, Forgotten(runtime.redis), runtime.jobs, runtime.clock)
    return Intake(*stores, stalled_s, held=held, pace=pace)


def test_an_import_waits_for_room(runtime: Runtime) -> None:
    """While three articles of others wait it sends nothing; then it goes on by itself."""
    others = runtime.outbox.publish("f", [article(f"f.{n}") for n in range(3)], {}, runtime.clock.now())
    asked = 0

    def why() -> str:
        nonlocal asked
        asked += 1
        return runtime.held()

    with ThreadPoolExecutor(1) as threads:
        sent = threads.submit(intake(runtime, held=why).run, [article("mine")], lambda done: None)
        eventually_in_thread(lambda: asked > 1, 10, "the import to ask twice")
        assert runtime.outbox.depth() == 3
        runtime.outbox.settle([(ref, 1) for ref in others])
        mine = eventually_in_thread(lambda: list(runtime.outbox.everything()), 10, "the article to be sent")
        runtime.outbox.settle([(ref, 1) for ref, _ in mine])
        assert sent.result(20).articles == 1


def test_an_import_leaves_the_first_room_to_polls(valkey_url: str) -> None:
    """Polls that were held back go on below 90 % of what may wait: an import that takes the last 10 % holds them."""
    with open_runtime(load({"STORYWIRE_REDIS_URL": valkey_url, "STORYWIRE_MAX_PENDING": "20"})) as runtime:
        waiting = runtime.outbox.publish("f", [article(f"f.{n}") for n in range(20)], {}, runtime.clock.now())
        watch = Watch(runtime.pollers, runtime.outbox, runtime.clock, 20, look_s=0.0)
        watch.turn()
        for left in range(19, 16, -1):
            runtime.outbox.settle([(waiting.pop(), 1)])
            assert bool(runtime.held()) == (left >= 18), f"{left} wait"
            if left >= 18:
                assert watch.turn(), f"{left} wait"
        eventually_in_thread(lambda: not watch.turn(), 10, "the polls to go on")


def test_an_import_that_finds_no_room_for_too_long_says_why(runtime: Runtime) -> None:
    """Nobody works on what waits."""
    runtime.outbox.publish("f", [article(f"f.{n}") for n in range(3)], {}, runtime.clock.now())
    with pytest.raises(Transient, match=r"^3 articles wait, 3 may .*start more of `storywire work`$"):
        intake(runtime, stalled_s=0.1, held=runtime.held).run([article("mine")], lambda done: None)


def test_a_long_queue_before_an_import_is_no_stall(runtime: Runtime) -> None:
    """A job of others is done at every fourth look: all take longer than an import waits while nothing moves. Time
    passes with its pauses alone, however slow the machine is."""
    before = [Ref("f", f"f.{n}") for n in range(10)]
    for ref in before:
        runtime.jobs.enqueue([ref])
    done: list[Ref] = []

    def work(refs: list[Ref]) -> None:
        done.extend(refs)
        if refs[0] not in before:
            runtime.outbox.settle([(ref, 1) for ref in refs])

    def one_more(settled: int) -> None:
        if looks.pop():
            BatchWorker(runtime.jobs, work, lambda: None).run(burst=True, max_jobs=1)

    looks, time = [n % 4 == 0 for n in range(400)], ManualClock(0.0)
    sent = intake(runtime, stalled_s=0.9, pace=Pace(time.now, time.advance)).run([article("mine")], one_more)
    assert sent.articles == 1
    assert time.now() > 0.9, "they took longer"
    assert done[:-1] == before, "first in, first out"


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_server_takes_the_first_sign_of_life_of_a_poller_that_waits(new_server: NewServer, kind: str) -> None:
    """Or who tells by the signs that it works would start it anew, again and again, for as long as it is full."""
    server = new_server(kind)
    store, client = bench(server.url(0)), connect(server.url(0))
    make_room = full(server)
    with capture_logs() as logs:
        watch = Watch(Pollers(client), store.outbox, store.clock, 10, look_s=0.0, beat_s=0.0)
        assert [watch.turn() for _ in range(3)] == [True, True, True]
        assert held(store) == [str(Hold.MEMORY)]
        with pytest.raises(ServerUnavailable):
            client.set("a", "b")
        make_room()
        eventually_in_thread(lambda: not watch.turn(), 10, "the poller to go on")
    assert held(store) == [""]
    assert (said(logs, "polls held back"), said(logs, "polling again")) == (1, 1)
    client.close()


def test_a_dead_poller_is_not_alive(valkey_url: str) -> None:
    """Its name goes with the next poller's start; one that comes back is there again, with what it last said."""
    client = connect(valkey_url)
    pollers = Pollers(client)
    store = bench(valkey_url)
    watch = Watch(pollers, store.outbox, store.clock, 1)
    assert watch.turn() is False
    [name] = pollers.alive()
    client.delete(keys.poller(name))
    assert pollers.alive() == {}
    Watch(pollers, store.outbox, store.clock, 1).turn()
    assert len(pollers.alive()) == 1
    client.close()

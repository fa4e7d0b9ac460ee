"""One node of a Cluster is away: its languages and feeds wait, and only they; nothing is held against an article."""

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from redis.crc import key_slot
from structlog.testing import capture_logs

from tests.cluster import SLOTS, Cluster, ask
from tests.command import start_storywire
from tests.conftest import NewServer
from tests.e2e.feed_server import Answer, FeedServer, page
from tests.e2e.polling import bench, poller, rss
from tests.e2e.polling import eventually as in_time
from tests.fault.held import stored_view
from tests.fault.scene import NOW, article
from tests.invariants import check as check_view
from tests.servers import LOOPBACK, Server
from tests.waiting import eventually
from worker.batches import Batches
from worker.clock import ManualClock
from worker.config import load
from worker.connect import sending, task
from worker.errors import ServerUnavailable
from worker.feed.address import feed_id, normal_url
from worker.ingest import Unplaced
from worker.model import Ref, uid
from worker.runtime import Runtime, open_runtime
from worker.store import keys, lagging, reach
from worker.store.reach import Reach
from worker.store.trials import Trials
from worker.tasks import PENDING_S, Sweeper

HERE, THERE = "feed", "a"
"""Feeds: the outbox of the one is where Italian is, that of the other where English is."""

LANGUAGES = ("en", "it", "ja")
SLOW_S = 0.5


@pytest.fixture(scope="module")
def three() -> Iterator[Cluster]:
    """Three primaries, of which English's has a replica, that never takes over. One that hangs is not given up before
    the test is over, nor has to come back to the others, which takes longer than each test."""
    options = {"cluster-node-timeout": "60000", "cluster-replica-no-failover": "yes"}
    made = Cluster("valkey", 3, 1, (LOOPBACK,), **options)
    yield made
    made.close()


@pytest.fixture
def cluster(three: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setattr(reach, "_ASKED_S", SLOW_S)
    monkeypatch.setattr(reach, "_REST", 0.0)
    monkeypatch.setattr(reach, "_LEAST_S", 0.0)
    monkeypatch.setattr("worker.batches.patience.RETRY_AFTER_S", (0.0, 0.0, 0.0))
    three.empty()
    return three


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def runtime(cluster: Cluster, valkey_url: str, clock: ManualClock) -> Iterator[Runtime]:
    settings = load({}, redis_url=f"{cluster.url}?socket_timeout={SLOW_S}", queue_url=valkey_url, retention="1d")
    with open_runtime(settings, clock) as opened:
        warm(opened)
        yield opened


def publish(runtime: Runtime, feed: str, *names: str, hour: float = 1) -> list[Ref]:
    """Articles whose language is in their names."""
    articles = [article(name, lang=name[:2], hour=hour + at) for at, name in enumerate(names)]
    return runtime.outbox.publish(feed, articles, {}, runtime.clock.now())


def warm(runtime: Runtime) -> None:
    """Each language has a story, each node the scripts, each outbox was used."""
    for feed in (HERE, THERE):
        Batches.of(runtime, "warm").ingest(publish(runtime, feed, *(f"{lang}0{feed}" for lang in LANGUAGES)))
        publish(runtime, feed, "it9")
    now = runtime.clock.now()
    Batches.of(runtime, "warm").ingest(runtime.outbox.stale(now + 1, now, 10))


@contextmanager
def without(cluster: Cluster, lang: str) -> Iterator[Server]:
    """The node of a language hangs. What it was sent meanwhile it does when it is back: a lease that was asked for and
    given up is not waited for here."""
    node = owner(cluster, keys.counters(lang))
    node.pause()
    try:
        yield node
    finally:
        node.resume()
        cluster.await_whole()
        ask(node, "DEL", keys.lease(lang))


@contextmanager
def away(node: Server) -> Iterator[None]:
    """A node hangs."""
    node.pause()
    try:
        yield
    finally:
        node.resume()


@contextmanager
def no_link(cluster: Cluster) -> Iterator[Server]:
    """The replica of the last primary gets nothing of it any more, and none of the nodes minds."""
    node = cluster.primaries[-1]
    ask(node, "ACL", "SETUSER", "default", "-psync", "-sync")
    ask(node, "CLIENT", "KILL", "TYPE", "replica")
    try:
        yield node
    finally:
        ask(node, "ACL", "SETUSER", "default", "+@all")


def owner(cluster: Cluster, key: str) -> Server:
    """The node of a key, as the slots were split, which nobody moves here."""
    slot = key_slot(key.encode())
    return next(node for at, node in enumerate(cluster.primaries) if slot < SLOTS * (at + 1) // 3)


def placed(runtime: Runtime, lang: str) -> list[str]:
    """The articles of a language, in the order of their commits, but for the first ones."""
    names = {uid(f"feed.{lang}{number}"): f"{lang}{number}" for number in range(1, 9)}
    events = [event for event in runtime.stories.events({}, 1_000) if event.kind in ("new", "grew")]
    return [names[event.uid] for event in events if event.uid in names]


def told(lines: list[Any]) -> list[Any]:
    return [line for line in lines if line["event"] == "articles wait"]


def test_languages_whose_server_answers_are_clustered_and_the_others_wait_in_order(
    cluster: Cluster, runtime: Runtime
) -> None:
    refs = publish(runtime, HERE, "en1", "it1", "en2", "ja1", "en3", "it2")
    batches = Batches.of(runtime, "worker")
    with capture_logs() as lines, without(cluster, "en") as node:
        with pytest.raises(Unplaced, match=r"^en waits: ") as unplaced:
            runtime.ingest.run(refs[:4])
        assert unplaced.value.waiting == {"en": [refs[0], refs[2]]}
        assert unplaced.value.result.articles == 2
        for job in (refs[:4], refs[4:], refs):
            batches.ingest(job)
        batches.turn()
        assert (runtime.outbox.waiting(HERE), runtime.jobs.depth()) == (3, 0)
    assert [(line["language"], line["articles"]) for line in told(lines)] == [("en", 2)], "once a minute"
    assert f" 127.0.0.1:{node.port}, which does not answer in time" in told(lines)[0]["trouble"]
    batches.turn()
    assert runtime.jobs.depth() == 1, "it is queued again at once"
    batches.ingest(refs)
    assert [placed(runtime, lang) for lang in LANGUAGES] == [["en1", "en2", "en3"], ["it1", "it2"], ["ja1"]]
    assert (runtime.outbox.depth(), runtime.quarantine.depth(), marks(runtime)) == (0, 0, 0)
    check(runtime)


def test_what_waits_in_an_outbox_that_is_away_keeps_no_other_feed_waiting(
    cluster: Cluster, runtime: Runtime, clock: ManualClock
) -> None:
    here, there = publish(runtime, HERE, "it1", "ja1"), publish(runtime, THERE, "it2", "ja2")
    batches = Batches.of(runtime, "worker")
    sweeper = Sweeper(runtime)
    with capture_logs() as lines, without(cluster, "en"):
        batches.ingest([there[0], *here, there[1]])
        assert runtime.outbox.waiting(HERE) == 0
        more = publish(runtime, HERE, "it3", hour=3)
        clock.advance(PENDING_S + 1)
        sweeper.turn()  # raises nothing, or no job would be taken meanwhile
        assert (sweeper.sweep(), runtime.jobs.depth()) == (0, 1), "what waits elsewhere is queued again"
        batches.ingest(more)
    assert [(line["feed"], line["articles"]) for line in told(lines)] == [(THERE, 2)]
    batches.turn()
    batches.ingest(there)
    assert [placed(runtime, lang) for lang in LANGUAGES] == [[], ["it1", "it3", "it2"], ["ja1", "ja2"]]
    assert (runtime.outbox.depth(), runtime.quarantine.depth(), marks(runtime)) == (0, 0, 0)


def test_a_death_is_neither_forgotten_nor_held_against_an_article_as_its_server_is_away(
    cluster: Cluster, runtime: Runtime
) -> None:
    refs = publish(runtime, HERE, "en1", "it1")
    dead = Trials(runtime.redis, "dead")
    dead.begin(refs)
    batches = Batches.of(runtime, "worker")
    with without(cluster, "en"):
        for _ in range(20):
            batches.ingest(refs)
        assert runtime.outbox.waiting(HERE) == 1
    assert marks(runtime) == 2, "that of the dead worker, and that it is in hand"
    batches.turn()
    batches.ingest(refs)
    assert [placed(runtime, lang) for lang in LANGUAGES] == [["en1"], ["it1"], []]
    assert (runtime.quarantine.depth(), marks(runtime)) == (0, 0)


def test_a_replica_that_gets_nothing_keeps_only_its_own_languages_waiting_and_no_worker(
    cluster: Cluster, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "PATIENCE_S", 0.05)
    monkeypatch.setattr(task, "SECURED_S", 0.1)
    monkeypatch.setattr(lagging, "_HELD_S", 0.0)
    eventually(lambda: cluster.replicated(cluster.primaries[-1]), 10, "the replica is not on the map")
    runtime.redis.nodes.ask_again(runtime.redis.nodes.shards())  # type: ignore[attr-defined]
    refs = publish(runtime, HERE, "en1", "it1", "ja1", "en2")
    batches = Batches.of(runtime, "worker")
    with capture_logs() as lines, no_link(cluster) as node:
        batches.ingest(refs)
        tried = ask(node, "INFO", "commandstats")["cmdstat_wait"]["calls"]
        batches.turn()
        batches.ingest(refs)
        batches.ingest(publish(runtime, HERE, "it2", hour=3))
        assert (runtime.outbox.waiting(HERE), runtime.jobs.depth()) == (2, 0)
        assert ask(node, "INFO", "commandstats")["cmdstat_wait"]["calls"] == tried, "it is written to again in vain"
        assert runtime.ingest.expire() == 0
    batched = [line for line in lines if line["event"] == "batch"]
    assert [(line["outcome"], line["articles"]) for line in batched] == [("ok", 2), ("waits", 0), ("ok", 1)]
    counts = [line[name] for line in batched for name in ("new", "joined", "repeated") if name in line]
    assert sum(counts) == 5, "those that wait are in their stories"
    [line] = told(lines)
    assert line["language"] == "en"
    assert f" 127.0.0.1:{node.port}, which has a replica that does not get what it writes" in line["trouble"]

    def queued() -> bool:
        batches.turn()
        return bool(runtime.jobs.depth())

    eventually(queued, 20, lambda: f"it waits still: {runtime.ingest.reach.away}")
    batches.ingest(refs)
    assert [placed(runtime, lang) for lang in LANGUAGES] == [["en1", "en2"], ["it1", "it2"], ["ja1"]]
    assert (runtime.outbox.depth(), runtime.quarantine.depth(), marks(runtime)) == (0, 0, 0)


def test_what_was_left_out_as_its_node_was_away_is_done_when_it_is_back(
    cluster: Cluster, runtime: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though nothing of this worker waits, so that its batches do not look either."""
    monkeypatch.setattr("worker.tasks.SWEEP_S", 0.0)
    sweeper, known = Sweeper(runtime), runtime.ingest.reach
    publish(runtime, HERE, "it1")
    clock.advance(PENDING_S + 1)
    with away(owner(cluster, keys.outboxes())):
        assert known.look()
        sweeper.turn()
        assert runtime.jobs.depth() == 0
    sweeper.turn()
    assert (runtime.jobs.depth(), known.away) == (1, "")


def test_a_single_server_is_away_as_a_whole_and_its_own_error_is_raised_at_once(new_server: NewServer) -> None:
    server = new_server()
    with open_runtime(load({}, redis_url=server.url()), ManualClock(NOW)) as runtime:
        refs = publish(runtime, HERE, "en1", "it1", "ja1")
        server.kill()
        with pytest.raises(ServerUnavailable, match=r"refuses connections|is not there") as raised:
            runtime.ingest.run(refs)
        assert type(raised.value) is ServerUnavailable
        assert not runtime.ingest.reach.look()


def path_of(cluster: Cluster, site: FeedServer, away: Server, *, feed: bool, gate: bool) -> str:
    """A path of a feed that is on the node that is away, or whose gate is."""

    def fits(path: str) -> bool:
        name = feed_id(normal_url(site.url(path)))
        gate_key = keys.gate(blake2b(f"feed {name}".encode(), digest_size=8).hexdigest())
        return (owner(cluster, keys.feed(name)) is away, owner(cluster, gate_key) is away) == (feed, gate)

    return next(path for path in map("/{}".format, itertools.count()) if fits(path))


def shown(number: int) -> Answer:
    """A feed's document of ten articles; whose claims are on all nodes."""
    return page(rss(*((f"{number}-{at}", f"Title {number} {at}", "The river rose by a metre.") for at in range(10))))


async def test_feeds_whose_nodes_answer_are_polled_and_those_of_others_are_not_fetched_in_vain(
    cluster: Cluster,
) -> None:
    store = bench(f"{cluster.url}?socket_timeout={SLOW_S}")
    away = owner(cluster, keys.counters("it"))
    assert away is not owner(cluster, keys.schedule()) and away is not owner(cluster, keys.outboxes())
    with FeedServer() as site, capture_logs() as lines:
        here = path_of(cluster, site, away, feed=False, gate=False)
        there = path_of(cluster, site, away, feed=True, gate=False)
        shut = path_of(cluster, site, away, feed=False, gate=True)
        urls = [site.url(path) for path in (here, there, shut)]
        for at, path in enumerate((here, there, shut)):
            site.routes[path] = shown(at)
            store.feeds.add(urls[at], "", store.clock.now())
        async with poller(store, gate="feed", reach=Reach(store.outbox._redis)):
            await store.polled(*urls)
            away.pause()
            try:
                site.routes[here] = shown(3)
                store.clock.advance(25 * 3600.0)
                await in_time(lambda: len(store.refs) == 40, lambda: f"{len(store.refs)} published: {lines}")
                await store.polled(urls[0])
                known = Reach(store.outbox._redis)
                assert known.look()
                assert store.outbox.depth(known) == 30, "what answers is counted"
            finally:
                away.resume()
            assert [len(site.asked(path)) for path in (here, there, shut)] == [2, 1, 1]
            store.clock.advance(60.0)
            await store.polled(*urls[1:])
    assert [line["trouble"] for line in lines if line["event"] == "feeds wait"] == [
        f"no answer from 127.0.0.1:{away.port}, which does not answer in time: see whether it is overloaded, or gone"
    ]


@pytest.mark.slow
def test_under_load_the_other_languages_go_on_as_before(three: Cluster, new_server: NewServer, data_dir: Path) -> None:
    """A worker process, 40 articles a second in six languages, of which two stay away for a while."""
    three.empty()
    for node in three.nodes:
        ask(node, "CONFIG", "SET", "cluster-node-timeout", "2000")
        ask(node, "CONFIG", "SET", "cluster-require-full-coverage", "no")
    away, here = ("en", "de"), ("it", "zh", "ja", "tr")
    queue = new_server()
    settings = load({}, redis_url=three.url, queue_url=queue.url(), data_dir=str(data_dir))
    with open_runtime(settings) as runtime:
        worker = start_storywire("work", redis_url=three.url, queue_url=queue.url(), data_dir=data_dir)
        try:
            numbers = itertools.count(1)

            def flow(seconds: float) -> None:
                until = time.monotonic() + seconds
                while (now := time.monotonic()) < until:
                    names = [f"{lang}{next(numbers)}" for lang in (*away, *here)]
                    articles = [replace(article(name, lang=name[:2]), received=time.time()) for name in names]
                    runtime.jobs.enqueue(runtime.outbox.publish(HERE, articles, {}, time.time()))
                    time.sleep(max(0.0, now + len(names) / 40 - time.monotonic()))

            flow(3)
            eventually(lambda: not runtime.outbox.waiting(HERE), 60, "the worker does not begin")
            began = time.monotonic()
            flow(20)
            eventually(lambda: not runtime.outbox.waiting(HERE), 60, lambda: _left(runtime, 0))
            usual_s = time.monotonic() - began
            sent = next(numbers)
            with without(three, "en"):
                began = time.monotonic()
                flow(20)
                each = (next(numbers) - sent) // 6
                waited = each * len(away)
                eventually(lambda: runtime.outbox.waiting(HERE) <= waited + 6, 60, lambda: _left(runtime, waited))
                took_s = time.monotonic() - began
            began = time.monotonic()
            eventually(lambda: not runtime.outbox.waiting(HERE), 60, lambda: _left(runtime, 0))
            back_s = time.monotonic() - began
            print(  # noqa: T201 - a long run says what it measured
                f"  20 s of 4 languages, {each} articles each: placed within {usual_s:.1f} s, {took_s:.1f} s while"
                f" the node of 2 others hangs, whose {waited} are {back_s:.1f} s after it is back"
            )
            assert took_s < 45
            assert runtime.quarantine.depth() == 0
        finally:
            worker.terminate()
            worker.communicate(timeout=30)


def _left(runtime: Runtime, awaited: int) -> str:
    return f"{runtime.outbox.waiting(HERE)} articles wait, of which {awaited} have to"


def marks(runtime: Runtime) -> int:
    """How many marks of articles in hand stand."""
    redis: Any = runtime.redis
    return sum(redis.hlen(keys.trials(feed)) for feed in (HERE, THERE))


def check(runtime: Runtime) -> None:
    """The invariants of every shard."""
    for lang in LANGUAGES:
        check_view(stored_view(runtime, lang))

"""The stories on a Cluster: the same as on one server, also while a slot moves and after a primary has died.

The long runs are `python -m pytest tests/fault/test_cluster.py -m slow -s`, as `make soak` has them.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import pytest
from redis.crc import key_slot

from tests.cluster import Cluster, ask
from tests.conftest import NewServer
from tests.e2e.feed_server import FeedServer
from tests.e2e.test_concurrency import newsroom_articles
from tests.fault.fleet import FEEDS, READY_S, Fleet, Wire, stored
from tests.fault.held import assert_held
from tests.fault.scene import BATCH, EARLIER, Desk, article, check_store, dump
from tests.servers import KINDS, Server
from tests.store.slots import run_on_cluster
from tests.waiting import eventually
from worker.clock import ManualClock
from worker.config import load
from worker.connect import identify, sending
from worker.errors import ServerUnavailable, StorywireError
from worker.health import Finding, State, of_server
from worker.model import Article, Ref, story_id
from worker.runtime import Runtime, open_runtime
from worker.store import keys
from worker.store.sharding import shards

SETTINGS = {"STORYWIRE_BATCH": "20"}
RECOVERY_S = 30.0


@pytest.fixture(scope="module")
def cluster_of_three() -> Iterator[Cluster]:
    made = Cluster(replicated=1)
    yield made
    made.close()


@pytest.fixture
def cluster(cluster_of_three: Cluster) -> Cluster:
    """Three primaries, and nothing on them; the one of English has a replica."""
    cluster_of_three.empty()
    return cluster_of_three


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be answered now is not waited for."""
    monkeypatch.setattr(sending, "PATIENCE_S", 0.05)


def slot_of(lang: str) -> int:
    return key_slot(keys.counters(lang).encode())


ENGLISH = slot_of("en")
OUTBOXES = key_slot(keys.outboxes().encode())


@pytest.fixture
def desks(cluster: Cluster, valkey_url: str) -> Iterator[tuple[Desk, Desk]]:
    """One on the Cluster, one on a single server, with the same articles."""
    made = Desk(cluster.url), Desk(valkey_url)
    for desk in made:
        desk.ingest.run(desk.publish(*EARLIER))
    yield made
    for desk in made:
        desk.close()


def place_of(lang: str, desk: Desk) -> tuple[str, int]:
    """Where `storywire check` says that a language is."""
    [node] = [shard.node for shard in shards(desk.redis) if lang in shard.languages]
    host, _, port = node.partition(":")
    return host, int(port)


def assert_same(desks: tuple[Desk, Desk]) -> None:
    """Both hold the same, and it holds together."""
    there, alone = (without_signs(dump(desk.redis)) for desk in desks)
    assert there == alone
    check_store(desks[0])


def without_signs(held: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in held.items() if name != keys.lags()}


def lived(runtime: Runtime, articles: list[Article], clock: ManualClock) -> dict[str, object]:
    """All that happens to a store, in one order, and all that it holds in the end."""
    half = len(articles) // 2
    for feed, part in (("one", articles[:half]), ("two", articles[half:])):
        refs = runtime.outbox.publish(feed, part, {}, clock.now())
        for start in range(0, len(refs), 20):
            runtime.ingest.run(refs[start : start + 20])
    assert runtime.outbox.depth() == 0
    latest = runtime.stories.recent("en", 0.0, 40)
    grown = next(story for story in latest if story.articles > 2)
    first, second = [story for story in latest if story is not grown][:2]
    pinned = runtime.stories.members("en", first.number)[0].id
    runtime.editing.merge([story_id("en", first.number), story_id("en", second.number)])
    member = runtime.stories.members("en", grown.number)[-1]
    runtime.editing.split(story_id("en", grown.number), [member.id])
    runtime.editing.pin(pinned)
    runtime.forgetting.forget(runtime.forgetting.find(articles[3].id).target)
    clock.advance(8 * 86_400.0)
    late = runtime.outbox.publish("two", articles[5:6], {}, clock.now())
    runtime.ingest.run(late)
    runtime.ingest.expire(10)
    return dump(runtime.redis)


def test_what_a_store_holds_is_the_same_on_a_cluster_as_on_one_server(cluster: Cluster, new_server: NewServer) -> None:
    articles = newsroom_articles(120)
    queue, alone = new_server(), new_server()
    held = []
    for url in (alone.url(), cluster.url):
        clock = ManualClock(articles[-1].received + 60)
        settings = load(SETTINGS, redis_url=url, queue_url=queue.url())
        with open_runtime(settings, clock, carry_over=True) as runtime:
            held.append(lived(runtime, articles, clock))
    assert len(held[0]) > 500
    assert held[0].keys() == held[1].keys()
    assert held[0] == held[1]
    used = [int(ask(node, "DBSIZE")) for node in cluster.nodes]
    assert min(used) > 0, f"all of it lies on one node: {used}"


def test_a_language_whose_slot_moves_waits_and_the_others_go_on(
    cluster: Cluster, desks: tuple[Desk, Desk], impatient: None
) -> None:
    there, alone = desks
    was = cluster.owner(ENGLISH)
    moving = cluster.move(ENGLISH, cluster.primaries[0], chunk=20)
    next(moving)
    refs = there.publish(*BATCH)
    steps = 0
    for _ in moving:
        with pytest.raises(ServerUnavailable, match="moving its slots"):
            there.ingest.run(refs)
        there.ingest.run(there.publish(article(f"it{steps}", lang="it", hour=steps)))
        steps += 1
    assert steps > 2, "the slot held too little to move step by step"
    assert cluster.owner(ENGLISH) is not was
    there.ingest.run(refs)
    assert place_of("en", there) == ("127.0.0.1", cluster.owner(ENGLISH).port)
    alone.ingest.run(alone.publish(*BATCH))
    for step in range(steps):
        alone.ingest.run(alone.publish(article(f"it{step}", lang="it", hour=step)))
    assert_same(desks)
    for _ in cluster.move(ENGLISH, was):
        pass
    assert_same(desks)


def test_a_replica_takes_over_with_all_that_was_placed(cluster: Cluster, desks: tuple[Desk, Desk]) -> None:
    there, alone = desks
    primary = cluster.owner(ENGLISH)
    primary.kill()
    refs = eventually(lambda: published(there), 20, "nothing can be published after a primary has died")
    eventually(lambda: ran(there, refs), 20, "nothing can be clustered after a primary has died")
    assert cluster.owner(ENGLISH) in cluster.replicas
    alone.ingest.run(alone.publish(*BATCH))
    try:
        assert_same(desks)
    finally:
        primary.start()
        cluster.await_whole()


def test_a_check_names_the_primaries_that_no_replica_could_take_over_from(
    cluster: Cluster, desks: tuple[Desk, Desk]
) -> None:
    """Two of three have none, and not the one of English, which may be any of the two nodes that share its data."""
    redis = desks[0].redis
    of_english = f"127.0.0.1:{cluster.owner(ENGLISH).port}"

    def finding() -> Finding:
        return of_server(identify(redis, cluster.url), "here", shards(redis))

    eventually(lambda: finding().said.count(" no replica that could") == 1, 10, lambda: finding().said)
    found = finding()
    named = found.said.partition("in use, ")[2]
    assert found.state is State.WARN
    alone = {shard.node for shard in shards(redis)} - {of_english}
    assert len(alone) == 2
    assert all(node in named for node in alone)
    assert of_english not in named
    assert {shard.node: shard.replicas for shard in shards(redis)} == dict.fromkeys(alone, 0) | {of_english: 1}


def published(desk: Desk) -> list[Ref]:
    with suppress(ServerUnavailable):
        return desk.publish(*BATCH)
    return []


def ran(desk: Desk, refs: list[Ref]) -> bool:
    with suppress(ServerUnavailable):
        desk.ingest.run(refs)
        return True
    return False


class ClusterFleet(Fleet):
    """`storywire up` with its stories on a Cluster; its `server` has the queue."""

    def __init__(self, cluster: Cluster, queue: Server, wire: Wire, folder: Path, log: IO[str]) -> None:
        self.cluster = cluster
        super().__init__(queue, wire, folder, log, seed=1)

    @property
    def settings(self) -> dict[str, str]:
        return {**super().settings, "queue_url": super().settings["redis_url"], "redis_url": self.cluster.url}


@contextmanager
def fleet_on(cluster: Cluster, queue: Server, folder: Path, articles: int) -> Iterator[ClusterFleet]:
    folder.mkdir()
    with FeedServer() as site, (folder / "up.log").open("w") as log:
        running = ClusterFleet(cluster, queue, Wire(site, newsroom_articles(articles)), folder, log)
        try:
            with running.runtime() as runtime, running.wire.flowing(FEEDS):
                eventually(lambda: stored(runtime) > FEEDS, READY_S, lambda: f"nothing is clustered: {running.said()}")
            yield running
        finally:
            running.end()


def grows_again_s(runtime: Runtime, lang: str) -> float:
    """How long until a commit of this language comes after those that are there now."""

    def last() -> int:
        with suppress(StorywireError):
            return runtime.stories.end().get(lang, (0, 0))[0]
        return -1

    began, at = time.monotonic(), eventually(lambda: max(last(), 0), 60)
    eventually(lambda: last() > at, 120, f"no commit of {lang} came any more")
    return time.monotonic() - began


def replaced_s(cluster: Cluster, slot: int, runtime: Runtime) -> float:
    """Kill the primary of a slot, and start it again once another serves the slot and English goes on; how long that
    took."""
    began, primary = time.monotonic(), cluster.owner(slot)
    primary.kill()
    eventually(lambda: cluster.owner(slot) is not primary, 60)
    grows_again_s(runtime, "en")
    took_s = time.monotonic() - began
    primary.start()
    cluster.await_whole(within_s=60)
    return took_s


def moved_s(cluster: Cluster, target: Server) -> tuple[float, int]:
    """How long it took to move all of English under load, and how many keys that were."""
    began, gone = time.monotonic(), list(cluster.move(ENGLISH, target))
    return time.monotonic() - began, gone[-1]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_under_load_primaries_die_and_slots_move_and_nothing_is_lost(
    kind: str, new_server: NewServer, data_dir: Path
) -> None:
    rounds, rate = 4, 20
    cluster = Cluster(kind, replicated=3)
    try:
        with fleet_on(cluster, new_server(persistent=True), data_dir, articles=4000) as running:
            with running.runtime() as runtime, running.wire.flowing(rate):
                for number in range(rounds):
                    took_s = replaced_s(cluster, ENGLISH, runtime)
                    listed_s = replaced_s(cluster, OUTBOXES, runtime)
                    target = next(node for node in cluster.mains() if node is not cluster.owner(ENGLISH))
                    move_s, gone = moved_s(cluster, target)
                    again_s = grows_again_s(runtime, "en")
                    cluster.await_whole(within_s=60)
                    print(  # noqa: T201 - a long run says what it measured
                        f"  {kind} round {number}: {running.wire.shown} articles; a primary killed: English goes on "
                        f"after {took_s:.1f} s, after that of the outboxes {listed_s:.1f} s; its slot moved, {gone} "
                        f"keys in {move_s:.1f} s, {again_s:.1f} s later it goes on"
                    )
                    assert max(took_s, listed_s) < RECOVERY_S
                    assert again_s < RECOVERY_S
            began = time.monotonic()
            with running.runtime() as runtime:
                eventually(
                    lambda: stored(runtime) >= running.wire.shown and not runtime.outbox.depth(),
                    90,
                    lambda: (
                        f"{stored(runtime)} of {running.wire.shown} in stories, {runtime.outbox.depth()} wait: "
                        f"{running.said()}"
                    ),
                )
                print(f"  {kind}: all {running.wire.shown} in stories {time.monotonic() - began:.1f} s after the last")  # noqa: T201
                assert_held(runtime, running.wire.articles)
    finally:
        cluster.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_all_tests_of_the_store_hold_on_three_nodes(kind: str) -> None:
    about_one_server = [f"--ignore-glob=tests/store/{name}.py" for name in ("test_connect*", "test_jobs", "test_slots")]
    said = run_on_cluster("tests/store", "tests/e2e/test_alerts.py", *about_one_server, kind=kind, primaries=3)
    print("\n".join(said.splitlines()[-3:]))  # noqa: T201
    assert "scripts never sent: none" in said

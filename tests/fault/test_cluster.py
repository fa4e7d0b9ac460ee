"""The stories on a Cluster: the same as on one server, also while a slot moves and after a primary has died.

The long run is `python -m pytest tests/fault/test_cluster.py -m slow -s`, as `make soak` has it.
"""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from redis.crc import key_slot

from tests.cluster import Cluster, ask
from tests.conftest import NewServer
from tests.e2e.test_concurrency import newsroom_articles
from tests.fault.scene import BATCH, EARLIER, Desk, article, check_store, dump
from tests.servers import KINDS, Server
from tests.store.slots import run_on_cluster
from tests.waiting import eventually
from worker.clock import ManualClock
from worker.config import load
from worker.connect import connect, identify, sending
from worker.connect.cluster import Cluster as ClusterClient
from worker.errors import ServerUnavailable
from worker.health import Finding, State, of_server
from worker.model import Article, Ref, story_id
from worker.runtime import Runtime, open_runtime
from worker.store import keys
from worker.store.confirmed import Confirmed
from worker.store.sharding import shards

SETTINGS = {"STORYWIRE_BATCH": "20"}


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


@pytest.fixture
def desks(cluster: Cluster, valkey_url: str) -> Iterator[tuple[Desk, Desk]]:
    """One on the Cluster, one on a single server, with the same articles."""
    made = Desk(cluster.url), Desk(valkey_url)
    for desk in made:
        desk.ingest.run(desk.publish(*EARLIER))
    yield made
    for desk in made:
        desk.close()


def test_a_list_of_feeds_waits_once_for_each_node(cluster: Cluster) -> None:
    """A replica that hangs is waited for a second, not one for each feed that its node has."""
    with connect(cluster.url) as client:
        assert isinstance(client, ClusterClient)
        confirmed, names = Confirmed(client), [keys.feed(f"feed-{number}") for number in range(60)]
        assert {client.node_of(name) for name in names} == set(client.nodes.shards().primaries)
        confirmed.wait(*names)  # the nodes have the script from now on
        for node in cluster.mains():
            ask(node, "CONFIG", "RESETSTAT")
        confirmed.wait(*names)
        assert [calls_of("evalsha", node) for node in cluster.mains()] == [1, 1, 1]


def calls_of(command: str, node: Server) -> int:
    """How often a node was sent it since its figures were set to nothing."""
    said = ask(node, "INFO", "commandstats").get(f"cmdstat_{command}", {})
    return int(said.get("calls", 0))


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


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_all_tests_of_the_store_hold_on_three_nodes(kind: str) -> None:
    about_one_server = [f"--ignore-glob=tests/store/{name}.py" for name in ("test_connect*", "test_jobs", "test_slots")]
    said = run_on_cluster("tests/store", "tests/e2e/test_alerts.py", *about_one_server, kind=kind, primaries=3)
    print("\n".join(said.splitlines()[-3:]))  # noqa: T201
    assert "scripts never sent: none" in said

"""A node of a Cluster that is of no use: it hangs, is cut off from the others, was taken out, or is gone for a while.

The slow ones wait for a failover: `python -m pytest tests/fault/test_cluster_away.py -m slow`, as `make soak` has them.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from redis.crc import key_slot

from tests.cluster import SLOTS, Cluster, ask, unjoined
from tests.fault.scene import article
from tests.servers import Server
from tests.waiting import eventually
from worker.connect import Redis, connect, sending
from worker.connect.nodes import Lent
from worker.errors import Permanent, ServerUnavailable
from worker.store import keys
from worker.store.outbox import Outbox

NOW = 1_750_000_000.0
FIRST, LAST = 0, SLOTS - 1
IMPATIENT_S = 0.05
HANGS_S = 60
"""So long a client of these tests waits for an answer of one node: longer than any of them lasts."""


@pytest.fixture(scope="module")
def pair() -> Iterator[Cluster]:
    """Two primaries without replicas."""
    made = Cluster(primaries=2)
    yield made
    made.close()


@pytest.fixture(scope="module")
def outcast() -> Iterator[Server]:
    """A node that has no slots and knows no other."""
    made = unjoined("valkey")
    yield made
    made.close()


@pytest.fixture
def replicated() -> Iterator[Cluster]:
    """Three primaries, each with a replica. The one of the first slots is the first that is asked for the map."""
    made = Cluster(replicated=True)
    yield made
    made.close()


@contextmanager
def client_of(url: str) -> Iterator[Any]:
    client: Redis = connect(url)
    try:
        yield client
    finally:
        client.close()


def key_in(cluster: Cluster, slot: int) -> str:
    """A key that lies on the primary of this slot."""
    node = cluster.owner(slot)
    return next(name for name in map(str, range(1000)) if cluster.owner(key_slot(name.encode())) is node)


def feed_away_from(cluster: Cluster, node: Server) -> str:
    """A feed whose outbox is on another node."""
    feeds = (f"feed{number}" for number in range(1000))
    return next(feed for feed in feeds if cluster.owner(key_slot(keys.payloads(feed).encode())) is not node)


def written(client: Any, key: str) -> bool:
    with suppress(ServerUnavailable):
        return bool(client.set(key, "1"))
    return False


def mapped_to(node: Server, slot: int) -> int:
    """The port of the primary that this node says a slot has."""
    return next(int(said[1]) for start, end, said, *_ in ask(node, "CLUSTER", "SLOTS") if start <= slot <= end)


def test_a_node_that_was_taken_out_may_be_named_first(
    pair: Cluster, outcast: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with client_of(pair.url.replace("//", f"//127.0.0.1:{outcast.port},")) as client:
        for slot in (FIRST, LAST):
            assert client.set(key_in(pair, slot), "1")
    monkeypatch.setattr(sending, "PATIENCE_S", IMPATIENT_S)
    with (
        client_of(f"redis+cluster://127.0.0.1:{outcast.port}") as client,
        pytest.raises(ServerUnavailable, match="CLUSTER INFO"),
    ):
        client.set("a", "1")


def test_the_connections_to_a_node_that_serves_nothing_any_more_are_given_up(pair: Cluster, outcast: Server) -> None:
    with client_of(pair.url) as client:
        nodes = client.nodes
        client.set("a", "1")
        used = [nodes.pool(node) for node in nodes.shards().primaries]
        idle = Lent(nodes, ("127.0.0.1", outcast.port))
        with idle:
            idle.read = True
        with Lent(nodes, ("127.0.0.1", outcast.port)) as lent, Lent(nodes, lent.node) as other:
            assert lent.connection is idle.connection
            other.read = lent.read = True
            pool = nodes.pool(lent.node)
            nodes.ask_again(nodes.shards())
            assert not nodes.keeps(pool)
            assert lent.connection.is_connected, "a connection was closed while it was in use"
        assert not lent.connection.is_connected
        assert not other.connection.is_connected
        assert all(map(nodes.keeps, used))


def test_what_could_not_be_listed_is_not_published_and_comes_with_the_next_poll(
    pair: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = pair.owner(key_slot(keys.outboxes().encode()))
    feed = feed_away_from(pair, away)
    one = article("one")
    entry = one.id.removeprefix(f"{feed}.")
    with client_of(pair.url) as client:
        outbox = Outbox(client)
        outbox.publish(feed, [article("warm")], {}, NOW)  # its node has the script
        assert outbox.waiting(feed) == 1
        script = client.register_script("return redis.call('SET', KEYS[1], ARGV[1])")
        away.kill()
        try:
            assert script(keys=[keys.feed(feed)], args=["1"]), "a node that lacks a script is not sent it"
            with client.pipeline(transaction=False) as pipe:
                other = client.register_script("return redis.call('GET', KEYS[1])")
                other(keys=[keys.feed(feed)], client=pipe)
                assert pipe.execute() == [b"1"]
            with (
                monkeypatch.context() as patched,
                pytest.raises(ServerUnavailable, match=f"^the server 127.0.0.1:{away.port}, a node of redis"),
            ):
                patched.setattr(sending, "PATIENCE_S", IMPATIENT_S)
                outbox.publish(feed, [one], {entry: (b"", b"mark")}, NOW)
        finally:
            away.start()
            pair.await_whole()
        eventually(lambda: outbox.waiting(feed) == 1, 10, "of a publication that failed a part was applied")
        assert outbox.marks(feed) == {}
        assert outbox.publish(feed, [one], {entry: (b"", b"mark")}, NOW)
        assert outbox.marks(feed) == {entry: b"mark"}
        assert outbox.depth() == 2


def test_a_single_address_of_a_node_is_told_to_be_a_cluster(pair: Cluster) -> None:
    elsewhere = key_in(pair, LAST)
    with client_of(pair.owner(FIRST).tcp_url) as client, pytest.raises(Permanent, match=r"redis\+cluster://"):
        client.get(elsewhere)


@pytest.mark.slow
def test_a_primary_that_is_cut_off_from_its_peers_but_not_from_us_is_left(replicated: Cluster) -> None:
    cut, other = replicated.owner(FIRST), replicated.owner(LAST)
    key = key_in(replicated, FIRST)
    with client_of(replicated.url) as client:
        assert client.set(key, "1")
        ask(cut, "DEBUG", "DROP-CLUSTER-PACKET-FILTER", "-2")
        eventually(lambda: mapped_to(other, FIRST) != cut.port, 30, "no replica has taken over")
        eventually(lambda: replicated.state(cut)["cluster_state"] == "fail", 30, "it serves on, alone")
        assert mapped_to(cut, FIRST) == cut.port, "it knows of its successor: it is not cut off"
        eventually(lambda: written(client, key), 30, "a client stays with a node that is cut off")


@pytest.mark.slow
def test_a_node_that_hangs_holds_up_its_own_shards_alone(replicated: Cluster) -> None:
    hung, other = replicated.owner(FIRST), replicated.owner(LAST)
    mine, elsewhere = key_in(replicated, FIRST), key_in(replicated, LAST)
    with client_of(f"{replicated.url}?socket_timeout={HANGS_S}") as client:
        assert written(client, mine)
        assert written(client, elsewhere)
        hung.pause()
        try:
            waiting = _apart(lambda: written(client, mine))
            eventually(lambda: written(client, elsewhere) and mapped_to(other, FIRST) != hung.port, 45, "no failover")
            client.nodes.ask_again(client.nodes.shards())
            eventually(lambda: written(client, elsewhere), 30, "a node that hangs holds up another's shards")
            assert waiting.is_alive(), (
                "the other node's commands were waited for as long as those of the one that hangs"
            )
        finally:
            hung.resume()
        waiting.join(30)
        eventually(lambda: written(client, mine), 30, "what hung is not written to its successor")


def _apart(call: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread

"""A commit on a Cluster stands when the replicas of its node have it: what one node alone knew would be gone with it,
and its articles out of the outbox of another.

The slow one takes replicas away: `python -m pytest tests/fault/test_cluster_secured.py -m slow -s`, as `make soak` has
it. A machine that is cut off from the others is in test_hosts_servers.py.
"""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import pytest
from redis.crc import key_slot

from tests.cluster import Cluster, ask
from tests.fault.scene import BATCH, EARLIER, FEED, Desk, article, check_store
from tests.servers import LOOPBACK
from tests.waiting import eventually
from worker.connect import sending, task
from worker.connect.nodes import Nodes
from worker.errors import ServerUnavailable
from worker.store import keys

ENGLISH = key_slot(keys.counters("en").encode())
UNSECURED = "does not get what the primary at .* writes"


@pytest.fixture(scope="module")
def pair() -> Iterator[Cluster]:
    """A primary and its replica, which has heard of a write: without one no node would call it up. One that hangs is
    not given up before the test is over."""
    made = Cluster("valkey", 1, 1, (LOOPBACK,), **{"cluster-node-timeout": "60000"})
    ask(made.primaries[0], "SET", "a", "1")
    yield made
    made.close()


@pytest.fixture
def desk(pair: Cluster) -> Iterator[Desk]:
    pair.empty()
    made = Desk(pair.url)
    eventually(lambda: pair.replicated(pair.primaries[0]), 10, "the replica is not on the map")
    made.ingest.run(made.publish(*EARLIER))
    yield made
    made.close()


@contextmanager
def hanging(cluster: Cluster) -> Iterator[None]:
    """While the block lasts the replica hangs; it has everything afterwards."""
    cluster.replicas[0].pause()
    try:
        yield
    finally:
        cluster.replicas[0].resume()
    eventually(cluster.in_step, 10, "the replica does not come back")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "PATIENCE_S", 0.05)
    monkeypatch.setattr(task, "SECURED_S", 0.1)


def test_what_no_replica_has_stays_in_the_outbox_until_one_has_it(pair: Cluster, desk: Desk, impatient: None) -> None:
    refs = desk.publish(*BATCH)
    with hanging(pair):
        for _ in range(2):  # the second time the articles are in their stories, on a node that may be the only one
            with pytest.raises(ServerUnavailable, match=UNSECURED):
                desk.ingest.run(refs)
            assert desk.outbox.waiting(FEED) == len(refs)
    desk.ingest.run(refs)
    assert desk.outbox.waiting(FEED) == 0
    check_store(desk)
    assert desk.assigned() == {each.id: each.revision for each in (*EARLIER, *BATCH)}


def test_a_commit_that_is_there_already_is_waited_for_like_the_first_time(
    pair: Cluster, desk: Desk, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server waits for what this connection wrote: where the answer was lost, the commit comes over another one."""
    committing, sent = desk.commits._commit, dict[str, Any]()
    commit = committing.commit
    monkeypatch.setattr(committing, "commit", lambda **given: sent.update(given) or commit(**given))
    desk.ingest.run(desk.publish(*BATCH[:1]))
    with hanging(pair):
        other_connections(desk, pair)
        with pytest.raises(ServerUnavailable, match=UNSECURED):
            commit(**sent)
    assert commit(**sent) == 1


def test_nothing_is_published_that_only_one_node_lists(pair: Cluster, desk: Desk, impatient: None) -> None:
    """The outbox of a feed is on another node than the list of those to look into."""
    with hanging(pair):
        for _ in range(2):  # the second time it is listed
            with pytest.raises(ServerUnavailable, match=UNSECURED):
                desk.publish(*BATCH)
            other_connections(desk, pair)
    assert desk.outbox.waiting(FEED) == 0
    assert desk.publish(*BATCH)


def test_a_replica_that_is_given_a_copy_holds_nothing_up(
    pair: Cluster, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That takes minutes where a store is large, and one that is half copied does not take over."""
    monkeypatch.setattr(task, "SECURED_S", 0.1)
    primary = pair.primaries[0]
    refs = desk.publish(*BATCH)
    ask(primary, "CONFIG", "SET", "repl-diskless-sync-delay", 600)
    try:
        ask(primary, "DEBUG", "CHANGE-REPL-ID")
        ask(primary, "CLIENT", "KILL", "TYPE", "replica")
        eventually(lambda: "wait_bgsave" in _said(pair), 10, lambda: _said(pair))
        desk.ingest.run(refs)
        assert "wait_bgsave" in _said(pair), "it was copied before the commit"
        assert desk.outbox.waiting(FEED) == 0
    finally:
        ask(primary, "CONFIG", "SET", "repl-diskless-sync-delay", 0)
        eventually(pair.in_step, 20, "the replica is not copied")


def other_connections(desk: Desk, cluster: Cluster) -> None:
    """Have what comes sent over others than what was sent."""
    nodes: Nodes = desk.redis.nodes  # type: ignore[attr-defined]
    nodes.failed(("127.0.0.1", cluster.primaries[0].port))


def _said(cluster: Cluster) -> str:
    return str(ask(cluster.primaries[0], "INFO", "replication"))


NODE_TIMEOUT_S = 5.0
"""As docs/deploy has it."""
LONGEST_S = NODE_TIMEOUT_S + 8.0


@pytest.fixture
def spread() -> Iterator[Cluster]:
    """Three primaries, each with a replica: two of three have to agree that a node is gone."""
    made = Cluster("valkey", 3, 3, (LOOPBACK,), **{"cluster-node-timeout": f"{NODE_TIMEOUT_S * 1000:.0f}"})
    yield made
    made.close()


def longest_wait_s(desk: Desk, seconds: float) -> float:
    """Commit one article after the other for so long: the longest time between two that stood."""
    until = last = time.monotonic()
    until += seconds
    longest, number = 0.0, 0
    while (now := time.monotonic()) < until:
        longest = max(longest, now - last)
        with suppress(ServerUnavailable):
            desk.ingest.run(desk.publish(article(f"{last}-{number}", hour=1)))
            last, number = time.monotonic(), number + 1
    return max(longest, time.monotonic() - last)


@pytest.mark.slow
def test_a_replica_that_is_gone_holds_its_language_up_for_the_node_timeout(spread: Cluster) -> None:
    """It is waited for until the nodes agree that it is gone; when it comes back it is waited for again."""
    with closing(Desk(spread.url)) as desk:
        primary = spread.owner(ENGLISH)
        desk.ingest.run(desk.publish(*EARLIER))
        replica = next(node for node in spread.replicas if ask(node, "ROLE")[2] == primary.port)
        eventually(lambda: spread.replicated(primary), 10, "the replica is not on the map")
        waits: dict[str, float] = {"nothing": longest_wait_s(desk, 5)}
        for what, goes, comes in (("hangs", replica.pause, replica.resume), ("dies", replica.kill, replica.start)):
            goes()
            waits[what] = longest_wait_s(desk, 3 * NODE_TIMEOUT_S)
            assert not spread.replicated(primary)
            comes()
            waits[f"{what}, and comes back"] = longest_wait_s(desk, 10)
            spread.await_whole(within_s=30)
            eventually(lambda: spread.replicated(primary), 10, "the replica is not on the map again")
    print("\n  a replica: " + ", ".join(f"{what} {wait_s:.1f} s" for what, wait_s in waits.items()))  # noqa: T201
    assert waits["hangs"] > NODE_TIMEOUT_S / 2, "it was not waited for: the test shows nothing"
    assert max(waits.values()) < LONGEST_S
    assert waits["nothing"] < NODE_TIMEOUT_S / 2

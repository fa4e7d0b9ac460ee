"""What a person is told is done is with the replicas of a single server too, if it has any."""

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import NewServer
from tests.fault.scene import EARLIER, Desk
from tests.servers import Server, free_port
from tests.shapes import ask
from tests.waiting import eventually
from worker.cluster import pin
from worker.connect import Redis, connect, task
from worker.errors import ServerUnavailable
from worker.model import uid
from worker.store import keys
from worker.store.confirmed import Confirmed
from worker.store.feeds import Feeds
from worker.store.forgotten import Forgotten, of_article

UNSECURED = "a replica that does not get what the primary writes"
NOW = 1_750_000_000.0


@pytest.fixture
def pair(new_server: NewServer) -> tuple[Server, Server]:
    """A server and its replica."""
    primary = new_server(port=free_port(), **{"repl-diskless-sync-delay": "0"})
    replica = new_server()
    ask(replica, "REPLICAOF", "127.0.0.1", primary.port)
    eventually(lambda: "online" in str(ask(primary, "INFO", "replication")), 20, "the replica has no copy")
    return primary, replica


@pytest.fixture
def desk(pair: tuple[Server, Server]) -> Iterator[Desk]:
    made = Desk(pair[0].url(0))
    made.ingest.run(made.publish(*EARLIER))
    yield made
    made.close()


def test_what_a_person_says_is_done_when_the_replica_has_it(
    pair: tuple[Server, Server], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, replica = pair
    feeds, forgotten, at = Feeds(desk.redis), Forgotten(desk.redis), desk.clock.now()
    feed, _ = feeds.add("https://example.org/feed", "", NOW)
    said: dict[str, Callable[[], object]] = {
        "a feed is there already": lambda: feeds.add("https://example.org/feed", "", NOW),
        "it is paused": lambda: feeds.pause(feed),
        "it has a name": lambda: feeds.change(feed, title="Courier"),
        "it is removed": lambda: feeds.remove(feed),
        "an article is kept out": lambda: forgotten.add([of_article("a")], NOW),
        "an article is pinned": lambda: desk.commits.decide("en", lambda view: pin(view, uid("feed.a"), None, at)),
    }
    with monkeypatch.context() as patched:
        patched.setattr(task, "SECURED_S", 0.05)
        replica.pause()
        try:
            for what, call in said.items():
                with pytest.raises(ServerUnavailable, match=UNSECURED):
                    call()
                    pytest.fail(f"on one server alone: {what}")
            desk.ingest.run(desk.publish(*EARLIER))  # what comes again by itself waits for nobody
        finally:
            replica.resume()
    feeds.add("https://example.org/feed", "", NOW)
    with connect(replica.url(0)) as copy:
        assert copy.zscore(keys.schedule(), feed) == NOW


def test_a_server_alone_is_not_waited_for(redis: Redis) -> None:
    names = [keys.schedule(), keys.languages()]
    redis.zadd(names[0], {"a": 1.0})
    Confirmed(redis).wait(*names)
    assert redis.zscore(names[0], "a") == 1.0
    assert redis.ttl(names[0]) == -1
    assert not redis.exists(names[1])


def test_what_is_kept_for_a_time_is_kept_no_longer(redis: Redis) -> None:
    redis.set(keys.schema(), "a", ex=100)
    Confirmed(redis).wait(keys.schema())
    assert 90 < redis.ttl(keys.schema()) <= 100

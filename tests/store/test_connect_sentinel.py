"""Sentinels: the primary that they name is found, and what stands in the way of one is said with its remedy."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
import redis
import redis.exceptions as theirs

from tests.certified import HOST
from tests.servers import KINDS, LOOPBACK, Server, free_port
from tests.shapes import SERVICE, Sentinel, Sentinels, ask
from tests.store.test_connect import failure_of
from tests.waiting import eventually
from worker.connect import Redis, connect, connect_plain, identify, sentinel, translate
from worker.connect.sentinel import Sentinels as Asked
from worker.connect.several import several
from worker.connect.trouble import NoPrimary
from worker.errors import Permanent, ServerUnavailable


@pytest.fixture(scope="module", params=KINDS)
def sentinels(request: pytest.FixtureRequest) -> Iterator[Sentinels]:
    """A primary, a replica, three Sentinels; no test here leaves them otherwise."""
    with Sentinels(request.param) as made:
        yield made


@pytest.fixture
def client(sentinels: Sentinels) -> Iterator[Redis]:
    made = connect(sentinels.url)
    yield made
    made.close()


def through(*ports: int, service: str = SERVICE, options: str = "") -> str:
    """The address of Sentinels at these ports."""
    return f"redis+sentinel://{','.join(f'{HOST}:{port}' for port in ports)}/{service}/0{options}"


def test_the_primary_is_found(sentinels: Sentinels, client: Redis) -> None:
    """Commands, pipelines and scripts reach it, bytes come back, the database is that of the address."""
    script = client.register_script("return redis.call('SET', KEYS[1], ARGV[1])")
    assert script(keys=["found"], args=[b"\xff"]) == b"OK"
    pipeline = client.pipeline()
    pipeline.get("found")
    pipeline.strlen("found")
    assert pipeline.execute() == [b"\xff", 1]
    assert ask(sentinels.servers[0], "EXISTS", "found") == 1
    server = identify(client, client.url)
    assert (server.at, server.replicas) == (f"{HOST}:{sentinels.servers[0].port}", 1)
    assert str(server) == f"{server.kind} {server.version} at {server.at} with 1 replica"
    other = connect(sentinels.url[:-1] + "3")
    assert other.get("found") is None
    other.close()


def test_rq_is_given_the_same_and_waits_for_jobs_on_it(sentinels: Sentinels, client: Redis) -> None:
    """Its client raises redis-py's own errors; a BLMOVE outlives nothing being there, and is woken by what comes."""
    plain = connect_plain(sentinels.url)
    assert plain.execute_command("BLMOVE", "jobs", "taken", "LEFT", "RIGHT", 0.01) is None  # type: ignore[no-untyped-call]
    threading.Timer(0.05, lambda: client.rpush("jobs", b"1")).start()
    assert plain.blmove("jobs", "taken", 5) == b"1"
    listening = plain.pubsub()  # type: ignore[no-untyped-call]
    listening.subscribe("channel")
    assert (listening.get_message(timeout=5) or {})["type"] == "subscribe"
    client.publish("channel", b"said")
    assert (listening.get_message(timeout=5) or {})["data"] == b"said"
    listening.close()
    plain.close()


def test_a_service_that_nobody_knows_is_permanent_where_all_say_so(sentinels: Sentinels) -> None:
    """Where one of them is away, that one might know it."""
    ports = [each.port for each in sentinels.sentinels]
    error = failure_of(through(*ports, service="sport"))
    assert isinstance(error, Permanent)
    assert str(error) == (
        f"the server {through(*ports, service='sport')} has no primary: its Sentinel {HOST}:{ports[0]} (and 2 more) "
        "knows no service 'sport': correct the address, or its `sentinel monitor` (STORYWIRE_REDIS_URL)"
    )
    away = free_port()
    error = failure_of(through(away, ports[0], service="sport"))
    assert isinstance(error, ServerUnavailable)
    assert f"its Sentinel {HOST}:{away} refuses connections" in str(error)
    assert f"its Sentinel {HOST}:{ports[0]} knows no service 'sport'" in str(error)


def test_sentinels_that_are_away_are_passed_over(sentinels: Sentinels) -> None:
    """As long as one answers; whoever did is asked first from then on. None: unavailable, as that may pass."""
    away, there = free_port(), sentinels.sentinels[2].port
    found = several(through(away, there))
    assert found is not None
    asked = Asked(found)
    assert asked.discover_master(SERVICE) == (HOST, sentinels.servers[0].port)
    assert asked._hosts == ((HOST, there), (HOST, away))
    error = failure_of(through(away))
    assert isinstance(error, ServerUnavailable)
    assert f"has no primary: its Sentinel {HOST}:{away} refuses connections: start it" in str(error)


def test_a_server_in_the_place_of_a_sentinel_is_told(sentinels: Sentinels) -> None:
    error = failure_of(through(sentinels.servers[0].port))
    assert isinstance(error, Permanent)
    assert "is no Sentinel: give the place of one, mostly at port 26379" in str(error)


def test_sentinels_with_users_of_their_own(sentinels: Sentinels) -> None:
    """Their user and password are not the servers'; each thing that may be wrong with them has its remedy."""
    own = sentinels.sentinels[0]
    ask(own, "ACL", "SETUSER", "wire", "on", ">wo&rd", "&*", "+client", "+sentinel|master")
    ask(own, "ACL", "SETUSER", "mute", "on", ">word", "-@all", "+client")
    client = connect(through(own.port, options="?sentinel_username=wire&sentinel_password=wo%26rd"))
    assert client.ping()
    client.close()
    mute = failure_of(through(own.port, options="?sentinel_username=mute&sentinel_password=word"))
    assert "its ACL needs +sentinel|master" in str(mute)
    wrong = failure_of(through(own.port, options="?sentinel_username=wire&sentinel_password=hunter2"))
    assert "correct sentinel_username and sentinel_password" in str(wrong)
    assert "hunter2" not in str(wrong)
    ask(own, "ACL", "SETUSER", "default", "resetpass", ">secret")
    try:
        assert isinstance(missing := failure_of(through(own.port)), Permanent)
        assert "asks for a password: add ?sentinel_password= to the address" in str(missing)
        client = connect(through(own.port, options="?sentinel_password=secret"))
        assert client.ping()
        client.close()
    finally:
        with redis.Redis(unix_socket_path=str(own.socket), password="secret", protocol=2) as owner:
            owner.execute_command("ACL", "SETUSER", "default", "nopass")


def test_a_primary_that_lacks_replicas_takes_no_writes(sentinels: Sentinels, client: Redis) -> None:
    """As min-replicas-to-write has it: who was cut off from its replicas holds nobody's writes that would be lost."""
    primary = sentinels.servers[0]
    ask(primary, "CONFIG", "SET", "min-replicas-to-write", "2")
    with pytest.raises(ServerUnavailable, match="takes no writes while it lacks replicas"):
        client.set("a", b"2")
    ask(primary, "CONFIG", "SET", "min-replicas-to-write", "0")
    assert client.set("a", b"3")


def test_a_transaction_that_is_refused_for_lack_of_replicas_is_not_begun_again(sentinels: Sentinels) -> None:
    """redis-py and RQ begin one at once that fails for what it watches, for ever; the next command asks the Sentinels
    anew, and is tried again, as ever."""
    primary, begun = sentinels.servers[0], list[object]()
    with closing(connect_plain(sentinels.url)) as plain:

        def rewrite(pipe: redis.client.Pipeline) -> None:
            begun.append(pipe.get("watched"))
            assert len(begun) < 9, "it spins"
            pipe.multi()
            pipe.set("watched", b"2")

        plain.set("watched", b"1")
        ask(primary, "CONFIG", "SET", "min-replicas-to-write", "2")
        with pytest.raises(theirs.ResponseError, match="NOREPLICAS"):
            plain.transaction(rewrite, "watched")
        with pytest.raises(theirs.ConnectionError, match="NOREPLICAS"):
            plain.set("watched", b"3")
        ask(primary, "CONFIG", "SET", "min-replicas-to-write", "0")
        assert plain.transaction(rewrite, "watched") == [True]
        assert (begun, plain.get("watched")) == ([b"1", b"1"], b"2")
        ask(primary, "CONFIG", "SET", "min-replicas-to-write", "2")
        with pytest.raises(theirs.ConnectionError, match="NOREPLICAS"):
            plain.set("watched", b"3")  # by the connection whose transaction is over
        ask(primary, "CONFIG", "SET", "min-replicas-to-write", "0")


def test_a_primary_that_was_cut_off_with_its_sentinel_is_left_for_the_one_of_the_newest_failover() -> None:
    """Its Sentinel names it still, and is asked first; the other has heard of a failover to another server."""
    with ExitStack() as ending:
        cut, other = (ending.enter_context(closing(Server(port=free_port()))) for _ in range(2))
        asked = []
        for server, epoch in ((cut, 0), (other, 1)):
            about = f"sentinel monitor {SERVICE} {HOST} {server.port} 1", f"sentinel config-epoch {SERVICE} {epoch}"
            asked.append(ending.enter_context(closing(Sentinel("valkey", free_port(), list(about), LOOPBACK))))
        url = through(*(each.port for each in asked))
        client, plain = (ending.enter_context(closing(each(url))) for each in (connect, connect_plain))
        asked[0].start()
        assert client.set("a", b"1")
        assert plain.set("b", b"1")
        asked[1].start()
        ask(cut, "CONFIG", "SET", "min-replicas-to-write", "1")
        assert client.set("a", b"2")
        assert plain.set("b", b"2")
        assert (ask(cut, "MGET", "a", "b"), ask(other, "MGET", "a", "b")) == (["1", "1"], ["2", "2"])
        with closing(connect(url)) as later:
            assert later.get("a") == b"2", "who comes now reads what is over"


def test_a_primary_that_gives_no_answer_is_left_for_the_one_that_is_named_next() -> None:
    """As when its host is gone without a word: what was sent there is waited for once, and no connection is kept."""
    with ExitStack() as ending:
        gone, other = (ending.enter_context(closing(Server(port=free_port()))) for _ in range(2))
        about = [f"sentinel monitor {SERVICE} {HOST} {gone.port} 1"]
        asked = ending.enter_context(closing(Sentinel("valkey", free_port(), about, LOOPBACK)))
        asked.start()
        url = through(asked.port, options="?socket_timeout=1")
        client, plain = (ending.enter_context(closing(each(url))) for each in (connect, connect_plain))
        assert client.set("a", b"1")
        assert plain.set("b", b"1")
        gone.pause()
        ask(asked, "SENTINEL", "REMOVE", SERVICE)
        ask(asked, "SENTINEL", "MONITOR", SERVICE, HOST, other.port, 1)
        with pytest.raises(ServerUnavailable, match="does not answer in time"):
            client.set("a", b"2")
        with pytest.raises(theirs.TimeoutError):
            plain.set("b", b"2")
        assert client.set("a", b"3")
        assert plain.set("b", b"3")
        assert ask(other, "MGET", "a", "b") == ["3", "3"]


def test_sentinels_that_hang_are_passed_over_and_asked_last_then(sentinels: Sentinels) -> None:
    """The others are asked instead; where all hang, that is said."""
    hanging, there = sentinels.sentinels[:2]
    found = several(through(hanging.port, there.port, options="?socket_timeout=0.2"))
    assert found is not None
    asked = Asked(found)
    hanging.pause()
    try:
        assert asked.discover_master(SERVICE) == (HOST, sentinels.servers[0].port)
        assert asked._hosts == ((HOST, there.port), (HOST, hanging.port))
        error = failure_of(through(hanging.port, options="?socket_timeout=0.2"))
        assert isinstance(error, ServerUnavailable)
        assert f"its Sentinel {HOST}:{hanging.port} does not answer in time" in str(error)
    finally:
        hanging.resume()


def test_many_sentinels_are_not_asked_for_longer_than_three_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not asked in time is asked first by the next question, and may know a service that others do not."""
    monkeypatch.setattr(sentinel, "_ASK_ALL_S", 0.0)
    found = several(through(*(free_port() for _ in range(3)), service="sport"))
    assert found is not None
    asked = Asked(found)
    one, two, three = asked._hosts
    with pytest.raises(NoPrimary) as caught:
        asked.discover_master("sport")
    assert caught.value.kind is ServerUnavailable
    assert asked._hosts == (two, three, one)


@pytest.mark.parametrize("kind", KINDS)
def test_while_there_is_no_primary_it_is_said(kind: str) -> None:
    """A primary that has become a replica refuses who is connected still; then it is down, and nobody takes over."""
    with Sentinels(kind, replicas=0, down_after_ms=200) as alone, closing(connect(alone.url)) as client:
        assert str(identify(client, alone.url)).endswith("without a replica that could take over")
        assert client.set("a", b"1")
        ask(alone.servers[0], "REPLICAOF", HOST, free_port())
        with pytest.raises(ServerUnavailable, match="has become a replica: a failover is under way"):
            client.set("a", b"2")
        alone.servers[0].kill()
        eventually(lambda: "says that it is down: a failover takes some seconds" in _said(client), 10)
        with closing(connect_plain(alone.url)) as plain:
            with pytest.raises(theirs.ConnectionError, match="says that it is down") as caught:
                plain.ping()
            assert isinstance(translate(caught.value, alone.url), ServerUnavailable)


def _said(client: Redis) -> str:
    with pytest.raises(ServerUnavailable) as caught:
        client.ping()
    return str(caught.value)

"""The clients: what a server's trouble looks like to the code and to the user, and that no password is ever shown."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import redis.exceptions as theirs

from tests.conftest import NewServer
from tests.servers import KINDS, Server, free_port
from tests.waiting import eventually
from worker.connect import Redis, check_url, connect, connect_plain, identify, server_name, translated
from worker.errors import BadSetting, Permanent, ServerUnavailable, StorywireError


@contextmanager
def client_of(url: str) -> Iterator[Redis]:
    client = connect(url)
    try:
        yield client
    finally:
        client.close()


def failure_of(url: str, call: Callable[[Redis], object] = lambda client: client.get("a")) -> StorywireError:
    with client_of(url) as client, pytest.raises(StorywireError) as caught:
        call(client)
    assert "\n" not in str(caught.value)
    return caught.value


def write_in_pipeline(client: Redis, transaction: bool) -> list[object]:
    pipeline = client.pipeline(transaction)
    pipeline.get("a")
    pipeline.set("b", b"1")
    return pipeline.execute()


@contextmanager
def answering(reply: bytes) -> Iterator[int]:
    """A TCP server on loopback that answers everything with the same bytes; yields its port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while self.request.recv(4096):
                self.request.sendall(reply)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join(5)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "'' is no address of a Redis server"),
        ("localhost:6379", "localhost:6379 is no address of a Redis server"),
        ("http://localhost:6379", "http://localhost:6379 is no address of a Redis server"),
        ("redis://localhost:99999", "is no address"),
        ("redis://localhost:port", "is no address"),
        ("redis://[::1", "is no address"),
        ("redis://localhost/stories", "has a database that is no number"),
        ("redis://localhost/0?db=one", "is no address"),
        ("redis://localhost/0?decode_responses=yes", "unknown option, 'decode_responses'"),
        ("redis://localhost/0?socket_timeout=soon", "is no address"),
        ("unix://socket", "needs the whole path of a socket"),
        ("unix://", "needs the whole path of a socket"),
        ("redis://local\nhost", "is no address"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_before_anything_is_sent(url: str, said: str) -> None:
    """The line names the setting, the address, what is wrong with it, and what to write."""
    with pytest.raises(BadSetting) as caught:
        connect(url)
    line = str(caught.value)
    assert line.startswith("STORYWIRE_REDIS_URL: ")
    assert said in line
    assert "redis://HOST:PORT/DATABASE" in line
    assert "\n" not in line


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://localhost:6379/3",
        "redis://:p%40ss@localhost/0?socket_timeout=2.5",
        "redis://[::1]:6379/0",
        "rediss://user:word@example.org:6380/0?ssl_check_hostname=no",
        "unix:///run/redis/redis.sock?db=2",
    ],
)
def test_every_usual_address_is_taken(url: str) -> None:
    """What redis-py documents as an address makes a client of either kind."""
    assert check_url(url) == url
    connect(url).close()
    connect_plain(url).close()


@pytest.mark.parametrize(
    "url",
    [
        "redis://:hunter2@127.0.0.1:1/0",
        "redis://me:hunter2@127.0.0.1:1/0",
        "unix:///nowhere/sock?password=hunter2",
        "redis://127.0.0.1:1/0?password=hunter2&db=0",
        "redis://me:hunter2@127.0.0.1:1/0?nonsense=1",
        "redis://me:hun/ter2@127.0.0.1:1/0",
        "redis://me:hunter2?hunter2@127.0.0.1:1/0",
        "redis://127.0.0.1:1/0?password=hunter2@hunter2",
        "me:hunter2@127.0.0.1",
        "http://me:hunter2@127.0.0.1",
    ],
)
def test_no_password_is_shown(url: str) -> None:
    """Neither the name of a server nor any error's text holds what stands before an @ or after a ?."""
    assert "ter2" not in server_name(url)
    with pytest.raises(StorywireError) as caught:
        connect(url).get("a")
    assert "ter2" not in str(caught.value)


def test_a_server_that_is_down_is_unavailable() -> None:
    """A refused port, a socket that is not there, an unknown host: try again later, and quickly known."""
    port = free_port()
    refused = failure_of(f"redis://127.0.0.1:{port}/0")
    assert isinstance(refused, ServerUnavailable)
    assert str(refused) == (
        f"the server redis://127.0.0.1:{port}/0 refuses connections: start it, or correct the address "
        "(STORYWIRE_REDIS_URL)"
    )
    missing = failure_of("unix:///nowhere/redis.sock")
    assert isinstance(missing, ServerUnavailable)
    assert "unix:///nowhere/redis.sock is not there" in str(missing)
    assert isinstance(failure_of("redis://nohost.invalid:6379/0"), ServerUnavailable)
    gone = failure_of("unix:///nowhere/storywire.sock")
    assert "the embedded server is gone" in str(gone)


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_server_is_unavailable_to_writers_only(new_server: NewServer, kind: str) -> None:
    """With maxmemory reached, commands, pipelines, transactions and scripts say so; reading goes on."""
    server = new_server(kind)
    with client_of(server.url()) as client:
        client.set("a", b"1")
        client.config_set("maxmemory", "1")
        script = client.register_script("return redis.call('SET', KEYS[1], ARGV[1])")
        calls: list[Callable[[], object]] = [
            lambda: client.set("b", b"1"),
            lambda: write_in_pipeline(client, transaction=False),
            lambda: write_in_pipeline(client, transaction=True),
            lambda: script(keys=["b"], args=[b"1"]),
        ]
        for call in calls:
            with pytest.raises(ServerUnavailable, match=r"is full \(maxmemory is reached\)"):
                call()
        assert client.get("a") == b"1"


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_cannot_write_its_disk_is_unavailable(new_server: NewServer, kind: str) -> None:
    """MISCONF, here of a snapshot that cannot be renamed into place, names the disk."""
    server = new_server(kind)
    (server.folder / "dump.rdb" / "in the way").mkdir(parents=True)
    with client_of(server.url(0)) as client:
        client.config_set("save", "3600 1")
        client.set("a", b"1")
        client.bgsave()
        eventually(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", 10, "the snapshot fails")
        with pytest.raises(ServerUnavailable, match="cannot write to its disk"):
            client.set("b", b"1")
        with pytest.raises(ServerUnavailable, match="cannot write to its disk"):
            write_in_pipeline(client, transaction=True)


def test_a_server_that_hangs_is_unavailable_in_time(new_server: NewServer) -> None:
    """A stopped process holds nobody longer than the timeout, and is not asked again and again."""
    server = new_server()
    with client_of(server.url() + "&socket_timeout=0.2") as client:
        client.ping()
        server.pause()
        with pytest.raises(ServerUnavailable, match="does not answer in time"):
            client.get("a")
        server.resume()
        assert client.get("a") is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_password_that_is_missing_or_wrong_is_permanent(new_server: NewServer, kind: str) -> None:
    """Trying again cannot help, so nothing is retried; the remedy is to write it into the address."""
    server = new_server(kind, port=free_port())
    with client_of(server.url(0)) as client:
        client.config_set("requirepass", "right")
    assert isinstance(missing := failure_of(server.tcp_url), Permanent)
    assert "asks for a password" in str(missing)
    assert isinstance(wrong := failure_of(server.tcp_url.replace("://", "://:hunter2@")), Permanent)
    assert "refuses this user and password" in str(wrong)
    assert "hunter2" not in str(wrong)
    with client_of(server.tcp_url.replace("://", "://:right@")) as client:
        assert client.get("a") is None


def test_what_a_user_may_not_do_is_permanent(new_server: NewServer) -> None:
    """A narrow ACL is the administrator's to widen."""
    server = new_server()
    with client_of(server.url(0)) as client:
        client.execute_command("ACL", "SETUSER", "narrow", "on", ">word", "+get", "+select", "~*")
    error = failure_of(f"unix://narrow@{server.socket}?password=word", lambda client: client.set("a", b"1"))
    assert isinstance(error, Permanent)
    assert "widen its ACL" in str(error)


def test_a_database_that_the_server_lacks_is_permanent(new_server: NewServer) -> None:
    """The number of databases is fixed when a server starts."""
    error = failure_of(f"unix://{new_server().socket}?db=65000")
    assert isinstance(error, Permanent)
    assert "no database of this number" in str(error)


def test_what_is_no_redis_server_is_permanent() -> None:
    """A web server's port, or TLS asked of a server that has none, is a wrong address."""
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        plain = failure_of(f"redis://127.0.0.1:{port}/0")
        assert isinstance(plain, Permanent)
        assert "does not speak the Redis protocol" in str(plain)
        assert isinstance(failure_of(f"rediss://127.0.0.1:{port}/0"), Permanent)


def test_what_a_script_object_or_a_bug_needs_to_see_passes(redis_url: str) -> None:
    """NOSCRIPT is handled by the script object, in pipelines too; WRONGTYPE is a bug, and is seen as it is."""
    with client_of(redis_url) as client:
        script = client.register_script("return {KEYS[1], ARGV[1]}")
        client.script_flush()
        assert script(keys=["k"], args=[b"\xff\x00"]) == [b"k", b"\xff\x00"]
        client.script_flush()
        pipeline = client.pipeline()
        script(keys=["k"], args=[b"v"], client=pipeline)
        assert pipeline.execute() == [[b"k", b"v"]]
        with pytest.raises(theirs.NoScriptError):
            client.evalsha("0" * 40, 0)
        client.set("text", b"1")
        with pytest.raises(theirs.ResponseError, match="WRONGTYPE"):
            client.lpush("text", b"2")


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_came_back_is_used_again(new_server: NewServer, kind: str) -> None:
    """A client outlives a restart: its broken connection is replaced without an error, its script loaded again."""
    server = new_server(kind)
    with client_of(server.url(0)) as client:
        script = client.register_script("return redis.call('INCR', KEYS[1])")
        assert script(keys=["n"]) == 1
        server.kill()
        with pytest.raises(ServerUnavailable):
            script(keys=["n"])
        server.start()
        assert script(keys=["n"]) == 1
        server.kill()
        server.start()
        assert write_in_pipeline(client, transaction=True) == [None, True]


def test_one_client_serves_many_threads(redis_url: str) -> None:
    """Commands and pipelines of eight threads on one client never mix their answers."""
    with client_of(redis_url) as client:

        def count(thread: int) -> None:
            for number in range(100):
                assert client.hset(f"h{thread}", str(number), number) == 1
                pipeline = client.pipeline()
                pipeline.incr("n")
                pipeline.hget(f"h{thread}", str(number))
                assert pipeline.execute()[1] == str(number).encode()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(count, range(8)))
        assert client.get("n") == b"800"


def test_bytes_go_in_and_come_out(redis_url: str) -> None:
    """Values that are no UTF-8 survive, keys come back as bytes."""
    with client_of(redis_url) as client:
        client.hset("h", mapping={b"\xff": bytes(range(256))})
        assert client.hgetall("h") == {b"\xff": bytes(range(256))}
        client.zadd("z", {b"\xfe": 1.5})
        assert client.zrange("z", 0, -1, withscores=True) == [(b"\xfe", 1.5)]


def test_the_plain_client_raises_what_rq_expects(new_server: NewServer) -> None:
    """RQ handles redis-py's own errors; `translated` makes ours of them where RQ's are shown to a user."""
    url = f"redis://127.0.0.1:{free_port()}/0"
    client = connect_plain(url)
    with pytest.raises(theirs.ConnectionError):
        client.ping()
    with (
        pytest.raises(ServerUnavailable, match=r"refuses connections.*\(STORYWIRE_QUEUE_URL\)"),
        translated(url, "STORYWIRE_QUEUE_URL"),
    ):
        client.ping()
    client.close()


@pytest.mark.parametrize(("kind", "name"), [("valkey", "Valkey"), ("redis", "Redis")])
def test_a_server_says_what_it_is(new_server: NewServer, kind: str, name: str) -> None:
    """Kind, version, persistence and memory, as `storywire check` shows them."""
    server: Server = new_server(kind, persistent=True, maxmemory="50mb")
    with client_of(server.url()) as client:
        found = identify(client, client.url)
    assert found.kind == name
    assert int(found.version.split(".")[0]) >= 7
    assert found.persistent
    assert 0 < found.used_memory < found.max_memory == 50 * 2**20


def test_a_server_that_is_too_old_is_permanent() -> None:
    """Redis 6.2 lacks what the scripts rely on; the line says which versions do."""
    said = b"redis_version:6.2.14\r\nused_memory:1000\r\n"
    with (
        answering(b"$%d\r\n%s\r\n" % (len(said), said)) as port,
        client_of(f"redis://127.0.0.1:{port}/0") as client,
        pytest.raises(Permanent, match=r"is Redis 6\.2\.14: Storywire needs Redis 7\.0 or Valkey 7\.2"),
    ):
        identify(client, client.url)

"""TLS with ACL users, client certificates, a Unix socket with a password: what works, and what is said where not."""

from collections.abc import Iterator

import pytest

from tests.certified import TlsServer
from tests.conftest import NewServer
from tests.servers import KINDS
from tests.shapes import ask
from tests.store.test_connect import client_of, failure_of
from worker.connect import connect, connect_plain, identify
from worker.errors import BadSetting, Permanent, ServerUnavailable


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[TlsServer]:
    """One that wants users, and lets the narrow one do little."""
    with TlsServer(request.param) as made:
        ask(made.server, "ACL", "SETUSER", "news", "on", ">w/o@r,d", "~sw:*", "&*", "+@all")
        ask(made.server, "ACL", "SETUSER", "narrow", "on", ">word", "~sw:*", "+get", "+select")
        ask(made.server, "ACL", "SETUSER", "default", "resetpass")
        yield made


NEWS = "news:w%2Fo%40r,d@"


def test_a_user_works_over_tls(server: TlsServer) -> None:
    """Commands, pipelines, scripts and RQ's client; the password has what addresses are made of, escaped."""
    with client_of(server.url(NEWS)) as client:
        script = client.register_script("return redis.call('SET', KEYS[1], ARGV[1])")
        assert script(keys=["sw:a"], args=[b"1"]) == b"OK"
        pipeline = client.pipeline(transaction=False)
        pipeline.get("sw:a")
        pipeline.set("sw:b", b"\xff" * 100_000)
        assert pipeline.execute() == [b"1", True]
        assert client.get("sw:b") == b"\xff" * 100_000
        assert identify(client, client.url).kind in ("Redis", "Valkey")
    plain = connect_plain(server.url(NEWS))
    assert plain.get("sw:a") == b"1"
    plain.close()


def test_what_a_user_may_not_is_said_over_tls(server: TlsServer) -> None:
    """Without a user, with a wrong password, a command and a key outside of the ACL: each for good, in one line."""
    for user, said in (
        ("", "asks for a password"),
        ("news:hunter2@", "refuses this user and password"),
        ("nobody:hunter2@", "refuses this user and password"),
    ):
        error = failure_of(server.url(user))
        assert isinstance(error, Permanent)
        assert said in str(error)
        assert "hunter2" not in str(error)
    assert "widen its ACL" in str(failure_of(server.url("narrow:word@"), lambda client: client.set("sw:a", b"1")))
    assert "widen its ACL" in str(failure_of(server.url(NEWS), lambda client: client.get("other")))


def test_a_certificate_that_is_not_trusted_ends_it(server: TlsServer) -> None:
    """Of an unknown issuer, or with no issuer given; unless the address says that nothing is to be checked."""
    for url in (server.url(NEWS, ca="stranger.pem"), server.url(NEWS).partition("?")[0]):
        error = failure_of(url)
        assert isinstance(error, Permanent)
        assert "is not trusted: set ssl_ca_certs" in str(error)
    unchecked = server.url(NEWS, ca="stranger.pem", options="&ssl_cert_reqs=none")
    with client_of(unchecked) as client:
        assert client.ping()


def test_tls_where_there_is_none_and_none_where_there_is(server: TlsServer) -> None:
    """The plain protocol at a port that speaks TLS: the server hangs up, which passes where it was its restart."""
    error = failure_of(f"redis://127.0.0.1:{server.port}/0")
    assert isinstance(error, ServerUnavailable)
    assert "it may want TLS (rediss://)" in str(error)


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_is_shown_to_a_server_that_asks_for_one(kind: str) -> None:
    """mTLS; without a certificate the line says so, or that the server hung up before it could."""
    with TlsServer(kind, demanding=True) as server:
        with client_of(server.url(options=server.certificate)) as client:
            assert client.ping()
        assert "ssl_certfile" in str(failure_of(server.url()))


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_of_another_name_ends_it(kind: str) -> None:
    with TlsServer(kind, name="other.example") as server:
        error = failure_of(server.url())
        assert isinstance(error, Permanent)
        assert "a certificate of another name" in str(error)
        with client_of(server.url(options="&ssl_check_hostname=no")) as client:
            assert client.ping()


def test_files_that_are_no_certificates_are_refused_before_a_connection_is_made(server: TlsServer) -> None:
    """A file that is missing, one with nothing in it, a key that is another certificate's, ciphers nobody knows."""
    folder = server.folder
    (folder / "text.pem").write_text("hello")
    for url, said in (
        (server.url(ca="none.pem"), "its ssl_ca_certs: No such file"),
        (server.url(ca="client.key"), "its ssl_ca_certs: there is no certificate"),
        (server.url(ca="text.pem"), "its ssl_ca_certs: there is no certificate"),
        (server.url(options=f"&ssl_certfile={folder}/ca.pem&ssl_keyfile={folder}/client.key"), "the key is not the"),
        (server.url(options=f"&ssl_certfile={folder}/ca.pem&ssl_keyfile={folder}/text.pem"), "read as PEM"),
        (server.url(options="&ssl_ciphers=ROT13"), "nobody knows these ciphers"),
    ):
        with pytest.raises(BadSetting) as caught:
            connect(url)
        assert said in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_socket_takes_a_password_too(new_server: NewServer, kind: str) -> None:
    """Of the default user and of another, before the path and behind it."""
    server = new_server(kind)
    ask(server, "ACL", "SETUSER", "news", "on", ">wo:rd", "~*", "+@all")
    ask(server, "CONFIG", "SET", "requirepass", "se/cret")
    for url in (
        f"unix://news:wo%3Ard@{server.socket}?db=1",
        f"unix://news@{server.socket}?password=wo:rd",
        f"unix://:se%2Fcret@{server.socket}",
        f"unix://{server.socket}?db=1&password=se/cret",
        f"unix://{server.socket}?username=news&password=wo:rd",
    ):
        with client_of(url) as client:
            assert client.ping(), url
    assert "asks for a password" in str(failure_of(f"unix://{server.socket}"))
    assert "refuses this user" in str(failure_of(f"unix://news:hunter2@{server.socket}"))

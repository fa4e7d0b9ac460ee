"""Sockets that listen: where they were asked to, near it where nobody asked, and how their addresses are told."""

import os
import socket
from collections.abc import Iterator

import pytest

from worker.errors import Permanent
from worker.listening import inherited, listen, place_of, url_of


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    """A port of loopback on which somebody listens."""
    with listen("127.0.0.1:0") as listening:
        yield listening


def test_a_port_that_is_taken_is_refused_with_the_remedy(taken: socket.socket) -> None:
    with pytest.raises(Permanent, match=r"STORYWIRE_LISTEN=127\.0\.0\.1:\d+: address already in use: give another"):
        listen(place_of(taken))


def test_where_nobody_asked_for_it_another_port_is_taken(taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    with listen(place_of(taken), near=True) as other, listen(place_of(taken), near=True) as third:
        ports = {each.getsockname()[1] for each in (other, third)}
        assert len(ports) == 2 and port not in ports


def test_the_next_port_that_is_free_is_the_one() -> None:
    """A bookmark is right on most days."""
    with listen("127.0.0.1:0") as first:
        port = first.getsockname()[1]
    if port > 65_000:
        pytest.skip("no room above it")
    with listen(f"127.0.0.1:{port}", near=True) as again:
        assert again.getsockname()[1] == port
        with listen(f"127.0.0.1:{port}", near=True) as following:
            assert port < following.getsockname()[1] < port + 20


def test_an_address_that_is_not_this_machines_is_refused_near_or_not() -> None:
    for near in (False, True):
        with pytest.raises(Permanent, match=r"192\.0\.2\.1"):
            listen("192.0.2.1:8080", near=near)


def test_a_socket_is_taken_over_by_its_number(taken: socket.socket) -> None:
    with inherited(os.dup(taken.fileno())) as ours:
        assert place_of(ours) == place_of(taken)
        with socket.create_connection(taken.getsockname(), timeout=5):
            pass


def test_what_is_no_socket_that_listens_is_no_place_to_serve(taken: socket.socket) -> None:
    with socket.socket() as mute:
        for fd in (mute.fileno(), 9_999):
            with pytest.raises(Permanent, match=rf"--fd {fd}: no socket listens there"):
                inherited(fd)
        assert mute.fileno() >= 0, "it is its owner's still"
    assert taken.fileno() >= 0


@pytest.mark.parametrize(
    ("place", "url"),
    [("127.0.0.1:0", "http://127.0.0.1:{}/"), ("0.0.0.0:0", "http://127.0.0.1:{}/"), ("[::1]:0", "http://[::1]:{}/")],
)
def test_a_browser_on_this_machine_can_open_what_is_told(place: str, url: str) -> None:
    with listen(place) as listening:
        port = listening.getsockname()[1]
        assert place_of(listening) == place.replace(":0", f":{port}") if place != "0.0.0.0:0" else True
        assert url_of(listening) == url.format(port)

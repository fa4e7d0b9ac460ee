"""What a process says to systemd, word for word, on a real datagram socket; it never waits for it, nor fails of it."""

import os
import socket
from contextlib import closing
from pathlib import Path

import pytest

from tests.deploy.listener import Listener
from worker.watchdog import Watchdog


class _Seconds:
    """A clock that only goes forward when it is told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.mark.parametrize("address", ["{}/notify", "@storywire-test-{}"], ids=["path", "abstract"])
def test_it_says_ready_then_lives_as_often_as_is_due_then_ends_once(address: str, tmp_path: Path) -> None:
    clock = _Seconds()
    with closing(Listener(address.format(tmp_path))) as listener:
        watchdog = Watchdog({"NOTIFY_SOCKET": listener.address, "WATCHDOG_USEC": "8000000"}, now=clock)
        watchdog.turn("Polling")
        first = listener.next()
        assert first == (os.getpid(), {"READY": "1", "WATCHDOG": "1", "STATUS": "Polling"})
        watchdog.turn("Polling")
        clock.now_s += 1.9
        watchdog.turn("Polling")
        assert listener.next() is None, "a sign of life before a quarter of the limit is over"
        clock.now_s += 0.2
        watchdog.turn("Waiting\nREADY=0 for the server")
        told = listener.next()
        assert told is not None
        assert told.lines == {"WATCHDOG": "1", "STATUS": "Waiting READY=0 for the server"}
        watchdog.end()
        watchdog.end()
        clock.now_s += 60
        watchdog.turn("Polling")
        last = listener.next()
        assert last is not None
        assert last.lines["STOPPING"] == "1"
        assert listener.next() is None, "something was said after the end"


@pytest.mark.parametrize(
    ("given", "beats"),
    [
        ({}, False),
        ({"WATCHDOG_USEC": "0"}, False),
        ({"WATCHDOG_USEC": "soon"}, False),
        ({"WATCHDOG_USEC": "8000000", "WATCHDOG_PID": "1"}, False),
        ({"WATCHDOG_USEC": "8000000", "WATCHDOG_PID": str(os.getpid())}, True),
    ],
)
def test_signs_of_life_are_for_who_is_watched(given: dict[str, str], beats: bool, tmp_path: Path) -> None:
    """All say that they are ready; where nobody watches, or another process is meant, there is no sign of life."""
    with closing(Listener(f"{tmp_path}/notify")) as listener:
        Watchdog({"NOTIFY_SOCKET": listener.address, **given}).turn()
        said = listener.next()
    assert said is not None
    assert said.lines == {"READY": "1", "WATCHDOG": "1"} if beats else {"READY": "1"}


@pytest.mark.parametrize("address", ["", "/nowhere/notify", "@nobody-listens-here", "vsock:2:1", "notify"])
def test_nobody_who_listens_is_nothing_to_fail_of(address: str) -> None:
    watchdog = Watchdog({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000"})
    for _ in range(3):
        watchdog.turn("Polling")
    watchdog.end()


def test_ready_is_said_again_until_it_is_heard(tmp_path: Path) -> None:
    """A listener that is busy, its queue full, is not waited for; what it could not take comes with a later turn."""
    with closing(Listener(f"{tmp_path}/notify")) as listener, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        with pytest.raises(BlockingIOError):
            while True:
                other.sendto(b"NOISE=1", socket.MSG_DONTWAIT, listener.address)
        watchdog = Watchdog({"NOTIFY_SOCKET": listener.address})
        watchdog.turn()
        listener.drain()
        watchdog.turn()
        said = listener.next()
    assert said is not None
    assert said.lines == {"READY": "1"}

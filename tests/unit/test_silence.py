"""Children that run and are not heard of are ended; others never are."""

import socket
from typing import cast

import pytest

from worker.supervisor.child import Child
from worker.supervisor.silence import SILENT_S, START_S, Silence, pids_here


class Fake:
    """What `Silence` sees of a child."""

    def __init__(self, pid: int | None) -> None:
        self.name, self.pid, self.struck = "worker", pid, list[int]()

    def strike(self, pid: int) -> None:
        self.struck.append(pid)


class Watched:
    """A child, and the clock that it is watched by."""

    def __init__(self, pid: int | None = 7) -> None:
        self.child, self.time = Fake(pid), 0.0
        self.silence = Silence([cast(Child, self.child)], now=lambda: self.time)

    def after(self, seconds: float, *heard: int) -> list[int]:
        """What was ended by a look so much later."""
        self.time += seconds
        self.silence.look(heard)
        return self.child.struck


def test_a_child_that_was_heard_of_and_is_silent_now_is_ended() -> None:
    watched = Watched()
    assert watched.after(0, 7) == watched.after(SILENT_S - 1) == []
    assert watched.after(2) == [7]


def test_a_new_child_has_time_to_start() -> None:
    watched = Watched()
    assert watched.after(0) == watched.after(START_S - 1) == []
    assert watched.after(2) == [7]


def test_a_child_that_was_started_again_begins_anew() -> None:
    watched = Watched()
    watched.after(0, 7)
    watched.child.pid = 8
    assert watched.after(SILENT_S + 1) == watched.after(START_S - 1) == []


def test_what_is_heard_of_or_has_ended_is_left_alone() -> None:
    watched, ended = Watched(), Watched(None)
    for _ in range(100):
        assert watched.after(10, 7, 9) == ended.after(10) == []


def test_a_server_that_was_away_says_nothing_about_children() -> None:
    watched = Watched()
    watched.after(0, 7)
    watched.silence.start_anew()
    assert watched.after(START_S) == []


@pytest.mark.parametrize("prefix", ["", "rq:worker:"])
def test_only_processes_of_this_host_count(prefix: str) -> None:
    here = socket.gethostname()
    assert pids_here([f"{prefix}{here}.12.ab", f"{prefix}other.host.13.cd"]) == {12}

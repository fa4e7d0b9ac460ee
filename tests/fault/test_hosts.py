"""Hosts that lose each other: a link cut in silence under load, packets lost, a host gone from one moment to the next.

Each ends with nothing missing, nothing twice, and work that went on. The minute-long ones:
`python -m pytest tests/fault/test_hosts.py -m slow -s`, as `make soak` does.
"""

import time
from pathlib import Path

import pytest

from tests.fault.held import assert_held
from tests.fault.scattered import WORKERS, Scattered, scattered
from tests.hosts import Network
from tests.waiting import eventually

RATE = 10
CUT_S = 60.0
RECOVERY_S = 45.0
FAILS_S = 15.0


def recovered(scene: Scattered, since: float, within_s: float = 4 * RECOVERY_S) -> float:
    """Seconds since that moment until all that was shown is in stories."""
    eventually(
        lambda: scene.whole,
        within_s,
        lambda: f"{scene.stored} of {scene.wire.shown} in stories, {scene.runtime.outbox.depth()} wait: {scene.said()}",
    )
    return time.monotonic() - since


def unsent(scene: Scattered, name: str) -> int:
    """Bytes that a host has still to bring to the server, on connections that its processes have closed included."""
    rows = scene.network[name].run("ss", "-Htn", "dst", scene.network["server"].address).splitlines()
    return sum(int(row.split()[2]) for row in rows)


def test_a_host_that_does_not_end_leaves_none_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="it does not end"), Network("a", "b") as network:
        namespaces = [Path("/run/netns", host.namespace) for host in network.hosts.values()]
        assert all(path.exists() for path in namespaces)
        monkeypatch.setattr(network["a"], "end", _fails)
    assert not any(path.exists() for path in namespaces)


def _fails(*_: object) -> None:
    raise RuntimeError("it does not end")


def test_a_network_that_cannot_be_made_fails_where_it_must_not_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with Network():
        pass  # or this machine makes none at all
    monkeypatch.setenv("CI", "1")
    with pytest.raises(pytest.fail.Exception, match="could not be made"), Network("no/name"):
        pass


def test_a_worker_and_a_server_that_hear_nothing_of_each_other_lose_nothing(data_dir: Path) -> None:
    """The short form of the partitions below: silence until a word of the worker is lost in it."""
    data_dir.mkdir()
    with scattered(data_dir, 400, "poller", "worker-a") as scene:
        with scene.wire.flowing(RATE):
            scene.network.cut("worker-a", "server")
            eventually(lambda: unsent(scene, "worker-a") > 0, 30, lambda: f"nothing was sent: {scene.said()}")
            scene.network.mend("worker-a", "server")
        recovered(scene, time.monotonic())
        assert_held(scene.runtime, scene.wire.articles)


LINKS = {
    "poller and server": [("poller", "server")],
    "all workers and server": [(name, "server") for name in WORKERS],
    "one of two workers and server": [("worker-a", "server")],
    "page and server": [("page", "server")],
    "poller and feeds": [("poller", "feeds")],
}


@pytest.mark.slow
@pytest.mark.parametrize("links", LINKS.values(), ids=LINKS.keys())
def test_a_partition_of_a_minute_loses_nothing(data_dir: Path, links: list[tuple[str, str]]) -> None:
    data_dir.mkdir()
    with scattered(data_dir, 200 + int(RATE * CUT_S) + 40 * RATE) as scene:
        with scene.wire.flowing(RATE):
            scene.longest_stall_s(3.0)
            for link in links:
                scene.network.cut(*link)
            stall_s = scene.longest_stall_s(CUT_S)
            said = scene.page_answers()
            for link in links:
                scene.network.mend(*link)
            mended = time.monotonic()
            scene.longest_stall_s(1.0)
        took_s = recovered(scene, mended)
        eventually(lambda: scene.workers() == set(WORKERS), RECOVERY_S, lambda: f"a worker is missing: {scene.said()}")
        eventually(lambda: scene.page_answers() == 200, RECOVERY_S, lambda: f"the page is not well: {scene.said()}")
        all_s = time.monotonic() - mended
        print(  # noqa: T201
            f"\n  {links}: {len(scene.wire.articles)} articles; in the cut the longest stall was {stall_s:.1f} s and "
            f"/healthz said {said}; all was in stories {took_s:.1f} s after it, all parts worked after {all_s:.1f} s"
        )
        assert_held(scene.runtime, scene.wire.articles)
        for name in ("poller", *WORKERS, "page"):
            assert "Traceback" not in scene.log(name), f"{name}: {scene.log(name)[-3000:]}"
        assert took_s < RECOVERY_S
        if links == [("worker-a", "server")]:
            assert stall_s < RECOVERY_S, "the other worker did not go on"
        if links == [("page", "server")]:
            assert said == 503 and stall_s < FAILS_S, "the page's trouble is nobody else's"


@pytest.mark.slow
def test_a_server_whose_cable_is_out_for_half_a_minute_loses_nothing(data_dir: Path) -> None:
    """Everybody loses it at once, and those who send are told: no route, instead of silence."""
    data_dir.mkdir()
    with scattered(data_dir, 200 + 80 * RATE) as scene:
        with scene.wire.flowing(RATE):
            scene.longest_stall_s(3.0)
            scene.network["server"].unplug()
            scene.longest_stall_s(CUT_S / 2)
            scene.network["server"].plug()
            mended = time.monotonic()
            scene.longest_stall_s(1.0)
        took_s = recovered(scene, mended)
        eventually(lambda: scene.workers() == set(WORKERS), RECOVERY_S, lambda: f"a worker is missing: {scene.said()}")
        eventually(lambda: scene.page_answers() == 200, RECOVERY_S, lambda: f"the page is not well: {scene.said()}")
        print(f"\n  the server's cable out: {len(scene.wire.articles)} articles; all in stories after {took_s:.1f} s")  # noqa: T201
        assert_held(scene.runtime, scene.wire.articles)


HOLDER = """
import sys, time
from pathlib import Path
from worker.store.commits import Commits
commit, folder, held = Commits.commit, Path(sys.argv.pop(1)), []
def held_back(self, lease, view):
    if not held:
        held.append(lease)
        (folder / "held").touch()
        while not (folder / "go").exists():
            time.sleep(0.005)
    commit(self, lease, view)
Commits.commit = held_back
from worker.cli import main
main()
"""


def _late_commit(scene: Scattered, folder: Path) -> tuple[int, float, float, float]:
    """Have worker-a's commit come late: how many bytes, how long after the cut, the longest stall in it, its end."""
    scene.start("worker-a", "-c", HOLDER, str(folder))
    eventually((folder / "held").exists, 30, lambda: f"no batch to commit: {scene.said()}")
    scene.network.cut("worker-a", "server")
    (folder / "go").touch()
    eventually(lambda: unsent(scene, "worker-a") > 0, 10, "the commit was not sent")
    stall_s = scene.longest_stall_s(25.0)
    late = unsent(scene, "worker-a")
    scene.network.mend("worker-a", "server")
    mended = time.monotonic()
    eventually(lambda: unsent(scene, "worker-a") == 0, 60, "the late commit does not arrive")
    arrived_s = time.monotonic() - mended
    eventually(lambda: scene.workers() == set(WORKERS), RECOVERY_S, lambda: f"it is not back: {scene.said()}")
    scene.longest_stall_s(2.0)
    return late, arrived_s, stall_s, mended


@pytest.mark.slow
def test_a_commit_that_the_network_delivers_when_its_lease_is_over_is_refused(data_dir: Path) -> None:
    """A worker is cut off with its batch decided, and sends its commit into the silence; the other does the batch. The
    kernel keeps the bytes and delivers them after the cut, long after the worker has given the connection up."""
    data_dir.mkdir()
    with scattered(data_dir, 200 + 60 * RATE, "poller", "worker-b") as scene:
        with scene.wire.flowing(RATE):
            late, arrived_s, stall_s, mended = _late_commit(scene, data_dir)
        took_s = recovered(scene, mended)
        print(  # noqa: T201
            f"\n  cut off with a commit on its way: {len(scene.wire.articles)} articles; the longest stall was "
            f"{stall_s:.1f} s, {late} bytes came {arrived_s:.1f} s after it; all was in stories after {took_s:.1f} s"
        )
        assert late > 0, "nothing came late: the test showed nothing"
        assert_held(scene.runtime, scene.wire.articles)
        assert stall_s < RECOVERY_S


@pytest.mark.slow
def test_a_twentieth_of_all_packets_lost_loses_nothing(data_dir: Path) -> None:
    data_dir.mkdir()
    with scattered(data_dir, 200 + int(RATE * CUT_S) + 40 * RATE) as scene:
        for host in scene.network.hosts.values():
            host.lose(0.05)
        with scene.wire.flowing(RATE):
            stall_s = scene.longest_stall_s(CUT_S)
        took_s = recovered(scene, time.monotonic())
        print(  # noqa: T201
            f"\n  5 % lost on each host: {len(scene.wire.articles)} articles; the longest stall was {stall_s:.1f} s; "
            f"all was in stories {took_s:.1f} s after the last"
        )
        assert_held(scene.runtime, scene.wire.articles)
        assert took_s < RECOVERY_S


@pytest.mark.slow
@pytest.mark.parametrize("name", ["worker-a", "poller"])
def test_a_host_that_is_gone_from_one_moment_to_the_next_loses_nothing(data_dir: Path, name: str) -> None:
    """Its work is others': of a worker the other's, of a poller that of one started elsewhere."""
    data_dir.mkdir()
    with scattered(data_dir, 200 + 80 * RATE) as scene:
        with scene.wire.flowing(RATE):
            scene.longest_stall_s(3.0)
            killed = time.monotonic()
            scene.network[name].kill()
            if name == "poller":
                scene.network[name].plug()
                scene.start(name)
            stall_s = scene.longest_stall_s(30.0)
        took_s = recovered(scene, time.monotonic())
        gone = {name} & set(WORKERS)
        eventually(lambda: not scene.workers() & gone, RECOVERY_S, "a dead host's worker is still believed in")
        print(  # noqa: T201
            f"\n  {name} gone: {len(scene.wire.articles)} articles; the longest stall was {stall_s:.1f} s; all was in "
            f"stories {took_s:.1f} s after the last, {time.monotonic() - killed:.0f} s after the end of the host"
        )
        assert_held(scene.runtime, scene.wire.articles)
        assert max(took_s, stall_s) < RECOVERY_S

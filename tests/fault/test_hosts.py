"""Hosts that lose each other: a link cut in silence under load, packets lost, a host gone from one moment to the next.

Each ends with nothing missing, nothing twice, and work that went on. The minute-long ones:
`python -m pytest tests/fault/test_hosts.py -m slow -s`, as `make soak` does.
"""

import time
from pathlib import Path

import pytest

from tests.fault.held import assert_held
from tests.fault.scattered import WORKERS, Scattered, scattered
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


def test_a_worker_and_a_server_that_hear_nothing_of_each_other_lose_nothing(data_dir: Path) -> None:
    """The short form of the partitions below: three seconds of silence."""
    data_dir.mkdir()
    with scattered(data_dir, 400, "poller", "worker-a") as scene:
        with scene.wire.flowing(RATE):
            scene.network.cut("worker-a", "server")
            time.sleep(2.0)  # how long the fault lasts
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

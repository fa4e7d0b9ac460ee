"""Hosts of servers that are cut off under load, from each other alone or from everybody: a split brain loses nothing
that a feed still shows, and nothing at all on a Cluster.

`python -m pytest tests/fault/test_hosts_servers.py -m slow -s`, as `make soak` does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.fault.held import assert_held
from tests.fault.server_hosts import BOUNDED, HOSTS, Spread, look_on, on_cluster, on_sentinels
from tests.fault.test_hosts import CUT_S, RATE, RECOVERY_S, recovered
from tests.waiting import eventually

SHAPES: dict[str, Callable[[Path, int], AbstractContextManager[Spread]]] = {
    "sentinels": partial(on_sentinels, **BOUNDED),
    "sentinels unbounded": on_sentinels,
    "cluster": on_cluster,
}


@contextmanager
def from_the_others(spread: Spread, host: str) -> Iterator[None]:
    """All parts hear both sides: a split brain."""
    with spread.scene.network.apart([host], HOSTS):
        yield


@contextmanager
def from_all(spread: Spread, host: str) -> Iterator[None]:
    network = spread.scene.network
    with network.apart([host], network.hosts):
        yield


CUTS = {"from the others": from_the_others, "from all": from_all}


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cut", CUTS)
def test_the_primarys_host_cut_off_for_a_minute_loses_nothing_that_feeds_show(
    shape: str, cut: str, data_dir: Path
) -> None:
    data_dir.mkdir()
    with SHAPES[shape](data_dir, 200 + int(RATE * CUT_S) + 60 * RATE) as spread:
        scene, old = spread.scene, spread.primary()
        with scene.wire.flowing(RATE):
            scene.longest_stall_s(3.0)
            with CUTS[cut](spread, spread.host_of(old)):
                seen = look_on(spread, old, CUT_S)
            mended = time.monotonic()
            scene.longest_stall_s(1.0)
        spread.await_whole()  # or what the old one had would be taken for what is there
        took_s = recovered(scene, mended)
        eventually(lambda: scene.page_answers() == 200, RECOVERY_S, lambda: f"the page is not well: {scene.said()}")
        print(  # noqa: T201 - a long run says what it measured
            f"\n  {shape}, cut off {cut}: {len(scene.wire.articles)} articles; another primary after "
            f"{seen.named_s:.1f} s; the old one took {seen.alone} more, the last after {seen.alone_s:.1f} s; "
            f"in the cut the longest stall was {seen.stall_s:.1f} s; all was in stories {took_s:.1f} s after it"
        )
        assert seen.named_s < CUT_S, "nobody took over: the test showed nothing"
        assert not scene.ended, scene.said()
        assert_held(scene.runtime, scene.wire.articles)
        assert max(seen.stall_s, took_s) < RECOVERY_S

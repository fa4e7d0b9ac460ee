"""Storywire under load on a Cluster whose primaries die and whose slots move: nothing is lost.

`python -m pytest tests/fault/test_cluster_load.py -m slow -s`, as `make soak` has it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import pytest
from redis.crc import key_slot

from tests.cluster import Cluster
from tests.conftest import NewServer
from tests.e2e.feed_server import FeedServer
from tests.e2e.test_concurrency import newsroom_articles
from tests.fault.fleet import FEEDS, READY_S, Fleet, Wire, stored
from tests.fault.held import assert_held
from tests.servers import KINDS, Server
from tests.waiting import eventually
from worker.errors import StorywireError
from worker.runtime import Runtime
from worker.store import keys

RECOVERY_S = 30.0
ENGLISH = key_slot(keys.counters("en").encode())
OUTBOXES = key_slot(keys.outboxes().encode())


class ClusterFleet(Fleet):
    """`storywire up` with its stories on a Cluster; its `server` has the queue."""

    def __init__(self, cluster: Cluster, queue: Server, wire: Wire, folder: Path, log: IO[str]) -> None:
        self.cluster = cluster
        super().__init__(queue, wire, folder, log, seed=1)

    @property
    def settings(self) -> dict[str, str]:
        return {**super().settings, "queue_url": super().settings["redis_url"], "redis_url": self.cluster.url}


@contextmanager
def fleet_on(cluster: Cluster, queue: Server, folder: Path, articles: int) -> Iterator[ClusterFleet]:
    folder.mkdir()
    with FeedServer() as site, (folder / "up.log").open("w") as log:
        running = ClusterFleet(cluster, queue, Wire(site, newsroom_articles(articles)), folder, log)
        try:
            with running.runtime() as runtime, running.wire.flowing(FEEDS):
                eventually(lambda: stored(runtime) > FEEDS, READY_S, lambda: f"nothing is clustered: {running.said()}")
            yield running
        finally:
            running.end()


def grows_again_s(runtime: Runtime, lang: str) -> float:
    """How long until a commit of this language comes after those that are there now."""

    def last() -> int:
        with suppress(StorywireError):
            return runtime.stories.end().get(lang, (0, 0))[0]
        return -1

    began, at = time.monotonic(), eventually(lambda: max(last(), 0), 60)
    eventually(lambda: last() > at, 120, f"no commit of {lang} came any more")
    return time.monotonic() - began


def replaced_s(cluster: Cluster, slot: int, runtime: Runtime) -> float:
    """Kill the primary of a slot, and start it again once another serves the slot and English goes on; how long that
    took."""
    began, primary = time.monotonic(), cluster.owner(slot)
    primary.kill()
    eventually(lambda: cluster.owner(slot) is not primary, 60)
    grows_again_s(runtime, "en")
    took_s = time.monotonic() - began
    primary.start()
    cluster.await_whole(within_s=60)
    return took_s


def moved_s(cluster: Cluster, target: Server) -> tuple[float, int]:
    """How long it took to move all of English under load, and how many keys that were."""
    began, gone = time.monotonic(), list(cluster.move(ENGLISH, target))
    return time.monotonic() - began, gone[-1]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_under_load_primaries_die_and_slots_move_and_nothing_is_lost(
    kind: str, new_server: NewServer, data_dir: Path
) -> None:
    rounds, rate = 4, 20
    cluster = Cluster(kind, replicated=3)
    try:
        with fleet_on(cluster, new_server(persistent=True), data_dir, articles=4000) as running:
            with running.runtime() as runtime, running.wire.flowing(rate):
                for number in range(rounds):
                    took_s = replaced_s(cluster, ENGLISH, runtime)
                    listed_s = replaced_s(cluster, OUTBOXES, runtime)
                    target = next(node for node in cluster.mains() if node is not cluster.owner(ENGLISH))
                    move_s, gone = moved_s(cluster, target)
                    again_s = grows_again_s(runtime, "en")
                    cluster.await_whole(within_s=60)
                    print(  # noqa: T201 - a long run says what it measured
                        f"  {kind} round {number}: {running.wire.shown} articles; a primary killed: English goes on "
                        f"after {took_s:.1f} s, after that of the outboxes {listed_s:.1f} s; its slot moved, {gone} "
                        f"keys in {move_s:.1f} s, {again_s:.1f} s later it goes on"
                    )
                    assert max(took_s, listed_s) < RECOVERY_S
                    assert again_s < RECOVERY_S
            began = time.monotonic()
            with running.runtime() as runtime:
                eventually(
                    lambda: stored(runtime) >= running.wire.shown and not runtime.outbox.depth(),
                    90,
                    lambda: (
                        f"{stored(runtime)} of {running.wire.shown} in stories, {runtime.outbox.depth()} wait: "
                        f"{running.said()}"
                    ),
                )
                print(f"  {kind}: all {running.wire.shown} in stories {time.monotonic() - began:.1f} s after the last")  # noqa: T201
                assert_held(runtime, running.wire.articles)
    finally:
        cluster.close()

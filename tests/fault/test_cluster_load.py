"""Storywire under load on a Cluster whose primaries die and whose slots move: nothing is lost.

`python -m pytest tests/fault/test_cluster_load.py -m slow -s`, as `make soak` has it.
"""

import time
from contextlib import suppress
from pathlib import Path

import pytest
from redis.crc import key_slot

from tests.cluster import Cluster
from tests.conftest import NewServer
from tests.fault.fleet import fleet, stored
from tests.fault.held import assert_held
from tests.servers import KINDS, Server
from tests.waiting import eventually
from worker.errors import StorywireError
from worker.runtime import Runtime
from worker.store import keys

RECOVERY_S = 30.0
ENGLISH = key_slot(keys.counters("en").encode())
OUTBOXES = key_slot(keys.outboxes().encode())


def grows_again_s(runtime: Runtime, lang: str) -> float:
    """How long until a commit of this language comes after those that are there now."""

    def last() -> int:
        with suppress(StorywireError):
            return runtime.stories.end().get(lang, (0, 0))[0]
        return -1

    began, at = time.monotonic(), eventually(lambda: max(last(), 0), 60)
    eventually(lambda: last() > at, 120, f"no commit of {lang} came any more")
    return time.monotonic() - began


def replaced_s(cluster: Cluster, slot: int, runtime: Runtime, *, hang: bool = False) -> float:
    """Kill the primary of a slot, or have it hang, and have it back once another serves the slot and English goes on;
    how long that took. One that hung believes for a moment that it is the primary still, and takes what it was sent."""
    began, primary = time.monotonic(), cluster.owner(slot)
    (primary.pause if hang else primary.kill)()
    eventually(lambda: cluster.owner(slot) is not primary, 60)
    grows_again_s(runtime, "en")
    took_s = time.monotonic() - began
    (primary.resume if hang else primary.start)()
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
        servers = {"redis_url": cluster.url, "queue_url": new_server(persistent=True).url(0)}
        with fleet(data_dir, 4000, servers) as running:
            with running.runtime() as runtime, running.wire.flowing(rate):
                for number in range(rounds):
                    took_s = replaced_s(cluster, ENGLISH, runtime)
                    listed_s = replaced_s(cluster, OUTBOXES, runtime)
                    hung_s = replaced_s(cluster, (ENGLISH, OUTBOXES)[number % 2], runtime, hang=True)
                    target = next(node for node in cluster.mains() if node is not cluster.owner(ENGLISH))
                    move_s, gone = moved_s(cluster, target)
                    again_s = grows_again_s(runtime, "en")
                    cluster.await_whole(within_s=60)
                    print(  # noqa: T201 - a long run says what it measured
                        f"  {kind} round {number}, {running.wire.shown} articles: English goes on {took_s:.1f} s after "
                        f"a kill of its node, {listed_s:.1f} s after one of the outboxes', {hung_s:.1f} s after a hang "
                        f"it moved, {gone} keys in {move_s:.1f} s, and goes on {again_s:.1f} s later"
                    )
                    assert max(took_s, listed_s, hung_s) < RECOVERY_S
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

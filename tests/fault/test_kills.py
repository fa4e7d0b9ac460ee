"""kill -9 of whatever runs, at random moments under load: afterwards each article is in a story once, and work goes on.

A long run: `python -m pytest tests/fault/test_kills.py -m slow -s`, as `make soak` does.
"""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fault.fleet import Fleet, fleet, stored
from tests.fault.held import assert_held
from tests.servers import Server
from tests.waiting import eventually

TARGETS = ("poller", "worker", "supervisor", "server", "cut")
RATE = 20
RECOVERY_S = 30.0
ROUND_S = 4.0


def one_round(fleet: Fleet, number: int) -> float:
    """Each target killed once, at random moments of a few seconds; how long after the last all is as if nothing had
    been."""
    targets = list(TARGETS)
    fleet.random.shuffle(targets)
    with fleet.wire.flowing(RATE):
        for target in targets:
            time.sleep(fleet.random.uniform(0.0, 2 * ROUND_S / len(targets)))  # a moment of the load, not a wait
            fleet.kill(target)
        last = time.monotonic()
        time.sleep(0.5)
    with fleet.runtime() as runtime:
        eventually(
            lambda: fleet.processes("work") and stored(runtime) >= fleet.wire.shown and not runtime.outbox.depth(),
            3 * RECOVERY_S,
            lambda: (
                f"round {number} {targets}: {stored(runtime)} of {fleet.wire.shown} articles in stories, "
                f"{runtime.outbox.depth()} wait, {runtime.jobs.depth()} jobs: {fleet.said()}"
            ),
        )
        took = time.monotonic() - last
        print(f"  round {number}: {', '.join(targets)}: {fleet.wire.shown} articles, recovered in {took:.1f} s")  # noqa: T201
        return took


def killed(new_server: Callable[..., Server], folder: Path, rounds: int, seed: int) -> None:
    server = new_server(persistent=True, appendfsync="everysec")
    servers = {"redis_url": server.url(0)}
    with fleet(folder, 200 + rounds * 15 * RATE, servers, server, seed) as running:
        took = [one_round(running, number) for number in range(rounds)]
        with running.runtime() as runtime:
            assert_held(runtime, running.wire.articles)
        told = f"{len(running.kills)} kills, {dict(Counter(running.kills))}; worst recovery {max(took):.1f} s"
        print(f"  {told}; `up` started again {running.restarts} times")  # noqa: T201
        assert max(took) < RECOVERY_S


def test_twenty_kills_lose_nothing_and_work_goes_on(new_server: Callable[..., Server], data_dir: Path) -> None:
    killed(new_server, data_dir, rounds=4, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_two_hundred_kills_lose_nothing(new_server: Callable[..., Server], data_dir: Path, seed: int) -> None:
    killed(new_server, data_dir, rounds=20, seed=seed)

"""The very first start: an empty server, and whichever process meets it first."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.command import running
from tests.deploy.listener import Listener
from tests.deploy.users import OURS, Guarded
from tests.servers import KINDS, free_port
from tests.waiting import eventually
from worker.config import load
from worker.runtime import open_runtime

PROCESSES = ("pages", "poll", "serve", "work")


@pytest.fixture(params=KINDS)
def guarded(request: pytest.FixtureRequest) -> Iterator[Guarded]:
    with closing(Guarded(request.param)) as server:
        yield server


def test_whoever_comes_first_begins_the_store(guarded: Guarded) -> None:
    """Which takes a look at all that a store of whatever version would have."""
    for user in OURS:
        with open_runtime(load({"STORYWIRE_REDIS_URL": guarded.url(user)}), carry_over=True) as runtime:
            assert (user, guarded.refusals()) == (user, set())
            assert guarded.keys() == ["sw:schema"], "so the next one would not look"
            runtime.redis.delete("sw:schema")


@pytest.mark.slow
@pytest.mark.skipif("CI" in os.environ, reason="made for `make soak`: minutes")
def test_processes_that_start_at_one_moment_all_come_to_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each alone first, then all of them fifty times."""
    with closing(Listener(str(tmp_path / "notify"))) as listener:
        monkeypatch.setenv("NOTIFY_SOCKET", listener.address)
        for commands in [*((each,) for each in PROCESSES), *[PROCESSES] * 50]:
            with closing(Guarded("redis")) as guarded, ExitStack() as stack:
                _all_come_to_work([_started(stack, each, guarded) for each in commands], listener)
                assert guarded.refusals() == set()


def _started(stack: ExitStack, command: str, guarded: Guarded) -> "subprocess.Popen[str]":
    place = f"127.0.0.1:{free_port()}"
    return stack.enter_context(running(command, listen=place, log_format="json", **guarded.settings(command)))


def _all_come_to_work(processes: "list[subprocess.Popen[str]]", listener: Listener) -> None:
    ready = set[int]()

    def all_are() -> bool:
        while said := listener.next():
            ready.update([said.pid] if "READY" in said.lines else [])
        return ready >= {each.pid for each in processes}

    def ended() -> "list[subprocess.Popen[str]]":
        return [each for each in processes if each.poll() is not None]

    eventually(lambda: all_are() or ended(), 60, lambda: f"{len(ready)} of {len(processes)} are ready")
    assert [(each.args, each.communicate()) for each in ended()] == []

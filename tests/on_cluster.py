"""A plugin of pytest: tests of the store on a Cluster instead of a server. `pytest -p tests.on_cluster tests/store`

`STORYWIRE_TESTS_PRIMARIES` says how many nodes it has (1), `STORYWIRE_TESTS_KIND` what they are (valkey). The queue is
on a server of its own, whatever address a test gives for it.

Invariant: a Cluster has one database, so a test has it to itself, emptied; tests that ask for several stores, or for a
server of their own, are left out.
"""

import hashlib
import os
from collections.abc import Mapping
from contextlib import ExitStack
from importlib import resources

import pytest

import worker.connect
from tests import command, servers
from tests.cluster import Cluster, ask
from worker.connect.several import several
from worker.store.scripts import THOUGH_FULL, source

_KIND = os.environ.get("STORYWIRE_TESTS_KIND", "valkey")
_PRIMARIES = int(os.environ.get("STORYWIRE_TESTS_PRIMARIES", "1"))
_LEFT_OUT = {"fresh_url": "it asks for several stores", "new_server": "it has a server of its own"}

_ABOUT_ONE_SERVER = {
    "test_the_queue_of_the_previous_version_goes_and_this_one_s_stays": "it wants the queue beside the stories",
    "test_no_key_of_the_server_holds_anything_of_a_forgotten_article": "it wants the queue beside the stories",
    "test_an_upgrade_that_dies_on_the_way_is_finished_by_the_next_process": "it counts what one connection sends",
}

servers.KINDS = (_KIND,)  # type: ignore[assignment]  # before the fixtures are made of it
from tests import conftest  # noqa: E402


class _Pool:
    """Stands in for the pool of servers."""

    def __init__(self, closing: ExitStack) -> None:
        self._cluster = Cluster(_KIND, _PRIMARIES)
        closing.callback(self._cluster.close)
        self._queue = servers.Server(_KIND)
        closing.callback(self._queue.close)
        _queue.append(self._queue.url(0))
        closing.callback(lambda: _unsent.update(self._not_loaded()))

    def url(self, _kind: str) -> str:
        for node in (*self._cluster.primaries, self._queue):
            ask(node, "FLUSHALL")
        return self._cluster.url

    def _not_loaded(self) -> set[str]:
        """The scripts that no test has had a node run."""
        names = {path.name.removesuffix(".lua") for path in resources.files("worker.store").joinpath("lua").iterdir()}
        return {name for name in names if not any(map(self._has, (source(name), THOUGH_FULL + source(name))))}

    def _has(self, script: str) -> bool:
        digest = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        return any(ask(node, "SCRIPT EXISTS", digest)[0] for node in self._cluster.primaries)


_queue: list[str] = []
_unsent: set[str] = set()
_connect_plain = worker.connect.connect_plain


def _on_its_own(url: str, variable: str = worker.connect.address.STORE_VARIABLE) -> object:
    found = several(url)
    return _connect_plain(_queue[-1] if found is not None and found.kind == "cluster" else url, variable)


def _environment(settings: Mapping[str, object]) -> dict[str, str]:
    """Of the commands that tests run."""
    beside = {"queue_url": _queue[-1]} if "redis+cluster:" in str(settings.get("redis_url", "")) else {}
    return _plain_environment({**beside, **settings})


_plain_environment = command.environment
command.environment = _environment
conftest._Pool = _Pool  # type: ignore[misc, assignment]
worker.connect.connect_plain = _on_its_own  # type: ignore[assignment]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what says nothing of a Cluster."""
    for item in items:
        for name in _LEFT_OUT.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.skip(reason=f"on a Cluster: {_LEFT_OUT[name]}"))
        if reason := _ABOUT_ONE_SERVER.get(getattr(item, "originalname", "")):
            item.add_marker(pytest.mark.skip(reason=f"on a Cluster: {reason}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which scripts were never sent: of those nothing is shown."""
    if _queue:
        terminalreporter.write_line(f"scripts never sent: {' '.join(sorted(_unsent)) or 'none'}")

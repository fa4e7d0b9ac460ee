"""Fixtures of all tests: servers, data directories, the shared material."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.servers import DATABASES, KINDS, Server
from worker.embedded.process import shut_down

NewServer = Callable[..., Server]


class _Pool:
    """One running server of each kind, made when it is first asked for; another when its databases are used up."""

    def __init__(self, closing: ExitStack) -> None:
        self._closing = closing
        self._servers: dict[str, Server] = {}
        self._given = dict.fromkeys(KINDS, 0)

    def url(self, kind: str) -> str:
        if self._given[kind] % DATABASES == 0:
            self._servers[kind] = Server(kind)
            self._closing.callback(self._servers[kind].close)
        self._given[kind] += 1
        return self._servers[kind].url()


@pytest.fixture(scope="session")
def server_pool() -> Iterator[_Pool]:
    with ExitStack() as closing:
        yield _Pool(closing)


@pytest.fixture(params=KINDS)
def redis_url(request: pytest.FixtureRequest, server_pool: _Pool) -> str:
    """An empty database that nobody else uses; the test runs on Valkey and again on Redis."""
    return server_pool.url(request.param)


@pytest.fixture
def valkey_url(server_pool: _Pool) -> str:
    """The same on Valkey only, for what does not depend on the server: whole processes, long runs."""
    return server_pool.url("valkey")


@pytest.fixture
def fresh_url(server_pool: _Pool) -> Callable[[], str]:
    """As many such databases as a test asks for: one for each example of a property."""
    return lambda: server_pool.url("valkey")


@pytest.fixture
def new_server() -> Iterator[NewServer]:
    """Servers of the test's own, to fill, pause, kill and start again: `new_server("redis", maxmemory="2mb")`."""
    with ExitStack() as closing:

        def make(*arguments: str, **options: object) -> Server:
            server = Server(*arguments, **options)  # type: ignore[arg-type]
            closing.callback(server.close)
            return server

        yield make


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data directory with a path short enough for a socket; fails the test that leaves a server running in it."""
    folder = Path(tempfile.mkdtemp(prefix="sw-"))
    yield folder / "data"
    left = [lock.parent for lock in folder.rglob("server.lock") if lock.is_file() and is_locked(lock)]
    for home in left:
        shut_down(home / "storywire.sock")
    shutil.rmtree(folder, ignore_errors=True)
    assert not left, f"an embedded server is still running in {left}"


def is_locked(path: Path) -> bool:
    """Whether a process holds this lock file: for `server.lock`, whether a server runs."""
    fd = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


@pytest.fixture(scope="session")
def shared() -> Path:
    """The material beside the repository: seeds, stories, captured feeds; the test is skipped where it is absent."""
    folder = Path(__file__).parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip(f"no {folder.name}/ beside the repository: tests on real material are left out")
    return folder

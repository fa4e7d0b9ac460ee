"""Real servers for the tests: the embedded Valkey and, where it is installed, Debian's Redis.

Invariant: no test sees another's data: each gets a database number that nobody had before, or a server of its own. All
have the users of deploy/redis/users.acl, without passwords, unless a test brings its own.
"""

import fcntl
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Protocol

from tests import installed, users
from tests.waiting import eventually
from worker.embedded.process import Pulse, binary, pulse

KINDS = ("valkey", "redis")
DATABASES = 2000
_PORTS = range(20_000, 32_000)
_GIVEN = Path(tempfile.gettempdir()) / f"storywire-tests-{os.getuid()}.ports"
"""How many ports were given out, by all processes of tests of this user."""


def program(kind: str) -> Path:
    """The server's program."""
    if kind == "valkey":
        return binary()
    return Path(installed.program("redis-server"))


def free_port() -> int:
    """A TCP port of loopback that nobody listens on now. It is below those that the system gives to connections, and
    no process of the tests is given it before the 11,999 others: nobody takes it before the test does, or while what
    listened there is started again."""
    while True:
        port = _PORTS[_turn() % len(_PORTS)]
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _turn() -> int:
    with _GIVEN.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        turn = int(file.read() or 0)
        file.truncate(0)
        file.write(f"{turn + 1}")
    return turn


class Place(Protocol):
    """Where a server runs: this machine, or a host of tests/hosts.py; what is started `inside` is there, and stays."""

    @property
    def address(self) -> str: ...

    def inside(self) -> AbstractContextManager[None]: ...


class _Loopback:
    address = "127.0.0.1"

    def inside(self) -> AbstractContextManager[None]:
        return nullcontext()


LOOPBACK: Place = _Loopback()


class Server:
    """A server process on a Unix socket, and on TCP of its place (and loopback there) if a port is asked for.

    `options` are the server's own (`maxmemory="2mb"`); a persistent one keeps its AOF over `kill` and `start`.
    """

    def __init__(
        self, kind: str = "valkey", port: int = 0, persistent: bool = False, *, place: Place = LOOPBACK, **options: str
    ) -> None:
        self.place, self.hangs = place, False
        self.program = program(kind)
        self.folder = Path(tempfile.mkdtemp(prefix=users.FOLDER))
        self.socket = self.folder / "s"
        self.port = port
        self.options = {"appendonly": "yes" if persistent else "no", **options}
        if "aclfile" not in options:
            self.options["aclfile"] = str(self.folder / "users.acl")
            (self.folder / "users.acl").write_text("\n".join(users.lines()) + "\n")
        self._databases = itertools.count()
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def url(self, database: int | None = None) -> str:
        """Its address with a database that nobody had before, or with the given one."""
        number = next(self._databases) if database is None else database
        assert number < DATABASES, "give out another server: this one has no databases left"
        return f"unix://{self.socket}?db={number}"

    @property
    def tcp_url(self) -> str:
        """Its address by TCP, database 0."""
        return f"redis://{self.place.address}:{self.port}/0"

    def start(self, state: Pulse = Pulse.UP) -> None:
        """Start it, again after `kill` or `stop`, and wait until it is up, or loading."""
        base = {
            "bind": " ".join(dict.fromkeys(("127.0.0.1", self.place.address))),
            "protected-mode": "no",
            "port": str(self.port),
            "unixsocket": str(self.socket),
            "dir": str(self.folder),
            "save": "",
        }
        base |= {"databases": str(DATABASES), "enable-debug-command": "yes", "logfile": str(self.folder / "log")}
        arguments = [str(self.program)]
        for name, value in {**base, **self.options}.items():
            arguments += [f"--{name}", value]
        with self.place.inside():
            self._process = subprocess.Popen(
                arguments, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
            )
        eventually(lambda: pulse(self.socket) is state, 10, lambda: f"{self.program.name} {state.value}: {self._log()}")

    def _log(self) -> str:
        log = self.folder / "log"
        return log.read_text(errors="replace")[-500:] if log.exists() else "no log"

    @property
    def process_id(self) -> int:
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def kill(self) -> None:
        """kill -9, as a crash would end it."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """Let it hang: connections stay open, nothing answers."""
        self.hangs = True
        os.kill(self.process_id, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self.process_id, signal.SIGCONT)
        self.hangs = False

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(number)
            self._process.wait(10)
            self._process, self.hangs = None, False
        self.socket.unlink(missing_ok=True)

    def close(self) -> None:
        """End it, and remove what it wrote."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

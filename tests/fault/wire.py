"""A wire between a client and a server that breaks at the n-th command: before it is sent, or after it was done.

Invariant: what passes is forwarded as it came; commands that only open a connection are not counted.
"""

import shutil
import socket
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hiredis

_OPENING = {b"HELLO", b"AUTH", b"SELECT", b"CLIENT", b"PING"}


@dataclass(frozen=True)
class Fault:
    """What happens at a command, counted from 1.

    `hook` runs before the command is sent; `cut` ends all connections, before the command is sent or after the server
    has done it; `lasting`: nobody gets through until the wire is mended.
    """

    at: int
    hook: Callable[[], object] | None = None
    cut: bool = True
    done: bool = False
    lasting: bool = False


class Wire:
    """Listens on a Unix socket of its own and forwards to that of a server. `commands`: names, since it was armed."""

    def __init__(self, server: Path) -> None:
        self._server = server
        self._folder = Path(tempfile.mkdtemp(prefix="sw-wire-"))
        self._fault: Fault | None = None
        self._down = False
        self._guard = threading.Lock()
        self._connections: set[_Connection] = set()
        self.commands: list[str] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self._folder / "w"))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, database: int) -> str:
        """The address of a database behind the wire."""
        return f"unix://{self._folder / 'w'}?db={database}"

    def arm(self, fault: Fault | None) -> None:
        """Count from here on; the fault happens once."""
        self.commands, self._fault = [], fault

    def mend(self) -> None:
        """Let everybody through again."""
        self._fault, self._down = None, False

    @property
    def broke(self) -> bool:
        """Whether the fault has happened since the wire was armed."""
        return self._fault is None

    def close(self) -> None:
        """End all connections and listen no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop_all()
        shutil.rmtree(self._folder, ignore_errors=True)

    def due(self, name: bytes) -> Fault | None:
        """Count a command; the fault that is to happen at it."""
        with self._guard:
            if name.upper() in _OPENING:
                return None
            self.commands.append(name.decode())
            if self._fault is None or len(self.commands) != self._fault.at:
                return None
            fault, self._fault = self._fault, None
            self._down = fault.lasting
            return fault

    def leave(self, connection: "_Connection") -> None:
        """A connection has ended."""
        with self._guard:
            self._connections.discard(connection)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._down:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                server.connect(str(self._server))
            except OSError:
                client.close()
                server.close()
                continue
            connection = _Connection(self, client, server)
            with self._guard:
                self._connections.add(connection)
            connection.start()

    def drop_all(self) -> None:
        """End all connections; new ones are let through."""
        with self._guard:
            connections = list(self._connections)
        for connection in connections:
            connection.end()


class _Connection:
    def __init__(self, wire: Wire, client: socket.socket, server: socket.socket) -> None:
        self._wire, self._client, self._server = wire, client, server
        self._mute = False

    def start(self) -> None:
        threading.Thread(target=self._there, daemon=True).start()
        threading.Thread(target=self._back, daemon=True).start()

    def end(self) -> None:
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _there(self) -> None:
        reader = hiredis.Reader()
        try:
            while data := self._client.recv(1 << 16):
                reader.feed(data)
                while (command := reader.gets()) is not False:
                    if not self._forward(command):
                        return
        except OSError:
            pass
        finally:
            if not self._mute:
                self.end()

    def _forward(self, command: Any) -> bool:
        """Send one command on; False where the wire was cut at it."""
        fault = self._wire.due(command[0])
        if fault is not None and fault.hook is not None:
            fault.hook()
        if fault is None or not fault.cut:
            self._server.sendall(hiredis.pack_command(tuple(command)))
            return True
        if not fault.done:
            self.end()
            return False
        self._mute = True  # the server reads the command, then the end, and closes once it has done it
        self._server.sendall(hiredis.pack_command(tuple(command)))
        self._server.shutdown(socket.SHUT_WR)
        return False

    def _back(self) -> None:
        with suppress(OSError):
            while data := self._server.recv(1 << 16):
                if not self._mute:
                    self._client.sendall(data)
        self.end()
        self._client.close()
        self._server.close()
        self._wire.leave(self)

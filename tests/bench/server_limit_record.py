"""What a server was asked, by its own MONITOR: every command of every client, in the order in which it ran them.

Invariant: what is read back has the very bytes that were sent; commands that scripts call are not among them, as the
scripts are.
"""

import re
import socket
import threading
from codecs import escape_decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

Command = tuple[bytes, ...]

_ARGUMENT = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_OF_A_SCRIPT = re.compile(rb"\+?\d+\.\d+ \[\d+ lua\]")
_OF_THE_CONNECTION = {b"AUTH", b"CLIENT", b"HELLO", b"INFO", b"MONITOR", b"PING", b"SELECT"}
_OF_LISTENING = {b"SUBSCRIBE", b"UNSUBSCRIBE", b"PSUBSCRIBE", b"PUNSUBSCRIBE"}
_OF_A_TRANSACTION = {b"MULTI", b"EXEC", b"WATCH", b"UNWATCH", b"DISCARD"}
_END = b"no-more-of-this"
_LEFT_OUT = _OF_THE_CONNECTION | _OF_LISTENING | _OF_A_TRANSACTION


@contextmanager
def recording(url: str, spool: Path) -> Iterator[None]:
    """Write what the server on this Unix socket is asked into a file, while the block lasts."""
    path = urlsplit(url).path
    with _connected(path) as line, spool.open("wb") as file:
        line.sendall(b"MONITOR\r\n")
        assert line.recv(5) == b"+OK\r\n"
        writing = threading.Thread(target=_write, args=(line, file), daemon=True)
        writing.start()
        try:
            yield
        finally:
            with _connected(path) as last:
                last.sendall(b"ECHO %b\r\n" % _END)
                writing.join(60)


def _connected(path: str) -> socket.socket:
    line = socket.socket(socket.AF_UNIX)
    line.connect(path)
    return line


def _write(line: socket.socket, file: IO[bytes]) -> None:
    """Until it tells of the last command."""
    tail = b""
    while _END not in tail and (told := line.recv(1 << 20)):
        file.write(told)
        tail = tail[-len(_END) :] + told


def recorded(spool: Path) -> Iterator[Command]:
    """The commands in the file that a store and a queue can be asked again, names in capitals."""
    for told in spool.read_bytes().split(b"\r\n"):
        if (command := read(told)) is not None:
            yield command


def read(told: bytes) -> Command | None:
    """The command that a line of MONITOR tells of, as it is to be sent again; None for what is left out."""
    if not told or _OF_A_SCRIPT.match(told):
        return None
    name, *arguments = (escape_decode(part)[0] for part in _ARGUMENT.findall(told))
    name = name.upper()
    if name in _LEFT_OUT or (name == b"ZCARD" and arguments[0].endswith(b":pending")):  # running.py asks that
        return None
    if name == b"BLMOVE":
        return b"LMOVE", *arguments[:-1]
    return name, *arguments

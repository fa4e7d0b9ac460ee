"""The data directory: its files, its two locks, and the socket's path.

Invariant: `server.lock` is held by the server process itself, `users.lock` (shared) by every process that uses it; the
kernel drops a lock with the last process that holds it, so neither can be stale.
"""

import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from worker.connect import EMBEDDED_SOCKET
from worker.errors import Permanent, ServerDiskFull

_LONGEST_SOCKET_PATH = 100
"""Bytes: Linux takes 107, macOS 103."""

_LARGEST_LOG = 1_000_000
"""Bytes: a longer log is put aside when the server starts."""


class Home:
    """The paths and locks of one data directory; making it creates nothing yet."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.log = self.path / "valkey.log"
        self._record = self.path / "socket-path"

    def is_made(self) -> bool:
        """Whether a server ever kept anything here; true as well where that cannot be seen, as to open it says why."""
        return any(_may_be(self.path / name) for name in ("server.lock", "appendonlydir"))

    def is_served(self) -> bool:
        """Whether a server holds its lock now; creates nothing."""
        try:
            lock = os.open(self.path / "server.lock", os.O_RDONLY)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        try:
            return not self.lock(lock, fcntl.LOCK_SH)
        finally:
            os.close(lock)

    def prepare(self) -> None:
        """Make the directory, readable by its user only; raises Permanent if that cannot be."""
        with self._writing():
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path = self.path.resolve()

    def open_lock(self, name: str) -> int:
        """A file descriptor of the lock file `name`; raises Permanent if the directory cannot be written."""
        with self._writing():
            return os.open(self.path / name, os.O_RDWR | os.O_CREAT, 0o600)

    def lock(self, fd: int, operation: int) -> bool:
        """Try to take a lock (`fcntl.LOCK_EX`, `LOCK_SH`) without waiting; True if it is held now.

        A refused change from one kind to the other drops the kind that was held.
        """
        try:
            fcntl.flock(fd, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise Permanent(
                f"the data directory {self.path} is on a file system without locks ({error.strerror}): {_ANOTHER}"
            ) from error
        return True

    def socket(self) -> Path:
        """Where the running server listens: in the directory, or where `new_socket` found a short enough path."""
        direct = self.path / EMBEDDED_SOCKET
        if _short(direct):
            return direct
        try:
            return Path(self._record.read_text(encoding="utf-8", errors="surrogateescape"))
        except OSError:
            return direct

    def new_socket(self) -> Path:
        """A path for a server that is about to start; call with `server.lock` held."""
        self.forget_socket()
        with self._writing():
            direct = self.path / EMBEDDED_SOCKET
            if _short(direct):
                _refuse_foreign(direct)
                return direct
            folder = os.environ.get("XDG_RUNTIME_DIR") or None
            if not folder or not Path(folder).is_dir() or not os.access(folder, os.W_OK) or len(folder) > 60:
                folder = None
            found = Path(tempfile.mkdtemp(prefix="storywire-", dir=folder)) / EMBEDDED_SOCKET
            if not _short(found):
                found.parent.rmdir()
                raise Permanent(f"the path of the data directory {self.path} is too long for a socket: {_ANOTHER}")
            self._record.write_text(str(found), encoding="utf-8", errors="surrogateescape")
            return found

    def forget_socket(self) -> None:
        """Remove what a socket outside the directory left behind; call with `server.lock` held."""
        socket = self.socket()
        if socket.parent == self.path:
            return
        with suppress(OSError):
            socket.unlink(missing_ok=True)
            socket.parent.rmdir()
        with suppress(OSError):
            self._record.unlink()

    def open_log(self) -> int:
        """A file descriptor at the log's end; a long log is put aside first."""
        with self._writing():
            if self.log.exists() and self.log.stat().st_size > _LARGEST_LOG:
                self.log.replace(self.log.with_suffix(".log.old"))
            return os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                line = f"the disk of the data directory {self.path} is full: free space there"
                raise ServerDiskFull(line) from error
            if self.path.is_file():
                raise Permanent(f"the data directory {self.path} is a file: {_ANOTHER}") from error
            raise Permanent(
                f"the data directory {self.path} cannot be written ({error.strerror}): {_ANOTHER}"
            ) from error


_ANOTHER = "give another with STORYWIRE_DATA_DIR or --data-dir"


def _may_be(path: Path) -> bool:
    try:
        path.stat()
    except OSError as error:
        return not isinstance(error, FileNotFoundError)
    return True


def _short(path: Path) -> bool:
    return len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH


def _refuse_foreign(path: Path) -> None:
    """A server unlinks whatever stands at its socket's path: make sure that it is a socket."""
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise Permanent(f"{path} is no socket of ours: move it away, or {_ANOTHER}")

"""The archive: what has ended, in a folder, a file of gzipped JSON Lines a day.

Invariant: what `append` has returned for is on the disk; what a crash tore is cut off by the next append, and nothing
but that: a file that somebody else has written to is left as it is. Each append is a gzip member that says its length
in its header's extra field (RFC 1952, 2.3.1.1), so that the end of the last whole one is found without unpacking any.
"""

import fcntl
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from worker.errors import BadSetting, NotArchived

_HEADER = struct.Struct("<4s4xBBH2sHI")
"""Magic, method and flags; no time; level; system; 8 bytes of extra field: a name, a length, the member's length."""
_START, _NAME = b"\x1f\x8b\x08\x04", b"SW"
_OURS = _HEADER.pack(_START, 0, 255, 8, _NAME, 4, 0)[:-4]
"""What every header of ours begins with: all but the length."""
_TRAILER = struct.Struct("<II")
_LEVEL = 6


class Archive:
    """Appends lines to the file of the day, by UTC; any number of processes of one machine may."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self) -> None:
        """The folder is there and can be written, or BadSetting: told when a worker starts, not a retention later."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            writable = os.access(self._folder, os.W_OK | os.X_OK)
            why = "" if writable else "permission denied"
        except OSError as error:
            why = (error.strerror or str(error)).lower()
        if why:
            raise BadSetting(f"STORYWIRE_ARCHIVE_DIR={str(self._folder)!r} cannot be written ({why}): name a folder")

    def append(self, lines: Sequence[bytes], now: float) -> None:
        """Write the lines and wait for the disk; nothing for no lines. Raises NotArchived: then none was written."""
        if not lines:
            return
        member = _member(b"".join(lines))
        for path in self._files(now):
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                if _append_to(path, member):
                    self._sync_folder()
                    return
            except OSError as error:
                why = (error.strerror or str(error)).lower()
                raise NotArchived(
                    f"the archive {path} cannot be written ({why}): stories stay until it can; make room, or give "
                    "another STORYWIRE_ARCHIVE_DIR"
                ) from None

    def _files(self, now: float) -> Iterator[Path]:
        """The file of the day, and those to go on in where somebody else wrote to it: by name they come after it, as
        of an article's lines the last one counts."""
        day = f"storywire-{datetime.fromtimestamp(now, UTC):%Y-%m-%d}"
        for part in count(1):
            yield self._folder / f"{day}{f'part{part}' if part > 1 else ''}.jsonl.gz"

    def _sync_folder(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _append_to(path: Path, member: bytes) -> bool:
    """Append to a file, made where there is none; False where it is not ours alone: then it is as it was."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        end = _sound_end(fd)
        if end is not None:
            _append(fd, member, end)
        return end is not None
    finally:
        os.close(fd)


def _append(fd: int, member: bytes, end: int) -> None:
    os.ftruncate(fd, end)
    try:
        written = 0
        while written < len(member):
            written += os.pwrite(fd, member[written:], end + written)
        os.fsync(fd)
    except OSError:
        os.ftruncate(fd, end)
        raise


def _member(content: bytes) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = packer.compress(content) + packer.flush() + _TRAILER.pack(zlib.crc32(content), len(content) & 0xFFFFFFFF)
    return _HEADER.pack(_START, 0, 255, 8, _NAME, 4, _HEADER.size + len(body)) + body


def _sound_end(fd: int) -> int | None:
    """Where the last whole member ends; None where what comes after is none of ours, nor what a crash left of one.

    Only the last can be torn, as each was on the disk before the next began.
    """
    size, at, last = os.fstat(fd).st_size, 0, 0
    while at < size:
        length = _length(os.pread(fd, _HEADER.size, at))
        if not length or at + length > size:
            if not _is_tear(fd, at, size):
                return None
            break
        at, last = at + length, at
    return at if at == 0 or _is_whole(os.pread(fd, at - last, last)) else last


def _is_tear(fd: int, at: int, size: int) -> bool:
    """Whether the rest of the file can be one append of ours that did not come to its end: it begins as ours do, and no
    other follows it. Where the size came to the disk before the content, zeros stand for what is missing."""
    start = os.pread(fd, len(_OURS), at)
    if start != _OURS and not _OURS.startswith(start.rstrip(b"\0")):
        return False
    rest = os.pread(fd, size - at, at)
    return _OURS.startswith(rest.rstrip(b"\0")) or (start == _OURS and rest.find(_OURS, 1) < 0)


def _length(header: bytes) -> int:
    """The length of the member that begins so; 0 where none does."""
    if len(header) < _HEADER.size:
        return 0
    start, _, _, _, name, _, length = _HEADER.unpack(header)
    return int(length) if start == _START and name == _NAME and length > _HEADER.size + _TRAILER.size else 0


def _is_whole(member: bytes) -> bool:
    """False where the length came to the disk and the content did not."""
    try:
        content = zlib.decompress(member[_HEADER.size : -_TRAILER.size], -zlib.MAX_WBITS)
    except zlib.error:
        return False
    return _TRAILER.unpack(member[-_TRAILER.size :]) == (zlib.crc32(content), len(content) & 0xFFFFFFFF)

"""What has to be read twice and cannot be, kept on disk: streams (standard input, pipes), and what gzipped files hold,
as no line of these can be looked up.

Invariant: what is kept is unpacked, and has no name, so that it is gone with the process, however that ends.
"""

import sys
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from gzip import BadGzipFile, GzipFile
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from worker.errors import BadInput

STANDARD_INPUT = Path("-")

MOST_BYTES = 16 << 30
"""Of all together, unpacked: some ten million articles. What never ends must not fill the disk."""

_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20


class Kept(NamedTuple):
    """`damage`: what is wrong with its end, in words; "" where nothing is."""

    file: BinaryIO
    damage: str


@contextmanager
def spooled(paths: Sequence[Path], folder: Path | None = None) -> Iterator[Mapping[Path, Kept]]:
    """Those of these that are streams or gzipped, read to their end, each as a plain file that can be read again, until
    the block ends; `-` is standard input. folder: where they are kept; where temporary files are, without one.

    Raises BadInput where one cannot be read or kept, or is too large.
    """
    with ExitStack() as closing:
        kept, left = dict[Path, Kept](), MOST_BYTES
        for path in dict.fromkeys(paths):
            with ExitStack() as reading:
                stream = _stream(path, reading)
                if stream is not None:
                    file = closing.enter_context(_made(path, folder))
                    kept[path] = _kept(path, stream, file, folder, left)
                    left -= kept[path].file.seek(0, 2)
        yield kept


def name_of(path: Path) -> str:
    """What a person calls it."""
    return "standard input" if path == STANDARD_INPUT else str(path)


def standard_input() -> BinaryIO:
    """Raises BadInput where there is none: `storywire import - <&-`."""
    if sys.stdin is None:
        raise BadInput("standard input: it is closed: name a file")
    return sys.stdin.buffer


class _From:
    """A stream of which the first bytes have been read."""

    def __init__(self, first: bytes, rest: BinaryIO) -> None:
        self._first, self._rest = first, rest

    def read(self, size: int) -> bytes:
        head, self._first = self._first[:size], self._first[size:]
        return head or self._rest.read(size)

    read1 = read


def _stream(path: Path, closing: ExitStack) -> BinaryIO | None:
    """From its beginning, unpacked; None for a plain file, which can be read again, and for what is none."""
    try:
        is_stream = path == STANDARD_INPUT or path.is_fifo() or path.is_char_device() or path.is_socket()
        if not is_stream and not path.is_file():
            return None
        file = standard_input() if path == STANDARD_INPUT else closing.enter_context(path.open("rb"))
        first = file.read(len(_GZIP))
    except OSError as error:
        raise _unreadable(path, error) from None
    if first != _GZIP and not is_stream:
        return None
    stream = cast(BinaryIO, _From(first, file))
    return closing.enter_context(GzipFile(fileobj=stream)) if first == _GZIP else stream  # type: ignore[return-value]


@contextmanager
def _made(path: Path, folder: Path | None) -> Iterator[BinaryIO]:
    """A file without a name in this folder."""
    try:
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file: BinaryIO = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed below
    except OSError as error:
        raise _no_room(path, folder, error) from None
    try:
        yield file
    finally:
        with suppress(OSError):  # what was not written for lack of room is tried once more
            file.close()


def _kept(path: Path, stream: BinaryIO, file: BinaryIO, folder: Path | None, most: int) -> Kept:
    """All that can be unpacked: what was cut off in the middle holds what came before."""
    damage = ""
    while not damage:
        try:
            chunk = stream.read1(_CHUNK)  # type: ignore[attr-defined]
        except (EOFError, BadGzipFile, zlib.error) as error:
            damage, chunk = f"from here on the file cannot be unpacked ({error})", b""
        except OSError as error:
            raise _unreadable(path, error) from None
        try:
            file.write(chunk)
            if not chunk:
                file.flush()
                break
        except OSError as error:
            raise _no_room(path, folder, error) from None
        most -= len(chunk)
        if most < 0:
            raise BadInput(f"{name_of(path)}: more than {MOST_BYTES >> 30} GB: import it in parts")
    return Kept(file, damage)


def _unreadable(path: Path, error: OSError) -> BadInput:
    return BadInput(f"{name_of(path)}: {(error.strerror or 'cannot be read').lower()}: name a readable file")


def _no_room(path: Path, folder: Path | None, error: OSError) -> BadInput:
    why, place = (error.strerror or "it cannot be written").lower(), folder or tempfile.gettempdir()
    other = "TMPDIR" if folder is None else "--data-dir"
    return BadInput(f"{name_of(path)}: cannot be kept in {place}, {why}: make room there, or give another with {other}")

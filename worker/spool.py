"""Streams (standard input, pipes) kept on disk, for what has to be read twice.

Invariant: what is kept has no name, so that it is gone with the process, however that ends.
"""

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from worker.errors import BadInput

STANDARD_INPUT = Path("-")

_MOST_BYTES = 16 << 30
"""Of all streams together: some ten million articles. A stream that never ends must not fill the disk."""

_CHUNK = 1 << 20


@contextmanager
def spooled(paths: Sequence[Path], folder: Path | None = None) -> Iterator[Mapping[Path, BinaryIO]]:
    """Those of these that can be read but once, read to their end, each as a file that can be read again, until the
    block ends; `-` is standard input. folder: where they are kept; where temporary files are, without one.

    Raises BadInput where one cannot be read or kept, or is too large.
    """
    with ExitStack() as closing:
        kept, left = dict[Path, BinaryIO](), _MOST_BYTES
        for path in dict.fromkeys(paths):
            stream = _stream(path, closing)
            if stream is not None:
                kept[path] = _kept(path, stream, folder, left, closing)
                left -= kept[path].seek(0, 2)
        yield kept


def name_of(path: Path) -> str:
    """What a person calls it."""
    return "standard input" if path == STANDARD_INPUT else str(path)


def _stream(path: Path, closing: ExitStack) -> BinaryIO | None:
    """None for a file that can be read again, or not at all."""
    if path == STANDARD_INPUT:
        return sys.stdin.buffer
    if not (path.is_fifo() or path.is_char_device() or path.is_socket()):
        return None
    try:
        return closing.enter_context(path.open("rb"))
    except OSError as error:
        raise BadInput(f"{path}: {(error.strerror or 'cannot be read').lower()}: name another file") from None


def _kept(path: Path, stream: BinaryIO, folder: Path | None, most: int, closing: ExitStack) -> BinaryIO:
    try:
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file: BinaryIO = closing.enter_context(tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - it is closed with the block
        while chunk := stream.read(_CHUNK):
            most -= len(chunk)
            if most < 0:
                raise BadInput(f"{name_of(path)}: longer than {_MOST_BYTES >> 30} GB: write it into files, name those")
            file.write(chunk)
        file.flush()
    except OSError as error:
        place = f"in {folder or tempfile.gettempdir()}"
        why = (error.strerror or "it cannot be written").lower()
        raise BadInput(f"{name_of(path)}: cannot be kept {place}, {why}: make room there, or name files") from None
    return file

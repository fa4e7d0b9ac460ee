"""The files that commands read and write, whole: `-` is standard input, or standard output.

Invariant: no file named `-` is ever made.
"""

import sys
from pathlib import Path

from worker.errors import BadInput
from worker.spool import STANDARD_INPUT, name_of, standard_input


def is_standard(path: Path) -> bool:
    """Whether a path stands for standard input or output; `./-` is a file of that name."""
    return path == STANDARD_INPUT


def read(path: Path) -> bytes:
    """All that is in it. Raises BadInput where it cannot be read."""
    try:
        return standard_input().read() if is_standard(path) else path.read_bytes()
    except OSError as error:
        raise BadInput(f"{name_of(path)}: {(error.strerror or 'cannot be read').lower()}: give another path") from None


def write(path: Path, data: bytes) -> bool:
    """Write it; False for standard output, where nothing else may stand. Raises BadInput where it cannot be written."""
    if is_standard(path):
        from worker.cli.screen.terminal import ended_quietly

        with ended_quietly():
            sys.stdout.buffer.write(data)
        return False
    try:
        path.write_bytes(data)
    except OSError as error:
        raise BadInput(f"{path}: {(error.strerror or 'cannot be written').lower()}: give another path") from None
    return True

"""The inside of a contained process: requests on standard input, answers on standard output, ends with its input.

Invariant: one answer a request, in order; nothing but the standard library is imported here.
"""

import resource
import struct
from collections.abc import Callable
from typing import BinaryIO

LENGTH = struct.Struct(">I")
"""Before every message, both ways: its length in bytes."""


def serve(requests: BinaryIO, answers: BinaryIO, answer: Callable[[bytes], bytes]) -> None:
    """Answer requests until they end."""
    while header := requests.read(LENGTH.size):
        message = answer(requests.read(LENGTH.unpack(header)[0]))
        answers.write(LENGTH.pack(len(message)) + message)
        answers.flush()


def limit_memory(most_bytes: int) -> None:
    """Let this process have so much address space, and no more: what needs more raises MemoryError, or ends it."""
    resource.setrlimit(resource.RLIMIT_AS, (most_bytes, resource.RLIM_INFINITY))

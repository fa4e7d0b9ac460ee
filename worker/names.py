"""The names by which processes sign, `HOST.PID.MOMENT`, and the version that they are of.

Invariant: no other process has this one's name, nor had.
"""

import os
import socket
import time
from functools import cache
from typing import NamedTuple


class Name(NamedTuple):
    """Who signed: the host may have points in its name."""

    host: str
    pid: int


def new_name() -> str:
    """A name for something that this process begins."""
    return f"{this_host()}.{os.getpid()}.{time.monotonic_ns():x}"


@cache
def this_version() -> str:
    """The version of this program."""
    from importlib.metadata import version  # noqa: PLC0415 - 20 ms, and most commands do not ask

    return version("storywire")


def this_host() -> str:
    """The host's name as it stands in names."""
    return socket.gethostname()


def is_running(pid: int) -> bool:
    """Whether this host has a process of this number, whoever's it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def parsed(name: str) -> Name:
    """The host and the process of a name; RQ writes `rq:worker:` before it."""
    host, pid, _ = name.rpartition(":")[2].rsplit(".", 2)
    return Name(host, int(pid))

"""Sockets that listen: at the address that was asked for, or near it where nobody asked for one.

Invariant: an address that a person chose is taken or refused, never changed.
"""

import errno
import socket
from ipaddress import ip_address

from worker.config import endpoints
from worker.errors import Permanent

_BACKLOG = 1_024
_NEAR = 20
"""So many ports, from the usual one on, are tried before any that is free."""


def listen(place: str, *, near: bool = False) -> socket.socket:
    """A socket that listens at an address and a port. near: where the port is taken, one of the next, or any.

    Raises Permanent where it cannot.
    """
    [(host, port)] = endpoints(place)
    for tried in (*range(port, min(port + _NEAR, 65536)), 0) if near else (port,):
        listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((host, tried))
            listening.listen(_BACKLOG)
        except OSError as error:
            listening.close()
            if near and tried and error.errno == errno.EADDRINUSE:
                continue
            why = (error.strerror or "no reason given").lower()
            raise Permanent(f"STORYWIRE_LISTEN={place}: {why}: give another address or port") from None
        listening.setblocking(False)
        return listening
    raise Permanent(f"STORYWIRE_LISTEN={place}: no port is free")


def inherited(fd: int) -> socket.socket:
    """The socket that listens already on a file descriptor of who started this process; raises Permanent for none."""
    try:
        listening = socket.socket(fileno=fd)
        if listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            listening.setblocking(False)
            return listening
        listening.detach()
    except OSError:
        pass
    raise Permanent(f"--fd {fd}: no socket listens there: let the process that starts this one open it")


def place_of(listening: socket.socket) -> str:
    """Where it listens, as STORYWIRE_LISTEN is written: `127.0.0.1:8080`, `[::1]:8080`."""
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def url_of(listening: socket.socket) -> str:
    """The address that a browser on this machine opens: `http://127.0.0.1:8080/`."""
    host, port = listening.getsockname()[:2]
    address = ip_address(host.partition("%")[0])
    if address.is_unspecified:
        host = "127.0.0.1" if address.version == 4 else "::1"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"

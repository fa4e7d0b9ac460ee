"""What an error of redis-py means: the one place where it is translated.

Invariant: no error text that leaves here holds a password; it names the server, what is wrong, and the remedy.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import redis.exceptions as theirs

from worker.connect.address import EMBEDDED_SOCKET, STORE_VARIABLE, server_name
from worker.errors import (
    NotPermitted,
    Permanent,
    ServerDiskFull,
    ServerFull,
    ServerUnavailable,
    StorywireError,
    Unsecured,
)

Meaning = tuple[type[ServerUnavailable | Permanent], str]
"""The kind of an error, and what is wrong with the remedy, as it goes on after the server's name."""


class NoPrimary(theirs.ConnectionError):
    """What Sentinels gave instead of the address of a primary; never worth a retry within a second."""

    def __init__(self, kind: type[ServerUnavailable | Permanent], said: str) -> None:
        super().__init__(said)
        self.kind, self.said = kind, said


class Unreplicated(theirs.RedisError):
    """A write that stands with this primary, HOST:PORT or "", and not with a replica that could take over from it."""


_NARROW: Meaning = (NotPermitted, "does not permit this user what Storywire needs: widen its ACL")

_CODES: dict[str, Meaning] = {
    "LOADING": (ServerUnavailable, "is still loading its data: try again in a moment"),
    "OOM": (ServerFull, "is full (maxmemory is reached): raise its maxmemory or shorten STORYWIRE_RETENTION"),
    "MISCONF": (ServerDiskFull, "cannot write to its disk: free space there, then look at its log"),
    "BUSY": (ServerUnavailable, "is busy with a script that does not end: see its log, or restart it"),
    "READONLY": (ServerUnavailable, "is a read-only replica: give the address of its primary, or of its Sentinels"),
    "MASTERDOWN": (ServerUnavailable, "is a replica that has lost its primary: give the address of a primary"),
    "NOREPLICAS": (ServerUnavailable, "takes no writes while it lacks replicas: see its min-replicas-to-write"),
    "CLUSTERDOWN": (ServerUnavailable, "belongs to a cluster that is down: see CLUSTER INFO"),
    "TRYAGAIN": (ServerUnavailable, "belongs to a cluster that is moving its slots: try again in a moment"),
    "NOAUTH": (Permanent, "asks for a password: write USER:PASSWORD@ before its host"),
    "WRONGPASS": (Permanent, "refuses this user and password: correct them in the address"),
    "NOPERM": _NARROW,
    "MOVED": (Permanent, "is one node of a Cluster: write redis+cluster:// for it, with more of its nodes"),
}
"""Error codes of the server's replies: which kind each is, and what to do about it."""

_CLASSES: dict[type[Exception], Meaning] = {
    theirs.AuthenticationError: (Permanent, "refuses this user and password: correct them in the address"),
    theirs.InvalidResponse: (Permanent, "does not speak the Redis protocol: correct the address"),
    theirs.TimeoutError: (ServerUnavailable, "does not answer in time: see whether it is overloaded, or gone"),
}

_REFUSED = "refuses connections: start it, or correct the address"
_MISSING = "is not there: start it, or correct the path of its socket"
_ENDED = "ends our connections: see its log; it may want TLS (rediss://), or a certificate of ours (ssl_certfile)"
_BROKEN = "cannot be reached: start it, or correct the address"
_LAGGING = "see INFO replication there, mend the link, or stop that replica"

_TEXTS: dict[str, Meaning] = {
    "Connection refused": (ServerUnavailable, _REFUSED),
    "No such file": (ServerUnavailable, _MISSING),
    "not known": (ServerUnavailable, "has a host name that nobody knows: correct the address"),
    "Temporary failure in name": (ServerUnavailable, "has a host name that cannot be looked up: see the network"),
    "Permission denied": (Permanent, "has a socket that this user may not open: change its unixsocketperm"),
    "CERTIFICATE_REQUIRED": (
        Permanent,
        "asks for a certificate of ours: set ssl_certfile and ssl_keyfile",
    ),
    "mismatch, certificate": (Permanent, "has a certificate of another name: connect by the name that is in it"),
    "certificate has expired": (Permanent, "has a certificate that has expired: renew it"),
    "CERTIFICATE": (Permanent, "has a certificate that is not trusted: set ssl_ca_certs in the address"),
    "EOF occurred": (ServerUnavailable, _ENDED),
    "SSL": (Permanent, "does not speak TLS as we do: see whether rediss:// is right"),
    "Connection reset": (ServerUnavailable, _ENDED),
    "ACL failure in script": _NARROW,
    "closed by server": (ServerUnavailable, _ENDED),
    "previous master": (ServerUnavailable, "has become a replica: a failover is under way, try again in a moment"),
    "max number of clients": (ServerUnavailable, "has too many clients: raise its maxclients"),
    "Too many connections": (ServerUnavailable, "has too many connections of this process: try again in a moment"),
    "DB index is out of range": (Permanent, "has no database of this number: correct it in the address"),
    "Invalid Database": (Permanent, "has no database of this number: correct it in the address"),
}
"""Parts of the texts of errors that have no other mark: of redis-py's connection errors, and of a script's."""


@contextmanager
def translated(url: str, variable: str = STORE_VARIABLE) -> Iterator[None]:
    """Whatever redis-py raises inside leaves as a StorywireError that names this server, if it is one."""
    try:
        yield
    except theirs.RedisError as error:
        ours = translate(error, url, variable)
        if ours is None:
            raise
        raise ours from error


def translate(error: Exception, url: str, variable: str = STORE_VARIABLE) -> StorywireError | None:
    """What an error of redis-py means for the user; None for one that only a bug, or a script object, can explain. `at`
    on it: the node of a Cluster that it is about, HOST:PORT (sending.py)."""
    found = meaning(error)
    if found is None:
        return None
    kind, said = found
    embedded = url.partition("?")[0].endswith(f"/{EMBEDDED_SOCKET}")
    if embedded and said in (_REFUSED, _MISSING, _ENDED, _BROKEN):
        return kind("the embedded server is gone, the command that ran it has ended: start this one again")
    node = f"{error.at}, a node of " if hasattr(error, "at") else ""
    return kind(f"the server {node}{server_name(url)} {said} ({'STORYWIRE_DATA_DIR' if embedded else variable})")


def meaning(error: Exception) -> Meaning | None:
    """The same without the server's name, for who knows a better one."""
    if isinstance(error, NoPrimary):
        return error.kind, f"has no primary: {error.said}"
    if isinstance(error, Unreplicated):
        place = f" at {error}" if str(error) else ""
        return Unsecured, f"has a replica that does not get what the primary{place} writes: {_LAGGING}"
    text = str(error)
    return _by_code(error, text) or _by_class(error) or _by_text(error, text)


def _by_code(error: Exception, text: str) -> Meaning | None:
    """By the reply's code, which redis-py keeps aside, or leaves in front, or a pipeline prefixes."""
    codes = {getattr(error, "status_code", None), text.split(" ", 1)[0]}
    return next((said for code, said in _CODES.items() if code in codes or f": {code} " in text), None)


def _by_class(error: Exception) -> Meaning | None:
    return next((said for kind, said in _CLASSES.items() if isinstance(error, kind)), None)


def _by_text(error: Exception, text: str) -> Meaning | None:
    if said := next((said for part, said in _TEXTS.items() if part in text), None):
        return said
    return (ServerUnavailable, _BROKEN) if isinstance(error, theirs.ConnectionError) else None

"""Connections to the primary that Sentinels name: asked for again with each new connection.

Invariant: nothing is written to a server that no Sentinel calls the primary now.
"""

from typing import Any

from redis.connection import SSLConnection, parse_url
from redis.sentinel import Sentinel, SentinelConnectionPool

from worker.connect.several import Several


def through(found: Several, options: dict[str, Any]) -> SentinelConnectionPool:
    """A pool of connections to the primary of `found.service`; `options` are redis-py's of a connection."""
    said: dict[str, Any] = {**options, **parse_url(found.one)}  # type: ignore[no-untyped-call]
    tls = said.pop("connection_class", None) is SSLConnection
    for name in ("host", "port"):
        said.pop(name, None)
    theirs: dict[str, Any] = {"ssl": tls}
    theirs |= {name: value for name, value in said.items() if name.startswith(("ssl_", "socket_"))}
    theirs |= {name.removeprefix("sentinel_"): value for name, value in found.sentinel.items()}
    asked = Sentinel(found.hosts, sentinel_kwargs=theirs)  # type: ignore[no-untyped-call]
    return SentinelConnectionPool(found.service, asked, ssl=tls, **said)  # type: ignore[no-untyped-call]

"""Addresses of servers: which ones a client can be made of, and how they are named to people.

Invariant: no name that leaves here holds a user, a password or an option.
"""

from urllib.parse import parse_qs, urlsplit

from redis.connection import parse_url

from worker.connect.several import several
from worker.errors import BadSetting

STORE_VARIABLE = "STORYWIRE_REDIS_URL"

EMBEDDED_SOCKET = "storywire.sock"
"""The name of every embedded server's socket: by it an error tells the user's own server from the embedded one."""

_OPTIONS = {"db", "username", "password", "socket_timeout", "socket_connect_timeout", "health_check_interval"}
"""What may stand after `?` in an address, besides `ssl_*`: redis-py takes any name and fails at the first command."""

_SCHEMES = ("redis", "rediss", "unix")
_WRITE = (
    "write redis://HOST:PORT/DATABASE, rediss://..., unix:///PATH?db=DATABASE, "
    "redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DATABASE or redis+cluster://HOST:PORT,HOST:PORT"
)


def server_name(url: str) -> str:
    """How a server is named to people: its address without user, password and options."""
    head, mark, rest = url.rpartition("://")
    rest, _, options = rest.partition("?")
    if "@" in options:  # then the `?` may stand inside a password: show nothing of it
        rest = "..."
    shown = head + mark + rest.rpartition("@")[2]
    return shown if shown.isprintable() and 0 < len(shown) < 200 else repr(shown)[:200]


def check_url(url: str, variable: str = STORE_VARIABLE) -> str:
    """The address itself if a client can be made of it; raises BadSetting, which names the variable, if not."""
    wrong = _fault(url)
    if wrong:
        raise BadSetting(f"{variable}: {server_name(url)} {wrong}; {_WRITE}")
    return url


def _fault(url: str) -> str:
    """What is wrong with an address, without its password; empty for nothing."""
    try:
        found = several(url if url.isprintable() else "")
    except ValueError as error:
        return str(error)
    return _fault_of_one(found.one if found else url)


def _fault_of_one(url: str) -> str:
    try:
        parts = urlsplit(url if url.isprintable() else "")
        parse_url(url)  # type: ignore[no-untyped-call]
        _ = parts.port
    except ValueError:
        return "is no address of a Redis server"
    if parts.scheme not in _SCHEMES:
        return "is no address of a Redis server"
    database = parts.path.strip("/")
    if parts.scheme == "unix":
        database = ""
        if parts.hostname or not parts.path.startswith("/"):
            return "needs the whole path of a socket"
    options = parse_qs(parts.query, keep_blank_values=True)
    if unknown := sorted(name for name in options if name not in _OPTIONS and not name.startswith("ssl_")):
        return f"has an unknown option, {unknown[0]!r}"
    database = options.get("db", [database])[0]
    return "has a database that is no number" if database and not database.isdecimal() else ""

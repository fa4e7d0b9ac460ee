"""Addresses of servers: which ones a client can be made of, and how they are named to people.

Invariant: no name that leaves here holds a user, a password or an option.
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from redis.connection import parse_url

from worker.connect import certificates
from worker.connect.several import several
from worker.errors import BadSetting

STORE_VARIABLE = "STORYWIRE_REDIS_URL"

EMBEDDED_SOCKET = "storywire.sock"
"""The name of every embedded server's socket: by it an error tells the user's own server from the embedded one."""

_OPTIONS = {"db", "username", "password", "socket_timeout", "socket_connect_timeout", "health_check_interval"}
_OF_TLS = {"ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile", "ssl_password"}
_OF_TLS |= {"ssl_cert_reqs", "ssl_check_hostname", "ssl_ciphers", "ssl_min_version"}
"""What may stand after `?` in an address: redis-py takes any name and fails at the first command."""

_LONG = 150

_SCHEMES = ("redis", "rediss", "unix")
_WRITE = (
    "write redis://HOST:PORT/DATABASE, rediss://..., unix:///PATH?db=DATABASE, "
    "redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DATABASE or redis+cluster://HOST:PORT,HOST:PORT"
)


def server_name(url: str) -> str:
    """How a server is named to people: its address without user, password and options."""
    head, mark, rest = url.partition("://")
    if not re.fullmatch(r"[A-Za-z0-9+]*", head):  # then it is no scheme, and may be the beginning of a password
        head, mark, rest = "", "", url
    rest, _, options = rest.partition("?")
    if "@" in options:  # then the `?` may stand inside a password: show nothing of it
        rest = "..."
    rest = rest.rpartition("@")[2]
    if len(rest) > _LONG and "," in rest:
        rest = f"{rest.partition(',')[0]},...{rest[rest.find('/') :] if '/' in rest else ''}"
    shown = head + mark + rest
    return shown if shown.isprintable() and 0 < len(shown) < 200 else repr(shown)[:200]


def check_url(url: str, variable: str = STORE_VARIABLE) -> str:
    """The address itself if a client can be made of it; raises BadSetting, which names the variable, if not. Reads the
    certificates that it names."""
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
    if found and found.kind == "cluster" and "db" in parse_qs(urlsplit(found.one).query):
        return "has a database, which a Cluster has not"
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
    if "," in (parts.hostname or ""):
        return "names several servers, which redis+sentinel:// and redis+cluster:// do"
    database = parts.path.strip("/")
    if parts.scheme == "unix":
        database = ""
        if parts.hostname or not parts.path.startswith("/"):
            return "needs the whole path of a socket"
    options = parse_qs(parts.query, keep_blank_values=True)
    database = options.get("db", [database])[0]
    if database and not database.isdecimal():
        return "has a database that is no number"
    return _fault_of_options({name: values[0] for name, values in options.items()}, tls=parts.scheme == "rediss")


def _option_name(name: str, options: Mapping[str, str]) -> str:
    """It in quotes; or words, where it may be the end of a password that holds `&` or `?`."""
    is_name = re.fullmatch(r"[a-z_]{1,40}", name) and options[name]
    is_one = is_name and not any("@" in value for value in options.values())
    return repr(name) if is_one else "or a password with & or ? in it: write %26 %3F"


def _fault_of_options(options: Mapping[str, str], *, tls: bool) -> str:
    if unknown := sorted(set(options) - _OPTIONS - _OF_TLS):
        return f"has an unknown option, {_option_name(unknown[0], options)}"
    if not tls and (found := sorted(_OF_TLS & set(options))):
        return f"has the option {found[0]}, and speaks no TLS: that begins with rediss"
    return certificates.fault_of(options)

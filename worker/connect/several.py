"""Addresses that name several servers: Sentinels that know the primary, or nodes of a Cluster.

    redis+sentinel://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]...]/SERVICE[/DATABASE][?OPTIONS]
    redis+cluster://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]...][?OPTIONS]

`rediss+sentinel://` and `rediss+cluster://` speak TLS, with Sentinels too. User and password are the servers'; those of
the Sentinels are the options `sentinel_username` and `sentinel_password`. The other options are those of one server.

Invariant: what is taken apart here is put together again without anything being guessed.
"""

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, urlencode

Kind = Literal["sentinel", "cluster"]

_MOST_HOSTS = 64
_PORTS: dict[Kind, int] = {"sentinel": 26379, "cluster": 6379}
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:(?P<port>[0-9]{1,5}))?")
_OF_SENTINELS = ("sentinel_username", "sentinel_password")


@dataclass(frozen=True)
class Several:
    """`hosts`: (host, port), IPv6 without brackets; `service`: the primary's name at the Sentinels, "" for a Cluster.

    `one`: the first host as the address of a single server, with user, password, database and options; `sentinel`:
    the options that are for Sentinels only.
    """

    kind: Kind
    hosts: tuple[tuple[str, int], ...]
    service: str
    one: str = field(repr=False)
    sentinel: dict[str, str] = field(repr=False)


def several(url: str) -> Several | None:
    """What an address of several servers says, None for that of a single one; raises ValueError, in words."""
    scheme, _, rest = url.partition("://")
    if scheme not in ("redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"):
        return None
    plain, _, name = scheme.partition("+")
    kind: Kind = "sentinel" if name == "sentinel" else "cluster"
    rest, _, query = rest.partition("?")
    user, at, where = rest.rpartition("@")
    if set(user) & set("/#@"):  # `?` has ended it already
        raise ValueError("has a user or password with one of / # @ in it, or two of them: write %2F %23 %40")
    place, _, path = where.partition("/")
    service, database = _path(kind, path)
    hosts = tuple(_host(each, _PORTS[kind]) for each in place.split(","))
    if len(hosts) > _MOST_HOSTS:
        raise ValueError(f"names more than {_MOST_HOSTS} hosts")
    options = parse_qsl(query, keep_blank_values=True)
    theirs = {key: value for key, value in options if kind == "sentinel" and key in _OF_SENTINELS}
    ours = urlencode([(key, value) for key, value in options if key not in theirs])
    host, port = hosts[0]
    one = f"{plain}://{user}{at}{place_name((host, port))}{database and '/' + database}{ours and '?' + ours}"
    return Several(kind, hosts, service, one, theirs)


def place_name(place: tuple[str, int]) -> str:
    """HOST:PORT, as it stands in an address."""
    host, port = place
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _path(kind: Kind, path: str) -> tuple[str, str]:
    """The service and the database."""
    parts = path.rstrip("/").split("/")
    if kind == "cluster":
        if path.strip("/"):
            raise ValueError("has a database or a path, which a Cluster has not")
        return "", ""
    service, database = parts[0], "/".join(parts[1:])
    if not re.fullmatch(r"[A-Za-z0-9._-]+", service):
        raise ValueError("needs the name of a service after the hosts, as `sentinel monitor NAME` has it")
    if database and not database.isdecimal():
        raise ValueError("has a database that is no number")
    return service, database


def _host(text: str, default: int) -> tuple[str, int]:
    found = _HOST.fullmatch(text)
    if found is None:
        raise ValueError("has a host that is none: write HOST or HOST:PORT, with commas between")
    port = int(found["port"] or default)
    if not 0 < port < 65536:
        raise ValueError("has a port that is none")
    return found["host"].strip("[]"), port

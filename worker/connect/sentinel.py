"""Connections to the primary that Sentinels name: they are asked again for each new connection.

Invariant: nothing is sent to a server that no Sentinel calls the primary now; the Sentinels are asked one after the
other, for three seconds at most, and nothing of them is kept but whom to ask first. The first that names one is
believed, but at the very first, and where its primary lacks replicas: both may be cut off from the rest, so all are
asked then, and the newest failover counts.
"""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import redis
import redis.exceptions as theirs
from redis.backoff import NoBackoff
from redis.connection import Connection, SSLConnection, parse_url
from redis.retry import Retry
from redis.sentinel import SentinelConnectionPool, SentinelManagedConnection, SentinelManagedSSLConnection

from worker.connect.several import Several, place_name
from worker.connect.trouble import Meaning, NoPrimary, meaning
from worker.connect.watching import Watching
from worker.errors import Permanent, ServerUnavailable

_ASKING: dict[str, Any] = {"socket_connect_timeout": 1.0, "socket_timeout": 1.0, "protocol": 2}
_ASKING |= {"retry": Retry(NoBackoff(), 0), "decode_responses": True}
"""How one Sentinel is asked: once, with a second for the answer, which it only looks up."""

_ASK_ALL_S = 3.0

_UNKNOWN = "No such master with that name"
_NO_SENTINEL = "is no Sentinel: give the place of one, mostly at port 26379"

_ALONE = "NOREPLICAS"
"""The code with which a primary refuses writes that no replica would get."""

_INSTEAD: dict[str, str] = {
    "NOAUTH": "asks for a password: add ?sentinel_password= to the address",
    "WRONGPASS": "refuses its user and password: correct sentinel_username and sentinel_password in the address",
    "NOPERM": "does not permit this user to ask: its ACL needs +sentinel|master",
}
"""What Sentinels say with the codes of servers, whose remedy is another."""


def through(found: Several, options: dict[str, Any]) -> SentinelConnectionPool:
    """A pool of connections to the primary of `found.service`; `options` are redis-py's of a connection."""
    said: dict[str, Any] = {**options, **parse_url(found.one)}  # type: ignore[no-untyped-call]
    tls = said.pop("connection_class", None) is SSLConnection
    for name in ("host", "port"):
        said.pop(name, None)
    said["connection_class"] = _LedByTls if tls else _Led
    return SentinelConnectionPool(found.service, Sentinels(found), **said)  # type: ignore[no-untyped-call]


def primary_of(client: redis.Redis) -> str:
    """HOST:PORT of the primary that a client was last led to; "" for a client that no Sentinel leads."""
    found = getattr(client.connection_pool, "master_address", None)
    return place_name(found) if found else ""


class _Led(Watching, SentinelManagedConnection):
    """A connection to the primary; one that gives no answer, or lacks replicas, is left: the Sentinels may know another
    by now. redis-py keeps the first, as it is, for the next command."""

    def send_packed_command(self, *args: Any, **options: Any) -> None:
        """What is sent again goes to whom they name then; by itself redis-py connects to the same server anew."""
        if not self.is_connected:
            self.connect()  # type: ignore[no-untyped-call]
        super().send_packed_command(*args, **options)  # type: ignore[no-untyped-call]

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **{"disconnect_on_error": True, **options})
        except theirs.ResponseError as error:
            if not str(error).startswith(_ALONE):
                raise
            self.connection_pool.sentinel_manager.doubt()
            if self.watches:  # redis-py and RQ would begin it again at once, for as long as it fails
                self.mark_for_reconnect()  # type: ignore[no-untyped-call]
                raise
            self.disconnect()
            raise theirs.ConnectionError(str(error)) from error  # tried again, on a connection to whom they name then


class _LedByTls(_Led, SentinelManagedSSLConnection):
    pass


class _Named(NamedTuple):
    """The primary that a Sentinel names; `epoch` counts the failovers that it has heard of."""

    epoch: int
    primary: tuple[str, int]


class _Fault(NamedTuple):
    """Why a Sentinel named no primary."""

    host: tuple[str, int]
    kind: type[ServerUnavailable | Permanent]
    said: str


class Sentinels:
    """The Sentinels of an address; safe for threads. Each question has a connection of its own: there is one question
    for each connection to a server, and an idle one would be found broken when it is needed."""

    def __init__(self, found: Several) -> None:
        said = parse_url(found.one)  # type: ignore[no-untyped-call]
        self._made: Any = said.pop("connection_class", Connection)
        self._options = {name: value for name, value in said.items() if name.startswith(("ssl_", "socket_"))}
        self._options = {**_ASKING, **self._options}
        self._options |= {name.removeprefix("sentinel_"): value for name, value in found.sentinel.items()}
        self._hosts = found.hosts  # replaced as a whole, never changed: threads read it
        self._doubted = True  # which of them is cut off nobody knows at first

    def doubt(self) -> None:
        """The primary that was named is of no use: at the next question all are asked, and the newest is believed."""
        self._doubted = True

    def discover_master(self, service: str) -> tuple[str, int]:
        """Host and port of the primary now, as redis-py's pool asks for it; raises NoPrimary."""
        hosts, until = self._hosts, time.monotonic() + _ASK_ALL_S
        doubted, self._doubted = self._doubted, False
        faults: list[_Fault] = []
        best: tuple[int, _Named] | None = None  # and which of the hosts has said so
        for at, host in enumerate(hosts):
            found = self._ask(host, service)
            if isinstance(found, _Fault):
                faults.append(found)
            elif best is None or found.epoch > best[1].epoch:
                best = at, found
            if (best and not doubted) or time.monotonic() > until:
                break
        # who has named it is asked first; where nobody has, the next question begins where this one ends
        first = best[0] if best else (at + 1) % len(hosts)
        self._hosts = hosts[first:] + hosts[:first]
        if best is None:
            raise _no_primary(faults, len(hosts))
        return best[1].primary

    def _ask(self, host: tuple[str, int], service: str) -> _Named | _Fault:
        """What one Sentinel says: a primary, or what stands in the way."""
        asked = self._made(host=host[0], port=host[1], **self._options)
        try:
            asked.connect()
            asked.send_command("SENTINEL", "MASTER", service)
            answer = asked.read_response()
        except theirs.RedisError as error:
            return _Fault(host, *_meant(error, service))
        finally:
            asked.disconnect()
        said = dict(zip(answer[::2], answer[1::2], strict=False)) if isinstance(answer, list) else {}
        if not {"ip", "port", "flags"} <= said.keys():
            return _Fault(host, Permanent, _NO_SENTINEL)
        if {"s_down", "o_down"} & set(said["flags"].split(",")):
            return _Fault(host, ServerUnavailable, "says that it is down: a failover takes some seconds")
        return _Named(int(said.get("config-epoch", 0)), (said["ip"], int(said["port"])))


def _meant(error: theirs.RedisError, service: str) -> Meaning:
    text = str(error)
    if _UNKNOWN in text:
        return Permanent, f"knows no service {service!r}: correct the address, or its `sentinel monitor`"
    if "unknown command" in text:
        return Permanent, _NO_SENTINEL
    kind, said = meaning(error) or (ServerUnavailable, f"says {text!r:.80}")
    code = getattr(error, "status_code", None) or text.partition(" ")[0]
    if code not in _INSTEAD and isinstance(error, theirs.AuthenticationError):
        code = "NOAUTH" if "required" in text else "WRONGPASS"
    return kind, _INSTEAD.get(code, said)


def _no_primary(faults: list[_Fault], of: int) -> NoPrimary:
    """Permanent only where every Sentinel has answered so: one that is away may know better."""
    lasting = len(faults) == of and all(fault.kind is Permanent for fault in faults)
    return NoPrimary(Permanent if lasting else ServerUnavailable, "; ".join(_told(faults)))


def _told(faults: list[_Fault]) -> Iterator[str]:
    """Each thing that was said, at most three, with one of those that say it."""
    for said in list(dict.fromkeys(fault.said for fault in faults))[:3]:
        by = [fault.host for fault in faults if fault.said == said]
        more = f" (and {len(by) - 1} more)" if len(by) > 1 else ""
        yield f"its Sentinel {place_name(by[0])}{more} {said}"

"""Makes the Redis clients, and translates their errors once: what the store raises is Transient or Permanent.

Invariant: no error text that leaves here holds a password; it names the server, what is wrong, and the remedy.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import redis
import redis.exceptions as theirs
from redis.backoff import ExponentialWithJitterBackoff
from redis.client import Pipeline as PlainPipeline
from redis.connection import parse_url
from redis.retry import Retry

from worker.errors import BadSetting, Permanent, ServerUnavailable, StorywireError

STORE_VARIABLE = "STORYWIRE_REDIS_URL"

OLDEST = {"Redis": (7, 0), "Valkey": (7, 2)}
"""The oldest servers that are supported: scripts and streams as of these are relied on."""

EMBEDDED_SOCKET = "storywire.sock"
"""The name of every embedded server's socket: by it an error tells the user's own server from the embedded one."""

_OPTIONS = {"db", "username", "password", "socket_timeout", "socket_connect_timeout", "health_check_interval"}
"""What may stand after `?` in an address, besides `ssl_*`: redis-py takes any name and fails at the first command."""

_SCHEMES = ("redis", "rediss", "unix")
_WRITE = "write redis://HOST:PORT/DATABASE, rediss://... or unix:///PATH?db=DATABASE"

_Meaning = tuple[type[StorywireError], str]

_CODES: dict[str, _Meaning] = {
    "LOADING": (ServerUnavailable, "is still loading its data: try again in a moment"),
    "OOM": (ServerUnavailable, "is full (maxmemory is reached): raise its maxmemory or shorten STORYWIRE_RETENTION"),
    "MISCONF": (ServerUnavailable, "cannot write to its disk: free space there, then look at its log"),
    "BUSY": (ServerUnavailable, "is busy with a script that does not end: see its log, or restart it"),
    "READONLY": (ServerUnavailable, "is a read-only replica: give the address of its primary"),
    "MASTERDOWN": (ServerUnavailable, "is a replica that has lost its primary: give the address of a primary"),
    "NOREPLICAS": (ServerUnavailable, "takes no writes while it lacks replicas: see its min-replicas-to-write"),
    "CLUSTERDOWN": (ServerUnavailable, "belongs to a cluster that is down: see CLUSTER INFO"),
    "TRYAGAIN": (ServerUnavailable, "belongs to a cluster that is moving its slots: try again in a moment"),
    "NOAUTH": (Permanent, "asks for a password: write it as redis://:PASSWORD@HOST"),
    "WRONGPASS": (Permanent, "refuses this user and password: correct them in the address"),
    "NOPERM": (Permanent, "does not permit this user what Storywire needs: widen its ACL"),
    "MOVED": (Permanent, "is one node of a cluster: give a server that stands alone"),
}
"""Error codes of the server's replies: which kind each is, and what to do about it."""

_CLASSES: dict[type[Exception], _Meaning] = {
    theirs.AuthenticationError: (Permanent, "refuses this user and password: correct them in the address"),
    theirs.InvalidResponse: (Permanent, "does not speak the Redis protocol: correct the address"),
    theirs.TimeoutError: (ServerUnavailable, "does not answer in time: see whether it is overloaded, or gone"),
}

_REFUSED = "refuses connections: start it, or correct the address"
_MISSING = "is not there: start it, or correct the path of its socket"
_BROKEN = "cannot be reached: start it, or correct the address"

_TEXTS: dict[str, _Meaning] = {
    "Connection refused": (ServerUnavailable, _REFUSED),
    "No such file": (ServerUnavailable, _MISSING),
    "not known": (ServerUnavailable, "has a host name that nobody knows: correct the address"),
    "Temporary failure in name": (ServerUnavailable, "has a host name that cannot be looked up: see the network"),
    "Permission denied": (Permanent, "has a socket that this user may not open: change its unixsocketperm"),
    "CERTIFICATE": (Permanent, "has a certificate that is not trusted: set ssl_ca_certs in the address"),
    "SSL": (Permanent, "does not speak TLS as we do: see whether rediss:// is right"),
    "max number of clients": (ServerUnavailable, "has too many clients: raise its maxclients"),
    "Too many connections": (ServerUnavailable, "has too many connections of this process: try again in a moment"),
    "DB index is out of range": (Permanent, "has no database of this number: correct it in the address"),
    "Invalid Database": (Permanent, "has no database of this number: correct it in the address"),
}
"""Parts of the texts of redis-py's connection errors, which have no other mark."""


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


class _FewRetries(Retry):
    """Retries a broken connection thrice within half a second; never a timeout, nor what a password decides."""

    def __init__(self) -> None:
        super().__init__(ExponentialWithJitterBackoff(base=0.05, cap=0.2), 3, (theirs.ConnectionError,))

    def call_with_retry(
        self,
        do: Callable[[], Any],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> Any:
        return super().call_with_retry(do, fail, is_retryable or _worth_a_retry, with_failure_count)


def _worth_a_retry(error: Exception) -> bool:
    final = (theirs.AuthenticationError, theirs.AuthorizationError, theirs.MaxConnectionsError)
    return not isinstance(error, final)


def _options() -> dict[str, Any]:
    """RESP2, because nothing of RESP3 is used and its handshake costs two round trips a connection."""
    return {
        "protocol": 2,
        "retry": _FewRetries(),
        "socket_timeout": 10.0,  # a commit of 100 articles takes 0.1 s; loading a script on a busy server a second
        "socket_connect_timeout": 3.0,
        "decode_responses": False,
        "max_connections": 1000,
    }


class Redis(redis.Redis):
    """A thread-safe client, bytes in and out, whose commands raise ServerUnavailable or Permanent.

    WatchError, NOSCRIPT outside of pipelines, and what only a bug can cause (WRONGTYPE, an error of a script) come as
    redis-py has them.
    """

    url: str = ""
    variable: str = STORE_VARIABLE

    def execute_command(self, *args: Any, **options: Any) -> Any:
        with translated(self.url, self.variable):
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> "Pipeline":
        made = Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        made.url, made.variable = self.url, self.variable
        return made


class Pipeline(PlainPipeline):
    """A pipeline of such a client."""

    url: str = ""
    variable: str = STORE_VARIABLE

    def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        with translated(self.url, self.variable):
            return super().immediate_execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Send all; all of it again where the server lost its scripts in between, as where a connection broke."""
        stack, scripts = list(self.command_stack), set(self.scripts)
        with translated(self.url, self.variable):
            try:
                return super().execute(raise_on_error)
            except theirs.NoScriptError:
                self.command_stack, self.scripts = stack, scripts
                return super().execute(raise_on_error)


def connect(url: str, variable: str = STORE_VARIABLE) -> Redis:
    """A client of the store's server; nothing is sent yet. `variable`: the setting that an error names."""
    client = Redis.from_url(check_url(url, variable), **_options())
    assert isinstance(client, Redis)
    client.url, client.variable = url, variable
    return client


def connect_plain(url: str, variable: str = STORE_VARIABLE) -> redis.Redis:
    """The same for RQ, which handles redis-py's own errors: wrap calls of RQ in `translated`."""
    return redis.Redis.from_url(check_url(url, variable), **_options())


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
    """What an error of redis-py means for the user; None for one that only a bug, or a script object, can explain."""
    text = str(error)
    kind, said = _by_code(error, text) or _by_class(error) or _by_text(error, text) or (None, "")
    if kind is None:
        return None
    embedded = url.partition("?")[0].endswith(f"/{EMBEDDED_SOCKET}")
    if embedded and said in (_REFUSED, _MISSING, _BROKEN):
        return kind("the embedded server is gone, the command that ran it has ended: start this one again")
    return kind(f"the server {server_name(url)} {said} ({'STORYWIRE_DATA_DIR' if embedded else variable})")


def _by_code(error: Exception, text: str) -> _Meaning | None:
    """By the reply's code, which redis-py keeps aside, or leaves in front, or a pipeline prefixes."""
    codes = {getattr(error, "status_code", None), text.split(" ", 1)[0]}
    return next((said for code, said in _CODES.items() if code in codes or f": {code} " in text), None)


def _by_class(error: Exception) -> _Meaning | None:
    return next((said for kind, said in _CLASSES.items() if isinstance(error, kind)), None)


def _by_text(error: Exception, text: str) -> _Meaning | None:
    if said := next((said for part, said in _TEXTS.items() if part in text), None):
        return said
    return (ServerUnavailable, _BROKEN) if isinstance(error, theirs.ConnectionError) else None


@dataclass(frozen=True)
class Server:
    """What a server says of itself; `max_memory` 0 stands for no limit, memory is in bytes.

    `persistent`: it keeps an AOF; `evicts`: when full it drops keys instead of refusing to write. `aof_written`,
    `aof_rewritten`, `snapshot`: whether its last write to the AOF, its last rewrite of it and its last snapshot went
    well (true where there was none); `delayed_fsyncs`: how often it had to wait for the disk since it started.
    """

    kind: str
    version: str
    persistent: bool
    used_memory: int
    max_memory: int
    evicts: bool
    aof_written: bool = True
    aof_rewritten: bool = True
    snapshot: bool = True
    delayed_fsyncs: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.version}"


def identify(client: redis.Redis, url: str, variable: str = STORE_VARIABLE) -> Server:
    """Ask a server what it is; raises Permanent if it is older than Redis 7.0 or Valkey 7.2."""
    with translated(url, variable):
        said: dict[str, Any] = client.info()
    kind = "Valkey" if said.get("server_name") == "valkey" or "valkey_version" in said else "Redis"
    version = str(said.get("valkey_version" if kind == "Valkey" else "redis_version", "0"))
    if _numbers(version) < OLDEST[kind]:
        oldest = " or ".join(f"{name} {major}.{minor}" for name, (major, minor) in OLDEST.items())
        raise Permanent(f"the server {server_name(url)} is {kind} {version}: Storywire needs {oldest} ({variable})")
    return Server(
        kind=kind,
        version=version,
        persistent=bool(said.get("aof_enabled")),
        used_memory=int(said.get("used_memory", 0)),
        max_memory=int(said.get("maxmemory", 0)),
        evicts=said.get("maxmemory_policy", "noeviction") != "noeviction",
        aof_written=said.get("aof_last_write_status", "ok") == "ok",
        aof_rewritten=said.get("aof_last_bgrewrite_status", "ok") == "ok",
        snapshot=said.get("rdb_last_bgsave_status", "ok") == "ok",
        delayed_fsyncs=int(said.get("aof_delayed_fsync", 0)),
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())

"""What a server says of itself, and whether that will do.

Invariant: a server that is too old is refused before anything else is asked of it.
"""

import time
from dataclasses import dataclass
from typing import Any

import redis
import structlog

from worker.connect import merged
from worker.connect.address import STORE_VARIABLE, server_name
from worker.connect.sentinel import primary_of
from worker.connect.trouble import translated
from worker.errors import Permanent

OLDEST = {"Redis": (7, 0), "Valkey": (7, 2)}
"""The oldest servers that are supported: scripts and streams as of these are relied on."""

_LOADING_S = 0.2

log = structlog.get_logger()


@dataclass(frozen=True)
class Server:
    """What a server says of itself; `max_memory` 0 stands for no limit, memory is in bytes.

    `persistent`: it keeps an AOF; `evicts`: when full it drops keys instead of refusing to write. `aof_written`,
    `aof_rewritten`, `snapshot`: whether its last write to the AOF, its last rewrite of it and its last snapshot went
    well (true where there was none); `delayed_fsyncs`: how often it had to wait for the disk since it started;
    `loading`: it still reads its data, and answers nothing but this; `at`: HOST:PORT of the primary, where Sentinels
    named it; `replicas`: how many it has that are in step, of a Cluster the primary that has fewest; `shards`: how many
    primaries a Cluster has, 0 for a single server.
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
    loading: bool = False
    at: str = ""
    replicas: int = 0
    shards: int = 0

    def __str__(self) -> str:
        at = f" at {self.at}" if self.at else ""
        told = self.replicas and not self.shards  # of a Cluster the fewest say nothing of the others
        replicas = f" with {self.replicas} replica{'s' * (self.replicas > 1)}" if told else ""
        nobody = " without a replica that could take over" if self.at and not self.replicas else ""
        return f"{self.kind} {self.version}{at}{replicas}{nobody}"


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
        loading=bool(said.get("loading")),
        at=primary_of(client),
        replicas=merged.in_step(said),
        shards=int(said.get("shards", 0)),
    )


def await_loaded(client: redis.Redis, url: str, variable: str = STORE_VARIABLE) -> None:
    """As `identify`, but a server that still loads its data is waited for, as long as it takes."""
    told = False
    while identify(client, url, variable).loading:
        if not told:
            log.warning(
                "waiting for the server",
                trouble=f"the server {server_name(url)} is still loading its data ({variable})",
            )
            told = True
        time.sleep(_LOADING_S)
    if told:
        log.info("the server has loaded its data")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())

"""What several servers say of themselves, as one: what a command without a key gives on a Cluster.

Invariant: the worst of them counts, as a store is as full as its fullest node, and as safe as its least safe one.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

_Info = Mapping[str, Any]

_SILENT_S = 10
"""A replica says every second how far it is; one that has said nothing for so long is away, and `online` still."""


def info(said: Sequence[_Info]) -> dict[str, Any]:
    """The INFO of several primaries as that of one: memory is of the fullest, the version the oldest, and what is not
    well with any of them is not well. `shards`: how many there are."""
    fullest = max(said, key=_fullness)
    oldest = min(said, key=_age)
    one = dict(oldest) | {name: fullest[name] for name in _OF_THE_FULLEST if name in fullest}
    for name, worst in _WORST.items():
        if values := [each[name] for each in said if name in each]:
            one[name] = worst(values)
    return one | {"shards": len(said), "in_step": min(map(in_step, said))}


def replicas(said: _Info) -> int:
    """How many replicas a primary has that have had their copy, those that are silent of late included."""
    return sum(replica.get("state") == "online" for replica in _replicas(said))


def in_step(said: _Info, within_s: float = _SILENT_S) -> int:
    """How many of them could take over now, as they have said something `within_s`; of several primaries' replicas, the
    fewest."""
    if "in_step" in said:
        return int(said["in_step"])
    near = (replica for replica in _replicas(said) if int(replica.get("lag", 0)) < within_s)
    return sum(replica.get("state") == "online" for replica in near)


def copying(said: _Info) -> int:
    """How many replicas a primary is giving a copy of everything."""
    return sum(replica.get("state") != "online" for replica in _replicas(said))


def _replicas(said: _Info) -> list[_Info]:
    each = (said.get(f"slave{at}") for at in range(int(said.get("connected_slaves", 0))))
    return [replica for replica in each if isinstance(replica, Mapping)]


def _fullness(said: _Info) -> tuple[float, int]:
    used, most = said.get("used_memory", 0), said.get("maxmemory", 0)
    return (used / most if most else 0.0), used


def _age(said: _Info) -> tuple[int, ...]:
    version = str(said.get("valkey_version", said.get("redis_version", "0")))
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def _trouble(statuses: Sequence[str]) -> str:
    return next((status for status in statuses if status != "ok"), "ok")


def _eviction(policies: Sequence[str]) -> str:
    return next((policy for policy in policies if policy != "noeviction"), "noeviction")


_OF_THE_FULLEST = ("used_memory", "maxmemory")

_WORST: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "run_id": lambda ids: " ".join(sorted(map(str, ids))),  # one that has come back, or taken over, changes it
    "maxmemory_policy": _eviction,
    "aof_enabled": min,
    "aof_last_write_status": _trouble,
    "aof_last_bgrewrite_status": _trouble,
    "rdb_last_bgsave_status": _trouble,
    "aof_rewrite_in_progress": max,
    "aof_rewrite_scheduled": max,
    "aof_delayed_fsync": sum,
    "loading": max,
}

"""What several servers say of themselves, as one: what a command without a key gives on a Cluster.

Invariant: the worst of them counts, as a store is as full as its fullest node, and as safe as its least safe one.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

_Info = Mapping[str, Any]


def info(said: Sequence[_Info]) -> dict[str, Any]:
    """The INFO of several primaries as that of one: memory is of the fullest, the version the oldest, and what is not
    well with any of them is not well. `shards`: how many there are."""
    fullest = max(said, key=_fullness)
    oldest = min(said, key=_age)
    one = dict(oldest) | {name: fullest[name] for name in _OF_THE_FULLEST if name in fullest}
    for name, worst in _WORST.items():
        if values := [each[name] for each in said if name in each]:
            one[name] = worst(values)
    return one | {"shards": len(said), "replicas": min(map(replicas, said))}


def replicas(said: _Info) -> int:
    """How many replicas of a primary are in step, so that one could take over; of several primaries', the fewest."""
    if "replicas" in said:
        return int(said["replicas"])
    return _states(said).count("online")


def copying(said: _Info) -> int:
    """How many replicas a primary is giving a copy of everything."""
    return sum(state != "online" for state in _states(said))


def _states(said: _Info) -> list[str]:
    each = (said.get(f"slave{at}") for at in range(int(said.get("connected_slaves", 0))))
    return [str(replica.get("state")) for replica in each if isinstance(replica, Mapping)]


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

"""The server: whether it has room, keeps what it is told, and is of our version.

Invariant: figures in, findings out.
"""

from collections.abc import Sequence

from worker.connect import Server
from worker.health.finding import Finding, State, count, size
from worker.pressure import FULL
from worker.store.sharding import Shard

_NEARLY_FULL = 0.8
"""Of the server's memory: time to act before polls are held back."""


def of_server(server: Server, where: str, shards: Sequence[Shard] = ()) -> Finding:
    """The server: whether it has room for more, and, where one is to take over from another, whether one could;
    `where` says which it is, `shards` are a Cluster's, of which the fullest counts."""
    figures: dict[str, object] = {
        "kind": server.kind,
        "version": server.version,
        "used_memory": server.used_memory,
        "max_memory": server.max_memory,
    }
    if shards:
        figures["shards"] = [shard._asdict() for shard in shards]
    said = f"{where}, {server}, {_of_fullest(shards)}{size(server.used_memory)} in use"
    if server.max_memory:
        said += f" of {size(server.max_memory)}"
    state = State.OK
    if alone := _alone(server, shards):
        state = State.WARN
        said += f", {alone}: start one, or see in its log what it lacks"
    if server.max_memory and server.used_memory > _NEARLY_FULL * server.max_memory:
        state = State.FAIL if server.used_memory >= FULL * server.max_memory else State.WARN
        said += f", polls wait from {FULL:.0%} on: raise its maxmemory or shorten STORYWIRE_RETENTION"
        return Finding("server", state, said, figures)
    if server.evicts and server.max_memory:
        said += ", drops keys when it is full: set its maxmemory-policy to noeviction"
        return Finding("server", State.WARN, said, figures)
    return Finding("server", state, said, figures)


def _alone(server: Server, shards: Sequence[Shard]) -> str:
    """Which primaries nothing could take over from; "" for a server that stands alone on purpose, or where all is
    well."""
    if not shards:
        return "its replica is away, or not in step" if server.at and not server.replicas else ""
    without = [shard for shard in shards if not shard.replicas]
    if len(without) == len(shards):
        return "none of them has a replica that could take over"
    nodes = [f"{shard.node}{_has(shard)}" for shard in without]
    have = "has" if len(nodes) == 1 else "have"
    return f"{', '.join(nodes)} {have} no replica that could take over" if nodes else ""


def _has(shard: Shard) -> str:
    return f" ({', '.join(shard.languages)})" if shard.languages else ""


def _of_fullest(shards: Sequence[Shard]) -> str:
    """Of a Cluster which node the figures are about: "" for a single server."""
    if not shards:
        return ""
    fullest = max(shards, key=lambda shard: (shard.used_memory / (shard.max_memory or 1), shard.used_memory))
    return f"{count(len(shards), 'shard', 'shards')}, the fullest, {fullest.node}{_has(fullest)}, has "


def of_schema(ours: int, found: int, *, left: bool) -> Finding:
    """The version of the store's layout: this program's and the server's (0: empty), and what is left of the one
    before."""
    said = f"version {found or ours}" + ("" if found in (0, ours) else f", this program's is {ours}")
    figures = {"ours": ours, "found": found, "left": left}
    if left:
        said += ", something of the one before is there too: end its processes, then start one of these again"
        return Finding("schema", State.WARN, said, figures)
    return Finding("schema", State.OK, said, figures)


def of_persistence(server: Server) -> Finding:
    """Whether the server keeps what it is told, and its disk takes it."""
    figures = {
        "aof": server.persistent,
        "aof_written": server.aof_written,
        "aof_rewritten": server.aof_rewritten,
        "snapshot": server.snapshot,
        "delayed_fsyncs": server.delayed_fsyncs,
    }
    remedy = "free space on its disk, then look at its log"
    if not server.aof_written:
        state, said = State.FAIL, f"its last write to the append-only file failed, it refuses writes: {remedy}"
    elif not server.snapshot:
        state, said = State.FAIL, f"its last snapshot failed, it may refuse writes: {remedy}"
    elif not server.persistent:
        state, said = State.WARN, "the server loses its data when it ends: set its appendonly to yes"
    elif not server.aof_rewritten:
        state, said = State.WARN, f"its last rewrite of the append-only file failed, the file only grows: {remedy}"
    else:
        delayed = count(server.delayed_fsyncs, "fsync", "fsyncs")
        late = f", {delayed} delayed since it started" if server.delayed_fsyncs else ""
        state, said = State.OK, f"the server keeps its data{late}"
    return Finding("persistence", state, said, figures)

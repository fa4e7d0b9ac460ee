"""Where a Cluster keeps which languages, and how full and how safe each of its nodes is.

Invariant: a language's stories are all on one node; nothing here moves them.
"""

from typing import Any, NamedTuple

from redis import Redis

from worker.connect.cluster import Cluster
from worker.connect.merged import in_step
from worker.store import keys


class Shard(NamedTuple):
    """A primary: its host and port, the bytes that it uses and the most that it may (0: no limit), and the languages
    whose stories it has; `replicas`: how many are in step, so that one could take over."""

    node: str
    used_memory: int
    max_memory: int
    languages: tuple[str, ...]
    replicas: int = 0


def shards(redis: Redis) -> list[Shard]:
    """The primaries of a Cluster, by their slots; none, and nothing asked, for a single server."""
    if not isinstance(redis, Cluster):
        return []
    known: Any = redis.smembers(keys.languages())
    places = {lang: redis.node_of(keys.counters(lang)) for lang in sorted(each.decode() for each in known)}
    return [
        Shard(
            f"{host}:{port}",
            int(said.get("used_memory", 0)),
            int(said.get("maxmemory", 0)),
            tuple(lang for lang, node in places.items() if node == (host, port)),
            in_step(said),
        )
        for (host, port), said in redis.said().items()
    ]

"""Three hosts with servers, watched by Sentinels or joined in a Cluster, and Storywire's parts on hosts of their own.

Invariant: the test looks on from a host that is never cut off: like a worker, it hears all servers that are there.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import redis
from redis.crc import key_slot

from tests.cluster import Cluster, ask
from tests.fault.scattered import PARTS, Scattered, working
from tests.hosts import Network
from tests.servers import Server, free_port
from tests.shapes import Sentinels
from worker.config import load
from worker.runtime import open_runtime
from worker.store import keys

HOSTS = ("server-a", "server-b", "server-c")
DOWN_AFTER_MS = 5000
"""As deploy/redis/sentinel.conf has it, and docs/deploy of a Cluster's nodes."""
BOUNDED: dict[str, Any] = {"min-replicas-to-write": "1", "min-replicas-max-lag": "10"}
"""As docs/deploy has it of servers that Sentinels watch."""

_ENGLISH = key_slot(keys.counters("en").encode())


class Spread(NamedTuple):
    """`servers`: all of them, on HOSTS; `serves`: whether one takes itself for the primary of English; `await_whole`:
    returns when each has what its primary has, and all agree who that is."""

    scene: Scattered
    servers: Sequence[Server]
    serves: Callable[[Server], bool]
    await_whole: Callable[[], None]

    def primary(self) -> Server:
        """The one that has English."""
        [found] = [server for server in self.servers if self.serves(server)]
        return found

    def host_of(self, server: Server) -> str:
        """The name of its host."""
        return next(name for name in HOSTS if self.scene.network[name] is server.place)


@contextmanager
def on_sentinels(folder: Path, articles: int, **options: Any) -> Iterator[Spread]:
    """A server and a Sentinel on each host; `options`: the servers' own."""
    with (
        _network() as network,
        Sentinels(
            replicas=2, down_after_ms=DOWN_AFTER_MS, places=[network[name] for name in HOSTS], appendonly="yes",
            **options,
        ) as sentinels,
    ):  # fmt: skip
        settings = {"redis_url": sentinels.url}
        with open_runtime(load({}, **settings)) as runtime, working(network, runtime, settings, folder, articles) as it:
            yield Spread(it, sentinels.servers, _is_primary, sentinels.await_whole)


@contextmanager
def on_cluster(folder: Path, articles: int) -> Iterator[Spread]:
    """A primary and another's replica on each host, the queue on one of its own."""
    with ExitStack() as ending:
        network = ending.enter_context(_network())
        queue = Server(port=free_port(), place=network["queue"])
        ending.callback(queue.close)
        options: dict[str, Any] = {"cluster-node-timeout": str(DOWN_AFTER_MS), "cluster-require-full-coverage": "no"}
        options |= {"cluster-allow-reads-when-down": "no", "appendonly": "yes"}
        cluster = Cluster(replicated=3, places=[network[name] for name in HOSTS], **options)
        ending.callback(cluster.close)
        settings = {"redis_url": cluster.url, "queue_url": queue.tcp_url}
        runtime = ending.enter_context(open_runtime(load({}, **settings)))
        made = ending.enter_context(working(network, runtime, settings, folder, articles))
        yield Spread(made, cluster.nodes, _has_english, lambda: cluster.await_whole(within_s=60))


@contextmanager
def _network() -> Iterator[Network]:
    with Network(*HOSTS, "queue", *PARTS, "watch") as network, network["watch"].inside():
        yield network


def _is_primary(server: Server) -> bool:
    return bool(ask(server, "ROLE")[0] == "master")


def _has_english(node: Server) -> bool:
    rows = ask(node, "CLUSTER", "SLOTS")
    return any(start <= _ENGLISH <= end and said[1] == node.port for start, end, said, *_ in rows)


class Seen(NamedTuple):
    """What happened in a cut. `named_s`: after how long another took the old primary's place, inf for never; `alone`:
    how many articles the old one took, the last after `alone_s`; `stall_s`: the longest time in which no server took
    any."""

    named_s: float
    alone: int
    alone_s: float
    stall_s: float


def look_on(spread: Spread, old: Server, seconds: float) -> Seen:
    """Look on for so long, by the sockets of the servers."""
    began = last = time.monotonic()
    named_s, alone_s, stall_s = float("inf"), 0.0, 0.0
    others = [server for server in spread.servers if server is not old]
    before = had = {server: _articles(server) for server in spread.servers}
    while (now := time.monotonic()) < began + seconds:
        has = {server: _articles(server) for server in spread.servers}
        if any(has[server] > had[server] for server in has):
            last = now
        if has[old] > had[old]:
            alone_s = now - began
        stall_s = max(stall_s, now - last)
        had = {server: has[server] or had[server] for server in has}
        if any(map(spread.serves, others)):
            named_s = min(named_s, now - began)
        time.sleep(0.1)  # between two looks
    return Seen(named_s, had[old] - before[old], alone_s, stall_s)


def _articles(server: Server) -> int:
    """How many English articles it has; 0 where it does not say."""
    with suppress(redis.RedisError):
        return int(ask(server, "HGET", keys.counters("en"), "articles") or 0)
    return 0

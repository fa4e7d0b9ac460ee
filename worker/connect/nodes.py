"""Which node of a Cluster serves which slot, and the connections to each node.

Invariant: a map that lacks slots is used only where no node has a whole one, and a node that was of no use is asked
last; the map that is in use is never changed, another takes its place.
"""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import redis.exceptions as theirs
from redis.backoff import NoBackoff
from redis.connection import ConnectionPool
from redis.crc import REDIS_CLUSTER_HASH_SLOTS
from redis.retry import Retry

Node = tuple[str, int]
"""Host and port."""

ANSWERLESS = (theirs.ConnectionError, theirs.TimeoutError)
"""Raised where a node gave no answer; of these a refused password is one too, see REFUSED."""
REFUSED = (theirs.AuthenticationError, theirs.AuthorizationError, theirs.MaxConnectionsError)
"""Those of them that no other node would answer otherwise."""

_LASTS_S, _LASTS_ALONE_S = 30.0, 5.0
"""A map that is older is asked for anew, though nothing seems wrong with it; earlier where it names a primary without a
replica: what is written there is not waited for, and it may have one by now."""

_MAP_S = 1.0
"""So long one node is waited for that is asked for the map: all commands wait for it, those to other nodes too."""


class Shards(NamedTuple):
    """`primaries`: all of them, by their first slot; `by_slot`: the primary of each slot, None where none serves it;
    `replicas`: how many each has that are up, where there is any."""

    primaries: tuple[Node, ...]
    by_slot: tuple[Node | None, ...]
    replicas: Mapping[Node, int]

    @property
    def lasts_s(self) -> float:
        """How old it may become."""
        return _LASTS_S if all(node in self.replicas for node in self.primaries) else _LASTS_ALONE_S


class Nodes:
    """Thread-safe. `hosts` are where the map is first asked for; `one` is any node's address with user, password and
    options, as redis-py reads it; `options` are redis-py's of a connection."""

    def __init__(self, hosts: Iterable[Node], one: str, options: dict[str, Any]) -> None:
        like = ConnectionPool.from_url(one, **options)
        self._options = {**like.connection_kwargs, "retry": Retry(NoBackoff(), 0)}  # who sends tries again
        self._class, self._most = like.connection_class, like.max_connections
        self._hosts = tuple(hosts)
        self._pools: dict[Node, ConnectionPool] = {}
        self._failed: dict[Node, float] = {}
        self._shards: Shards | None = None
        self._asked_at = 0.0
        self._asking, self._making = threading.Lock(), threading.Lock()

    def shards(self) -> Shards:
        """The map of slots. Raises what redis-py does where no node has ever given one."""
        if self._shards is None:
            self.ask_again(None)
        elif time.monotonic() - self._asked_at > self._shards.lasts_s:  # replicas come and go without any error
            self._asked_at = time.monotonic()  # by one thread; where no node answers, the commands will say so
            with suppress(*ANSWERLESS):
                self.ask_again(self._shards)
        assert self._shards is not None
        return self._shards

    def ask_again(self, used: Shards | None) -> None:
        """Have the map asked for anew, unless it is another than the one `used` by now. Raises as `shards` does."""
        with self._asking:
            if self._shards is used:
                self._shards = self._asked()
                self._asked_at = time.monotonic()
                self._forget_others(self._shards.primaries)

    def moved(self, slot: int, node: Node) -> None:
        """A node says who serves a slot now: it knows that better than who was asked for the map."""
        with self._asking:
            if self._shards is not None and self._shards.by_slot[slot] != node:
                by_slot = list(self._shards.by_slot)
                by_slot[slot] = node
                self._shards = _shards(by_slot, self._shards.replicas)

    def failed(self, node: Node) -> None:
        """A node was of no use: its connections that lie idle are given up."""
        with self._making:
            self._failed[node] = time.monotonic()
            if node in self._pools:
                self._pools[node].disconnect(inuse_connections=False)

    def pool(self, node: Node) -> ConnectionPool:
        """The connections to a node."""
        with self._making:
            if node not in self._pools:
                options = {**self._options, "host": node[0], "port": node[1]}
                self._pools[node] = ConnectionPool(self._class, self._most, **options)
            return self._pools[node]

    def keeps(self, pool: ConnectionPool) -> bool:
        """Whether these are still the connections to a node; not, where it served nothing any more."""
        with self._making:
            return pool in self._pools.values()

    def close(self) -> None:
        """Close all connections."""
        with self._making:
            for pool in self._pools.values():
                pool.disconnect()

    def _forget_others(self, primaries: Iterable[Node]) -> None:
        """Give up the connections to nodes that serve nothing any more; one that is lent is closed when it is back."""
        used = set(primaries)
        with self._making:
            for node in self._pools.keys() - used:
                self._pools.pop(node).disconnect(inuse_connections=False)
            for node in self._failed.keys() - used.union(self._hosts):
                del self._failed[node]

    def _asked(self) -> Shards:
        """The map of the first node that knows who serves every slot, those that failed of late last; where none does,
        the one with the most slots: a node that was taken out, or is cut off from the others, has no better one."""
        known = dict.fromkeys([*(self._shards.primaries if self._shards else ()), *self._hosts])
        trouble: Exception = theirs.ConnectionError("no node is known")
        partial: Shards | None = None
        for node in sorted(known, key=lambda node: self._failed.get(node, 0.0)):
            try:
                said = self._said(node)
                if None not in said.by_slot:
                    return said
                partial = max(partial or said, said, key=lambda each: sum(map(bool, each.by_slot)))
            except REFUSED:
                raise
            except ANSWERLESS as error:
                self.failed(node)
                trouble = error
        if partial is not None:
            return partial
        raise trouble

    def _said(self, node: Node) -> Shards:
        quick = {"socket_timeout": _MAP_S, "socket_connect_timeout": _MAP_S}
        connection: Any = self._class(**{**self._options, **quick, "host": node[0], "port": node[1]})
        try:
            connection.connect()
            connection.send_command("CLUSTER", "SLOTS")
            rows: Any = connection.read_response()
        finally:
            connection.disconnect()
        by_slot: list[Node | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        up: dict[Node, int] = {}
        for start, end, (host, port, *_), *replicas in rows:
            primary = _name(host) or node[0], port
            by_slot[start : end + 1] = [primary] * (end + 1 - start)
            up |= {primary: len(replicas)} if replicas else {}
        return _shards(by_slot, up)


class Lent:
    """A connection to a node, from its pool and back; closed unless all answers were `read` from it, and where the
    node has no such pool any more. Raises as redis-py's pools do."""

    def __init__(self, nodes: Nodes, node: Node) -> None:
        self.nodes, self.node, self.read = nodes, node, False
        self._pool = nodes.pool(node)
        self.connection: Any = self._pool.get_connection()

    def __enter__(self) -> "Lent":
        return self

    def __exit__(self, *_: object) -> None:
        if not self.read or not self.nodes.keeps(self._pool):
            self.connection.disconnect()
        self._pool.release(self.connection)


def _shards(by_slot: Sequence[Node | None], replicas: Mapping[Node, int]) -> Shards:
    return Shards(tuple(dict.fromkeys(filter(None, by_slot))), tuple(by_slot), replicas)


def _name(host: bytes | None) -> str:
    """ "" stands for the host that was asked."""
    return (host or b"").decode()

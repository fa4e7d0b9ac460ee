"""The primaries of a Cluster whose replicas do not get what is written there: a broken link, a replica that hangs.

Invariant: one is named only after a write was not secured there, and until the replicas that the map names are in step.
"""

from collections.abc import Callable
from typing import Any

import redis.exceptions as theirs

from worker.connect import merged
from worker.connect.cluster import Cluster
from worker.connect.nodes import ANSWERLESS, Node, Shards

_HELD_S = 10.0
"""So long at least nothing is written where a write was not secured: each that is not takes some 4 s."""

_SPOKEN_S = 3.0
"""A replica says every second how far it is: one that is silent for longer hangs, or is cut off."""

_ASKED_S = 1.0


class Lagging:
    """What one process knows of them. `elapsed`: seconds that only grow."""

    def __init__(self, elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self._troubles: dict[Node, str] = {}
        self._since: dict[Node, float] = {}

    def __bool__(self) -> bool:
        return bool(self._troubles)

    def add(self, node: Node, trouble: str) -> None:
        """A write was not secured there."""
        self._troubles[node], self._since[node] = trouble, self._elapsed()

    def of(self, node: Node | None) -> str:
        """What is wrong with a node; "" where nothing is."""
        return self._troubles.get(node, "") if node is not None else ""

    def all(self) -> list[str]:
        """What is wrong with each."""
        return list(self._troubles.values())

    def look(self, cluster: Cluster) -> None:
        """Forget those that are well again, or no primaries any more. Their map has been asked for just now."""
        shards = cluster.nodes.shards()
        for node in list(self._troubles):
            if self._is_over(cluster, node, shards):
                del self._troubles[node], self._since[node]

    def _is_over(self, cluster: Cluster, node: Node, shards: Shards) -> bool:
        if node not in shards.primaries or node not in shards.replicas:
            return True
        if self._elapsed() < self._since[node] + _HELD_S:
            return False
        try:
            said = _replication(cluster, node)
        except (*ANSWERLESS, theirs.ResponseError):
            return True  # what is wrong now is another thing, and is met where the node is used
        return merged.in_step(said, _SPOKEN_S) + merged.copying(said) >= shards.replicas[node]


def _replication(cluster: Cluster, node: Node) -> dict[str, Any]:
    pool = cluster.nodes.pool(node)
    quick = {"socket_timeout": _ASKED_S, "socket_connect_timeout": _ASKED_S}
    connection: Any = pool.connection_class(**{**pool.connection_kwargs, **quick})
    try:
        connection.connect()
        connection.send_command("INFO", "replication")
        return dict(cluster.parse_response(connection, "INFO"))  # type: ignore[no-untyped-call]
    finally:
        connection.disconnect()

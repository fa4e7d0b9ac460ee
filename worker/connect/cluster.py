"""A client of a Cluster with the face of a client of one server: what is asked goes to the node that has its slot.

Invariant: a command, and a script, touches keys of one slot; the answers of a pipeline keep the order of its commands,
whichever nodes gave them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis.exceptions as theirs
from redis.backoff import ExponentialWithJitterBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.connection import ConnectionPool, SSLConnection, parse_url
from redis.retry import Retry

from worker.connect.address import STORE_VARIABLE, server_name
from worker.connect.several import Several
from worker.connect.single import Pipeline, Redis
from worker.connect.trouble import translated
from worker.errors import ServerUnavailable

_AGAIN = 5
"""How often a command is sent again where its slot moved, its node died, or the map of slots was old."""

_TEXTS = {
    "cannot be connected": "cannot be reached at any of these nodes: start them, or correct the address",
    "not covered": "has slots that no node serves: see CLUSTER INFO",
    "could not agree": "has nodes that do not agree on who serves what: try again in a moment",
    "mode is not enabled": "is no Cluster: write redis:// for a single server",
}
"""Parts of the texts of redis-py's errors of a Cluster that no bug explains."""


class Cluster(Redis):
    """A thread-safe client of all nodes, as `Redis` is one of a single server. Nothing is sent before the first
    command: then the map of slots is asked for."""

    def __init__(self, found: Several, options: dict[str, Any], url: str, variable: str = STORE_VARIABLE) -> None:
        super().__init__(connection_pool=ConnectionPool.from_url(found.one, **options))  # encodes, and never connects
        self.url, self.variable = url, variable
        self._found, self._options = found, options
        self._nodes: RedisCluster | None = None
        self._making = threading.Lock()

    @property
    def nodes(self) -> RedisCluster:
        """redis-py's client of all nodes; raises what it raises where none of them answers."""
        with self._making:
            if self._nodes is None:
                self._nodes = _nodes(self._found, self._options)
            return self._nodes

    def execute_command(self, *args: Any, **options: Any) -> Any:
        with _translated(self):
            return self.nodes.execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = False, shard_hint: str | None = None) -> ClusterPipeline:
        assert not transaction and shard_hint is None, "what has to happen at one moment on a Cluster is a script"
        return ClusterPipeline(self)

    def close(self) -> None:
        with self._making:
            if self._nodes is not None:
                self._nodes.close()
        super().close()


class ClusterPipeline(Pipeline):
    """A pipeline of such a client: all nodes are written to before any is read from."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster.connection_pool, cluster.response_callbacks, False, None)
        self._cluster = cluster

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        stack, scripts = list(self.command_stack), list(self.scripts)
        self.reset()
        with _translated(self._cluster):
            try:
                return self._send(stack, raise_on_error)
            except theirs.NoScriptError:  # of one node, or of a replica that took over: as on a single server
                for script in scripts:
                    self._cluster.nodes.script_load(script.script)
                return self._send(stack, raise_on_error)

    def _send(self, stack: list[Any], raise_on_error: bool) -> list[Any]:
        if not stack:
            return []
        pipe = self._cluster.nodes.pipeline(transaction=False)  # type: ignore[no-untyped-call]
        for args, options in stack:
            pipe.execute_command(*args, **options)
        answers: list[Any] = pipe.execute(raise_on_error)
        return answers


def _nodes(found: Several, options: dict[str, Any]) -> RedisCluster:
    said: dict[str, Any] = {**options, **parse_url(found.one)}  # type: ignore[no-untyped-call]
    tls = said.pop("connection_class", None) is SSLConnection
    for name in ("host", "port", "retry"):
        said.pop(name, None)
    retry = Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), _AGAIN)
    starts = [ClusterNode(host, port) for host, port in found.hosts]  # type: ignore[no-untyped-call]
    return RedisCluster(startup_nodes=starts, retry=retry, ssl=tls, **said)


@contextmanager
def _translated(cluster: Cluster) -> Iterator[None]:
    with translated(cluster.url, cluster.variable):
        try:
            yield
        except theirs.RedisClusterException as error:  # which is no RedisError
            said = str(error)
            wrong = next((means for part, means in _TEXTS.items() if part in said), "")
            if not wrong:
                raise  # a command of two slots, say: a bug
            raise ServerUnavailable(f"the server {server_name(cluster.url)} {wrong} ({cluster.variable})") from error

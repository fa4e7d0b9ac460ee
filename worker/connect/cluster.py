"""A client of a Cluster with the face of a client of one server: what is asked goes to the node that has its slot.

Invariant: a command, and a script, touches keys of one slot; what has to happen at one moment is a script.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import redis
import redis.exceptions as theirs
from redis.commands.core import Script
from redis.connection import ConnectionPool
from redis.crc import key_slot

from worker.connect.address import STORE_VARIABLE, server_name
from worker.connect.nodes import Node, Nodes
from worker.connect.sending import send
from worker.connect.several import Several
from worker.connect.single import Pipeline, Redis
from worker.connect.trouble import translated
from worker.errors import Permanent

_NO_CLUSTER = "cluster support disabled"


class Cluster(Redis):
    """A thread-safe client of all nodes, as `Redis` is one of a single server. Nothing is sent before the first
    command: then the map of slots is asked for."""

    def __init__(self, found: Several, options: dict[str, Any], url: str, variable: str = STORE_VARIABLE) -> None:
        super().__init__(connection_pool=ConnectionPool.from_url(found.one, **options))  # encodes, and never connects
        self.url, self.variable = url, variable
        self.nodes = Nodes(found.hosts, found.one, options)
        self.scripts: dict[str, Script] = {}

    def execute_command(self, *args: Any, **options: Any) -> Any:
        with _translated(self):
            known = self.scripts.get(str(args[1])) if args[0] == "EVALSHA" else None
            [answer] = self.send([(args, options)], [known] if known else ())
            if isinstance(answer, Exception):
                raise answer
            return answer

    def register_script(self, script: Any) -> Script:
        """A callable script: a node that lacks it is sent it, and no other node is asked."""
        made = super().register_script(script)
        return self.scripts.setdefault(made.sha, made)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> ClusterPipeline:
        if transaction or shard_hint is not None:
            raise NotImplementedError("what has to happen at one moment on a Cluster is a script")
        return ClusterPipeline(self)

    def scan_iter(self, *args: Any, **options: Any) -> Iterator[Any]:
        """All keys, node by node; a slot that moves meanwhile may be left out, or come twice."""
        with _translated(self):
            for node in self.nodes.shards().primaries:
                yield from redis.Redis(connection_pool=self.nodes.pool(node)).scan_iter(*args, **options)

    def node_of(self, key: str) -> Node | None:
        """The primary that has a key; None where none serves its slot."""
        return self.nodes.shards().by_slot[key_slot(key.encode())]

    def said(self, away: Container[Node | None] = ()) -> dict[Node, dict[str, Any]]:
        """What each primary says of itself (INFO), by their slots; those that are `away` are not asked."""
        with _translated(self):
            nodes = [node for node in self.nodes.shards().primaries if node not in away]
            return {node: redis.Redis(connection_pool=self.nodes.pool(node)).info() for node in nodes}

    def close(self) -> None:
        self.nodes.close()
        super().close()

    def send(self, stack: Sequence[tuple[Any, Any]], scripts: Collection[Any] = ()) -> list[Any]:
        """The answers to these (arguments, options), redis-py's errors among them (`sending.send`)."""
        return send(self.nodes, self.parse_response, stack, scripts)


class ClusterPipeline(Pipeline):
    """A pipeline of such a client: all nodes are written to before any is read from."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster.connection_pool, cluster.response_callbacks, False, None)
        self._cluster = cluster

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Send all, and again what a node had not the script of, or gave no answer to. As on a single server, NOSCRIPT
        is among the answers where errors are not raised."""
        stack, scripts = list(self.command_stack), list(self.scripts) if raise_on_error else []
        self.reset()
        with _translated(self._cluster):
            answers = self._cluster.send(stack, scripts)
            if raise_on_error and (error := next((each for each in answers if isinstance(each, Exception)), None)):
                raise error
            return answers


@contextmanager
def _translated(cluster: Cluster) -> Iterator[None]:
    with translated(cluster.url, cluster.variable):
        try:
            yield
        except (theirs.AskError, theirs.MovedError) as error:  # it has moved for as long as we wait
            raise theirs.TryAgainError(str(error), status_code="TRYAGAIN") from error
        except theirs.ResponseError as error:
            if _NO_CLUSTER not in str(error):
                raise
            name = server_name(cluster.url)
            raise Permanent(f"the server {name} is no Cluster: write redis:// for it ({cluster.variable})") from None

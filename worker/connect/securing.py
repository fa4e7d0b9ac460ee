"""Clients for what has to outlive the server that takes it, where another stands ready to take over.

Invariant: what they are asked writes whenever it is sent, also where it changes nothing: a server waits for what the
same connection wrote, and would wait for nothing after a try whose answer was lost.
"""

from collections.abc import Collection, Sequence
from typing import Any

import redis

from worker.connect import merged
from worker.connect.cluster import Cluster
from worker.connect.sending import send
from worker.connect.sentinel import primary_of
from worker.connect.single import Redis
from worker.connect.task import waiting
from worker.connect.trouble import Unreplicated, translated


class Securing(Cluster):
    """The same client, but each command is answered when the replicas of its node have what it wrote (WAIT), if there
    are any; raises ServerUnavailable where they do not get it: then it may stand, or not."""

    def __init__(self, cluster: Cluster) -> None:
        redis.Redis.__init__(self, connection_pool=cluster.connection_pool)
        self.url, self.variable, self.nodes = cluster.url, cluster.variable, cluster.nodes
        self.scripts = {}

    def send(self, stack: Sequence[tuple[Any, Any]], scripts: Collection[Any] = ()) -> list[Any]:
        return send(self.nodes, self.parse_response, stack, scripts, secured=True)


class Lasting(Redis):
    """The same of a single server, of which each command, but for pipelines, is answered so: two round trips more."""

    def __init__(self, client: Redis) -> None:
        super().__init__(connection_pool=client.connection_pool)
        self.url, self.variable = client.url, client.variable

    def execute_command(self, *args: Any, **options: Any) -> Any:
        count = merged.replicas(super().execute_command("INFO", "replication"))
        if not count:
            return super().execute_command(*args, **options)
        together = self.pipeline(transaction=False)
        together.execute_command(*args, **options)  # type: ignore[no-untyped-call]
        together.execute_command(*waiting(count))  # type: ignore[no-untyped-call]
        answer, acked = together.execute(raise_on_error=False)
        with translated(self.url, self.variable):
            for error in (answer, acked):
                if isinstance(error, Exception):
                    raise error
            if acked < count:
                raise Unreplicated(primary_of(self))
        return answer


def securing(client: redis.Redis) -> redis.Redis:
    """A client for what another node of a Cluster is told of at once: one that dies must not take it back, as the other
    would not. A single server's is the one that it is: there all is lost together, or nothing."""
    return Securing(client) if isinstance(client, Cluster) else client


def lasting(client: redis.Redis) -> redis.Redis:
    """A client for what a person is told is done, and nothing brings again: of a single server too, if it has replicas
    that are in step."""
    return Securing(client) if isinstance(client, Cluster) else Lasting(client) if isinstance(client, Redis) else client

"""What a person is told is done, and nothing brings again, outlives the server that took it.

Invariant: what was written before is with every replica that could take over, or ServerUnavailable is raised.
"""

from typing import Any

from redis import Redis

from worker.connect import lasting
from worker.connect.cluster import Cluster
from worker.store.scripts import load


class Confirmed:
    """Waits for the replicas, where there are any; some round trips. `redis` speaks bytes."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = lasting(redis)
        self._touch = load(self._redis, "touch_key")

    def wait(self, *names: str) -> None:
        """Return when what was written to these keys is where it lasts. Raises ServerUnavailable: then it may be lost
        with this server, and is to be said again."""
        if isinstance(self._redis, Cluster):
            pipe = self._redis.pipeline(transaction=False)
            for name in {self._redis.node_of(each): each for each in names}.values():
                self._touch(keys=[name], client=pipe)  # one of each node: it answers for all that was written there
            pipe.execute()
        else:
            self._touch(keys=names[:1])

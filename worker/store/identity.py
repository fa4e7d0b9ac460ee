"""What names a store wherever its stories are shown: ids of feed entries are made of it.

Invariant: made once, at random, and never changed: not by another address, host or version.
"""

from typing import Any
from uuid import UUID, uuid4

from redis import Redis

from worker.store import keys


def identity(redis: Redis) -> UUID:
    """The store's own id; made when it is first asked for."""
    client: Any = redis
    client.set(keys.identity(), uuid4().bytes, nx=True)
    return UUID(bytes=client.get(keys.identity()))

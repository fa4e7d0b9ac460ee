"""Makes the client that an address asks for: of one server, of the primary that Sentinels name, or of a Cluster.

Invariant: what each of them raises is what trouble.py makes of redis-py's errors, but for the plain one, which is RQ's.
"""

import redis

from worker.connect.address import STORE_VARIABLE, check_url, server_name
from worker.connect.cluster import Cluster
from worker.connect.sentinel import through
from worker.connect.several import several
from worker.connect.single import Redis, options
from worker.errors import BadSetting


def connect(url: str, variable: str = STORE_VARIABLE) -> Redis:
    """A client of the store's server, be it one, what Sentinels name, or a Cluster; nothing is sent yet.

    `variable`: the setting that an error names. Raises BadSetting for an address that cannot be used.
    """
    found = several(check_url(url, variable))
    if found is not None and found.kind == "cluster":
        return Cluster(found, options(), url, variable)
    client = Redis.from_pool(through(found, options())) if found else Redis.from_url(url, **options())
    assert isinstance(client, Redis)
    client.url, client.variable = url, variable
    return client


def connect_plain(url: str, variable: str = STORE_VARIABLE) -> redis.Redis:
    """The same for RQ, which handles redis-py's own errors: wrap calls of RQ in `translated`. RQ cannot use a
    Cluster: BadSetting."""
    found = several(check_url(url, variable))
    if found is not None and found.kind == "cluster":
        raise BadSetting(
            f"{variable}: {server_name(url)} is a Cluster, and RQ needs a server of its own: give STORYWIRE_QUEUE_URL"
        )
    if found is not None:
        return redis.Redis.from_pool(through(found, options()))
    return redis.Redis.from_url(url, **options())

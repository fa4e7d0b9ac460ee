"""Makes the Redis clients, and translates their errors once: what the store raises is Transient or Permanent."""

from worker.connect.address import EMBEDDED_SOCKET, STORE_VARIABLE, check_url, server_name
from worker.connect.clients import connect, connect_plain
from worker.connect.securing import lasting, securing
from worker.connect.server import OLDEST, Server, await_loaded, identify
from worker.connect.single import Pipeline, Redis
from worker.connect.trouble import translate, translated

__all__ = [
    "EMBEDDED_SOCKET",
    "OLDEST",
    "STORE_VARIABLE",
    "Pipeline",
    "Redis",
    "Server",
    "await_loaded",
    "check_url",
    "connect",
    "connect_plain",
    "identify",
    "lasting",
    "securing",
    "server_name",
    "translate",
    "translated",
]

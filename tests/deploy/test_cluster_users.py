"""A Cluster that speaks nothing but TLS and has the users of deploy/redis/users.acl, and all of Storywire on it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.certified import tls_files, write_certificates
from tests.cluster import Cluster, ask, unjoined
from tests.deploy.test_acl import all_at_work
from tests.deploy.users import Guarded, file_of_users, user_of
from tests.servers import Place, Server, free_port
from worker.connect import connect
from worker.errors import ServerUnavailable


class TlsCluster(Cluster):
    """Its nodes talk TLS to each other too, and to nobody else."""

    def _started(self, kind: str, place: Place, options: dict[str, str]) -> Server:
        node = unjoined(kind, place, **{**options, "tls-port": str(port := free_port())})
        self._closing.callback(node.close)
        ask(node, "CONFIG", "SET", "port", 0)
        node.port = port
        return node


class GuardedCluster(Guarded):
    """Three primaries and their replicas, with a queue of its own, which has the same users."""

    def __init__(self, folder: Path) -> None:
        write_certificates(folder)
        self._ca = folder / "ca.pem"
        tls: dict[str, Any] = {f"tls-{what}": "yes" for what in ("cluster", "replication")}
        tls |= {"tls-auth-clients": "no", "masteruser": "replica", "masterauth": "of-replica", **tls_files(folder)}
        with file_of_users() as file:
            self.cluster = TlsCluster("redis", replicated=3, aclfile=file, **tls)
        super().__init__("redis")

    def settings(self, command: str = "") -> dict[str, str]:
        user = user_of(command)
        stories = self.cluster.url.replace("redis+", "rediss+").replace("//", f"//{user}:of-{user}@")
        return {"redis_url": f"{stories}?ssl_ca_certs={self._ca}", "queue_url": self.url(user)}

    def refusals(self) -> set[tuple[str, str, str]]:
        """Of all nodes, and of the queue."""
        logs = [ask(node, "ACL", "LOG", 128) for node in self.cluster.nodes]
        said = [dict(zip(each[::2], each[1::2], strict=True)) for log in logs for each in log]
        return super().refusals() | {(each["username"], each["reason"], each["object"]) for each in said}

    def close(self) -> None:
        super().close()
        self.cluster.close()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[GuardedCluster]:
    with closing(GuardedCluster(tmp_path)) as made:
        yield made


@pytest.mark.slow
def test_all_of_storywire_works_on_a_cluster_of_tls_and_users(guarded: GuardedCluster, tmp_path: Path) -> None:
    """On Debian's Redis, as the embedded Valkey is built without TLS. The same as on one server (test_acl.py)."""
    with connect(guarded.cluster.url) as plain, pytest.raises(ServerUnavailable):
        plain.ping()
    with all_at_work(guarded, tmp_path) as scene:
        assert "3 shards" in scene.by_hand("check", "--all")

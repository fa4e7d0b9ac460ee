"""A real Cluster for the tests: primaries, each with a replica if asked for, on loopback or on hosts of their own.

Invariant: every slot is served when a `Cluster` is there, and every node knows all the others.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

import redis

from tests.servers import LOOPBACK, Place, Server, free_port
from tests.waiting import eventually

SLOTS = 16_384


def unjoined(kind: str, place: Place = LOOPBACK, **more: str) -> Server:
    """A node that has no slots yet. Its bus has a port of its own: the usual one, 10,000 up, may be past the last."""
    options: dict[str, Any] = {"cluster-enabled": "yes", "cluster-port": str(free_port()), "databases": "1"}
    options |= {"cluster-node-timeout": "2000", "cluster-replica-validity-factor": "0", "repl-diskless-sync-delay": "0"}
    return Server(kind, port=free_port(), place=place, **options | more)


class Cluster:
    """`primaries` and `replicas` as they were made: after a failover they may have changed places. `replicated`: how
    many of the primaries, the last ones, have a replica; True for all.
    `places`: where the primaries are, one after the other, each one's replica at the next; `options`: each node's."""

    def __init__(
        self, kind: str = "valkey", primaries: int = 3, replicated: int = 0, places: Sequence[Place] = (LOOPBACK,),
        **options: str,
    ) -> None:  # fmt: skip
        self._closing = ExitStack()
        try:
            count = primaries if replicated is True else replicated
            at = [places[number % len(places)] for number in range(primaries + 1)]
            self.primaries = [self._started(kind, place, options) for place in at[:-1]]
            self.replicas = [self._started(kind, place, options) for place in at[primaries + 1 - count :]]
            self._join()
        except BaseException:
            self.close()
            raise

    def _started(self, kind: str, place: Place, options: dict[str, str]) -> Server:
        node = unjoined(kind, place, **options)
        self._closing.callback(node.close)
        return node

    def _join(self) -> None:
        count, first = len(self.primaries), self.primaries[0]
        for at, node in enumerate(self.primaries):
            ask(node, "CLUSTER", "ADDSLOTSRANGE", SLOTS * at // count, SLOTS * (at + 1) // count - 1)
            ask(node, "CLUSTER", "SET-CONFIG-EPOCH", at + 1)
        for node in self.nodes[1:]:
            ask(node, "CLUSTER", "MEET", first.place.address, first.port, first.options["cluster-port"])
        eventually(lambda: {self.state(node)["cluster_known_nodes"] for node in self.nodes} == {str(len(self.nodes))})
        for primary, replica in zip(reversed(self.primaries), reversed(self.replicas), strict=False):
            name = ask(primary, "CLUSTER", "MYID")
            eventually(partial(_knows, replica, name))
            ask(replica, "CLUSTER", "REPLICATE", name)
        self.await_whole()

    @property
    def nodes(self) -> list[Server]:
        return self.primaries + self.replicas

    @property
    def url(self) -> str:
        """Its address, as a setting has it."""
        return "redis+cluster://" + ",".join(f"{node.place.address}:{node.port}" for node in self.nodes)

    def owner(self, slot: int) -> Server:
        """The node that serves a slot: the one of which all nodes that run say so."""

        def agreed() -> Server | None:
            owners = self._owners(slot)
            return next((node for node in self.nodes if {node.port} == owners and _runs(node)), None)

        return eventually(agreed, 20, lambda: f"slot {slot} is served by {self._owners(slot)}")  # type: ignore[return-value]

    def _owners(self, slot: int) -> set[int]:
        """The ports that the nodes that run name."""
        rows = [ask(node, "CLUSTER", "SLOTS") for node in self.nodes if _runs(node)]
        return {int(said[1]) for each in rows for start, end, said, *_ in each if start <= slot <= end}

    def move(self, slot: int, target: Server, chunk: int = 100) -> Iterator[int]:
        """Move a slot as `redis-cli --cluster reshard` does, its keys some at a time: yields how many have gone, after
        each step. A caller that stops leaves it half-way."""
        source, gone = self.owner(slot), 0
        ask(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", ask(source, "CLUSTER", "MYID"))
        ask(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", ask(target, "CLUSTER", "MYID"))
        yield gone
        while names := ask(source, "CLUSTER", "GETKEYSINSLOT", slot, chunk):
            ask(source, "MIGRATE", target.place.address, target.port, "", 0, 5000, "KEYS", *names)
            gone += len(names)
            yield gone
        for node in (target, source):
            ask(node, "CLUSTER", "SETSLOT", slot, "NODE", ask(target, "CLUSTER", "MYID"))
        eventually(lambda: self._owners(slot) == {target.port}, 10, lambda: f"not all know that slot {slot} has moved")

    def replicated(self, primary: Server) -> bool:
        """Whether each node would name a replica of this one to who asks for the map of slots."""
        rows = [row for node in self.nodes if _runs(node) for row in ask(node, "CLUSTER", "SLOTS")]
        return all(len(row) > 3 for row in rows if row[2][1] == primary.port)

    def in_step(self) -> bool:
        """Whether each replica has all that its primary had written when this was asked."""
        said = [ask(node, "INFO", "replication") for node in self.mains()]
        behind = [
            one["master_repl_offset"] - replica["offset"]
            for one in said
            for name, replica in one.items()
            if re.fullmatch(r"slave\d+", name) and replica["state"] == "online"
        ]
        return len(behind) == len(self.nodes) - len(said) and max(behind) <= 0

    def mains(self) -> list[Server]:
        """The primaries as they are now."""
        return [node for node in self.nodes if _runs(node) and ask(node, "INFO", "replication")["role"] == "master"]

    def empty(self) -> None:
        """Drop all that it holds."""
        for node in self.mains():
            ask(node, "FLUSHALL")

    def state(self, node: Server) -> dict[str, str]:
        """What CLUSTER INFO says there."""
        return dict(line.split(":", 1) for line in str(ask(node, "CLUSTER", "INFO")).split())

    def await_whole(self, without: tuple[Server, ...] = (), within_s: float = 15.0) -> None:
        """Until all nodes (but those) say that every slot is served, and the replicas have their primary's data."""

        def whole() -> bool:
            here = [node for node in self.nodes if node not in without]
            return all(self.state(node)["cluster_state"] == "ok" for node in here) and all(
                ask(node, "INFO", "replication").get("master_link_status", "up") == "up" for node in here
            )

        eventually(whole, within_s, lambda: "the Cluster is not whole")

    def close(self) -> None:
        """End all nodes, and remove what they wrote."""
        self._closing.close()


def _runs(node: Server) -> bool:
    return node.socket.exists() and not node.hangs


def _knows(node: Server, name: str) -> bool:
    return name in ask(node, "CLUSTER", "NODES")


def ask(node: Server, *command: object) -> Any:
    """One command to one node, by its socket."""
    with redis.Redis(unix_socket_path=str(node.socket), protocol=2, decode_responses=True) as client:
        return client.execute_command(*command)

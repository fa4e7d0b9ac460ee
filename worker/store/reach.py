"""Which nodes of a Cluster answer, so that one that is away keeps only its own languages and feeds waiting.

Invariant: of a single server nothing is ever said to be away, and nothing is asked; a node is away only if it was asked
itself and gave no answer while another one did.
"""

import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import redis.exceptions as theirs
from redis import Redis
from redis.crc import key_slot

from worker.connect import merged
from worker.connect.cluster import Cluster
from worker.connect.nodes import ANSWERLESS, Node, Shards
from worker.connect.trouble import meaning
from worker.errors import ServerUnavailable, Unsecured
from worker.store import keys
from worker.store.lagging import Lagging

_ASKED_S = 1.0
"""So long one node is waited for: all others' work waits meanwhile."""

_LEAST_S, _REST = 0.5, 4.0
"""Looks are so far apart, and so many times as far as the last one took: who looks works four fifths of its time."""

_AWAY = (*ANSWERLESS, theirs.ClusterDownError, theirs.MasterDownError)
_NOBODY = "no node, as none serves its slot"


class Reach:
    """What one process knows of the nodes that its keys are on; `redis` is its client. `elapsed`: seconds that only
    grow."""

    def __init__(self, redis: Redis | None = None, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._cluster = redis if isinstance(redis, Cluster) else None
        self._elapsed = elapsed
        self._away: dict[Node | None, str] = {}
        self._lagging = Lagging(elapsed)
        self._look_due = 0.0

    @property
    def several(self) -> bool:
        """Whether keys may lie on servers that do not go away together."""
        return self._cluster is not None

    @property
    def away(self) -> str:
        """The nodes that were away when they were last asked, or whose replicas lag, and what is wrong with each; ""
        where none was."""
        return "; ".join(sorted([*self._away.values(), *self._lagging.all()]))

    def look(self) -> bool:
        """Ask the nodes, unless they were asked just now; whether some are away while others answer."""
        if self._cluster is None:
            return False
        began = self._elapsed()
        if began >= self._look_due:
            self._away = _away(self._cluster)
            if self._lagging:
                self._lagging.look(self._cluster)
            ended = self._elapsed()
            self._look_due = ended + max(_LEAST_S, _REST * (ended - began))
        return bool(self._away)

    def failed(self, lang: str, error: ServerUnavailable) -> bool:
        """This was raised as a language's stories were written, or read: look why; whether it is one node's doing."""
        if self._cluster is None:
            return False
        if isinstance(error, Unsecured) and (node := self._cluster.node_of(keys.counters(lang))):
            self._lagging.add(node, f"{node[0]}:{node[1]}, which has a replica that does not get what it writes")
            return True
        return self.look()

    def without_language(self, lang: str) -> str:
        """The node without which no article of this language may be placed, and what is wrong with it: that of its
        stories is away, or its replicas lag, or that of what was forgotten is away; "" where all is well."""
        away = self._without(keys.counters(lang), keys.forgotten())
        if away or self._cluster is None or not self._lagging:
            return away
        return self._lagging.of(self._cluster.node_of(keys.counters(lang)))

    def without_feed(self, feed: str) -> str:
        """The same for a feed's outbox."""
        return self._without(keys.payloads(feed))

    def without_polls(self) -> str:
        """The same for what every poll needs: the schedule, the feeds that may wait, what waits for its page."""
        return self._without(keys.schedule(), keys.outboxes(), keys.pages(), keys.page_readers())

    def without_sign(self, poller: str) -> str:
        """The same for a poller's sign of life."""
        return self._without(keys.pollers(), keys.poller(poller))

    def without_gate(self, gate: str) -> str:
        """The same for a gate, as its keys name it."""
        return self._without(keys.gate(gate))

    def without_claim(self, page: bytes) -> str:
        """The same for the claim of a page, as its key names it."""
        return self._without(keys.claim(page))

    def memory(self) -> Mapping[str, Any]:
        """What the nodes that answer say of their memory, as one; nothing where none is known to be away."""
        if self._cluster is None or not self._away:
            return {}
        return merged.info([*self._cluster.said(self._away).values()])

    def without_lists(self) -> str:
        """The same for what a sweep begins with: the store's version, the feeds that may wait, the languages."""
        return self._without(keys.schema(), keys.outboxes(), keys.languages())

    def without_lags(self) -> str:
        """The same for what is measured of batches."""
        return self._without(keys.lags())

    def _without(self, *names: str) -> str:
        if self._cluster is None or not self._away:
            return ""
        nodes = map(self._cluster.node_of, names)
        return next((self._away[node] for node in nodes if node in self._away), "")


ALL_ANSWER = Reach()
"""Of a single server."""


def _away(cluster: Cluster) -> dict[Node | None, str]:
    """The nodes that give no answer, with what is wrong; none where no other does."""
    try:
        cluster.nodes.ask_again(cluster.nodes.shards())
        shards = cluster.nodes.shards()
    except ANSWERLESS:
        return {}
    away: dict[Node | None, str] = {
        node: f"{node[0]}:{node[1]}, which {trouble}"
        for node in shards.primaries
        if (trouble := _trouble(cluster, node, _key_on(node, shards)))
    }
    if len(away) == len(shards.primaries):
        return {}
    return away | ({None: _NOBODY} if None in shards.by_slot else {})


def _trouble(cluster: Cluster, node: Node, key: str) -> str:
    """What is wrong with a node; "" where it answers."""
    pool = cluster.nodes.pool(node)
    quick = {"socket_timeout": _ASKED_S, "socket_connect_timeout": _ASKED_S}
    connection: Any = pool.connection_class(**{**pool.connection_kwargs, **quick})
    try:
        connection.connect()
        connection.send_command("EXISTS", key)
        connection.read_response()
    except _AWAY as error:
        found = meaning(error)
        return found[1] if found else str(error)
    except theirs.ResponseError:
        return ""  # that, too, is an answer
    finally:
        connection.disconnect()
    return ""


def _key_on(node: Node, shards: Shards) -> str:
    """A key that would lie there."""
    return next(key for key in map(keys.payloads, map(str, count())) if shards.by_slot[key_slot(key.encode())] == node)

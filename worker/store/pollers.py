"""The signs of life of pollers, page readers and web processes: who does what now, and whether it holds back.

Invariant: a process that dies is gone from here within TTL_S; no clock but the server's decides that.
"""

from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from redis import Redis

from worker.store import keys
from worker.store.reach import ALL_ANSWER, Reach
from worker.store.scripts import load

TTL_S = 20
"""A process not heard of for so long is taken for dead; it is heard of every few seconds."""


class Sign(Struct, frozen=True, array_like=True):
    """What a process says of itself: `held`, why it does nothing now ("": it does), and `since` when; when it
    `started`, its `version`, and what it is `doing`: words that stay the same, so that most beats write nothing."""

    held: str = ""
    since: float = 0.0
    started: float = 0.0
    version: str = ""
    doing: str = ""


class Heard(NamedTuple):
    """A sign of life as the server has it: whose, `ago_s` seconds old, in a store of the layout `schema`."""

    name: str
    sign: Sign
    ago_s: float
    schema: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Sign).decode


class Pollers:
    """Writes and reads signs of life. `redis` speaks bytes."""

    _list, _key = staticmethod(keys.pollers), staticmethod(keys.poller)

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self._give = load(redis, "give_sign", though_full=True)

    def beat(self, name: str, sign: Sign) -> None:
        """Be alive for another TTL_S seconds, on a full server too."""
        packed = _encode(sign)
        pipe = self._redis.pipeline(transaction=False)
        pipe.get(self._key(name))
        pipe.sismember(self._list(), name)
        pipe.expire(self._key(name), TTL_S)
        if pipe.execute()[:2] != [packed, 1]:
            self._give(keys=[self._key(name)], args=[packed, TTL_S])
            self._give(keys=[self._list()], args=[name, 0])
            self._drop_dead()

    def leave(self, name: str) -> None:
        """Be gone at once."""
        self._redis.delete(self._key(name))
        self._redis.srem(self._list(), name)

    def alive(self) -> dict[str, Sign]:
        """The signs of the pollers that live, by name."""
        return {name: _decode(packed) for name, packed in self._signs().items() if packed is not None}

    def heard(self) -> list[Heard]:
        """All that live, those of the version before too, which go on beside ours during an upgrade."""
        return [*self._heard(keys.Layout(keys.SCHEMA)), *self._heard(keys.Layout(keys.SCHEMA - 1))]

    def _heard(self, layout: keys.Layout) -> list[Heard]:
        names = sorted(name.decode() for name in self._redis.smembers(layout.was(self._list())))
        pipe = self._redis.pipeline(transaction=False)
        for name in names:
            pipe.get(layout.was(self._key(name)))
            pipe.pttl(layout.was(self._key(name)))
        answers = pipe.execute()
        found = zip(names, answers[::2], answers[1::2], strict=True)
        return [
            Heard(name, _decoded(packed), max(0.0, TTL_S - left_ms / 1000), layout.version)
            for name, packed, left_ms in found
            if packed is not None
        ]

    def _drop_dead(self) -> None:
        """Take the names of the dead off the list; one that lives after all puts itself there again."""
        if dead := [name for name, packed in self._signs().items() if packed is None]:
            self._redis.srem(self._list(), *dead)

    def _signs(self) -> dict[str, bytes | None]:
        names = sorted(name.decode() for name in self._redis.smembers(self._list()))
        pipe = self._redis.pipeline(transaction=False)
        for name in names:
            pipe.get(self._key(name))
        return dict(zip(names, pipe.execute(), strict=True))

    def memory(self, reach: Reach = ALL_ANSWER) -> tuple[int, int]:
        """Bytes that the server uses, and the most that it may: 0 for no limit. reach: nodes that are away are not
        asked."""
        said = reach.memory() or self._redis.info("memory")
        return int(said.get("used_memory", 0)), int(said.get("maxmemory", 0))


def _decoded(packed: bytes) -> Sign:
    """A sign, of whatever version; one that cannot be read is a sign all the same."""
    try:
        return _decode(packed)
    except msgspec.MsgspecError:
        return Sign()


class Readers(Pollers):
    """The same of processes that read pages."""

    _list, _key = staticmethod(keys.readers), staticmethod(keys.reader)


class Webs(Pollers):
    """The same of web processes."""

    _list, _key = staticmethod(keys.webs), staticmethod(keys.web)

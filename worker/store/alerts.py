"""Alerts on their way: how far the events were looked through, which stories were told of, what is to be delivered.

Invariant: a find and the position behind it are written at once, so that nothing is missed and nothing raised twice,
however many processes look and whichever of them dies; no secret stands here, only the names of targets.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import chain
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from redis import Redis

from worker.store import keys
from worker.store.scripts import load

MOST_WAITING = 10_000
MOST_DEAD = 1_000
_MOST_MARKS = 100_000
_MARK_S = 120 * 86_400.0
"""Longer than the alias of a story that was merged is kept."""

_TROUBLE_S = 15
_LONGEST = 300

_NO_ROOM = f"{MOST_WAITING:,} others wait"


class Delivery(Struct, frozen=True, array_like=True):
    """What is to be told to one target. `part`: which of the addresses of the target `to`; `raised`: when the rule was
    met; `trouble`: what came of the last attempt. What is told is read when it is sent: nothing of an article stands
    here, so that nothing of it is left here when it is forgotten."""

    id: str
    rule: str
    to: str
    part: int
    story: str
    raised: float
    attempts: int = 0
    trouble: str = ""


class Lost(Struct, frozen=True):
    """What nobody is told of for sure: `dead`, how many deliveries there was no room for among the dead ones; `gap`:
    when events were last gone before they were looked through, 0 for never, and of which languages."""

    dead: int = 0
    gap: float = 0.0
    langs: str = ""


class Find(Struct, frozen=True):
    """A rule that a story meets. `stories`: its public id, and those of stories that it took in."""

    rule: str
    stories: tuple[str, ...]
    deliveries: tuple[Delivery, ...]


_encode = msgspec.msgpack.Encoder().encode
_delivery = msgspec.msgpack.Decoder(Delivery).decode


class Alerts:
    """Keeps positions, marks and deliveries. `redis` speaks bytes."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self._keep = load(redis, "keep_lease")
        self._advance = load(redis, "advance_alerts")
        self._lease = load(redis, "lease_deliveries")
        self._settle = load(redis, "settle_delivery")

    def hold(self, owner: str, ttl_s: float) -> bool:
        """Be, or stay, the one process that looks through the events; False where another is."""
        ttl_ms = int(ttl_s * 1000)
        if self._redis.set(keys.alerts_holder(), owner, px=ttl_ms, nx=True):
            return True
        return bool(self._keep(keys=[keys.alerts_holder()], args=[owner, ttl_ms]))

    def let_go(self, owner: str) -> None:
        """Leave that to another."""
        self._keep(keys=[keys.alerts_holder()], args=[owner, 0])

    def watched(self) -> bool:
        """Whether any process looks through the events."""
        return bool(self._redis.exists(keys.alerts_holder()))

    def note_trouble(self, said: str) -> None:
        """Say, for some seconds, why a process does not look through the events."""
        self._redis.set(keys.alerts_trouble(), said[:_LONGEST], ex=_TROUBLE_S)

    def trouble(self) -> str:
        """Why a process does not look through the events; "" where none says so."""
        return (self._redis.get(keys.alerts_trouble()) or b"").decode(errors="replace")

    def position(self) -> str | None:
        """The cursor up to which events were looked through; None where nobody ever did."""
        found = self._redis.hget(keys.alerts(), "position")
        return None if found is None else found.decode()

    def note_gap(self, langs: Iterable[str], now: float) -> None:
        """Events of these languages were gone before they were looked through."""
        self._redis.hset(keys.alerts(), "gap", f"{now!r} {' '.join(langs)}")

    def lost(self) -> Lost:
        """What nobody is told of for sure, since `drop_dead` was last said."""
        dead, gap = self._redis.hmget(keys.alerts(), "lost", "gap")
        time, _, langs = (gap or b"0 ").decode().partition(" ")
        return Lost(int(dead or 0), float(time), langs)

    def since(self, rules: Mapping[str, str], now: float) -> dict[str, float]:
        """For each rule (name -> digest of what it is about) since when it is there; what is new, or about something
        else now, is there from now on, and what is there no more is let go of."""
        known = {name.decode(): text.decode() for name, text in self._redis.hgetall(keys.alerts()).items()}
        fields = {name: f"since:{name}" for name in rules}
        found, changed = dict[str, float](), dict[str, str]()
        for name, digest in rules.items():
            was, _, time = known.get(fields[name], "").partition(" ")
            found[name] = float(time) if was == digest else now
            if was != digest:
                changed[fields[name]] = f"{digest} {now!r}"
        if changed:
            self._redis.hset(keys.alerts(), mapping=changed)
        if gone := [field for field in known if field.startswith("since:") and field not in fields.values()]:
            self._redis.hdel(keys.alerts(), *gone)
        return found

    def advance(self, before: str | None, after: str, finds: Sequence[Find], now: float) -> int | None:
        """Go on from one position to another and raise the finds, those aside that were raised before; how many were.
        None where another process has gone on: nothing was written."""
        args: list[Any] = ["-" if before is None else before, after, now, MOST_WAITING, MOST_DEAD, _MOST_MARKS, _MARK_S]
        for find in finds:
            args += [len(find.stories), *(_mark(find.rule, story) for story in find.stories), len(find.deliveries)]
            for each in find.deliveries:
                args += [each.id, _encode(each), _encode(replace(each, trouble=_NO_ROOM))]
        raised = self._advance(
            keys=[keys.alerts(), keys.alerts_told(), keys.alerts_queue(), keys.alerts_waiting(), keys.alerts_dead()],
            args=args,
        )
        return None if raised < 0 else int(raised)

    def lease(
        self, now: float, until: float, limit: int, room: Mapping[str, int] = MappingProxyType({})
    ) -> list[Delivery]:
        """Up to `limit` deliveries that are due, until then nobody else's. room: how many of a place (see `place_of`),
        1 where it says nothing."""
        args: list[Any] = [now, until, limit, *chain.from_iterable(room.items())]
        ids = self._lease(keys=[keys.alerts_queue()], args=args)
        found = self._redis.hmget(keys.alerts_waiting(), ids) if ids else []
        for name, packed in zip(ids, found, strict=True):
            if packed is None:
                self._redis.zrem(keys.alerts_queue(), name)
        return [_delivery(packed) for packed in found if packed is not None]

    def told_as(self, delivery: Delivery, names: Sequence[str]) -> str:
        """Under which other name of its story, which became one of several, the same was told to the same target, or
        will be; "" where it was not. names: all that the story has, its own first: of those that wait, the first is
        told. One that is not told no longer counts as told, before it leaves the queue: or two would wait for each
        other, and none be sent."""
        ids = [delivery_id(delivery.rule, name, delivery.to, delivery.part) for name in names]
        pipe = self._redis.pipeline(transaction=False)
        for name, each in zip(names, ids, strict=True):
            pipe.zscore(keys.alerts_told(), _mark(delivery.rule, name)).hexists(keys.alerts_waiting(), each)
        found = iter(pipe.execute())
        before = True
        for name, raised, waits in zip(names, found, found, strict=True):
            if name == delivery.story:
                before = False
            elif raised is not None and (before or not waits):
                self._pass_on(_mark(delivery.rule, delivery.story), raised)
                return name
        return ""

    def _pass_on(self, mark: str, score: float) -> None:
        """The mark of a story that was told of becomes one of a story that another was told of for: at no moment is
        there none."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.zadd(keys.alerts_told(), {f"{mark}\0": score}).zrem(keys.alerts_told(), mark).execute()

    def done(self, delivery: Delivery, until: float) -> bool:
        """It was taken. until: the end of the lease; False where that ran out and another has it."""
        return self._settled(delivery, until, "done", 0.0)

    def again(self, delivery: Delivery, until: float, at: float) -> bool:
        """Try it again then."""
        return self._settled(delivery, until, "again", at)

    def bury(self, delivery: Delivery, until: float) -> bool:
        """Try it no more: `trouble` says why."""
        return self._settled(delivery, until, "dead", 0.0)

    def waiting(self) -> list[tuple[Delivery, float]]:
        """What is to be delivered, with when it is due; the first first."""
        queue = self._redis.zrange(keys.alerts_queue(), 0, -1, withscores=True)
        found = self._redis.hmget(keys.alerts_waiting(), [name for name, _ in queue]) if queue else []
        return [(_delivery(packed), due) for (_, due), packed in zip(queue, found, strict=True) if packed]

    def depths(self) -> tuple[int, int]:
        """How many deliveries wait, and how many are dead."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.zcard(keys.alerts_queue()).llen(keys.alerts_dead())
        waiting, dead = pipe.execute()
        return int(waiting), int(dead)

    def dead(self) -> list[Delivery]:
        """What could not be delivered, the latest first."""
        return [_delivery(packed) for packed in self._redis.lrange(keys.alerts_dead(), 0, -1)]

    def drop_dead(self) -> int:
        """Forget what could not be delivered, and what is `lost`; how many were in the list."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.llen(keys.alerts_dead()).delete(keys.alerts_dead()).hdel(keys.alerts(), "lost", "gap")
        return int(pipe.execute()[0])

    def _settled(self, delivery: Delivery, until: float, what: str, at: float) -> bool:
        packed = b"" if what == "done" else _encode(delivery)
        return bool(
            self._settle(
                keys=[keys.alerts_queue(), keys.alerts_waiting(), keys.alerts_dead(), keys.alerts()],
                args=[delivery.id, until, what, at, packed, MOST_DEAD],
            )
        )


def delivery_id(rule: str, story: str, to: str, part: int) -> str:
    """What names a delivery, its place first: the same again where a server lost its last second, and the alert is
    raised anew."""
    return place_of(to, part) + blake2b("\0".join((rule, story, to, str(part))).encode(), digest_size=12).hexdigest()


def place_of(to: str, part: int) -> str:
    """What stands for one address of a target in the ids of its deliveries: 8 hexadecimal digits."""
    return blake2b(f"{to}\0{part}".encode(), digest_size=4).hexdigest()


def _mark(rule: str, story: str) -> str:
    return f"{rule}\0{story}"

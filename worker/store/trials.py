"""Which articles each worker has in hand: what tells, after a death, the one that causes it from those beside it.

Invariant: a mark stands before the work on an article begins, and goes when the work has ended in any way but a death.
"""

from collections import defaultdict
from collections.abc import Sequence
from enum import Enum
from hashlib import blake2b
from typing import Any, NamedTuple

from redis import Redis

from worker.model import Ref, uid
from worker.store import keys
from worker.store.reach import Reach

KEPT_S = 86_400
"""A death is held against an article for a day after anything of its feed was last begun."""

_DIGEST_BYTES = 8


class Stage(Enum):
    """How far a worker was: with the article among others, getting ready to take it alone, or with it alone."""

    TOGETHER = b""
    BEFORE = b"?"
    ALONE = b"!"


class Mark(NamedTuple):
    """Another worker's mark: whose, how far it was, and with which payload alone: its digest."""

    owner: str
    stage: Stage
    payload: bytes


class Trials:
    """The marks of one worker process, whose name is `owner`. `reach`: whose outboxes answer; marks elsewhere are taken
    back when they do."""

    def __init__(self, redis: Redis, owner: str, reach: Reach | None = None) -> None:
        self._redis: Any = redis
        self._reach = reach or Reach()
        self.owner = owner
        self._mine: dict[str, set[str]] = defaultdict(set)
        self._seen: dict[Ref, list[str]] = {}
        self._overrun = 0

    def begin(self, refs: Sequence[Ref]) -> dict[Ref, list[Mark]]:
        """Mark these articles as in hand; the marks of others that stood on them, for those that have some. One round
        trip. What an earlier batch could not take back, as the server was away, is taken back first."""
        feeds = list(dict.fromkeys(ref.feed for ref in refs))
        pipe = self._redis.pipeline(transaction=False)
        back, away = self._apart()
        for feed, fields in back.items():
            pipe.hdel(keys.trials(feed), *fields)
        own: dict[str, dict[str, bytes]] = {feed: {} for feed in feeds}
        for ref in refs:
            own[ref.feed][_field(self.owner, ref)] = Stage.TOGETHER.value
        for feed in feeds:
            pipe.hgetall(keys.trials(feed))
            pipe.hset(keys.trials(feed), mapping=own[feed])
            pipe.expire(keys.trials(feed), KEPT_S)
        answers = pipe.execute()[len(back) :]
        self._mine = defaultdict(set, away | {feed: set(fields) for feed, fields in own.items()})
        return self._others(refs, dict(zip(feeds, answers[::3], strict=True)))

    def alone(self, ref: Ref, payload: bytes, stage: Stage) -> None:
        """Mark that nothing but this payload is worked on now, or will be at once."""
        self._redis.hset(keys.trials(ref.feed), _field(self.owner, ref), stage.value + digest(payload))

    def done(self, refs: Sequence[Ref]) -> None:
        """These articles are settled, or in quarantine: nothing is held against them any more."""
        gone: dict[str, list[str]] = defaultdict(list)
        for ref in refs:
            gone[ref.feed] += [_field(self.owner, ref), *self._seen.pop(ref, ())]
        self._remove(gone)

    def release(self) -> None:
        """The work has ended and nobody died: what is left in hand is nobody's fault. Deaths seen are kept."""
        self._remove({feed: list(fields) for feed, fields in self._mine.items()})

    def overran(self) -> None:
        """The work was broken off as it took too long: held against what is in hand as a death would be."""
        self._overrun += 1
        dead = f"{self.owner}!{self._overrun}"
        for feed, fields in self._apart()[0].items():
            standing = self._redis.hmget(keys.trials(feed), *fields)
            kept = {
                field.replace(self.owner, dead, 1): mark
                for field, mark in zip(fields, standing, strict=True)
                if mark is not None
            }
            if kept:
                self._redis.hset(keys.trials(feed), mapping=kept)
        self.release()

    def _others(self, refs: Sequence[Ref], standing: dict[str, dict[bytes, bytes]]) -> dict[Ref, list[Mark]]:
        found: dict[tuple[str, str], list[tuple[str, Mark]]] = defaultdict(list)
        for feed, marks in standing.items():
            for field, value in marks.items():
                owner, _, name = field.decode().rpartition(" ")
                if owner != self.owner:
                    found[feed, name].append((field.decode(), Mark(owner, Stage(value[:1]), value[1:])))
        others: dict[Ref, list[Mark]] = {}
        self._seen = {}
        for ref in refs if found else ():
            if there := found.get((ref.feed, uid(ref.article).hex())):
                self._seen[ref] = [field for field, _ in there]
                others[ref] = [mark for _, mark in there]
        return others

    def _apart(self) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
        """This worker's marks: those of feeds whose outbox answers, and the others."""
        away = {feed: fields for feed, fields in self._mine.items() if self._reach.without_feed(feed)}
        return {feed: fields for feed, fields in self._mine.items() if feed not in away}, away

    def _remove(self, fields: dict[str, list[str]]) -> None:
        there = {feed: names for feed, names in fields.items() if names and not self._reach.without_feed(feed)}
        pipe = self._redis.pipeline(transaction=False)
        for feed, names in there.items():
            pipe.hdel(keys.trials(feed), *names)
        pipe.execute()
        for feed, names in there.items():
            self._mine[feed] -= set(names)
        self._mine = defaultdict(set, {feed: left for feed, left in self._mine.items() if left})


def digest(payload: bytes) -> bytes:
    """8 bytes that stand for a payload: a newer revision has no part in the deaths of the older (BLAKE2b)."""
    return blake2b(payload, digest_size=_DIGEST_BYTES).digest()


def _field(owner: str, ref: Ref) -> str:
    """Without the article's id, so that nothing of a forgotten article stands here."""
    return f"{owner} {uid(ref.article).hex()}"

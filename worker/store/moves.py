"""Feeds whose address has changed for good: the id stays, and the new address leads to it.

A feed's id is made of the address that it was added with; its seen marks, its articles' ids and all that waits go by
it, so nothing of that has to move. Two feeds that become one address are one: the one that had the address stays, and
takes the seen marks of the other, which leads to it from then on. An address that a feed has left is free again.

Invariant: every step may be the last of its process. A feed and the list of addresses lie on different shards, so which
addresses it may have, or may have left, is noted with it first: whoever has it next sees to it that those lead there
that do. At no moment is a feed without a place in the schedule that is not another's by then.
"""

from typing import Any

from redis import Redis

from worker.errors import BadInput
from worker.feed.address import feed_id, normal_url
from worker.schedule import PAUSED
from worker.store import keys
from worker.store.addresses import CHUNK, Address, address, encode
from worker.store.scripts import load

_HOPS = 32
"""So often, at most, a feed became another one."""


class Moves:
    """Finds and moves feeds by their addresses. `redis` speaks bytes; keep_s: how long seen marks outlast a feed."""

    def __init__(self, redis: Redis, keep_s: float) -> None:
        self._redis: Any = redis
        self._keep_s = keep_s
        self._point = load(redis, "point_address")
        self._free = load(redis, "free_address")
        self._set = load(redis, "set_address")
        self._note = load(redis, "note_move")

    def ids(self, urls: list[str]) -> list[str]:
        """The ids of the feeds that have these addresses, or would get them. One round trip where none has moved."""
        found = [feed_id(url) for url in urls]
        open_ = list(range(len(found)))
        for _ in range(_HOPS):
            if not open_:
                break
            led = self._redis.hmget(keys.moved_feeds(), [found[at] for at in open_])
            moved = [(at, to.decode()) for at, to in zip(open_, led, strict=True) if to is not None]
            for at, to in moved:
                found[at] = to
            open_ = [at for at, _ in moved]
        return found

    def move(self, feed: str, new_url: str, now: float) -> str:
        """Give a feed its new address; the id of the feed that has it from now on, or "" where nothing happened: the
        address is none, the feed's already, or that of one which a person paused."""
        try:
            url = normal_url(new_url)
        except BadInput:
            return ""
        known = self._redis.hget(keys.feed(feed), "address")
        [owner] = self.ids([url])
        if known is None or address(known).url == url:
            return ""
        theirs = self._redis.hget(keys.feed(owner), "address") if owner != feed else None
        if theirs is not None:
            return self._join(feed, address(known), owner, address(theirs), now)
        self.settle(feed)  # what an earlier move left to be done is noted where this one is
        left, fresh = feed_id(address(known).url), feed_id(url) if owner != feed else ""
        about = f"{left} {fresh}".strip()
        if not self._note(keys=[keys.feed(feed)], args=[about]):
            return ""
        able = not fresh or self._point(keys=[keys.moved_feeds()], args=[fresh, feed])
        moved = able and self.change(feed, url=url)
        self.settle(feed, about)
        return feed if moved else ""

    def settle(self, feed: str, about: str = "") -> None:
        """End a move, however far it came: the address that the feed has leads to it, others that the move was about do
        not. about: the ids of these; without, what is noted, if anything is."""
        packed, noted = self._redis.hmget(keys.feed(feed), "address", "moving")
        about = about or (noted or b"").decode()
        if not about:
            return
        has = feed_id(address(packed).url) if packed is not None else ""
        for each in about.split():
            if each != has:
                self._free(keys=[keys.moved_feeds()], args=[each, feed])
        if has not in ("", feed):
            self._point(keys=[keys.moved_feeds()], args=[has, feed])
        self._redis.hdel(keys.feed(feed), "moving")

    def change(self, feed: str, **fields: Any) -> bool:
        """Change what a person set of a feed (fields of Address); False where there is no such feed."""
        while (packed := self._redis.hget(keys.feed(feed), "address")) is not None:
            known = address(packed)
            changed = Address(**{name: fields.get(name, getattr(known, name)) for name in known.__struct_fields__})
            if self._set(keys=[keys.feed(feed)], args=[packed, encode(changed)]):
                return True
        return False

    def leading_to(self, feed: str) -> list[str]:
        """The ids that lead to a feed: of the address that it moved to, and of what became part of it."""
        led = {each.decode(): to.decode() for each, to in self._redis.hgetall(keys.moved_feeds()).items()}
        found = [feed]
        for target in found:  # which grows
            found += [each for each, to in led.items() if to == target and each not in found]
        return found[1:]

    def _join(self, feed: str, ours: Address, owner: str, theirs: Address, now: float) -> str:
        """Make a feed part of the one that has its new address; what of it waits to be clustered is clustered."""
        if theirs.paused or not self._point(keys=[keys.moved_feeds()], args=[feed, owner]):
            return ""
        cursor = 0
        while True:
            cursor, marks = self._redis.hscan(keys.seen(feed), cursor, count=CHUNK)
            pipe = self._redis.pipeline(transaction=False)
            for entry, mark in marks.items():
                pipe.hsetnx(keys.seen(owner), entry, mark)
            pipe.execute()
            if not cursor:
                break
        self.change(owner, title=theirs.title or ours.title, folder=theirs.folder or ours.folder)
        if self._redis.zscore(keys.schedule(), owner) == PAUSED:  # as gone, by its server: it is there again
            self._redis.zadd(keys.schedule(), {owner: now}, xx=True)
        pipe = self._redis.pipeline(transaction=False)
        for key in (keys.seen(feed), keys.feed(feed), keys.fetches(feed)):  # or what follows might be the last step
            pipe.expire(key, int(self._keep_s))
        pipe.zrem(keys.schedule(), feed)
        pipe.delete(keys.feed(feed), keys.fetches(feed))
        pipe.execute()
        return owner

"""The articles that wait for their page, shared by all processes that read pages.

Invariant: what stands here is a hint, as a job is: the article itself is in its feed's outbox, held back there until a
moment at which the sweeper queues it as it is.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from redis import Redis

from worker.model import Article, Ref
from worker.store import keys
from worker.store.backlog import AWAITS
from worker.store.outbox import LONGEST_AWAITED_S, pack
from worker.store.scripts import load

MOST = 20_000
"""Articles that wait for their pages; what comes beyond is clustered by its summary at once."""

TTL_S = 20
"""Page readers not heard of for so long are taken for dead."""

_READS, _READS_TTL_S = 100, 3600
"""Pages read of late that are remembered, and for how long after the last one."""

_MAX_REASON = 200


class Awaited(NamedTuple):
    """An article that waits for its page, at the latest `until` then."""

    ref: Ref
    until: float

    @property
    def member(self) -> str:
        """What stands for it in the schedule."""
        return f"{self.until:.0f} {self.ref.feed} {self.ref.article}"


class Pages:
    """Holds back, leases and gives back. `redis` speaks bytes."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self._lease = load(redis, "lease_pages")
        self._replace = load(redis, "replace_payload")

    def add(self, refs: Sequence[Ref], now: float, wait_s: float) -> list[Ref]:
        """Hold these published articles back for their pages, the last one's first, for so many seconds; those for
        which there is no room, to be queued as they are."""
        room = max(0, MOST - self.depth())
        until = now + min(wait_s, LONGEST_AWAITED_S)
        beyond = refs[: max(0, len(refs) - room)]
        taken = [Awaited(ref, until) for ref in reversed(refs[len(beyond) :])]
        if taken:
            # a page that is read before its article is held back costs a job that finds nothing
            self._redis.zadd(keys.pages(), {each.member: now + place / 1e3 for place, each in enumerate(taken)})
            self.hold(taken)
        return list(beyond)

    def hold(self, awaited: Sequence[Awaited]) -> None:
        """Keep the sweeper from these until their time is over."""
        pipe = self._redis.pipeline(transaction=False)
        for each in awaited:
            pipe.zadd(keys.pending(each.ref.feed), {each.ref.article: AWAITS + each.until}, xx=True)
        pipe.execute()

    def lease(self, now: float, lease_s: float, limit: int) -> list[Awaited]:
        """Up to `limit` articles whose pages are due: for `lease_s` seconds nobody else's."""
        found = self._lease(keys=[keys.pages()], args=[now, now + lease_s, limit])
        return [_awaited(member.decode()) for member in found]

    def renew(self, awaited: Sequence[Awaited], until: float) -> None:
        """Make these leases last until then."""
        if awaited:
            self._redis.zadd(keys.pages(), {each.member: until for each in awaited}, xx=True)

    def put_back(self, awaited: Awaited, due: float) -> None:
        """End a lease without a page: it is due again then."""
        self._redis.zadd(keys.pages(), {awaited.member: due}, xx=True)

    def done(self, awaited: Awaited) -> None:
        """It waits no longer."""
        self._redis.zrem(keys.pages(), awaited.member)

    def replace(self, ref: Ref, payload: bytes, article: Article, now: float) -> bool:
        """Put the article in the place of the payload that it was made of; False where that waits no more."""
        feed_keys = [keys.payloads(ref.feed), keys.pending(ref.feed)]
        return bool(self._replace(keys=feed_keys, args=[ref.article, payload, pack(article), now]))

    def drop(self, refs: Sequence[Ref]) -> None:
        """Forget that these wait."""
        wanted = set(refs)
        for member, _ in self._redis.zscan_iter(keys.pages(), count=1000):
            if _awaited(member.decode()).ref in wanted:
                self._redis.zrem(keys.pages(), member)

    def depth(self) -> int:
        """How many articles wait for their pages."""
        return int(self._redis.zcard(keys.pages()))

    def beat(self, trouble: str = "") -> None:
        """Say that pages are read, for another TTL_S seconds; or why whoever says so cannot read any."""
        if trouble:
            self._redis.set(keys.page_trouble(), trouble, ex=TTL_S)
        else:
            self._redis.set(keys.page_readers(), b"1", ex=TTL_S)

    def trouble(self) -> str:
        """Why a process that lives cannot read pages; "" where none says so."""
        return (self._redis.get(keys.page_trouble()) or b"").decode("utf-8", "replace")

    def note(self, reason: str) -> None:
        """A page was read: why its text was not taken, "" where it was."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.lpush(keys.page_reads(), reason[:_MAX_REASON])
        pipe.ltrim(keys.page_reads(), 0, _READS - 1)
        pipe.expire(keys.page_reads(), _READS_TTL_S)
        pipe.execute()

    def recent(self) -> list[str]:
        """What was noted of the last pages, the newest first."""
        return [reason.decode("utf-8", "replace") for reason in self._redis.lrange(keys.page_reads(), 0, -1)]

    def alive(self) -> bool:
        """Whether any process reads pages."""
        return bool(self._redis.exists(keys.page_readers()))


def _awaited(member: str) -> Awaited:
    until, feed, article = member.split(" ", 2)
    return Awaited(Ref(feed, article), float(until))

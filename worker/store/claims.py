"""Claims: which article the page at an address is, for all feeds that lead to it.

Invariant: who claims a page first keeps it until the claim runs out. A claim is a name and no more: what is lost with
one is that an article may be counted twice, never an article.
"""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from msgspec import MsgspecError, msgpack
from redis import Redis

from worker.feed.carried import VOID, Claim
from worker.model import uid
from worker.store import keys
from worker.store.addresses import load_feeds
from worker.store.reach import ALL_ANSWER, Reach

T = TypeVar("T")

_claim = msgpack.Decoder(Claim).decode
_pack = msgpack.Encoder().encode


class Claims:
    """Claims pages. `redis` speaks bytes; `reach`: a page whose claim's node is away is nobody's."""

    def __init__(self, redis: Redis, reach: Reach = ALL_ANSWER) -> None:
        self._redis: Any = redis
        self._reach = reach

    def within(self, reach: Reach) -> "Claims":
        """The same, for who knows which nodes are away."""
        return Claims(self._redis, reach)

    def stake(self, wanted: Mapping[str, Claim | None], keep_s: float) -> dict[str, Claim]:
        """Claim these pages for `keep_s` seconds, where nobody has; one of None is only asked about. The claims that
        hold now, of those that there are; one round trip."""
        there = self._there(wanted)
        pipe = self._redis.pipeline(transaction=False)
        for page, claim in there.items():
            name = keys.claim(uid(page))
            if claim is None:
                pipe.get(name)
            else:
                pipe.set(name, _pack(claim), nx=True, get=True, ex=max(1, int(keep_s)))
        held = dict(zip(there, pipe.execute() if there else (), strict=True))
        return {page: claim for page, own in wanted.items() if (claim := _read(it) if (it := held.get(page)) else own)}

    def note(self, told: Mapping[str, Claim]) -> None:
        """Change what these claims say of the last edit, where they still hold; for as long as they held."""
        there = self._there(told)
        if not there:
            return
        pipe = self._redis.pipeline(transaction=False)
        for page, claim in there.items():
            pipe.set(keys.claim(uid(page)), _pack(claim), xx=True, keepttl=True)
        pipe.execute()

    def living(self, feeds: Collection[str]) -> dict[str, float]:
        """When these feeds were last read; those that are gone, paused or failing are left out."""
        if not feeds:
            return {}
        due = dict(zip(feeds, self._redis.zmscore(keys.schedule(), list(feeds)), strict=True))
        found = load_feeds(self._redis, [(feed, at) for feed, at in due.items() if at is not None], self._reach)
        return {feed.id: feed.polls.succeeded for feed in found if not feed.paused and feed.polls.readable}

    def void(self, pages: Collection[str]) -> None:
        """These pages are no article's own: claims of them tell nothing any more."""
        there = self._there(dict.fromkeys(pages, VOID))
        if not there:
            return
        pipe = self._redis.pipeline(transaction=False)
        for page in there:
            pipe.set(keys.claim(uid(page)), _pack(VOID), xx=True, keepttl=True)
        pipe.execute()

    def _there(self, wanted: Mapping[str, T]) -> dict[str, T]:
        """Those of these pages whose claims are on nodes that are not known to be away."""
        return {page: claim for page, claim in wanted.items() if not self._reach.without_claim(uid(page))}


def _read(packed: bytes) -> Claim:
    try:
        return _claim(packed)
    except MsgspecError:
        return VOID

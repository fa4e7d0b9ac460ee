"""Carries the store of the previous version over, beside processes of that version that still run.

Invariant: an article that waits is, at every moment, in one of the two outboxes; whoever of the previous version
commits after its stories were moved is refused; what was interrupted goes on from where it stopped.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from typing import Any

import structlog
from redis import Redis

from worker.errors import LeaseLost
from worker.model import UNDETERMINED
from worker.store import keys
from worker.store.commits import Commits, Lease
from worker.store.scripts import load
from worker.text import LANGUAGES

_CHUNK = 500
_WAIT_S = 900.0
"""For another process that carries the same store over: a million keys take it 23 s on a busy machine."""

_LATE_S = 600.0
"""An outbox of the previous version is looked at until nobody has put anything into it for so long."""

_OF_A_FEED = (keys.feed, keys.seen, keys.payloads, keys.pending, keys.quarantine, keys.fetches)
"""In the order of carry_feed.lua. Trials and signs of life belong to processes: those of the previous version end."""

OWNER = b"gone to a newer version"
"""Who holds the leases of the previous version, without an end."""

log = structlog.get_logger()


@dataclass
class Carried:
    """What came along: feeds, articles that wait, languages and their keys; `dropped`: keys of languages that this
    version has stories of its own in."""

    feeds: int = 0
    waiting: int = 0
    languages: int = 0
    keys: int = 0
    dropped: int = 0


class Carrying:
    """Moves keys from the prefix of version `old` to this one's; a shard's and a feed's stay in their slot.

    `redis` speaks bytes.
    """

    def __init__(self, redis: Redis, old: int) -> None:
        self._redis: Any = redis
        self._old = keys.Layout(old)
        self._commits = Commits(redis)
        self._feed = load(redis, "carry_feed", though_full=True)
        self._retire = load(redis, "retire_shard", though_full=True)
        self._move = load(redis, "move_keys", though_full=True)
        self._finish = load(redis, "end_shard", though_full=True)
        self._unlist = load(redis, "unlist_outbox")

    def run(self, now: float) -> Carried:
        """All of it, in the order that loses nothing: what waits before the stories that it may be in already."""
        carried = Carried()
        self._forgotten()
        self._feeds(carried, now)
        self._retire_all()
        self._shards(carried)
        return carried

    def _forgotten(self) -> None:
        for hashes in self._drained(keys.forgotten()):
            self._redis.zadd(keys.forgotten(), hashes, gt=True)

    def _feeds(self, carried: Carried, now: float) -> None:
        """A feed's own keys go before its place in the schedule, or a poll of the previous version that ends in
        between would take the feed for removed and drop them."""
        removed = self._redis.smembers(self._old.was(keys.removed_feeds())) - {OWNER}
        if removed:
            self._redis.sadd(keys.removed_feeds(), *removed)
        self._feed_keys(removed, carried)
        self._moved()
        listed = self._listed(keys.outboxes())
        self._feed_keys(listed, carried)
        self._feed_keys(self._listed(keys.quarantines()), carried)
        self._redis.unlink(self._old.was(keys.quarantines()))
        # it keeps a removed feed, or a restarted process would take the store for a new one and poll the default feeds
        self._redis.sadd(self._old.was(keys.removed_feeds()), OWNER)
        for feeds in self._drained(keys.schedule(), before=lambda feeds: self._feed_keys(feeds, carried)):
            carried.feeds += self._redis.zadd(keys.schedule(), feeds, nx=True)
        for chunk in _chunks(listed):
            self._unlist(keys=[self._old.was(keys.outboxes())], args=[now - _LATE_S, *chunk])

    def _moved(self) -> None:
        """Which addresses lead to which feeds: what this version knows of them already is newer."""
        old = self._old.was(keys.moved_feeds())
        for chunk in _chunks(self._redis.hgetall(old).items()):
            pipe = self._redis.pipeline(transaction=False)
            for address, feed in chunk:
                pipe.hsetnx(keys.moved_feeds(), address, feed)
            pipe.execute()
        self._redis.unlink(old)

    def _listed(self, zset: str) -> list[bytes]:
        """The feeds on a list of the previous version, which are on this one's from now on: it may hold too much."""
        listed = self._redis.zrange(self._old.was(zset), 0, -1, withscores=True)
        if listed:
            self._redis.zadd(zset, dict(listed), gt=True)
        return [feed for feed, _ in listed]

    def _feed_keys(self, feeds: Iterable[bytes], carried: Carried) -> None:
        for chunk in _chunks([feed.decode() for feed in feeds]):
            pipe = self._redis.pipeline(transaction=False)
            for feed in chunk:
                names = [each(feed) for each in _OF_A_FEED]
                self._feed(keys=[*map(self._old.was, names), *names], client=pipe)
            carried.waiting += sum(pipe.execute())

    def _drained(self, zset: str, before: Any = None) -> Iterator[dict[bytes, float]]:
        """The members of a list of the previous version, some hundred at a time; each is taken off it after it was
        dealt with. before: called with the members of a chunk first."""
        while found := self._redis.zrange(self._old.was(zset), 0, _CHUNK - 1, withscores=True):
            if before is not None:
                before([member for member, _ in found])
            yield dict(found)
            self._redis.zrem(self._old.was(zset), *(member for member, _ in found))

    # --- stories ------------------------------------------------------------------------------------------------------

    def _retire_all(self) -> None:
        """Take the leases of all languages that an article can have, those without a story too: a process of the
        previous version could begin one whose stories would have to give way to this version's own."""
        known = {lang.decode() for lang in self._redis.smembers(self._old.was(keys.languages()))}
        pipe = self._redis.pipeline(transaction=False)
        for lang in sorted({UNDETERMINED, *LANGUAGES, *known}):
            retired = [self._old.was(keys.lease(lang)), self._old.was(keys.fence(lang))]
            self._retire(keys=retired, args=[OWNER], client=pipe)
        pipe.execute()

    def _shards(self, carried: Carried) -> None:
        """All languages in one walk through the keys, under the leases of both versions."""
        languages = sorted(lang.decode() for lang in self._redis.smembers(self._old.was(keys.languages())))
        if not languages:
            return
        with ExitStack() as held:
            leases = {lang: held.enter_context(self._commits.lease(lang, _WAIT_S)) for lang in languages}
            languages = [lang for lang in languages if self._redis.sismember(self._old.was(keys.languages()), lang)]
            if not languages:
                return  # while this process waited, another one has carried them over
            known = {lang for lang in languages if self._redis.hexists(keys.counters(lang), "seq")}
            for page in self._pages(languages):
                for lang, names in page.items():
                    if lang in known:
                        carried.dropped += self._redis.unlink(*names)
                    else:
                        carried.keys += self._move(keys=[*names, *map(self._old.now, names)])
                for lease in leases.values():
                    self._commits.renew(lease)
            for lang in languages:
                self._end(leases[lang])
        carried.languages += len(languages) - len(known)

    def _pages(self, languages: Iterable[str]) -> Iterator[dict[str, list[str]]]:
        """The keys of these languages, some hundred at a time, by language; without those that go last."""
        prefixes = {self._old.was(keys.lease(lang)).removesuffix("lease"): lang for lang in languages}
        last = {self._old.was(each(lang)) for lang in languages for each in (keys.lease, keys.fence, keys.counters)}
        names, began = self._redis.scan_iter(f"{self._old.prefix}{{*", count=_CHUNK), time.monotonic()
        while found := list(islice(names, _CHUNK)):
            page: dict[str, list[str]] = {}
            for name in (key.decode() for key in found):
                lang = prefixes.get(name[: name.find("}:") + 2])
                if lang is not None and name not in last:
                    page.setdefault(lang, []).append(name)
            yield page
            if time.monotonic() - began > 5:
                log.info("carrying stories over", languages=len(prefixes))
                began = time.monotonic()

    def _end(self, lease: Lease) -> None:
        """The counters go last: a language that has them was moved whole."""
        lang = lease.lang
        self._commits.renew(lease)
        names = [keys.fence(lang), keys.counters(lang)]
        if not self._finish(keys=[*names, *map(self._old.was, names)], args=[lease.fence]):
            raise LeaseLost(f"the lease of {lang} ran out: another process carries the store over")
        self._redis.srem(self._old.was(keys.languages()), lang)


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    every = list(items)
    return (every[start : start + _CHUNK] for start in range(0, len(every), _CHUNK))

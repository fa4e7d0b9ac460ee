"""The reading side of a language's shard: what a decision needs, put into a view.

Invariant: nothing is written; what is read under the language's lease is what its commit meets.
"""

from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeVar

from msgspec import msgpack
from redis import Redis

from worker.cluster import Need, Ties, View
from worker.model import Alias, Correction, Member, Story
from worker.store import keys
from worker.store.remembered import Remembered

T = TypeVar("T")

_correction = msgpack.Decoder(Correction)


class Reading:
    """Loads articles, postings, stories and corrections. `redis` speaks bytes."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._ties: dict[str, tuple[bytes, Ties]] = {}
        self._member: Remembered[Member] = Remembered(msgpack.Decoder(Member).decode)
        # 0.7 us a story: remembering thirty for every article would cost three times that where the store is large
        self._story = msgpack.Decoder(Story | Alias)

    def ask(self, lang: str, steps: Callable[[View], Generator[Need, None, T]], strictness: float) -> T:
        """Run a decision on the stories as they stand, without the lease and without a commit: for who only asks. What
        is committed meanwhile may be seen in part, as a candidate more or less."""
        counters: Any = self._redis.hmget(keys.counters(lang), "seq", "story")
        seq, made = (int(counter or 0) for counter in counters)
        view = View(lang, seq, made)
        view.strictness = strictness
        asked = steps(view)
        while True:
            try:
                self.load(view, next(asked))
            except StopIteration as stop:
                value: T = stop.value
                return value

    def load(self, view: View, need: Need) -> None:
        """Put what a view lacks into it: one MGET, and one call for each list of members."""
        lang = view.lang
        names = [keys.article(lang, uid) for uid in need.members]
        names += [keys.term(lang, term) for term in need.terms]
        names += [keys.band(lang, *band) for band in need.bands]
        names += [keys.story(lang, number) for number in need.stories]
        values: Iterator[Any] = iter(self._redis.mget(names) if names else [])
        for uid in need.members:
            view.members[uid] = self._member(uid, raw) if (raw := next(values)) else None
        for term in need.terms:
            view.terms[term] = next(values) or b""
        for band in need.bands:
            view.bands[band] = next(values) or b""
        for number in need.stories:
            view.stories[number] = self._story.decode(raw) if (raw := next(values)) else None
        for number in need.rolls:
            roll: Any = self._redis.zrange(keys.members(lang, number), 0, -1, withscores=True)
            view.set_roll(number, dict(roll))

    def quiet(self, lang: str, before: float, limit: int) -> list[int]:
        """The numbers of up to `limit` stories whose last change, by the wall clock, is older than `before`."""
        found: Any = self._redis.zrange(keys.active(lang), "-inf", before, byscore=True, offset=0, num=limit)
        return [int(number) for number in found]

    def ties(self, lang: str) -> Ties:
        """The corrections of a language that are in force."""
        found: Any = self._redis.hget(keys.counters(lang), "corrected")
        return self._corrections(lang, found or b"")

    def _corrections(self, lang: str, version: bytes) -> Ties:
        """Read anew only where somebody changed them since. The version is read first: corrections that are newer than
        it are read once more, none is missed."""
        known, ties = self._ties.get(lang, (b"", Ties()))
        if known != version:
            together = self._redis.pipeline(transaction=False)
            together.hget(keys.counters(lang), "corrected")
            together.hvals(keys.corrections(lang))
            read, packed = together.execute()
            ties = Ties(sorted(map(_correction.decode, packed), key=lambda correction: correction.number))
            self._ties[lang] = (read or b"", ties)
        return ties

"""The reading side of the stories, over all languages: what reports, pages and `explain` show.

Invariant: reads only, and never an error for what ended between two reads: it is left out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from msgspec import msgpack
from redis import Redis

from worker.cluster import Ties
from worker.model import Alias, Correction, Event, Member, Story, story_id, uid
from worker.store import keys

Position = Mapping[str, tuple[int, int]]
"""language -> (commit sequence, part): the last event read of each."""

_AT_ONCE = 200
_MEMBERS_AT_ONCE = 1_000

_member = msgpack.Decoder(Member)
_story = msgpack.Decoder(Story | Alias)
_correction = msgpack.Decoder(Correction)
_event = msgpack.Decoder(Event)


class Extent(NamedTuple):
    """What there is of a language: the first and the last event that are kept, (0, 0) where there is none, and how many
    stories."""

    first: tuple[int, int]
    last: tuple[int, int]
    stories: int

    def follows(self, position: tuple[int, int]) -> bool:
        """Whether all events after a position are there: it is kept itself, or none was ever let go of (the first of
        all is that of the first commit)."""
        return position <= self.last and (position >= self.first or self.first <= (1, 0))


class Look(NamedTuple):
    """What was found at one moment. `server`: names its process, so that one that came back is told from one that was
    only out of reach."""

    server: str
    extents: dict[str, Extent]
    events: list[Event]


class Stories:
    """Stories, their members and their events, in values of worker/model."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    def languages(self) -> list[str]:
        """The codes of all languages that have a shard, sorted."""
        found: Any = self._redis.smembers(keys.languages())
        return sorted(lang.decode() for lang in found)

    def recent(self, lang: str, since: float, limit: int) -> list[Story]:
        """Up to `limit` stories whose last article, by event time, is not older than `since`; the latest first."""
        numbers: Any = self._redis.zrange(
            keys.latest(lang), "+inf", since, desc=True, byscore=True, offset=0, num=limit
        )
        found = self._stories(lang, [int(n) for n in numbers])
        return [story for story in found if isinstance(story, Story) and story.articles]

    def find(self, lang: str, number: int) -> Story | None:
        """The story of a number, through its alias; None where it has ended."""
        (story,) = self._stories(lang, [number])
        if isinstance(story, Alias):
            (story,) = self._stories(lang, [story.root])
        return story if isinstance(story, Story) and story.articles else None

    def members(self, lang: str, number: int) -> list[Member]:
        """All members of a story, by event time, equal times by arrival."""
        uids: Any = self._redis.zrange(keys.members(lang, number), 0, -1)
        return sorted(self.present(lang, uids), key=_in_time)

    def present(self, lang: str, uids: Sequence[bytes]) -> list[Member]:
        """Those of these articles that the store has."""
        raws: Any = self._redis.mget([keys.article(lang, uid) for uid in uids]) if uids else []
        return [_member.decode(raw) for raw in raws if raw]

    def corrections(self, lang: str, article: bytes) -> list[Correction]:
        """The corrections in force that name an article; the newest first."""
        packed: Any = self._redis.hvals(keys.corrections(lang))
        return Ties(map(_correction.decode, packed)).of(article) if packed else []

    def times(self, lang: str, numbers: Sequence[int]) -> list[list[float]]:
        """The event times of the members of each story, sorted; one round trip."""
        pipeline = self._redis.pipeline(transaction=False)
        for number in numbers:
            pipeline.zrange(keys.members(lang, number), 0, -1, withscores=True)
        return [[time for _, time in roll] for roll in pipeline.execute()]

    def article(self, article_id: str) -> tuple[str, Member] | None:
        """(language, member) of an article id; None where the store does not have it."""
        languages = self.languages()
        pipeline = self._redis.pipeline(transaction=False)
        for lang in languages:
            pipeline.get(keys.article(lang, uid(article_id)))
        found = zip(languages, pipeline.execute(), strict=True)
        return next(((lang, _member.decode(raw)) for lang, raw in found if raw), None)

    def known(self, article_ids: Sequence[str]) -> dict[str, str]:
        """article id -> language, of those that the store has; one round trip."""
        asked = [(article_id, lang) for lang in self.languages() for article_id in article_ids]
        pipeline = self._redis.pipeline(transaction=False)
        for article_id, lang in asked:
            pipeline.exists(keys.article(lang, uid(article_id)))
        found = zip(asked, pipeline.execute(), strict=True)
        return {article_id: lang for (article_id, lang), there in found if there}

    def events(self, after: Position, limit: int) -> list[Event]:
        """Up to `limit` events of each language after its position (from the oldest kept, where it has none)."""
        languages = self.languages()
        pipeline = self._redis.pipeline(transaction=False)
        for lang in languages:
            seq, part = after.get(lang, (0, 0))
            pipeline.xrange(keys.events(lang), f"({seq}-{part}", "+", count=limit)
        return [_event.decode(fields[b"e"]) for entries in pipeline.execute() for _, fields in entries]

    def end(self) -> dict[str, tuple[int, int]]:
        """The newest position of each language's stream."""
        return {lang: extent.last for lang, extent in self.extents().items()}

    def extents(self) -> dict[str, Extent]:
        """What there is of each language; one round trip."""
        return self.look({}, 0).extents

    def look(self, after: Position, limit: int) -> Look:
        """Up to `limit` events of each language after its position, read after the extents; one round trip."""
        languages = self.languages()
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.info("server")
        for lang in languages:
            pipeline.zcard(keys.latest(lang))
            pipeline.xrange(keys.events(lang), count=1)
            pipeline.xrevrange(keys.events(lang), count=1)
            seq, part = after.get(lang, (0, 0))
            pipeline.xrange(keys.events(lang), f"({seq}-{part}", "+", count=max(1, limit))
        server, *found = pipeline.execute()
        read = zip(languages, found[::4], found[1::4], found[2::4], strict=True)
        extents = {lang: Extent(_position(first), _position(last), stories) for lang, stories, first, last in read}
        events = [_event.decode(fields[b"e"]) for entries in found[3::4] for _, fields in entries] if limit else []
        return Look(str(server.get("run_id", "")), extents, events)

    def numbers(self, lang: str) -> list[int]:
        """The numbers of all stories of a language, the latest by event time first."""
        found: Any = self._redis.zrange(keys.latest(lang), 0, -1, desc=True)
        return [int(number) for number in found]

    def whole(self, lang: str, numbers: Sequence[int]) -> Iterator[tuple[Story, list[Member]]]:
        """Those of these stories that are there, each once, through their aliases, with its members as `members` has
        them; some thousand members at a time."""
        found = self._stories(lang, numbers)
        found += self._stories(lang, list(dict.fromkeys(story.root for story in found if isinstance(story, Alias))))
        stories = {story.number: story for story in found if isinstance(story, Story) and story.articles}
        pipeline = self._redis.pipeline(transaction=False)
        for number in stories:
            pipeline.zrange(keys.members(lang, number), 0, -1)
        rolls: dict[int, list[bytes]] = {}
        for number, roll in zip(stories, pipeline.execute(), strict=True):
            rolls[number] = roll
            if sum(map(len, rolls.values())) >= _MEMBERS_AT_ONCE:
                yield from self._filled(lang, stories, rolls)
                rolls = {}
        yield from self._filled(lang, stories, rolls)

    def _filled(
        self, lang: str, stories: Mapping[int, Story], rolls: Mapping[int, Sequence[bytes]]
    ) -> Iterator[tuple[Story, list[Member]]]:
        there = {member.uid: member for member in self.present(lang, [uid for roll in rolls.values() for uid in roll])}
        for number, roll in rolls.items():
            yield stories[number], sorted((there[uid] for uid in roll if uid in there), key=_in_time)

    def counts(self) -> dict[str, int]:
        """`articles` and `stories` now stored, over all languages."""
        languages = self.languages()
        pipeline = self._redis.pipeline(transaction=False)
        for lang in languages:
            pipeline.hget(keys.counters(lang), "articles")
            pipeline.zcard(keys.active(lang))
        found = pipeline.execute()
        return {"articles": sum(int(n or 0) for n in found[::2]), "stories": sum(found[1::2])}

    def quiet_since(self) -> float | None:
        """When, by the wall clock, the story that has been quiet for longest last changed; None where there is none."""
        languages = self.languages()
        pipeline = self._redis.pipeline(transaction=False)
        for lang in languages:
            pipeline.zrange(keys.active(lang), 0, 0, withscores=True)
        return min((score for found in pipeline.execute() for _, score in found), default=None)

    def assignments(self) -> Iterator[tuple[str, str]]:
        """(article id, story id) of every article, after merges."""
        for lang, number, member in self.everything():
            yield member.id, story_id(lang, number)

    def everything(self) -> Iterator[tuple[str, int, Member]]:
        """(language, story number after merges, member) of every article; some hundred stories a round trip."""
        for lang in self.languages():
            found: Any = self._redis.zrange(keys.latest(lang), 0, -1)
            for numbers in _batched([int(number) for number in found], _AT_ONCE):
                pipeline = self._redis.pipeline(transaction=False)
                for number in numbers:
                    pipeline.zrange(keys.members(lang, number), 0, -1)
                placed = [(uid, n) for n, roll in zip(numbers, pipeline.execute(), strict=True) for uid in roll]
                raws: Any = self._redis.mget([keys.article(lang, uid) for uid, _ in placed]) if placed else []
                for (_, number), raw in zip(placed, raws, strict=True):
                    if raw:
                        yield lang, number, _member.decode(raw)

    def _stories(self, lang: str, numbers: Sequence[int]) -> list[Story | Alias | None]:
        raws: Any = self._redis.mget([keys.story(lang, number) for number in numbers]) if numbers else []
        return [_story.decode(raw) if raw else None for raw in raws]


def _position(entries: Sequence[tuple[bytes, Any]]) -> tuple[int, int]:
    seq, _, part = entries[0][0].partition(b"-") if entries else (b"0", b"-", b"0")
    return int(seq), int(part)


def _in_time(member: Member) -> tuple[float, int]:
    return member.time, member.seq


def _batched(numbers: Iterable[int], size: int) -> Iterator[list[int]]:
    rest = iter(numbers)
    while batch := list(islice(rest, size)):
        yield batch

"""The values that pass between the layers. No behaviour beyond what a value needs to describe itself.

Invariant: every value here is frozen, or is owned by one place at a time; times are seconds since 1970, UTC.
"""

from enum import StrEnum
from functools import cached_property, lru_cache
from hashlib import blake2b
from typing import NamedTuple

from msgspec import Struct

SCHEMA = 3
"""Version of the keys, of the records, and of the fingerprints (wordfreq 3.1, PyStemmer 3.1): in the name of every key
and of the queue. A field with a default at the end of a record needs no other version (docs/upgrades.md)."""

UNDETERMINED = "und"
"""The language of a text whose language nobody stated and nothing could tell (ISO 639-2)."""

UNTOLD = "-"
"""Stands where an outlet's domain stands, of an article that an aggregator shows without saying whose it is."""

AWAITED = "awaited"
"""Stands where it is said what became of an article's page, while that is being fetched."""

PAGE_READ = "read"
"""Stands there when the article's text is its page's."""


MOST_TITLES = 10
"""Earlier headlines that are kept of an article: the first, and the latest."""

MOST_FEEDS = 20
"""Further feeds that are kept of an article, those that carried it first."""


class Relation(StrEnum):
    """What an article is to the earlier members of its story."""

    FIRST = "first"
    COPY = "copy"
    REWRITE = "rewrite"
    REPORT = "report"


class Article(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An article on its way into a story: clean text, its language decided.

    `id` is the user's for an imported line, `FEED.ENTRY` for a feed's entry. `revision` counts from 1; a later one
    replaces the article; it is 0 of what another feed carries under the id that an article has of the first.
    `backfill` articles are clustered, but nothing breaks because of them. `kept`: what an archive kept of it in place
    of its text. `outlet`: the registrable domain of whose report it is, "" where the name alone tells, or UNTOLD.
    `page`: of an entry that carries only a summary, AWAITED, PAGE_READ, or why its page was not read.
    """

    id: str
    revision: int = 1
    title: str = ""
    text: str = ""
    url: str = ""
    source: str = ""
    lang: str = UNDETERMINED
    published: float | None = None
    received: float
    backfill: bool = False
    kept: "Kept | None" = None
    outlet: str = ""
    page: str = ""


class Ref(NamedTuple):
    """Where an article waits: the outbox of a feed, and its id. What a job carries."""

    feed: str
    article: str


_FILE = "file-"


def file_feed(run: str) -> str:
    """The name that stands in place of a feed's where articles come from a file; `run` tells one run from another."""
    return _FILE + run


def is_file(feed: str) -> bool:
    """Whether it is such a name: the ids of feeds are hexadecimal."""
    return feed.startswith(_FILE)


FULL_WEIGHT = 255
"""Of a term that a text has alone."""


class Fingerprints(Struct, frozen=True, array_like=True, dict=True):
    """Everything of an article's text that clustering compares.

    `copy`: 64-bit SimHash over word 3-shingles, 8 bytes; `story`: 2048-bit SimHash over weighted words, 256 bytes;
    both big-endian and empty for a text without words. `sketch`: the up to 96 smallest shingle hashes (see
    sketch.py). `shingles`: how many distinct shingles there are. `digest`: 8 bytes of the normalised title and text.
    `terms` with `weights` (0 to 255 each, of the unit vector): the up to 48 heaviest, heaviest first. `figures`: the
    numbers it tells (see figures.py).
    """

    copy: bytes = b""
    story: bytes = b""
    sketch: bytes = b""
    shingles: int = 0
    words: int = 0
    digest: bytes = b""
    terms: tuple[str, ...] = ()
    weights: bytes = b""
    figures: bytes = b""

    @property
    def empty(self) -> bool:
        """True for a text without words: it never joins anything."""
        return not self.story

    @cached_property
    def by_term(self) -> dict[str, int]:
        """Key term -> weight."""
        return dict(zip(self.terms, self.weights, strict=True))


class Kept(Struct, frozen=True, array_like=True):
    """What an archive keeps of an article that was clustered: its fingerprints, the number of its story with the
    `origin` that tells it from another store's (see Story), its score, its story's place in a series, its earlier
    headlines and its further feeds (see Member)."""

    story: int
    origin: bytes
    prints: Fingerprints
    score: float | None = None
    edition: int = 0
    every: float = 0.0
    titles: tuple[tuple[float, str], ...] = ()
    feeds: tuple[str, ...] = ()


class Member(Struct, frozen=True, array_like=True, dict=True):
    """An article as the store keeps it: what is shown of it, its fingerprints, and its place in a story.

    `time` is the event time, `seq` the commit that placed it, `story` the number of its story, `of` the uid of the
    member that it repeats (empty for none), `score` the decision's (None for the article that began the story),
    `voting` whether its text has a vote in the story's fingerprint, `page` what became of its page (see Article), in
    words. `outlet`: as of an Article. `titles`: up to MOST_TITLES headlines that it had before, each with the time
    until which it had it; `feeds`: up to MOST_FEEDS that carried it too, besides the one that its id names.
    """

    id: str
    revision: int
    title: str
    url: str
    source: str
    published: float | None
    time: float
    received: float
    backfill: bool
    prints: Fingerprints
    story: int = 0
    seq: int = 0
    relation: Relation = Relation.FIRST
    of: bytes = b""
    score: float | None = None
    voting: bool = True
    page: str = ""
    outlet: str = ""
    titles: tuple[tuple[float, str], ...] = ()
    feeds: tuple[str, ...] = ()

    @cached_property
    def uid(self) -> bytes:
        """The article's key inside its language."""
        return uid(self.id)

    @property
    def newsroom(self) -> str:
        """What tells its outlet from others: the domain, or else the name; "" where nothing does."""
        return "" if self.outlet == UNTOLD else self.outlet or self.source.casefold()


class Alias(Struct, frozen=True, array_like=True, tag="A"):
    """What stands in place of a story that was merged: `root`, the number of the one that survived; never a chain."""

    root: int


class Story(Struct, frozen=True, array_like=True, tag="S"):
    """A story as the store keeps it; its members stand in a key of their own.

    `first`, `last`: the span of its members' event times; `active`: the wall clock of the last change. `outlets`:
    sorted distinct 32-bit hashes of newsrooms, 4 bytes each. `heat`: arrivals at `last`, halved every two hours.
    `planes` and `voters`: the bit-sliced vote (see cluster/vote.py). `texts`: uids of its distinct texts, oldest first,
    that new articles are compared with. `aliases`: numbers of the stories that were merged into it. `edition`: how many
    editions of a recurring report are known to have come before, `every`: seconds since the last one of them.
    `origin`: of a story that came back from an archive, 8 bytes that stand for what it was there.
    """

    number: int
    headline: str
    first: float
    last: float
    active: float
    lead: bytes
    articles: int = 0
    copies: int = 0
    rewrites: int = 0
    outlets: bytes = b""
    heat: float = 0.0
    planes: tuple[bytes, ...] = ()
    voters: int = 0
    texts: tuple[bytes, ...] = ()
    aliases: tuple[int, ...] = ()
    edition: int = 0
    every: float = 0.0
    origin: bytes = b""


class Correction(Struct, frozen=True, array_like=True):
    """What an editor said of articles, for good: constraints that must link them, or must not (Wagstaff & Cardie 2000).

    `kind`: `split`, the articles of `one` are a story that is not the story of `other`; `merge`, the story of `one` is
    that of `other`; `pin`, the article of `one` is in the story of `other`. Both hold article ids; `other`, and in a
    merge `one`, stand for a story whose numbers come and go. `number` counts a language's corrections; `seq` is its
    commit, `made` its wall clock; `stories`: those it was about, by number. `until`: when it is let go of, by the wall
    clock, after articles of it have ended; 0 while all are there. `moved`: of a merge, the uids that each story but the
    first brought along, so that it can be undone; by their hashes, so that nothing of a forgotten one stands here.
    """

    number: int
    kind: str
    made: float
    seq: int
    stories: tuple[int, ...]
    one: tuple[str, ...]
    other: tuple[str, ...]
    until: float = 0.0
    moved: tuple[bytes, ...] = ()


class Event(Struct, frozen=True):
    """One line of a language's event stream: what a commit did to a story.

    `kind` is `new`, `grew`, `merged`, `split` (by an editor, or as the texts were those of two), an editor's `moved`,
    `pinned`, `shrank`, or `ended`: it expired, or its last article was forgotten. `uid`: the article that caused it, of
    a split the first one that was taken out, by its hash, so that nothing of a forgotten article stands here. `into`:
    the story that survived a merge, came of a split, or took an article in. `seq` and `part` are its place in the
    stream (`seq-part`), which `Stories.events` reads on from.
    """

    kind: str
    seq: int
    lang: str
    story: int
    uid: bytes = b""
    backfill: bool = False
    into: int = 0
    part: int = 0


@lru_cache(maxsize=100_000)
def uid(article_id: str) -> bytes:
    """8 bytes that stand for an article id in keys and records (BLAKE2b)."""
    return blake2b(article_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()


_DIGITS = "0123456789abcdefghijkmnpqrstuvwxyz"


def story_id(lang: str, number: int) -> str:
    """The public id of a story, for example `en-7f3k`: the language names its shard."""
    digits = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return f"{lang}-{digits or '0'}"


def parse_story_id(text: str) -> tuple[str, int] | None:
    """The language and number of a public story id, or None where it is none."""
    lang, dash, digits = text.rpartition("-")
    if not dash or not lang or not digits or len(digits) > 10 or any(d not in _DIGITS for d in digits):
        return None
    number = 0
    for digit in digits:
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return lang, number

"""What the store keeps: articles as members of stories, stories, corrections, and the events that tell of them.

Invariant: frozen, and packed by the order of the fields: a new one stands at the end and has a default.
"""

from enum import StrEnum
from functools import cached_property

from msgspec import Struct

from worker.model.article import UNTOLD
from worker.model.ids import uid
from worker.model.prints import Fingerprints

SCHEMA = 3
"""Version of the keys, of the records, and of the fingerprints (wordfreq 3.1, PyStemmer 3.1): in the name of every key
and of the queue. A field with a default at the end of a record needs no other version (docs/upgrades.md)."""

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

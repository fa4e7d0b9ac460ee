"""An article on its way into a story, and where it waits.

Invariant: clean text, its language decided: what publishers wrote ends before this.
"""

from typing import NamedTuple

from msgspec import Struct

from worker.model.prints import Fingerprints

UNDETERMINED = "und"
"""The language of a text whose language nobody stated and nothing could tell (ISO 639-2)."""

UNTOLD = "-"
"""Stands where an outlet's domain stands, of an article that an aggregator shows without saying whose it is."""

AWAITED = "awaited"
"""Stands where it is said what became of an article's page, while that is being fetched."""

PAGE_READ = "read"
"""Stands there when the article's text is its page's."""


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
    kept: Kept | None = None
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

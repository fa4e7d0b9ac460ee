"""A fetched body to the entries that a reader would show.

    bytes -> UTF-8 -> JSON Feed | sitemap | plain RSS and Atom | repaired, and read by feedparser -> cleaned -> entries

Invariant: whatever the bytes are, the answer is a ParsedFeed; the same document gives the same entries by every way.
"""

from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from worker.feed import hints, jsonfeed, reader, sitemap, sniff
from worker.feed.address import web_link
from worker.feed.encoding import as_utf8
from worker.feed.identity import Digests, Names, digests, entry_keys
from worker.feed.plain import read_plain
from worker.feed.raw import RawEntry, RawFeed, beyond
from worker.feed.repair import begins_at_once, captions_apart, repaired
from worker.feed.summary import is_summary
from worker.joiners import unjoined
from worker.text import clean, headline

MAX_ENTRIES = 2_000
"""A feed shows some tens; what shows more is an archive, and its newest entries stand first."""

_MAX_TITLE = 500
_MAX_OUTLET = 80
_HEADLINE = 100
"""Characters of its text that stand for the title of an entry without one, as on microblogs."""

_OVERLOADED = (
    "has over 100,000 tags, hundreds of attributes on one, or entities that grow: find a shorter feed of this site"
)


class State(StrEnum):
    """What a body turned out to be."""

    OK = "ok"
    EMPTY = "empty"
    NOT_A_FEED = "not-a-feed"


class Entry(Struct, frozen=True):
    """One entry as a reader would show it: plain text, an absolute http(s) link or none, the date it states.

    `key` tells it from the other entries of the document, `names` from those of other fetches; `lang` is the tag that
    entry or feed state, or "". `summary`: the text is no more than a summary of a page at `url`; `outlet`,
    `outlet_url`: whose report it is, where the entry itself says so (RSS and Atom `source`), or "".
    """

    key: str
    title: str
    text: str
    url: str
    lang: str = ""
    published: float | None = None
    names: Digests = Digests()
    summary: bool = False
    outlet: str = ""
    outlet_url: str = ""


class ParsedFeed(Struct, frozen=True):
    """A parsed body. `reason` says in words why there are no entries, or what was wrong with those there are.

    `ttl_s`: the least seconds between fetches that the feed asks for, 0 where it does not; `skip_hours`, `skip_days`:
    hours (0 to 23) and weekdays (0 is Monday), UTC, in which it asks not to be read; `hub`, `topic`: its WebSub hub,
    and the address under which that knows it, or "".
    """

    state: State
    reason: str = ""
    title: str = ""
    lang: str = ""
    ttl_s: float = 0.0
    entries: tuple[Entry, ...] = ()
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    hub: str = ""
    topic: str = ""


def parse(body: bytes, url: str, content_type: str) -> ParsedFeed:
    """The feed in `body`, which was fetched from `url` with that Content-Type header (or "")."""
    if not body.strip():
        return ParsedFeed(State.NOT_A_FEED, "the answer is empty: check the address in a browser")
    body = begins_at_once(as_utf8(body, content_type))
    if sniff.is_web_page(body):
        return ParsedFeed(State.NOT_A_FEED, sniff.what_else(body, url))
    found = _read(body, url)
    if isinstance(found, str):
        return ParsedFeed(State.NOT_A_FEED, found)
    entries = _entries(found, url)
    return ParsedFeed(
        State.OK if entries else State.EMPTY,
        found.trouble or _reason(found),
        _line(found.title),
        found.lang,
        hints.ttl_s(found),
        entries,
        hints.skip_hours(body),
        hints.skip_days(body),
        _address(url, found.hub),
        _address(url, found.topic),
    )


def _read(body: bytes, url: str) -> RawFeed | str:
    """What the document states, or why it is no feed."""
    if jsonfeed.is_json(body):
        return jsonfeed.read_json(body, MAX_ENTRIES) or sniff.what_else(body, url)
    if body.count(b"<") > sniff.MAX_TAGS:
        return _OVERLOADED
    if sitemap.is_sitemap(body):
        return sitemap.read_sitemap(body, url, MAX_ENTRIES) or sniff.NO_NEWS
    body = captions_apart(body)
    found = read_plain(body)
    if found is None:
        if sniff.is_overloaded(body):
            return _OVERLOADED
        body = repaired(body)
        found = read_plain(body) or reader.read_any(body, MAX_ENTRIES)
    if found is None:
        return sniff.what_else(body, url)
    return reader.BROKEN if found.trouble == reader.BROKEN else found


class _Read(NamedTuple):
    names: Names
    title: str
    text: str
    summary: bool
    source: RawEntry


def _entries(feed: RawFeed, url: str) -> tuple[Entry, ...]:
    """The entries in the order of the document, each once, cleaned and named."""
    base = url if feed.atom else web_link(url, feed.link) or url
    read = [_entry(source, base) for source in feed.entries[:MAX_ENTRIES]]
    found: dict[str, Entry] = {}
    for key, item in zip(entry_keys([item.names for item in read]), read, strict=True):
        source = item.source
        found.setdefault(
            key,
            Entry(
                key,
                item.title,
                item.text,
                item.names.link,
                source.lang or feed.lang,
                source.published,
                digests(item.names),
                item.summary,
                _line(source.outlet)[:_MAX_OUTLET],
                _address(base, source.outlet_url),
            ),
        )
    return tuple(found.values())


def _entry(source: RawEntry, base: str) -> _Read:
    content = next((text for markup in source.contents if (text := clean(markup))), "")
    text = content or clean(source.summary) or clean(source.caption)
    title, link = _title(source.title), _address(base, source.link)
    names = Names(source.id.strip(), link, unjoined(title), text or source.stated)
    return _Read(names, title or _headline(text), text, is_summary(text, link, has_content=bool(content)), source)


def _address(base: str, link: str) -> str:
    """As web_link(), but no link is no link: not one to the base."""
    return web_link(base, link) if link.strip() else ""


def _title(markup: str) -> str:
    return headline(markup, _MAX_TITLE) if markup else ""


def _line(markup: str) -> str:
    """Markup as one line that is short enough for a title."""
    return unjoined(_title(markup))


def _headline(text: str) -> str:
    """The beginning of a text that has no title, cut between words."""
    line = text.partition("\n")[0]
    if len(line) <= _HEADLINE:
        return line
    cut = line.rfind(" ", _HEADLINE // 2, _HEADLINE)
    return line[: cut if cut > 0 else _HEADLINE] + "…"


def _reason(feed: RawFeed) -> str:
    if feed.parts:
        return f"a sitemap index, no feed of its own: add its newest part, {feed.parts[0]}"
    if not feed.entries:
        return "the feed is valid and has no entries yet"
    return beyond(len(feed.entries), MAX_ENTRIES)

"""A fetched body to the entries that a reader would show.

Invariant: whatever the bytes are, the answer is a ParsedFeed; only feedparser sees them, and only as a stream of bytes
(given a string it opens the file or the URL of that name).
"""

import calendar
import io
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple
from xml.sax import SAXParseException

import feedparser
from msgspec import Struct

from worker.feed import sniff
from worker.feed.address import web_link
from worker.feed.identity import Digests, Names, digests, entry_keys
from worker.text import clean

MAX_ENTRIES = 2_000
"""A feed shows some tens; what shows more is an archive, and its newest entries stand first."""

_MAX_TITLE = 500
_HEADLINE = 100
"""Characters of its text that stand for the title of an entry without one, as on microblogs."""

_PERIODS_S = {"hourly": 3600, "daily": 86400, "weekly": 7 * 86400, "monthly": 30 * 86400, "yearly": 365 * 86400}

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
    hours (0 to 23) and weekdays (0 is Monday), UTC, in which it asks not to be read; `hub`, `topic`: its WebSub hub, and
    the address under which that knows it, or "".
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
    if sniff.is_web_page(body):
        return ParsedFeed(State.NOT_A_FEED, sniff.what_else(body, url))
    if sniff.is_overloaded(body):
        return ParsedFeed(State.NOT_A_FEED, _OVERLOADED)
    document = feedparser.parse(
        io.BytesIO(body),
        response_headers=sniff.encoding_headers(body, content_type),
        sanitize_html=False,  # both take 75 % of the time, and the text is cleaned by ours
        resolve_relative_uris=False,
    )
    raw = list(document.entries)
    if not document.version and not raw:
        return ParsedFeed(State.NOT_A_FEED, sniff.what_else(body, url))
    if not raw and isinstance(document.get("bozo_exception"), SAXParseException):
        return ParsedFeed(State.NOT_A_FEED, "the document is cut off or broken: check it in a feed validator")
    truncated = bool(document.bozo) and sniff.ends_inside_an_entry(body)
    if truncated:
        raw = raw[:-1]
    feed: Mapping[str, Any] = document.feed
    entries = _entries(raw[:MAX_ENTRIES], feed, url, is_atom=document.version.startswith("atom"))
    return ParsedFeed(
        State.OK if entries else State.EMPTY,
        _reason(len(raw), truncated),
        clean(_text(feed, "title"))[:_MAX_TITLE].replace("\n", " "),
        _text(feed, "language"),
        _ttl_s(feed),
        entries,
    )


class _Raw(NamedTuple):
    names: Names
    title: str
    text: str
    url: str
    source: Mapping[str, Any]


def _entries(raw: list[Mapping[str, Any]], feed: Mapping[str, Any], url: str, *, is_atom: bool) -> tuple[Entry, ...]:
    """The entries in the order of the document, each once: feedparser's, cleaned and named."""
    base = url if is_atom else web_link(url, _text(feed, "link")) or url
    read = [_read(source, base) for source in raw]
    found: dict[str, Entry] = {}
    for key, item in zip(entry_keys([item.names for item in read]), read, strict=True):
        lang = _text(item.source, "language") or _text(item.source.get("title_detail"), "language")
        lang = lang or _text(feed, "language")
        published, names = _published(item.source), digests(item.names)
        found.setdefault(key, Entry(key, item.title, item.text, item.url, lang, published, names))
    return tuple(found.values())


def _read(source: Mapping[str, Any], base: str) -> _Raw:
    text = next((text for markup in _bodies(source) if (text := clean(markup))), "")
    title = clean(_text(source, "title")).replace("\n", " ")[:_MAX_TITLE]
    link = web_link(base, _text(source, "feedburner_origlink") or _text(source, "link"))
    names = Names(_text(source, "id").strip(), link, title, text or _text(source, "published"))
    return _Raw(names, title or _headline(text), text, link, source)


def _bodies(source: Mapping[str, Any]) -> list[str]:
    """The markup of an entry, the fullest first: its content, then its summary."""
    contents = source.get("content") or []
    return [*(_text(content, "value") for content in contents), _text(source, "summary")]


def _headline(text: str) -> str:
    """The beginning of a text that has no title, cut between words."""
    line = text.partition("\n")[0]
    if len(line) <= _HEADLINE:
        return line
    cut = line.rfind(" ", _HEADLINE // 2, _HEADLINE)
    return line[: cut if cut > 0 else _HEADLINE] + "…"


def _published(source: Any) -> float | None:
    """When the entry says it was published, or else updated; whether to believe it is decided later."""
    for name in ("published_parsed", "updated_parsed"):
        parsed = dict.get(source, name)  # feedparser's own get takes one for the other, and warns
        if parsed:
            try:
                return float(calendar.timegm(parsed))
            except (ValueError, OverflowError, TypeError):
                continue
    return None


def _ttl_s(feed: Mapping[str, Any]) -> float:
    """RSS `ttl` in minutes, or `sy:updatePeriod` divided by `sy:updateFrequency`."""
    ttl = _text(feed, "ttl").strip()
    if ttl.isdecimal() and len(ttl) < 7:
        return float(ttl) * 60
    period_s = _PERIODS_S.get(_text(feed, "sy_updateperiod").strip().lower(), 0)
    frequency = _text(feed, "sy_updatefrequency").strip()
    return period_s / max(1, int(frequency)) if frequency.isdecimal() and len(frequency) < 7 else float(period_s)


def _reason(entries: int, truncated: bool) -> str:
    if truncated:
        return "the document ends in the middle of an entry: only what stands before it was taken"
    if not entries:
        return "the feed is valid and has no entries yet"
    return f"only the first {MAX_ENTRIES:,} of {entries:,} entries were taken" if entries > MAX_ENTRIES else ""


def _text(source: Any, name: str) -> str:
    """A field as text: feedparser leaves out what is missing and has None, numbers or lists in odd places."""
    value = source.get(name) if source else None
    return value if isinstance(value, str) else ""

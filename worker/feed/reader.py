"""RSS, RDF and Atom of every kind, as feedparser reads them: what the document states, and whether all of it is there.

Invariant: only here is feedparser called, and only with a stream of bytes (given a string it opens the file or the URL
of that name).
"""

import calendar
import io
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax import SAXParseException

import feedparser

from worker.feed import sniff
from worker.feed.raw import RawEntry, RawFeed, beyond

_UTF_8 = {"content-type": "application/xml; charset=utf-8"}
"""Not the server's own: for `text/xml` the standards would have ASCII."""

BROKEN = "the document is cut off or broken: check it in a feed validator"
TRUNCATED = "the document ends in the middle of an entry: only what stands before it was taken"


def read_any(body: bytes, most: int) -> RawFeed | None:
    """The feed in a body of UTF-8, with `most` of its entries, or None where it is neither RSS nor Atom."""
    if not body.strip():
        return None
    document = feedparser.parse(
        io.BytesIO(body),
        response_headers=_UTF_8,
        sanitize_html=False,  # both take 75 % of the time, and the text is cleaned by ours
        resolve_relative_uris=False,
    )
    raw = list(document.entries)
    if not document.version and not raw:
        return None
    trouble = ""
    if not raw and isinstance(document.get("bozo_exception"), SAXParseException):
        trouble = BROKEN
    elif document.bozo and sniff.ends_inside_an_entry(body):
        raw, trouble = raw[:-1], TRUNCATED
    feed = _feed(document.feed, [_entry(source) for source in raw[:most]])
    feed.atom, feed.trouble = document.version.startswith("atom"), trouble or beyond(len(raw), most)
    if feed.atom:  # its links count from its own address
        feed.link = ""
    return feed


def _feed(feed: Mapping[str, Any], entries: list[RawEntry]) -> RawFeed:
    links = [link for link in feed.get("links") or () if isinstance(link, dict)]
    return RawFeed(
        entries,
        title=_text(feed, "title"),
        link=_text(feed, "link"),
        lang=_text(feed, "language"),
        ttl=_text(feed, "ttl"),
        period=_text(feed, "sy_updateperiod"),
        frequency=_text(feed, "sy_updatefrequency"),
        hub=_related(links, "hub"),
        topic=_related(links, "self"),
    )


def _entry(source: Mapping[str, Any]) -> RawEntry:
    contents = [text for content in source.get("content") or () if (text := _text(content, "value"))]
    summary, origin = _text(source, "summary"), source.get("source")
    return RawEntry(
        id=_text(source, "id"),
        title=_text(source, "title"),
        link=_text(source, "feedburner_origlink") or _text(source, "link"),
        contents=contents,
        summary="" if summary in contents else summary,
        caption=_text(source, "media__description"),
        stated=_text(source, "published"),
        published=_published(source),
        lang=_text(source, "language") or _text(source.get("title_detail"), "language"),
        outlet=_text(origin, "title"),
        outlet_url=_text(origin, "href") or _text(origin, "link"),
    )


def _related(links: Sequence[Mapping[str, Any]], rel: str) -> str:
    return next((href for link in links if _text(link, "rel") == rel and (href := _text(link, "href"))), "")


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


def _text(source: Any, name: str) -> str:
    """A field as text: feedparser leaves out what is missing and has None, numbers or lists in odd places."""
    value = source.get(name) if isinstance(source, Mapping) else None
    return value if isinstance(value, str) else ""

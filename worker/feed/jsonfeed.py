"""JSON Feed 1.0 and 1.1 (jsonfeed.org): bytes to what the document states.

Invariant: never raises; what is missing is empty, an item whose fields are of other types than they should be is left
out and counted.
"""

import re
from html import escape
from typing import Any

import msgspec

from worker.feed.dates import stated_time
from worker.feed.raw import RawEntry, RawFeed

_VERSION = "jsonfeed.org/version/1"
MAX_BRACES = 100_000
"""Objects of a document."""


_SURROGATE = re.compile(rb"(\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
"""Pairs of UTF-16, and halves of pairs, as titles that were cut by a program have them."""


class _Hub(msgspec.Struct):
    type: str = ""
    url: str = ""


class _Feed(msgspec.Struct):
    version: str = ""
    title: str | None = None
    home_page_url: str | None = None
    feed_url: str | None = None
    language: str | None = None
    hubs: msgspec.Raw = msgspec.Raw()
    items: list[msgspec.Raw] | None = None


class _Item(msgspec.Struct):
    id: str | int | float | None = None
    url: str | None = None
    external_url: str | None = None
    title: str | None = None
    content_html: str | None = None
    content_text: str | None = None
    summary: str | None = None
    date_published: str | None = None
    date_modified: str | None = None
    language: str | None = None


_decode_feed = msgspec.json.Decoder(_Feed).decode
_decode_item = msgspec.json.Decoder(_Item).decode
_decode_hubs = msgspec.json.Decoder(list[_Hub]).decode
_FAILURES = (msgspec.MsgspecError, UnicodeError, RecursionError)


def is_json(body: bytes) -> bool:
    """True where a body of UTF-8 begins as JSON does."""
    return body[:1_000].lstrip()[:1] in (b"{", b"[")


def read_json(body: bytes, most: int) -> RawFeed | None:
    """The feed in a body of UTF-8, the first `most` items of it, or None where it is no JSON Feed."""
    if body.count(b"{") > MAX_BRACES:
        return None
    try:
        feed = _decode_feed(_SURROGATE.sub(_paired, body) if _SURROGATE.search(body) else body)
    except _FAILURES:
        return None
    if _VERSION not in feed.version[:200]:
        return None
    items = feed.items or []
    entries = [entry for raw in items[:most] if (entry := _entry(raw)) is not None]
    left_out = min(len(items), most) - len(entries)
    return RawFeed(
        entries,
        title=feed.title or "",
        link=feed.home_page_url or "",
        lang=feed.language or "",
        hub=_hub(feed.hubs),
        topic=feed.feed_url or "",
        trouble=_trouble(left_out, len(items), most),
        atom=True,  # relative links count from the feed's own address
    )


def _entry(raw: msgspec.Raw) -> RawEntry | None:
    try:
        item = _decode_item(raw)
    except _FAILURES:
        return None
    content = item.content_html or escape(item.content_text or "", quote=False)
    return RawEntry(
        id="" if item.id is None else str(item.id),
        title=item.title or "",
        link=item.url or item.external_url or "",
        contents=[content] if content else [],
        summary=escape(item.summary or "", quote=False),
        stated=item.date_published or "",
        published=stated_time(item.date_published or "") or stated_time(item.date_modified or ""),
        lang=item.language or "",
    )


def _paired(found: re.Match[bytes]) -> bytes:
    return found[1] or b"\\ufffd"


def _hub(raw: msgspec.Raw) -> str:
    try:
        hubs: list[Any] = _decode_hubs(raw) if bytes(raw) else []
    except _FAILURES:
        return ""
    return next((hub.url for hub in hubs if hub.type.lower() in ("websub", "pubsubhubbub") and hub.url), "")


def _trouble(left_out: int, items: int, most: int) -> str:
    if left_out:
        return f"{left_out:,} items with fields of the wrong type were left out: tell the site"
    return f"only the first {most:,} of {items:,} entries were taken" if items > most else ""

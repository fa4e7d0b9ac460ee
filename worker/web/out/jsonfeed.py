"""A feed of stories in JSON Feed 1.1 (jsonfeed.org).

Invariant: each item has the same id as the entry of Atom.
"""

from typing import Any

import msgspec

from worker.report.views import rfc3339
from worker.web.out.entries import Entry, Feed

TYPE = "application/feed+json"
_VERSION = "https://jsonfeed.org/version/1.1"


def json_feed(feed: Feed) -> bytes:
    """The document, in UTF-8."""
    record = {
        "version": _VERSION,
        "title": feed.title,
        "home_page_url": feed.home,
        "feed_url": feed.own,
        "next_url": feed.following,
        "language": feed.lang,
        "authors": [{"name": "Storywire"}],
        "items": [_item(entry) for entry in feed.entries],
    }
    return msgspec.json.encode(_said(record, "items"))


def _item(entry: Entry) -> dict[str, Any]:
    record = {
        "id": entry.id,
        "url": entry.link,
        "external_url": entry.first_link,
        "title": entry.title,
        "summary": entry.summary,
        "content_html": entry.content,
        "date_published": rfc3339(entry.published),
        "date_modified": rfc3339(entry.updated),
        "authors": [{"name": entry.author}] if entry.author else [],
        "tags": list(entry.tags),
        "language": entry.lang,
    }
    return _said(record)


def _said(record: dict[str, Any], *always: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if value or name in always}

"""News sitemaps, and indexes of sitemaps: bytes to what the document states.

Invariant: never raises; no entity is defined or resolved, no markup within a text is read.
The format: developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap, sitemaps.org/protocol.html.
"""

import re
from collections.abc import Callable
from urllib.parse import urlsplit
from xml.parsers import expat

from worker.feed.address import web_link
from worker.feed.dates import stated_time
from worker.feed.events import parser_of
from worker.feed.raw import RawEntry, RawFeed

MOST_PARTS = 3
"""Sitemaps of an index that are named: the newest."""

_ROOT = re.compile(rb"<(?:[a-zA-Z0-9]{1,20}:)?(urlset|sitemapindex)[\s>]")
_MAX_DEPTH = 20
_MAX_FIELD = 10_000
_NUMBER = re.compile(r"\d+")

_Record = dict[str, str]


class _Unusual(Exception):
    """Raised for what no sitemap has."""


def is_sitemap(body: bytes) -> bool:
    """True where a body of UTF-8 begins as a sitemap, or an index of sitemaps, does."""
    return _ROOT.search(body[:5_000]) is not None


def read_sitemap(body: bytes, url: str, most: int) -> RawFeed | None:
    """The newest `most` articles of a news sitemap, or as `parts` the newest sitemaps of an index.

    None where it is neither: not well-formed, or of pages that are no news.
    """
    records: list[_Record] = []
    try:
        index = _read(body, records.append)
    except (_Unusual, expat.ExpatError):
        return None
    if index:
        return RawFeed([], parts=newest(records, url), atom=True)
    news = [record for record in records if "title" in record]
    if records and not news:
        return None
    entries = [_entry(record) for record in news]
    if len(entries) > most:
        entries.sort(key=lambda entry: entry.published or 0.0, reverse=True)
    names = {entry.outlet for entry in entries}
    title = names.pop() if len(names) == 1 else ""
    if title:  # of all of them: the site, not somebody whose reports it shows
        for entry in entries:
            entry.outlet = ""
    trouble = f"only the newest {most:,} of {len(news):,} entries were taken" if len(news) > most else ""
    return RawFeed(entries[:most], title=title, trouble=trouble, atom=True)


def newest(records: list[_Record], url: str) -> tuple[str, ...]:
    """The addresses of the newest sitemaps of an index, newest first.

    Those that name news, if any do; then by `lastmod`; then by the numbers in their addresses, which are dates or count
    up; then as they stand.
    """
    found = {link: record for record in records if "loc" in record and (link := web_link(url, record["loc"]))}
    of_news = {link: record for link, record in found.items() if "news" in urlsplit(link).path.lower()}

    def age(link: str) -> tuple[float, list[int]]:
        return stated_time(found[link].get("lastmod", "")) or 0.0, [int(n[:18]) for n in _NUMBER.findall(link)]

    return tuple(sorted(of_news or found, key=age, reverse=True)[:MOST_PARTS])


def _entry(record: _Record) -> RawEntry:
    date = record.get("publication_date", "")
    return RawEntry(
        id=record.get("loc", ""),
        title=record.get("title", ""),
        link=record.get("loc", ""),
        stated=date,
        published=stated_time(date) or stated_time(record.get("lastmod", "")),
        lang=record.get("language", ""),
        outlet=record.get("name", ""),
    )


def _read(body: bytes, found: Callable[[_Record], None]) -> bool:
    """Give each `url` or `sitemap` as its fields, by local name; True for an index."""
    path: list[str] = []
    record: _Record = {}
    pieces: list[str] = []

    def start(name: str, _: dict[str, str]) -> None:
        local = name.rpartition(" ")[2].lower()
        if len(path) > _MAX_DEPTH or (not path and local not in ("urlset", "sitemapindex")):
            raise _Unusual
        path.append(local if "image" not in name and "video" not in name else "-")
        pieces.clear()
        if len(path) == 2:
            record.clear()

    def end(_: str) -> None:
        local = path.pop()
        text = "".join(pieces).strip()[:_MAX_FIELD]
        pieces.clear()
        if len(path) == 1 and local in ("url", "sitemap"):
            found(dict(record))
        elif text and local != "-" and "-" not in path:
            record.setdefault(local, text)

    parser_of(start, end, pieces.append, _Unusual).Parse(body, True)
    return b"sitemapindex" in (_ROOT.search(body) or [b"", b""])[1]

"""Feeds of a page: its bytes and its address to the addresses that are likely feeds, best first.

Invariant: pure; nothing is fetched, so a candidate is a guess until its answer parses; takes the time of the page's
length. Read with expressions, not as a tree: a parser of HTML takes the square of the time for hostile attributes.
"""

import re
from collections.abc import Iterator
from html import unescape
from itertools import islice
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from worker.feed.address import web_link
from worker.feed.encoding import as_utf8
from worker.text import clean

MAX_CANDIDATES = 20

_MAX_PAGE = 2_000_000
_MAX_FOUND = 200
_MAX_TAGS = 20_000
_SCRIPTS = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style|template)\b.*?(?:</\1\b|\Z)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<(link|a|base)\s([^<>]{1,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"(?<![a-zA-Z-])([a-zA-Z-]{1,20})(?![a-zA-Z-])\s{0,9}=\s{0,9}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))"
)
_TYPES = {
    "application/rss+xml": 0,
    "application/atom+xml": 0,
    "application/feed+json": 1,
    "application/rdf+xml": 2,
    "application/json": 3,
    "application/xml": 3,
    "text/xml": 3,
}
"""Of feeds, with their rank: `application/json` may be any."""
_FEED_PATH = re.compile(
    r"(?:^|[/._?=&-])(?:rss|atom|feeds?|xml|rdf|news-?sitemap)(?:[/._?=&0-9-]|$)|\.(?:rss|atom|rdf|xml)$",
    re.IGNORECASE,
)
_COMMENTS = re.compile(r"comment|kommentar|commentaire|comentario|commento|replies", re.IGNORECASE)
_WELL_KNOWN = ("/feed", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/feed.json", "/news-sitemap.xml")


class Candidate(Struct, frozen=True):
    """An address that may be a feed, with the title and the media type that the page gives it, or "".

    `found`: "link" (the page says that it is one), "anchor" (the address of a link looks like one), "guess" (many sites
    have one there).
    """

    url: str
    title: str
    type: str
    found: str


def candidates(page: bytes, url: str, content_type: str = "") -> list[Candidate]:
    """What the page at `url` may have as feeds, each address once, best first; feeds of comments come last.

    `page`: its bytes, of which the first 2 MB are read; `content_type`: its Content-Type header, or "".
    """
    text = _SCRIPTS.sub("", as_utf8(page[:_MAX_PAGE], content_type).decode("utf-8", "replace"))
    found: dict[str, tuple[tuple[int, int], Candidate]] = {}
    base = url
    for tag, attributes, end in _tags(text):
        if len(found) > _MAX_FOUND:
            break
        if tag == "base":
            base = web_link(url, attributes.get("href", "")) or base
        elif tag == "link":
            _link(found, base, attributes)
        else:
            _anchor(found, base, attributes, text, end)
    _guess(found, url)
    ranked = sorted(found.values(), key=lambda each: each[0])
    return [candidate for _, candidate in ranked][:MAX_CANDIDATES]


_Found = dict[str, tuple[tuple[int, int], Candidate]]


def _tags(text: str) -> Iterator[tuple[str, dict[str, str], int]]:
    for tag in islice(_TAG.finditer(text), _MAX_TAGS):
        attributes: dict[str, str] = {}
        for name, double, single, bare in _ATTRIBUTE.findall(tag[2]):
            attributes.setdefault(name.lower(), unescape(double or single or bare))
        yield tag[1].lower(), attributes, tag.end()


def _link(found: _Found, base: str, attributes: dict[str, str]) -> None:
    """`<link rel="alternate" type="application/rss+xml">`, as every browser once read it."""
    rels = attributes.get("rel", "").lower().split()
    media = attributes.get("type", "").partition(";")[0].strip().lower()
    rank = _TYPES.get(media)
    href = web_link(base, attributes.get("href", "")) if attributes.get("href", "").strip() else ""
    if not href or rank is None or (rels and not {"alternate", "feed"} & set(rels)) or _is_oembed(href):
        return
    title = clean(attributes.get("title", ""))[:200]
    _add(found, rank, Candidate(href, title, media, "link"))


def _anchor(found: _Found, base: str, attributes: dict[str, str], text: str, end: int) -> None:
    """`<a href="/rss.xml">`: an address that looks like a feed's."""
    if not _FEED_PATH.search(attributes.get("href", "")[:2_000]):
        return
    href = web_link(base, attributes["href"])
    parts = urlsplit(href)
    if not href or href in found or parts.path.lower().endswith((".html", ".pdf")):
        return
    inside = text[end : end + 500].partition("</a")[0]
    title = clean(inside)[:200].replace("\n", " ") or clean(attributes.get("title", ""))[:200]
    media = attributes.get("type", "").lower()
    _add(found, 5 if urlsplit(base).hostname == parts.hostname else 6, Candidate(href, title, media, "anchor"))


def _add(found: _Found, rank: int, candidate: Candidate) -> None:
    """Each address once, by its best rank; in the order of the page where ranks are the same."""
    url = urlsplit(candidate.url)._replace(fragment="").geturl()
    if _COMMENTS.search(f"{urlsplit(url).path} {candidate.title}"):
        rank += 10
    known = found.get(url)
    if known is None or rank < known[0][0]:
        found[url] = (rank, len(found)), replace(candidate, url=url)


def _guess(found: _Found, url: str) -> None:
    """The paths where many sites have a feed: below the page, then of the site."""
    path = urlsplit(url).path.rstrip("/")
    known = {address.rstrip("/") for address in found} | {url}
    for place in dict.fromkeys((f"{path}/feed", *_WELL_KNOWN)):
        address = web_link(url, place)
        if address and address not in known:
            found.setdefault(address, ((8, len(found)), Candidate(address, "", "", "guess")))


def _is_oembed(url: str) -> bool:
    return "oembed" in url.lower() or "/wp-json" in url

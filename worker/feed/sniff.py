"""What a body of UTF-8 is, as far as bytes tell before it is parsed: whether it was cut off, overloads a parser,
or is something else.

Invariant: looks at bytes only, in the time of their length.
"""

import re

from worker.feed.discover import candidates

_HTML = re.compile(rb"<!doctype\s+html|<html[\s>]", re.IGNORECASE)
_FEED_ROOT = re.compile(rb"<(?:rss|feed|rdf:RDF)[\s>]", re.IGNORECASE)

_MAX_ATTRIBUTES = 500
_OPENING = re.compile(rb"<(?=[a-zA-Z])")
_ATTRIBUTES = rb"(?:[\s/]++[^\s=<>\"'/]++(?:\s*+=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|[^\s<>\"']++))?+)"
_TAG = re.compile(rb"<[a-zA-Z][^\s<>/]*+%s*+" % _ATTRIBUTES)
_ADORNED = re.compile(rb"<[a-zA-Z][^\s<>/]*+%s{%d}" % (_ATTRIBUTES, _MAX_ATTRIBUTES))
_MAX_WITHIN = 4
"""How often a byte may stand in a tag that begins within another: where none does, in one at most."""

MAX_TAGS = 100_000
"""Of a document, those of HTML in CDATA too: feedparser takes 3 s for 160,000 tiny ones."""


MAX_AMPERSANDS = 500_000
"""Of a document that is not XML: repairing it takes 1 us for each, and feedparser minutes for five million."""

NO_NEWS = "a sitemap of pages that are no news (or a broken one): look for the site's news sitemap or feed"

_ENTITY = re.compile(rb"<!ENTITY\s+(?:%\s+)?[^\s\"'<>]{1,100}\s+(?:\"([^\"]*)\"|'([^']*)')")
_MAX_ENTITIES = 300
"""That a document may define: HTML has 253."""
_MAX_ENTITY = 1_000
_REFERENCE = re.compile(rb"&(?!#)")


def is_overloaded(body: bytes) -> bool:
    """True where there are more tags than in a feed, or more attributes on one, or entities that grow when they are
    put in: expat lets ten that name each other grow to a million pieces.
    """
    if body.count(b"<") > MAX_TAGS or body.count(b"&") > MAX_AMPERSANDS:
        return True
    return _grows(body) or is_adorned(body)


def is_adorned(body: bytes) -> bool:
    """True where a tag has more attributes than anybody writes: feedparser, lxml and libxml2's HTML look each up among
    all others, and take a minute for 40,000.

    What opens tag within tag within tag counts as too many, too: a tag may begin inside another's quotes, and reading
    each to its end would take the square of the time.
    """
    left = _MAX_WITHIN * len(body)
    for opening in _OPENING.finditer(body):
        start = opening.start()
        tag = _TAG.match(body, start)
        length = len(tag[0]) if tag else 0
        left -= length
        if left < 0 or (length > 2 * _MAX_ATTRIBUTES and _ADORNED.match(body, start)):
            return True
    return False


def _grows(markup: bytes) -> bool:
    values = [found[1] or found[2] or b"" for found in _ENTITY.finditer(markup)]
    return len(values) > _MAX_ENTITIES or any(len(v) > _MAX_ENTITY or _REFERENCE.search(v) for v in values)


def ends_inside_an_entry(body: bytes) -> bool:
    """True where the last entry that is opened is not closed."""
    opened = max(_last(body, b"<item"), _last(body, b"<entry"))
    return opened > max(body.rfind(b"</item"), body.rfind(b"</entry"))


def _last(body: bytes, tag: bytes) -> int:
    """Where the last such tag begins: `<item>` is one, `<items>` is not."""
    end = len(body)
    while (at := body.rfind(tag, 0, end)) >= 0:
        if body[at + len(tag) : at + len(tag) + 1] in (b">", b" ", b"\n", b"\r", b"\t"):
            return at
        end = at
    return -1


def is_web_page(body: bytes) -> bool:
    """True where a body begins as HTML does and as no feed does: feedparser takes 12 s for 5 MB of it."""
    start = body[:5_000]
    return bool(_HTML.search(start)) and not _FEED_ROOT.search(start)


def what_else(body: bytes, url: str) -> str:
    """What a body that is no feed is, in words, with the remedy."""
    start = body[:5_000]
    if _HTML.search(start):
        best = candidates(body, url)[:1]
        if best and best[0].found != "guess":
            return f"a web page, not a feed: try {best[0].url}"
        return "a web page, not a feed: look for its RSS address"
    if start.lstrip()[:1] in (b"{", b"["):
        return "JSON, but no JSON Feed (or a broken one): look for the site's RSS or Atom address"
    return "neither RSS nor Atom: check the address in a browser"

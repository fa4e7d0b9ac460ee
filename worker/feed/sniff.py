"""What a body is, as far as bytes tell before it is parsed: its encoding, whether it was cut off, what else it may be.

Invariant: looks at bytes only; never decodes more than it must.
"""

import re
from html import unescape

from worker.feed.address import web_link

_DECLARED = re.compile(rb"^\s{0,99}<\?xml[^<>]{0,999}encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._-]{1,40})", re.IGNORECASE)
_BOMS = (b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe")
_HTML = re.compile(rb"<!doctype\s+html|<html[\s>]", re.IGNORECASE)
_FEED_ROOT = re.compile(rb"<(?:rss|feed|rdf:RDF)[\s>]", re.IGNORECASE)
_FEED_LINK = re.compile(rb"<link\s[^<>]{0,2000}application/(?:rss|atom)\+xml[^<>]{0,2000}>", re.IGNORECASE)
_HREF = re.compile(rb"href\s*=\s*[\"']([^\"']{1,2000})", re.IGNORECASE)

_MAX_ATTRIBUTES = 500
_OPENING = re.compile(rb"<(?=[a-zA-Z])")
_ATTRIBUTES = rb"(?:[\s/]++[^\s=<>\"'/]++(?:\s*+=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|[^\s<>\"']++))?+)"
_TAG = re.compile(rb"<[a-zA-Z][^\s<>/]*+%s*+" % _ATTRIBUTES)
_ADORNED = re.compile(rb"<[a-zA-Z][^\s<>/]*+%s{%d}" % (_ATTRIBUTES, _MAX_ATTRIBUTES))
_MAX_WITHIN = 4
"""How often a byte may stand in a tag that begins within another: where none does, in one at most."""

_MAX_TAGS = 100_000
"""Of a document, those of HTML in CDATA too: feedparser takes 3 s for 160,000 tiny ones."""


_ENTITY = re.compile(rb"<!ENTITY\s+(?:%\s+)?[^\s\"'<>]{1,100}\s+(?:\"([^\"]*)\"|'([^']*)')")
_MAX_ENTITIES = 300
"""That a document may define: HTML has 253."""
_MAX_ENTITY = 1_000
_REFERENCE = re.compile(rb"&(?!#)")


def is_overloaded(body: bytes) -> bool:
    """True where there are more tags than in a feed, or more attributes on one, or entities that grow when they are
    put in: expat lets ten that name each other grow to a million pieces.

    feedparser looks each attribute up among all others, and takes a minute for 40,000. Of UTF-16 and UTF-32 the zeros
    are left out, which leaves ASCII markup as it is. What opens tag within tag within tag counts as too many, too: a
    tag may begin inside another's quotes, and reading each to its end would take the square of the time.
    """
    if body.count(b"<") > _MAX_TAGS:
        return True
    markup = body.replace(b"\0", b"") if b"\0" in body[:8] else body
    if _grows(markup):
        return True
    left = _MAX_WITHIN * len(markup)
    for opening in _OPENING.finditer(markup):
        start = opening.start()
        tag = _TAG.match(markup, start)
        length = len(tag[0]) if tag else 0
        left -= length
        if left < 0 or (length > 2 * _MAX_ATTRIBUTES and _ADORNED.match(markup, start)):
            return True
    return False


def _grows(markup: bytes) -> bool:
    values = [found[1] or found[2] or b"" for found in _ENTITY.finditer(markup)]
    return len(values) > _MAX_ENTITIES or any(len(v) > _MAX_ENTITY or _REFERENCE.search(v) for v in values)


def encoding_headers(body: bytes, content_type: str) -> dict[str, str]:
    """The headers that make feedparser read the body in the encoding it is written in.

    A body with letters outside ASCII that is valid UTF-8 is UTF-8, whatever is declared: other encodings do not look
    like it by chance. Otherwise a byte order mark, then what the document says, then what the server says. The
    Content-Type itself is not passed on: for `text/xml` the standards would have ASCII.
    """
    if body.startswith(_BOMS) or b"\0" in body[:4]:
        return {}
    if not body.isascii() and _is_utf8(body):
        return {"content-type": "application/xml; charset=utf-8"}
    charset = _CHARSET.search(content_type)
    if charset and not _DECLARED.match(body):
        return {"content-type": f"application/xml; charset={charset[1]}"}
    return {}


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(body) - 3  # cut off inside its last character
    return True


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
    start = body[:200_000]
    if _HTML.search(start[:5_000]):
        link = _FEED_LINK.search(start)
        href = _HREF.search(link[0]) if link else None
        found = web_link(url, unescape(href[1].decode("utf-8", "replace"))) if href else ""
        return f"a web page, not a feed: try {found}" if found else "a web page, not a feed: look for its RSS address"
    if start.lstrip()[:1] in (b"{", b"["):
        return "JSON, not a feed: look for the site's RSS or Atom address"
    return "neither RSS nor Atom: check the address in a browser"

"""What a feed's document is called: `RSS 2.0`, `Atom 1.0`, `JSON Feed 1.1`, `news sitemap`.

Invariant: looks at the first bytes only, and never raises.
"""

import re

_ROOT = re.compile(
    rb"<(?:([a-zA-Z][a-zA-Z0-9]{0,19}):)?(rss|feed|RDF|urlset|sitemapindex|channel)([\s>][^>]{0,3000})", re.IGNORECASE
)
_RSS_VERSION = re.compile(rb"\bversion\s*=\s*[\"']\s*([0-9.]{1,8})\s*[\"']")
_JSON_VERSION = re.compile(rb"jsonfeed\.org/version/([0-9.]{1,8})")
_NAMES = {b"urlset": "news sitemap", b"sitemapindex": "sitemap index", b"channel": "RSS without a version"}


def kind_of(body: bytes) -> str:
    """The name of the format of a feed in UTF-8, or in anything of which ASCII is a part."""
    start = body[:10_000].replace(b"\0", b"")
    if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        version = _JSON_VERSION.search(body[:100_000])
        return f"JSON Feed {version[1].decode()}" if version else "JSON Feed"
    root = _ROOT.search(start)
    if root is None:
        return "feed"
    name, attributes = root[2].lower(), root[3]
    if name == b"rss":
        version = _RSS_VERSION.search(attributes)
        return f"RSS {version[1].decode()}" if version else "RSS"
    if name == b"rdf":
        return "RSS 0.90 (RDF)" if b"netscape.com/rdf/simple/0.9" in attributes else "RSS 1.0 (RDF)"
    if name == b"feed":
        return "Atom 1.0" if b"w3.org/2005/Atom" in attributes else "Atom 0.3"
    return _NAMES[name]

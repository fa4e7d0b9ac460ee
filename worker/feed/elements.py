"""What the elements of RSS and Atom are called, whatever prefixes a document has for their namespaces.

Invariant: pure; two elements have one name only if feedparser takes them for the same.
"""

_ATOM = "http://www.w3.org/2005/atom"
_PREFIXES = {
    _ATOM: "",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "http://purl.org/rss/1.0/modules/syndication/": "sy",
    "http://search.yahoo.com/mrss/": "media",
    "http://search.yahoo.com/mrss": "media",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "com-wordpress:feed-additions:1": "wordpress",
}
_TAKEN = frozenset(_PREFIXES.values()) | {"xml", "xhtml", "rdf"}
"""feedparser goes by these prefixes where it does not know a namespace."""
_BASES = frozenset(
    "http://blogs.law.harvard.edu/tech/rss http://purl.org/rss/1.0/ http://my.netscape.com/rdf/simple/0.9/ "
    "http://example.com/newformat# http://example.com/necho http://purl.org/echo/ uri/of/echo/namespace# "
    "http://purl.org/pie/ http://purl.org/atom/ns# http://purl.org/rss/1.0/modules/rss091# "
    "http://www.w3.org/1999/xhtml".split()
)
"""Namespaces of other formats, or of markup that is not escaped."""
_ALIASES = {
    "id": "guid", "pubdate": "published", "issued": "published", "dcterms:issued": "published",
    "modified": "updated", "lastbuilddate": "updated", "dc:date": "updated", "dcterms:modified": "updated",
    "dc:description": "summary", "description": "summary", "content:encoded": "content", "dc:language": "language",
    "media:_description": "caption", "feedburner:origlink": "original", "sy:updateperiod": "period",
    "sy:updatefrequency": "frequency",
}  # fmt: skip


def element(name: str) -> str:
    """What an element is called here: its local name in lower case, after a prefix where it is of a module."""
    space, _, local = name.rpartition(" ")
    prefix = _PREFIXES.get(space.lower()) if space else ""
    local = local.lower()
    if prefix is None:
        return local if local in ("svg", "math") else f"?:{local}"
    full = f"{prefix}:{local}" if prefix else local
    return _ALIASES.get(full, full)


def is_plain(prefix: str | None, uri: str) -> bool:
    """Whether a declaration leaves the names of elements as they are: no namespace of another format, no usual prefix
    for an unusual namespace."""
    space = uri.lower()
    if space in _BASES or "userland.com/rss" in space:
        return False
    return space in _PREFIXES or bool(prefix and prefix not in _TAKEN)

"""Plain feeds read fast: well-formed RSS 0.91 to 2.0 and Atom 1.0, in which every element stands where it belongs.

Invariant: gives what feedparser gives, field for field (tests/unit/test_feed_plain.py compares them), or nothing:
whatever is unusual, and whatever the formats leave open, is feedparser's to read.
"""

import re
from xml.parsers import expat

from worker.feed import elements
from worker.feed.events import parser_of
from worker.feed.raw import RawFeed
from worker.feed.said import Attributes, Said, Unusual, entry_of, joined, recoded, reference

_XML = "http://www.w3.org/XML/1998/namespace"
_LANG = f"{_XML} lang"
_BASE = f"{_XML} base"
_AMBIGUOUS = frozenset(("base", "lang", "mode", "lastmod", "http://www.w3.org/1999/02/22-rdf-syntax-ns# about"))
"""Attributes that change how links or texts are to be read."""
_OF_ENTRY = frozenset("title link guid published updated summary content language caption source original".split())
_OF_FEED = frozenset("title link language ttl period frequency".split())
_IGNORED_IN_FEED = frozenset("guid published updated summary".split())
_UNUSUAL = frozenset(
    "dc:title abstract body fullitem newlocation svg math itunes:summary media:title media:description feed rss".split()
)
_WITHIN = {
    "image": frozenset("title link url width height summary".split()),
    "textinput": frozenset("title link name summary".split()),
}
_TYPES = frozenset(("", "text", "html", "plain", "text/plain", "text/html"))
_LINK_TYPES = frozenset(("", "html", "text/html", "xhtml", "application/xhtml+xml"))
_MAX_ATTRIBUTES = 100
_MAX_DEPTH = 50

_WEB = re.compile(r"https?://[a-z0-9]", re.IGNORECASE)


def read_plain(body: bytes) -> RawFeed | None:
    """The feed in a body of UTF-8, or None where it is not plain."""
    reader = _Reader()
    parser = parser_of(reader.start, reader.end, reader.text, Unusual)
    parser.StartNamespaceDeclHandler = _declared
    try:
        parser.Parse(body, True)
    except (Unusual, expat.ExpatError):
        return None
    if reader.feed.atom:
        reader.feed.link = ""
    return reader.feed if reader.in_channel else None


class _Reader:
    """Handles expat's events. `_path` are the names of the open elements, "-" for one that is passed over."""

    def __init__(self) -> None:
        self.feed = RawFeed([])
        self.in_channel = False
        self._path: list[str] = []
        self._langs = [""]
        self._said: dict[str, Said] = {}
        self._links: list[str] = []
        self._said_by_feed: dict[str, Said] = {}
        self._pieces: list[str] | None = None
        self._attributes: Attributes = {}
        self._names: dict[str, str] = {}
        self._base = ""

    def text(self, text: str) -> None:
        if self._pieces is not None:
            self._pieces.append(text)

    def start(self, name: str, attributes: Attributes) -> None:
        if self._pieces is not None or len(self._path) > _MAX_DEPTH:
            raise Unusual
        known = self._names.get(name)
        if known is None:
            known = self._names[name] = elements.element(name)
        if attributes:
            attributes = _lower(attributes)
            if _BASE in attributes and self._path:
                raise Unusual
        self._langs.append(attributes.get(_LANG, self._langs[-1]) if attributes else self._langs[-1])
        self._path.append(self._begin(known, attributes))

    def _begin(self, name: str, attributes: Attributes) -> str:
        """What an element goes by on the path."""
        if not self._path:
            return self._root(name, attributes)
        within = self._path[-1]
        if name in ("item", "entry", "channel"):
            return self._open(name, attributes, within)
        if name in _UNUSUAL or (within == "rss" and (name in _OF_ENTRY or name in _OF_FEED or name in _WITHIN)):
            raise Unusual
        in_entry = "item" in self._path[1:3] or "entry" in self._path[1:3]
        if within == "-" or within in _WITHIN:
            if name == "caption" and in_entry:
                return self._expect(name, attributes)
            if (name in _OF_ENTRY or name in _OF_FEED) and name not in _WITHIN.get(within, ()):
                raise Unusual
            return "-"
        if name in (_OF_ENTRY if in_entry else _OF_FEED):
            return "-" if name == "link" and self._linked(attributes) else self._expect(name, attributes)
        if (in_entry and name in _WITHIN) or (name in _OF_ENTRY and name not in _IGNORED_IN_FEED):
            raise Unusual
        return name if name in _WITHIN else "-"

    def _root(self, name: str, attributes: Attributes) -> str:
        self._base = attributes.pop(_BASE, "")
        if name not in ("rss", "feed") or (self._base and not _WEB.match(self._base)):
            raise Unusual
        self.in_channel = name == "feed"
        self.feed.lang = self._langs[-1].replace("_", "-")
        self.feed.atom = name == "feed"
        return name

    def _open(self, name: str, attributes: Attributes, within: str) -> str:
        """An entry begins, or the channel."""
        if "href" in attributes or (within, name) not in _PLACES or (name == "channel" and self.in_channel):
            raise Unusual
        if name == "channel":
            self.in_channel = True
        else:
            self._said, self._links = {}, []
        return name

    def _expect(self, name: str, attributes: Attributes) -> str:
        """The text of an element is to be read."""
        if attributes.get("type", "") not in _TYPES or (attributes and name in ("original", "language", "caption")):
            raise Unusual
        self._attributes, self._pieces = attributes, []
        return name

    def _linked(self, attributes: Attributes) -> bool:
        """A link that stands in its attributes."""
        href = attributes.get("url", attributes.get("uri", attributes.get("href")))
        if href is None:
            return False
        href = joined(self._base, href)
        rel = attributes.get("rel", "alternate")
        in_entry = len(self._path) > 1 and self._path[-1] in ("item", "entry")
        if rel == "alternate" and attributes.get("type", "") in _LINK_TYPES:
            if in_entry:
                self._links.append(href)
            else:
                self.feed.link = href
        elif not in_entry and rel == "hub":
            self.feed.hub = self.feed.hub or href
        elif not in_entry and rel == "self":
            self.feed.topic = self.feed.topic or href
        return True

    def end(self, _: str) -> None:
        name = self._path.pop()
        lang = self._langs.pop()
        if self._pieces is not None:
            text = "".join(self._pieces).strip()
            self._pieces = None
            said = Said(text if text.isascii() else recoded(text), self._attributes, lang, len(self._path))
            self._state(name, said)
        elif name in ("item", "entry"):
            self.feed.entries.append(entry_of(self._said, self._links, self._base))

    def _state(self, name: str, said: Said) -> None:
        if "item" not in self._path and "entry" not in self._path:
            if (name == "title" and name in self._said_by_feed) or (name == "link" and "&amp;" in said.text):
                raise Unusual
            self._said_by_feed[name] = said
            text = reference(self._base, said.text) if name == "link" else said.text
            setattr(self.feed, "lang" if name == "language" else name, text)
        elif name == "link":
            if not said.text:
                raise Unusual
            self._links.append(reference(self._base, said.text))
        elif name not in self._said:
            self._said[name] = said
        elif name != "caption":
            raise Unusual
        elif said.depth <= self._said[name].depth:
            self._said[name] = said


_PLACES = frozenset((("rss", "channel"), ("channel", "item"), ("rss", "item"), ("feed", "entry")))


def _lower(attributes: Attributes) -> Attributes:
    if len(attributes) > _MAX_ATTRIBUTES:
        raise Unusual
    found = {}
    for name, value in attributes.items():
        key = name if " " in name else name.lower()
        if key in _AMBIGUOUS:
            raise Unusual
        found[key] = value.lower() if key in ("rel", "type") else value
    return found


def _declared(prefix: str | None, uri: str | None) -> None:
    if not elements.is_plain(prefix, uri or ""):
        raise Unusual

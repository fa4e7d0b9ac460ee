"""A feed of stories in Atom (RFC 4287).

Invariant: well-formed whatever the texts hold, as they are harmless lines by then; an entry that is not so after all is
left out alone.
"""

import structlog
from lxml.etree import Element, SubElement, _Element, tostring

from worker.report.views import rfc3339
from worker.web.out.entries import Entry, Feed

TYPE = "application/atom+xml"
_ATOM = "http://www.w3.org/2005/Atom"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_HOME_PAGE = "https://github.com/storywire/storywire"

log = structlog.get_logger()


def atom(feed: Feed) -> bytes:
    """The document, in UTF-8."""
    root = Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})
    if feed.lang:
        root.set(_LANG, feed.lang)
    _text(root, "id", feed.id)
    _text(root, "title", feed.title)
    _text(root, "updated", rfc3339(feed.updated))
    _text(_child(root, "author"), "name", "Storywire")
    _child(root, "generator", uri=_HOME_PAGE).text = "Storywire"
    _child(root, "link", rel="self", type=TYPE, href=feed.own)
    _child(root, "link", rel="alternate", type="text/html", href=feed.home)
    if feed.following:
        _child(root, "link", rel="next", type=TYPE, href=feed.following)
    for each in feed.entries:
        element = _child(root, "entry")
        try:
            _entry(element, each)
        except ValueError as error:  # a character that XML cannot hold, which must not take the other entries along
            root.remove(element)
            log.error("entry not written", story=each.link, reason=str(error))
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _entry(element: _Element, entry: Entry) -> None:
    if entry.lang:
        element.set(_LANG, entry.lang)
    _text(element, "id", entry.id)
    _text(element, "title", entry.title)
    _text(element, "published", rfc3339(entry.published))
    _text(element, "updated", rfc3339(entry.updated))
    if entry.author:
        _text(_child(element, "author"), "name", entry.author)
    _child(element, "link", rel="alternate", type="text/html", href=entry.link)
    if entry.first_link:
        related = _child(element, "link", rel="related", href=entry.first_link)
        if entry.first_title:
            related.set("title", entry.first_title)
    for tag in entry.tags:
        _child(element, "category", term=tag)
    _text(element, "summary", entry.summary)
    _child(element, "content", type="html").text = entry.content


def _child(parent: _Element, name: str, **attributes: str) -> _Element:
    return SubElement(parent, f"{{{_ATOM}}}{name}", attributes)


def _text(parent: _Element, name: str, text: str) -> None:
    _child(parent, name).text = text

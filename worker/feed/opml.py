"""OPML, the format in which feed readers exchange their lists.

Invariant: reading never fails because of one outline; what cannot be a feed is counted and named.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import listparser

from worker.errors import BadInput
from worker.feed.address import normal_url
from worker.text import clean

_DECLARED = re.compile(rb"^\s{0,99}<\?xml[^<>]{0,999}encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")


class Outline(NamedTuple):
    """A feed of an OPML file: its address, and the name of its outlet or ""."""

    url: str
    title: str


def read_opml(body: bytes, name: str) -> tuple[list[Outline], list[str]]:
    """The feeds of an OPML document, each address once, and one line for each address that cannot be used.

    name: what to call the document in messages. Raises BadInput for a document that is no OPML or shows no feed.
    """
    result = listparser.parse(_utf8(body))  # always bytes: a str may be fetched as a URL
    found: dict[str, Outline] = {}
    refused: list[str] = []
    for feed in result.feeds:
        try:
            url = normal_url(str(feed.url))
        except BadInput as error:
            refused.append(str(error))
            continue
        title = clean(str(feed.get("title") or "")).replace("\n", " ")
        found.setdefault(url, Outline(url, "" if title == str(feed.url) else title))
    if not found and not refused:
        raise BadInput(f"{name} shows no feed: it should be OPML with outlines that have an xmlUrl")
    return list(found.values()), refused


def _utf8(body: bytes) -> bytes:
    """The document in UTF-8, from whatever its byte order mark or its declaration says it is."""
    declared = _DECLARED.match(body)
    encoding = (
        "utf-16" if body.startswith((b"\xfe\xff", b"\xff\xfe")) else declared[1].decode() if declared else "utf-8"
    )
    for name in ("utf-8-sig", encoding, "windows-1252"):
        try:
            return body.decode(name).encode("utf-8")
        except (UnicodeDecodeError, LookupError):
            continue
    return body.decode("utf-8", "replace").encode("utf-8")


def write_opml(outlines: Iterable[Outline], title: str = "Storywire feeds") -> str:
    """An OPML 2.0 document."""
    root = Element("opml", version="2.0")
    SubElement(SubElement(root, "head"), "title").text = title
    body = SubElement(root, "body")
    for outline in outlines:
        name = outline.title or outline.url
        SubElement(body, "outline", type="rss", text=name, title=name, xmlUrl=outline.url)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"

"""OPML, the format in which feed readers exchange their lists.

Invariant: reading never fails because of one outline; what cannot be a feed is counted and named. What is written here
is read again as it was, down to the last character; other readers find all that they know, and skip the rest.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from lxml import etree

from worker.errors import BadInput
from worker.feed.address import normal_url
from worker.feed.encoding import as_utf8
from worker.feed.repair import begins_at_once, repaired
from worker.feed.sniff import is_adorned
from worker.text import clean

_OURS = "urn:storywire:opml"
"""The namespace of what no other reader knows: `pages`, `paused`, and that a title is a person's."""

_MOST_FOLDERS, _MAX_FOLDER = 8, 200
_MAX_TITLE = 200
_BARE = re.compile(rb"&(?!#\d{1,7};|#[xX][0-9a-fA-F]{1,6};|(?:amp|lt|gt|quot|apos);)")
_ENCODING = re.compile(rb"^(<\?xml[^<>]{0,999}?)\sencoding\s*=\s*(?:\"[^\"<>]{0,99}\"|'[^'<>]{0,99}')")
_DOCTYPE = re.compile(rb"<!DOCTYPE[^<>\[]{0,999}>")
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_FEED = frozenset({"link", "include", "source"})
"""Types of outlines whose address is a page or another list."""


class Outline(NamedTuple):
    """A feed of an OPML file: its address, the name of its outlet or "", its folder (`News/World`, "" for none),
    whether its articles' pages are read ("on", "off", "auto"), whether it is held back."""

    url: str
    title: str
    folder: str = ""
    pages: str = "auto"
    paused: bool = False


def folder_path(text: str) -> str:
    """A folder as it is kept: `News/World`, without blanks around its parts; 8 parts and 200 characters at most."""
    parts = [" ".join(_NO_XML.sub("", part).split()) for part in text.split("/")]
    return "/".join([part for part in parts if part][:_MOST_FOLDERS])[:_MAX_FOLDER].strip(" /")


def read_opml(body: bytes, name: str) -> tuple[list[Outline], list[str]]:
    """The feeds of an OPML document, each address once, and one line for each address that cannot be used.

    name: what to call the document in messages. Raises BadInput for a document that is no OPML or shows no feed.
    """
    found: dict[str, Outline] = {}
    refused: list[str] = []
    for stated, outline in _outlines(body):
        try:
            url = normal_url(stated)
        except BadInput as error:
            refused.append(str(error))
            continue
        found.setdefault(url, outline._replace(url=url, title="" if outline.title == stated else outline.title))
    if not found and not refused:
        raise BadInput(f"{name} shows no feed: it should be OPML with outlines that have an xmlUrl")
    return list(found.values()), refused


def _outlines(body: bytes) -> Iterator[tuple[str, Outline]]:
    """The address of each feed as it is stated, and what the outline says besides."""
    root = _parsed(body)
    if root is None or _local(root).lower() != "opml":
        return
    ours = _OURS in root.nsmap.values()  # where only a person's own names are titles, and stand as they were given
    path: list[str] = []
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if _local(element).lower() != "outline":
            continue
        if event == "end":
            path.pop()
            continue
        said = {str(key).lower(): str(value).strip() for key, value in element.attrib.items()}
        title = said.get("title") or said.get("text") or ""
        title = title if ours else _line(title)
        url = _feed_url(said)
        path.append("" if url else title)
        if url:
            folder = folder_path("/".join(filter(None, path))) or _category(said)
            yield url, Outline("", said.get("title", "") if ours else title, folder, *_ours(said))


def _parsed(body: bytes) -> Any:
    """The document's root, as far as it can be read; None where it is no XML, defines entities, or has
    hundreds of attributes on one element."""
    body = begins_at_once(as_utf8(body, ""))
    body = _DOCTYPE.sub(b"", _ENCODING.sub(rb"\1", body, count=1), count=1)
    if b"<!ENTITY" in body or b"<!DOCTYPE" in body:
        return None
    if is_adorned(body):
        return None
    body = _BARE.sub(b"&amp;", repaired(body))
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(body, parser) if body else None
    except etree.XMLSyntaxError:
        return None


def _feed_url(said: dict[str, str]) -> str:
    """The address of a feed; "" for a folder, a note, a link."""
    if "xmlurl" in said:
        return said["xmlurl"]
    return said.get("url", "") if said.get("type", "").lower() not in _NO_FEED else ""


def _category(said: dict[str, str]) -> str:
    """The first of an outline's categories: they stand for folders where there are none."""
    stated = said.get("category") or said.get("categories") or ""
    return folder_path(_line(stated.split(",")[0]))


def _ours(said: dict[str, str]) -> tuple[str, bool]:
    pages = said.get(f"{{{_OURS}}}pages", "auto")
    return pages if pages in ("on", "off") else "auto", said.get(f"{{{_OURS}}}paused") == "true"


def _line(text: str) -> str:
    return clean(text).replace("\n", " ")[:_MAX_TITLE] if text else ""


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def write_opml(outlines: Iterable[Outline], title: str = "Storywire feeds", names: dict[str, str] | None = None) -> str:
    """An OPML 2.0 document, its folders as nested outlines.

    names: address -> what to call a feed that no person named.
    """
    root = etree.Element("opml", version="2.0", nsmap={"storywire": _OURS})
    etree.SubElement(etree.SubElement(root, "head"), "title").text = title
    folders = {"": etree.SubElement(root, "body")}
    for outline in outlines:
        called = outline.title or (names or {}).get(outline.url) or outline.url
        shown = {"type": "rss", "text": called} | ({"title": outline.title} if outline.title else {})
        shown["xmlUrl"] = outline.url
        if outline.pages != "auto":
            shown[f"{{{_OURS}}}pages"] = outline.pages
        if outline.paused:
            shown[f"{{{_OURS}}}paused"] = "true"
        parent = _folder(folders, outline.folder)
        etree.SubElement(parent, "outline", {key: _NO_XML.sub("", value) for key, value in shown.items()})
    etree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + str(etree.tostring(root, encoding="unicode")) + "\n"


def _folder(folders: dict[str, Any], path: str) -> Any:
    """The element of a folder; it is made where there is none yet, and what it lies in, too."""
    if path not in folders:
        parent, _, name = path.rpartition("/")
        name = _NO_XML.sub("", name)
        folders[path] = etree.SubElement(_folder(folders, parent), "outline", text=name, title=name)
    return folders[path]

"""What the elements of a plain feed say, and the entry that they make.

Invariant: text and links are those that feedparser makes of the same elements, or Unusual is raised.
"""

import re
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urljoin

from worker.feed.dates import stated_time
from worker.feed.raw import RawEntry

_WINDOWS = {byte: found for byte in range(0x80, 0xA0) if (found := bytes([byte]).decode("cp1252", "ignore"))}
_C1 = re.compile("[\x80-\x9f]")
_REFERENCE = re.compile(r"&([A-Za-z0-9_]+);")
_SLASHES = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:///")

Attributes = dict[str, str]


class Unusual(Exception):
    """The document is not plain."""


class Said(NamedTuple):
    """What an element says: its text, its attributes, the language it is in, how deep it stands."""

    text: str
    attributes: Attributes
    lang: str
    depth: int


_NOTHING = Said("", {}, "", 0)


def entry_of(said: dict[str, Said], links: list[str], base: str) -> RawEntry:
    """The entry of what its elements say."""
    guid, source, content = (said.get(name, _NOTHING) for name in ("guid", "source", "content"))
    name = guid.text
    if guid.attributes.get("ispermalink", "true") == "true" and name:
        name = joined(base, name)
        links = links or [name]
    title, language = said.get("title", _NOTHING), said.get("language", _NOTHING)
    return RawEntry(
        id=name,
        title=title.text,
        link=said.get("original", _NOTHING).text or (links[-1] if links else ""),
        contents=[content.text] if content.text else [],
        summary=_other(said.get("summary", _NOTHING).text, content.text),
        caption=said.get("caption", _NOTHING).text,
        stated=said.get("published", _NOTHING).text,
        published=_published(said),
        lang=language.text or title.lang.replace("_", "-"),
        outlet=source.text,
        outlet_url=source.attributes.get("url", ""),
    )


def _other(summary: str, content: str) -> str:
    return "" if summary == content else summary


def _published(said: dict[str, Said]) -> float | None:
    for name in ("published", "updated"):
        text = said.get(name, _NOTHING).text
        if text:
            when = stated_time(text)
            if when is None:
                raise Unusual
            return when
    return None


def recoded(text: str) -> str:
    """UTF-8 that was taken for latin-1 and written as UTF-8 again, and characters of windows-1252, put right."""
    with suppress(UnicodeError):
        text = text.encode("iso-8859-1").decode("utf-8")
    return text.translate(_WINDOWS) if _C1.search(text) else text


def joined(base: str, link: str) -> str:
    """The link as feedparser joins it to the base that the document states."""
    if not link or _SLASHES.match(link):
        raise Unusual
    if not base:
        return link
    try:
        return urljoin(base, link)
    except ValueError:
        raise Unusual from None


def reference(base: str, link: str) -> str:
    """The link of an element's text, whose references feedparser resolves once more."""
    return _REFERENCE.sub(r"&\1", (joined(base, link) if link else "").replace("&amp;", "&"))

"""What a web page says: its article's text, without what stands around it, and what its head states of it.

Invariant: imported in the processes that extract alone (trafilatura and lxml: 0.7 s and 40 MB).
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import urljoin

import trafilatura
from lxml.html import HtmlElement
from trafilatura.metadata import extract_title

from worker.feed.sniff import is_adorned
from worker.pages.decode import decode
from worker.pages.extracted import Extracted
from worker.pages.prune import prune
from worker.text import clean, headline

_MAX_TITLE = 500
_MAX_URL = 2_000
_MAX_DATA = 500_000
"""Characters of structured data that are looked at: an article's own is some thousand."""

_MOST_TAGS = 100_000
_MOST_ELEMENTS = 8_000
"""Without menus, scripts and lists of links, where articles have some hundred: trafilatura takes 4 s for 8,000 within
one paragraph, and minutes for 10,000."""

_OVERLOADED = "has more elements, or attributes on one, than any article"


def extract(body: bytes, url: str, content_type: str) -> Extracted:
    """The article of the page that was found at `url` with that Content-Type header."""
    page = decode(body, content_type)
    if page.count("<") > _MOST_TAGS or is_adorned(page.encode("utf-8", "replace")):
        return Extracted(reason=_OVERLOADED)
    tree = trafilatura.load_html(page)
    if tree is None:
        return Extracted(reason="is no web page that can be read")
    data = list(_structured(tree))
    head = (_headline(tree, data), _canonical(tree, url), _language(tree), _published(tree, data))
    prune(tree)
    if sum(1 for _ in tree.iter()) > _MOST_ELEMENTS:
        return Extracted("", *head, reason=_OVERLOADED)
    text = trafilatura.extract(tree, url=url, fast=True, include_comments=False, output_format="txt")
    return Extracted(
        _plain(text or ""), *head, reason="" if text else "shows no article that can be told from the rest of the page"
    )


def _plain(text: str) -> str:
    """Text that is no markup, in the form that all text here has."""
    return clean(escape(text, quote=False))


def _headline(tree: HtmlElement, data: list[dict[str, Any]]) -> str:
    """As the page tells machines, or else as a reader sees it."""
    stated = next((item["headline"] for item in data if isinstance(item.get("headline"), str)), "")
    title = stated or _meta(tree, "og:title", "twitter:title") or extract_title(tree) or ""
    return headline(escape(title, quote=False), _MAX_TITLE)


def _canonical(tree: HtmlElement, url: str) -> str:
    links = [link.get("href", "") for link in tree.iterfind(".//link[@rel]") if _is_canonical(link)]
    stated = next((link for link in links if link), "") or _meta(tree, "og:url")
    try:
        return urljoin(url, stated.strip())[:_MAX_URL] if stated.strip() else ""
    except ValueError:
        return ""


def _is_canonical(link: HtmlElement) -> bool:
    return "canonical" in link.get("rel", "").lower().split()


def _language(tree: HtmlElement) -> str:
    stated = tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang") or _meta(tree, "og:locale")
    return stated.strip().replace("_", "-")[:35]


def _published(tree: HtmlElement, data: list[dict[str, Any]]) -> float | None:
    stated = [item["datePublished"] for item in data if isinstance(item.get("datePublished"), str)]
    stated += [_meta(tree, "article:published_time", "datePublished")]
    return next((time for text in stated if (time := _moment(text)) is not None), None)


def _moment(text: str) -> float | None:
    """A date with a time of day and an offset, in seconds since 1970; a day alone is less than a feed's reader has."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.timestamp() if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _meta(tree: HtmlElement, *names: str) -> str:
    """The content of the first of these `meta` elements that has any."""
    found: dict[str, str] = {}
    for meta in tree.iterfind(".//meta[@content]"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop") or ""
        found.setdefault(name, meta.get("content", ""))
    return next((found[name] for name in names if found.get(name)), "")


def _structured(tree: HtmlElement) -> Iterator[dict[str, Any]]:
    """The articles among the page's JSON-LD objects (schema.org)."""
    room = _MAX_DATA
    for script in tree.iterfind(".//script[@type='application/ld+json']"):
        text = script.text or ""
        room -= len(text)
        if room < 0:
            return
        try:
            found = json.loads(re.sub(r"[\x00-\x1f]", " ", text))
        except (ValueError, RecursionError):
            continue
        for item in found if isinstance(found, list) else [found]:
            inner = item.get("@graph") if isinstance(item, dict) else None
            yield from (each for each in (inner if isinstance(inner, list) else [item]) if _is_article(each))


def _is_article(item: Any) -> bool:
    kind = item.get("@type") if isinstance(item, dict) else None
    kinds = kind if isinstance(kind, list) else [kind]
    return any(isinstance(each, str) and each.endswith(("Article", "BlogPosting", "Posting")) for each in kinds)

"""Takes out of a page what is never its article: scripts, menus, and whatever consists of links.

Invariant: one pass over the tree, whatever its shape; structured data (JSON-LD) stays.
"""

from collections import Counter

from lxml.html import HtmlElement

_NEVER = "script style svg iframe template object canvas nav".split()
_ROLES = ("navigation", "search", "contentinfo", "dialog", "alertdialog")
_OUTSIDE = ("header", "footer")
"""Of the site, unless they stand in the article."""

_LISTS = frozenset({"ul", "ol", "dl", "td", "tr", "table", "div", "section", "aside", "p"})
_MANY_LINKS = 4
_MOSTLY = 0.8
"""From so many links on, and so much of the text in them, it is a list of other pages (Kohlschütter et al. 2010: link
density tells boilerplate better than most features)."""


def prune(tree: HtmlElement) -> None:
    """Take it out, in place."""
    for element in list(tree.iter(*_NEVER, *_OUTSIDE)):
        if element.get("type") == "application/ld+json":
            continue
        if element.tag in _OUTSIDE and next(element.iterancestors("article", "main"), None) is not None:
            continue
        _drop(element)
    for element in list(tree.iterfind(".//*[@role]")):
        if element.get("role") in _ROLES:
            _drop(element)
    for element in _link_lists(tree):
        _drop(element)


def _link_lists(tree: HtmlElement) -> list[HtmlElement]:
    """What consists of links, each before what it stands in."""
    text, linked, links = Counter[HtmlElement](), Counter[HtmlElement](), Counter[HtmlElement]()
    found = []
    for element in reversed(list(tree.iter())):  # what stands in an element comes before it
        if isinstance(element.tag, str):
            text[element] += len((element.text or "").strip())
            if element.tag == "a":
                linked[element], links[element] = text[element], 1
            elif element.tag in _LISTS and links[element] >= _MANY_LINKS and linked[element] > _MOSTLY * text[element]:
                found.append(element)
        parent = element.getparent()
        if parent is not None:
            text[parent] += text[element] + len((element.tail or "").strip())
            linked[parent] += linked[element]
            links[parent] += links[element]
    return found


def _drop(element: HtmlElement) -> None:
    """Remove an element, not the text that follows it."""
    if element.getparent() is not None:
        element.drop_tree()

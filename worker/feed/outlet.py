"""Whose report an article is: the newsroom's name, and its registrable domain.

Invariant: pure. An aggregator, a list of links or a carrier of feeds is never the newsroom: what the entry itself says
of its source, or the page that it links to, tells.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from worker.feed.canonical import canonical, is_page
from worker.feed.domain import hostname
from worker.feed.parse import Entry
from worker.feed.private import why_private_host
from worker.feed.sites import leads_elsewhere, newsroom
from worker.model import UNTOLD

_MAX_NAME = 80


class Outlet(NamedTuple):
    """A newsroom: what it is called, and its domain; "" where the name alone tells, UNTOLD where nothing does."""

    name: str
    domain: str


class Masthead(NamedTuple):
    """What a feed says of whose its articles are: what it is called, its address, and the newsroom of most of the pages
    that it links to ("" where there is none)."""

    name: str
    url: str
    main: str = ""


class Issue:
    """A document of a feed, of this name and at this address: whose its articles are.

    Nothing is looked at until it is asked for, as most documents bring nothing new.
    """

    def __init__(self, entries: Sequence[Entry], name: str, address: str) -> None:
        self._entries = entries
        self._name = name
        self._address = address

    @cached_property
    def lists(self) -> bool:
        """Whether it shows others' reports: it may ask whose they are, and neither claim them nor tell their edits.

        Anyone can link to a newsroom's pages, so what most of them are of counts only where that is at the feed's own
        address, or where the address is of no public network: then whoever runs this program made the feed.
        """
        main = self._masthead.main
        theirs = main not in ("", newsroom(self._address)) and not why_private_host(hostname(self._address))
        return theirs or self._aggregates

    @property
    def _aggregates(self) -> bool:
        return leads_elsewhere(self._address)

    def outlet_of(self, entry: Entry) -> Outlet:
        """The newsroom of one of its entries."""
        return whose(entry.url, entry.outlet, entry.outlet_url, self._masthead)

    def page_of(self, entry: Entry) -> str:
        """The page, by its canonical address, that of its entries this one alone leads to, where that is its own
        newsroom's or that of most of its entries, or any newsroom's for a list of links; otherwise ""."""
        page = canonical(entry.url)
        if self._links[page] != 1 or not is_page(page) or not (owner := newsroom(page)):
            return ""
        return page if self._aggregates or owner in (newsroom(self._address), self._masthead.main) else ""

    @cached_property
    def _links(self) -> Counter[str]:
        return Counter(canonical(entry.url) for entry in self._entries)

    @cached_property
    def _masthead(self) -> Masthead:
        rooms = Counter[str]()
        for link, times in self._links.items():
            rooms[newsroom(link)] += times
        found, most = rooms.most_common(1)[0] if rooms else ("", 0)
        return Masthead(self._name, self._address, found if 2 * most > rooms.total() else "")


def room(link: str) -> str:
    """The newsroom of a page, told by its canonical address; "" where that tells nothing."""
    return newsroom(canonical(link)) if link else ""


def whose(link: str, said: str, said_url: str, feed: Masthead) -> Outlet:
    """The newsroom of an entry that links to a page and says of its source what it is called and where that is.

    The page tells first, then the source, then the feed. The feed's name is that of its own newsroom, and of the one
    that most of its pages are of, unless the feed is an aggregator's.
    """
    own, page, source = newsroom(feed.url), room(link), room(said_url)
    is_list = leads_elsewhere(feed.url)
    if page:
        if not is_list and page in (own, feed.main):
            return _outlet(feed.name or page, page)
        return _outlet((said if source in ("", page) else "") or page, page)
    if source or (said and not leads_elsewhere(said_url)):
        return _outlet(said or source, source)
    untold = is_list or leads_elsewhere(canonical(link))
    return _outlet(feed.name or hostname(feed.url), UNTOLD if untold else own)


def _outlet(name: str, domain: str) -> Outlet:
    return Outlet(" ".join(name.split())[:_MAX_NAME], domain)

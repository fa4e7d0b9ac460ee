"""What an address leads to: a test fetch with the poller's own fetcher, gates and parsers, and the feeds of a page.

    address -> feed | page -> candidates -> those that are feeds, each once, of equal standing

Invariant: nothing is stored; no host is asked before its gate lets us in; whatever the net does, the answer is a value.
"""

import asyncio
import re
import time
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

from worker.clock import Clock
from worker.feed.address import feed_id, normal_url, shown_url
from worker.feed.discover import Candidate, candidates
from worker.feed.kind import kind_of
from worker.feed.parse import ParsedFeed, State
from worker.feed.sniff import is_web_page
from worker.fetch import Failed, Fetched, Fetcher
from worker.poller.parsers import Parsers
from worker.store.gates import Gates
from worker.visit import Answer, NotYet, Visit

MOST_FETCHES = 12
"""Of candidates of one page that are looked at."""

_PATIENCE_S = 600.0
"""The longest that we wait for our turn at a host: many addresses of one may be added at once."""

_CLOSED_PATIENCE_S = 15.0
"""The longest that we wait for a host that has asked to be left alone."""

_OF_COMMENTS = re.compile(r"comment|kommentar|commentaire|comentario|commento|replies", re.IGNORECASE)


class Examined(NamedTuple):
    """A feed that was fetched and parsed. `url`: its address, the new one where it has moved for good; `moved`: the old
    one, or ""; `kind`: of its document, in words."""

    url: str
    moved: str
    kind: str
    fetched: Fetched
    feed: ParsedFeed
    took_ms: float


class Found(NamedTuple):
    """What an address leads to: one feed, or several of equal standing; `reason` says why there is none.

    `page`: how a page at the address leads to them (worker/feed/discover.py: "link", "anchor", "guess"), or "";
    `others`: what else it names, of lesser standing.
    """

    asked: str
    feeds: Sequence[Examined] = ()
    reason: str = ""
    page: str = ""
    others: Sequence[Candidate] = ()


class Prober:
    """Looks at addresses. `fetcher` and `parsers` are open while it is used."""

    def __init__(self, fetcher: Fetcher, parsers: Parsers, gates: Gates, clock: Clock) -> None:
        self._fetcher, self._parsers, self._gates, self._clock = fetcher, parsers, gates, clock

    async def look(self, url: str, *, everything: bool = False) -> Found:
        """What an address leads to. everything: all feeds of a page, those of comments too.

        Raises BadInput for what is no http(s) address, and StorywireError if the store does not answer.
        """
        url = normal_url(url)
        found = await self._examine(url)
        if isinstance(found, Examined):
            return Found(url, [found])
        reason, page = found
        if page is None:
            return Found(url, (), reason)
        return await self._of_page(url, page, reason, everything=everything)

    async def _of_page(self, url: str, page: Fetched, reason: str, *, everything: bool) -> Found:
        """The feeds of the best standing: those that the page says it has, those it links to, those many sites have."""
        every = candidates(page.body, page.url, page.content_type)
        kept: list[Examined] = []
        failed, how = "", ""
        for standing in ("link", "anchor", "guess"):
            these = [each for each in every if each.found == standing and (everything or not _of_comments(each))]
            more, why = await self._readable(these[:MOST_FETCHES], first=standing == "guess")
            kept += more
            how, failed = how or (standing if more else ""), failed or (why if standing == "link" else "")
            if kept and not (everything and standing == "link"):
                break
        if not kept:
            failed = f"is a web page, and the feed that it names cannot be read: {failed}" if failed else ""
            return Found(url, (), failed or reason)
        known = {feed.url for feed in kept} | {feed.moved for feed in kept}
        others = [each for each in every if each.found != "guess" and each.url not in known]
        return Found(url, _each_once(kept), "", how, others)

    async def _readable(self, these: Sequence[Candidate], *, first: bool) -> tuple[list[Examined], str]:
        """Those that are feeds, or the first of them; and what is wrong with the first that is none."""
        kept, failed = list[Examined](), ""
        for each in these:
            found = await self._examine(each.url)
            if not isinstance(found, Examined):
                failed = failed or f"{shown_url(each.url)}: {found[0]}"
            elif (kept := [*kept, found]) and first:
                break
        return kept, failed

    async def _examine(self, url: str) -> "Examined | tuple[str, Fetched | None]":
        """The feed at an address; or why it is none, with the answer if that is a page."""
        answer, took_ms = await self._fetch(url)
        if not isinstance(answer, Fetched):
            return (answer.reason if isinstance(answer, Failed) else "has not changed, it says"), None
        feed = await self._parsers.parse(answer.body, answer.url, answer.content_type)
        if feed.state is State.NOT_A_FEED:
            return feed.reason, answer if is_web_page(answer.body.lstrip()) else None
        moved = normal_url(answer.moved) if answer.moved else ""
        kind = kind_of(answer.body)
        return Examined(moved or url, url if moved and moved != url else "", kind, answer, feed, took_ms)

    async def _fetch(self, url: str) -> tuple[Answer, float]:
        """GET it through the gates of all hosts on the way; and the milliseconds that it took after the first."""
        feed = feed_id(url)
        visit = Visit(f"add:{feed}", self._gates, asyncio.to_thread, self._clock, feed=feed)
        answer: Answer | None = None

        async def enter(place: str) -> None:
            await self._patiently(visit, place)

        try:
            await enter(url)
            began = time.perf_counter()
            answer = await self._fetcher.fetch(url, before_redirect=enter)
            return answer, (time.perf_counter() - began) * 1000
        except NotYet as closed:
            return Failed("refused", f"cannot be looked at now: {closed}"), 0.0
        finally:
            if ended := visit.end(answer):
                await asyncio.to_thread(self._gates.leave, ended)

    async def _patiently(self, visit: Visit, place: str) -> None:
        """Enter, as soon as that may be. Raises NotYet where it takes too long."""
        until = self._clock.now() + _PATIENCE_S
        while True:
            try:
                return await visit.enter(place)
            except NotYet as shut:
                wait_s = shut.turn.wait_s
                if self._clock.now() + wait_s > until or (shut.turn.closed and wait_s > _CLOSED_PATIENCE_S):
                    raise
            await asyncio.sleep(wait_s)


def _of_comments(candidate: Candidate) -> bool:
    return bool(_OF_COMMENTS.search(f"{candidate.url} {candidate.title}"))


def _each_once(feeds: Sequence[Examined]) -> list[Examined]:
    """Without the other formats of one feed: what shows the same links is the same."""
    found: dict[object, Examined] = {}
    for each in feeds:
        links = sorted(entry.url for entry in each.feed.entries if entry.url)
        found.setdefault(blake2b("\n".join(links).encode(), digest_size=8).digest() if links else each.url, each)
    return list(found.values())

"""The page of feeds: their health at a glance, and one of them with its last polls.

Invariant: what is shown was true a moment ago; ten thousand feeds are read once for all who look.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from worker.errors import BadInput
from worker.report.feed import FeedView, look, rows
from worker.report.harmless import harmless
from worker.report.roster import SORTS, Roster, State, state
from worker.report.words import count
from worker.runtime import Runtime
from worker.web.pages import polls
from worker.web.site import Site

ON_A_PAGE = 100
_LONGEST_WORDS, _MOST_DIGITS = 200, 6
_NO_FEED = "There is no feed of this id: it may have been removed. The list of feeds has all there are."
_SORT_NAMES = {"trouble": "Trouble", "name": "Name", "new": "New a day", "polled": "Last poll", "next": "Next poll"}


class Asked(Struct, frozen=True, kw_only=True):
    """What is asked for: words, a state ("": any), an order, a page from 1."""

    q: str = ""
    status: str = ""
    sort: str = "trouble"
    page: int = 1

    def address(self, **changes: str | int) -> str:
        """The query string of this with other values, with its `?`; who changes what is asked for begins at the top."""
        names: dict[str, str | int] = {"q": self.q, "status": self.status, "sort": self.sort, "page": 1}
        names |= changes
        usual: dict[str, str | int] = {"q": "", "status": "", "sort": "trouble", "page": 1}
        text = urlencode({name: value for name, value in names.items() if value != usual[name]})
        return f"?{text}" if text else ""


def asked(params: Mapping[str, str]) -> Asked:
    """What the parameters of an address ask for; raises BadInput with a line that names the parameter."""
    words, status, sort = (params.get(name, "").strip() for name in ("q", "status", "sort"))
    page = params.get("page", "") or "1"
    if len(words) > _LONGEST_WORDS:
        raise BadInput(f"q: write at most {_LONGEST_WORDS} characters")
    if status and status not in tuple(State):
        raise BadInput(f"status: write one of {', '.join(State)}, or nothing for all")
    if sort and sort not in SORTS:
        raise BadInput(f"sort: write one of {', '.join(SORTS)}")
    if not (page.isascii() and page.isdecimal() and len(page) <= _MOST_DIGITS and int(page)):
        raise BadInput("page: write a whole number from 1")
    return Asked(q=words, status=status, sort=sort or "trouble", page=int(page))


def routes(site: Site) -> list[BaseRoute]:
    """`/feeds` and `/feeds/ID`."""
    runtime = site.runtime

    async def every(request: Request) -> Response:
        wanted = asked(request.query_params)
        return site.page(request, "feeds.html", facts(await site.overview.roster.get(), wanted, runtime.clock.now()))

    async def one(request: Request) -> Response:
        view = await site.aside(find, runtime, request.path_params["feed"])
        if view is None:
            raise HTTPException(404, _NO_FEED)
        return site.page(request, "feeds_one.html", facts_of(view))

    return [Route("/feeds", every, methods=["GET"]), Route("/feeds/{feed}", one, methods=["GET"])]


def facts(roster: Roster, wanted: Asked, now: float) -> dict[str, Any]:
    """What the template of the list is filled with."""
    start = (wanted.page - 1) * ON_A_PAGE
    found = roster.select(wanted.q, wanted.status, wanted.sort, start, ON_A_PAGE)
    every = sum(found.counts.values())
    chips = [("All", every, "", wanted.address(status=""), not wanted.status)]
    for each, (name, tone) in polls.STATES.items():
        if number := found.counts.get(each, 0):
            chips.append((name, number, tone, wanted.address(status=each.value), wanted.status == each))
    last = start + len(found.shown)
    return {
        "asked": wanted,
        "summary": roster.summary,
        "stored": len(roster),
        "chips": chips,
        "sorts": [(name, wanted.address(sort=sort), sort == wanted.sort) for sort, name in _SORT_NAMES.items()],
        "lines": [polls.line(known, now) for known in found.shown],
        "fit": found.fit,
        "range": f"{start + 1:,} to {last:,} of {count(found.fit, 'feed')}" if found.fit > len(found.shown) else "",
        "before": wanted.address(page=min(wanted.page - 1, -(-found.fit // ON_A_PAGE) or 1)) if wanted.page > 1 else "",
        "has_before": wanted.page > 1,
        "after": wanted.address(page=wanted.page + 1) if last < found.fit and found.shown else "",
        "all": Asked().address(),
    }


def find(runtime: Runtime, feed_id: str) -> FeedView | None:
    """A feed by its id with all that is shown of it; None where there is none."""
    feed = runtime.feeds.get(feed_id)
    return look(feed, runtime, runtime.clock.now()) if feed is not None else None


def facts_of(view: FeedView) -> dict[str, Any]:
    """What the template of one feed is filled with."""
    feed, now = view.feed, view.now
    pushed = view.subscription is not None and view.subscription.active(now)
    name, tone = polls.STATES[state(feed, now, pushed=pushed)]
    return {
        "id": feed.id,
        "name": harmless(feed.title or feed.polls.title, "A feed without a name"),
        "state": name,
        "tone": tone,
        "link": polls.link(feed.url),
        "facts": [(label, list(polls.with_code(harmless(said)))) for label, said in rows(view) if label != "new"],
        "bars": polls.bars(view.fetches, now),
        "rows": [polls.row(fetch, now) for fetch in view.fetches],
        "most_new": max((fetch.new for fetch in view.fetches), default=0),
        "most_ms": round(max((fetch.took_ms for fetch in view.fetches), default=0.0)),
        "wide": len(view.fetches) * polls.WIDE_PX - polls.GAP_PX,
        "bar": polls.BAR_PX,
        "high": polls.HIGH_PX,
    }

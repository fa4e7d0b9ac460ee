"""The page of stories, and its rows by themselves, which the open page asks for as stories change.

Invariant: what is shown comes from the board in memory alone, so the page answers while the server is away.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from worker.errors import BadInput
from worker.model import parse_story_id
from worker.report.board import SORTS, Board, Filter
from worker.report.following import format_cursor
from worker.report.words import count
from worker.web.asking import MOST, Asked, address, asked, since_text
from worker.web.lists import Lists
from worker.web.pages.rows import Shown, shown
from worker.web.site import Site

_SORT_NAMES = dict(zip(SORTS, ("Hottest", "Newest", "Largest"), strict=True))
_SPANS = (("1h", "1 hour"), ("6h", "6 hours"), ("1d", "24 hours"), ("2d", "2 days"), ("7d", "7 days"))
_OUTLETS = (2, 3, 5, 10)
_QUICK_FIRST = ("since", "outlets", "lang", "outlet", "q")
"""What narrows a list, by how soon it is told of a story."""


def routes(site: Site) -> list[BaseRoute]:
    """`/` and `/rows`."""

    async def page(request: Request) -> Response:
        now = site.runtime.clock.now()
        try:
            wanted = asked(request.query_params)
            made = await _listed(site, wanted, now)
        except BadInput as error:
            return _refused(site, request, error)
        made |= await _narrowing(site, wanted, now, is_empty=not made["stories"])
        made["out_query"] = keyed(made["feed_query"], site.safety.feed_key(request))
        return site.page(request, "stories.html", made)

    async def rows(request: Request) -> Response:
        now, names = site.runtime.clock.now(), request.query_params.get("ids")
        try:
            wanted = asked(request.query_params)
            made = await (_listed(site, wanted, now) if names is None else _named(site, names, wanted, now))
        except BadInput as error:
            return _refused(site, request, error)
        return site.page(request, "stories_rows.html", made)

    return [Route("/", page, methods=["GET"]), Route("/rows", rows, methods=["GET"])]


def _refused(site: Site, request: Request, error: BadInput) -> Response:
    return site.page(request, "stories_refused.html", {"error": str(error)}, 400)


async def _listed(site: Site, wanted: Asked, now: float) -> dict[str, Any]:
    """A page of the list, and where it stands."""
    found = await site.live.lists.select(wanted.filter, now, sort=wanted.sort, limit=wanted.limit, after=wanted.after)
    return {
        "asked": wanted,
        "query": address(wanted),
        "stream": address(wanted, sort="", limit=""),
        "cursor": format_cursor(site.live.position) or "0",
        "rows": [shown(row, wanted.sort, now) for row in found.rows],
        "stories": found.stories,
        "articles": found.articles,
        "more": address(wanted, after=found.following) if found.following else "",
        "stored": len(site.live.board),
        "ready": site.live.ready.is_set(),
        "reading": site.live.reading.capitalize(),
    }


async def _named(site: Site, names: str, wanted: Asked, now: float) -> dict[str, Any]:
    """Some rows by their ids, and how many there are in all: counted in the page's order, as that is remembered."""
    found = await site.live.lists.select(wanted.filter, now, sort=wanted.sort, limit=1)
    shown_rows = some(site.live.board, names.split(",")[:MOST], wanted, now)
    return {"rows": shown_rows, "more": None, "stories": found.stories, "articles": found.articles}


async def _narrowing(site: Site, wanted: Asked, now: float, *, is_empty: bool) -> dict[str, Any]:
    """What the list is narrowed and ordered by, what else there is to choose, and what to leave out of an empty one."""
    narrowed = chips(wanted)
    return {
        "chips": narrowed,
        "wider": await wider(site.live.lists, wanted, now) if narrowed and is_empty else [],
        "feed_query": address(wanted, after="", limit=""),
        "options": options(wanted, site.live.board),
        "sorts": [(name, address(wanted, sort=sort), sort == wanted.sort) for sort, name in _SORT_NAMES.items()],
    }


def keyed(query: str, key: str) -> str:
    """A query of a feed out with the key that its reader needs, if any."""
    return "&".join(part for part in (query, key and f"key={key}") if part)


def some(board: Board, names: Sequence[str], wanted: Asked, now: float) -> list[Shown]:
    """Those of these stories that are there and fit."""
    places = [place for name in dict.fromkeys(names) if (place := parse_story_id(name))]
    found = [row for place in places if (row := board.get(*place)) and wanted.filter.fits(row, now)]
    return [shown(row, wanted.sort, now) for row in found]


def chips(wanted: Asked) -> list[tuple[str, str]]:
    """(what narrows the list, the address without it), in words."""
    return [(words, address(wanted, **{name: ""})) for name, words in _narrowed(wanted.filter).items()]


def _narrowed(narrow: Filter) -> dict[str, str]:
    """What narrows the list, in words, by its name in addresses."""
    said = {
        "q": f"“{narrow.words}”" if narrow.words else "",
        "lang": f"language {narrow.lang}" if narrow.lang else "",
        "outlet": f"outlet {narrow.outlet}" if narrow.outlet else "",
        "outlets": f"{narrow.min_outlets} outlets or more" if narrow.min_outlets > 1 else "",
        "since": f"active within {since_text(narrow.since_s)}" if narrow.since_s is not None else "",
    }
    return {name: words for name, words in said.items() if words}


async def wider(lists: Lists, wanted: Asked, now: float) -> list[tuple[str, str, str]]:
    """(a filter in words, the address without it, what there is then), most stories first, of those with any."""
    narrowed = {name: (words, address(wanted, **{name: ""})) for name, words in _narrowed(wanted.filter).items()}
    quick_first = sorted(narrowed, key=_QUICK_FIRST.index)
    alone = [asked({name: dict(parse_qsl(address(wanted)))[name]}).filter for name in quick_first]
    counts = await lists.without_each(alone, now)
    found = sorted(((stories, narrowed[name]) for name, stories in zip(quick_first, counts, strict=True)), reverse=True)
    return [(*said, count(stories, "story", "stories")) for stories, said in found if stories]


def options(wanted: Asked, board: Board) -> dict[str, list[tuple[str, str, bool]]]:
    """(value, words, whether it is chosen) of each list to choose from; what is asked for is always among them."""
    narrow = wanted.filter
    langs = board.languages()
    known = {lang: f"{lang} ({stories:,})" for lang, stories in langs.items()}
    since = since_text(narrow.since_s) if narrow.since_s is not None else ""
    numbers = sorted({*_OUTLETS, *([narrow.min_outlets] if narrow.min_outlets > 1 else [])})
    return {
        "lang": _chosen(known, narrow.lang, "all"),
        "outlets": _chosen({str(n): str(n) for n in numbers}, str(narrow.min_outlets), "1"),
        "since": _chosen(dict(_SPANS), since, "any time"),
    }


def _chosen(known: Mapping[str, str], value: str, nothing: str) -> list[tuple[str, str, bool]]:
    usual = "" if value not in known or not value else value
    offered = {"": nothing} | dict(known)
    if value and value not in known and value != "1":
        offered[value], usual = value, value
    return [(each, words, each == usual) for each, words in offered.items()]

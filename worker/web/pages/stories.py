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
from worker.report.board import SORTS, Board
from worker.report.following import format_cursor
from worker.report.words import count
from worker.web.asking import MOST, Asked, address, asked, since_text
from worker.web.lists import Lists
from worker.web.pages.rows import Shown, shown
from worker.web.site import Site

_SORT_NAMES = dict(zip(SORTS, ("Hottest", "Newest", "Largest"), strict=True))
_SPANS = (("1h", "1 hour"), ("6h", "6 hours"), ("1d", "24 hours"), ("2d", "2 days"), ("7d", "7 days"))
_OUTLETS = (2, 3, 5, 10)


def routes(site: Site) -> list[BaseRoute]:
    """`/` and `/rows`."""

    async def facts(wanted: Asked, now: float) -> dict[str, Any]:
        found = await site.live.lists.select(
            wanted.filter, now, sort=wanted.sort, limit=wanted.limit, after=wanted.after
        )
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
        }

    async def page(request: Request) -> Response:
        now = site.runtime.clock.now()
        try:
            wanted = asked(request.query_params)
            made = await facts(wanted, now)
        except BadInput as error:
            return site.page(request, "stories_refused.html", {"error": str(error)}, 400)
        narrowed = chips(wanted)
        widened = await wider(site.live.lists, wanted, now) if narrowed and not made["stories"] else []
        own = {
            "chips": narrowed,
            "wider": widened,
            "feed_query": address(wanted, after="", limit=""),
            "out_query": keyed(address(wanted, after="", limit=""), site.safety.feed_key(request)),
            "options": options(wanted, site.live.board),
            "sorts": [(name, address(wanted, sort=sort), sort == wanted.sort) for sort, name in _SORT_NAMES.items()],
        }
        return site.page(request, "stories.html", made | own)

    async def rows(request: Request) -> Response:
        now = site.runtime.clock.now()
        try:
            wanted = asked(request.query_params)
            made = await facts(wanted, now) if "ids" not in request.query_params else {}
        except BadInput as error:
            return site.page(request, "stories_refused.html", {"error": str(error)}, 400)
        if not made:
            board, named = site.live.board, request.query_params["ids"].split(",")[:MOST]
            found = await site.live.lists.select(wanted.filter, now, limit=1)
            made = {
                "rows": some(board, named, wanted, now),
                "more": None,
                "stories": found.stories,
                "articles": found.articles,
            }
        return site.page(request, "stories_rows.html", made)

    return [Route("/", page, methods=["GET"]), Route("/rows", rows, methods=["GET"])]


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
    narrow = wanted.filter
    said = {
        "q": f"“{narrow.words}”" if narrow.words else "",
        "lang": f"language {narrow.lang}" if narrow.lang else "",
        "outlet": f"outlet {narrow.outlet}" if narrow.outlet else "",
        "outlets": f"{narrow.min_outlets} outlets or more" if narrow.min_outlets > 1 else "",
        "since": f"active within {since_text(narrow.since_s)}" if narrow.since_s is not None else "",
    }
    return [(words, address(wanted, **{name: ""})) for name, words in said.items() if words]


async def wider(lists: Lists, wanted: Asked, now: float) -> list[tuple[str, str, str]]:
    """(a filter in words, the address without it, what there is then), most stories first, of those with any."""
    narrowed = chips(wanted)
    counts = await lists.counts([asked(dict(parse_qsl(query))).filter for _, query in narrowed], now)
    found = sorted(zip(counts, narrowed, strict=True), key=lambda pair: -pair[0])
    return [(*said, count(stories, "story", "stories")) for stories, said in found if stories]


def options(wanted: Asked, board: Board) -> dict[str, list[tuple[str, str, bool]]]:
    """(value, words, whether it is chosen) of each list to choose from; what is asked for is always among them."""
    narrow = wanted.filter
    langs = board.languages()
    known = {lang: f"{lang} ({stories:,})" for lang, stories in langs.items()}
    since = since_text(narrow.since_s) if narrow.since_s is not None else ""
    numbers = sorted({*_OUTLETS, *([narrow.min_outlets] if narrow.min_outlets > 1 else [])})
    return {
        "lang": _chosen(known, narrow.lang, f"all ({len(board):,})"),
        "outlets": _chosen({str(n): str(n) for n in numbers}, str(narrow.min_outlets), "1"),
        "since": _chosen(dict(_SPANS), since, "any time"),
    }


def _chosen(known: Mapping[str, str], value: str, nothing: str) -> list[tuple[str, str, bool]]:
    usual = "" if value not in known or not value else value
    offered = {"": nothing} | dict(known)
    if value and value not in known and value != "1":
        offered[value], usual = value, value
    return [(each, words, each == usual) for each, words in offered.items()]

"""A story's page: the picture of who repeats whom, its articles, their headlines, what holds it together, its past.

Invariant: an address of a story leads to it for as long as the story lives, whatever it was merged into; an editor's
forms are on the page only for who may send them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from worker.feed.address import shown_url
from worker.model import Correction, parse_story_id, story_id
from worker.report.belonging import Shared, Why, belonging, shared_terms
from worker.report.corrected import said
from worker.report.harmless import harmless, readable
from worker.report.views import StoryView, rfc3339, story_view
from worker.report.words import span
from worker.runtime import Runtime
from worker.web.drawing import MOST_MARKS, draw
from worker.web.pages.correcting import Results, correcting
from worker.web.pages.rows import ago, utc
from worker.web.pages.telling import PAGE, lines, mark_titles, retitled, summary
from worker.web.site import Site, base_of

_MOST_FEEDS = 100
"""Feeds that are looked up for a page; of others only the id is known."""
_MOST_PAST = 50
"""Merges, and corrections, that a page lists."""


class Dossier(Struct, frozen=True, kw_only=True):
    """All that is kept of a story. `why`: of each member; `texts`, `terms`: see shared_terms; `took_in`: the ids of
    the stories that were merged into it; `past`: (name, correction) of what editors said of it."""

    view: StoryView
    why: Sequence[Why]
    texts: int
    terms: Sequence[Shared]
    took_in: Sequence[str]
    past: Sequence[tuple[str, Correction]]
    lang: str


def routes(site: Site) -> list[BaseRoute]:
    """`/stories/{id}`, and an editor's corrections below it."""
    results = Results()

    async def show(request: Request) -> Response:
        return await answer(site, request, results)

    return [Route("/stories/{story}", show, methods=["GET"]), *correcting(site, results, answer)]


async def answer(site: Site, request: Request, results: Results, wrong: str = "") -> Response:
    """The page of the story that the address names; wrong: why a correction was refused. A story that was merged leads
    to the one that it is part of."""
    response: Response = await site.aside(_answer, site, request, results, wrong)
    return response


def _answer(site: Site, request: Request, results: Results, wrong: str) -> Response:
    """In a thread as a whole: of a large story the template alone takes 0.1 s."""
    name = request.path_params["story"]
    found = dossier(site.runtime, name, site.runtime.clock.now())
    if found is None:
        return _gone(site, request, name, results)
    if found.view.story != name:
        return RedirectResponse(f"{base_of(request)}/stories/{found.view.story}?was={name}", 301)
    asked = page_asked(request.query_params.get("page", ""), found.view.articles)
    wanted = (found.view.members or ())[(asked - 1) * PAGE : asked * PAGE]
    feeds = _feeds(site.runtime, [feed for member in wanted for feed in member.feeds])
    was = request.query_params.get("was", "")
    own = {
        "was": was if was in found.took_in else "",
        "done": results.get(request.query_params.get("done", "")),
        "wrong": wrong,
    }
    return site.page(request, "story.html", facts(found, feeds, asked) | own, 400 if wrong else 200)


def facts(found: Dossier, feeds: Mapping[str, str], page: int) -> dict[str, Any]:
    """What the template writes of a story itself, with this page of its articles; feeds: id -> name."""
    view, members = found.view, found.view.members or ()
    return {
        "story": view,
        "headline": readable(view.headline, "(no headline)"),
        "summary": summary(view),
        "last_ago": ago(view.quiet_s),
        "last": rfc3339(view.last),
        "span": (utc(view.first), utc(view.last)),
        "picture": draw(members[:MOST_MARKS]) if members else None,
        "mark_titles": list(mark_titles(members[:MOST_MARKS])),
        "lines": lines(members, found.why, feeds, (page - 1) * PAGE, page * PAGE),
        "page": page,
        "pages": _pages(len(members)),
        "per_page": PAGE,
        "retitled": retitled(members),
        "texts": found.texts,
        "terms": [(harmless(shared.term), shared.texts) for shared in found.terms],
        "took_in": found.took_in[:_MOST_PAST],
        "past": [(name, harmless(said(found.lang, each)), utc(each.made)) for name, each in found.past[-_MOST_PAST:]],
    }


def dossier(runtime: Runtime, name: str, now: float) -> Dossier | None:
    """What is kept of a story, by its id or that of one that it took in; None where there is none. Blocks."""
    parsed = parse_story_id(name)
    found = runtime.stories.find(*parsed) if parsed and parsed[0].isalnum() else None
    if parsed is None or found is None:
        return None
    lang = parsed[0]
    members = runtime.stories.members(lang, found.number)
    took_in = [story_id(lang, number) for number in found.aliases]
    about = runtime.editing.of_story(lang, found, members)
    past = [(named.id, named.correction) for named in about]
    texts, terms = shared_terms(members)
    view = story_view(lang, found, now, times=[member.time for member in members], members=members)
    return Dossier(
        view=view,
        why=belonging(lang, found.number, members, runtime.settings.strictness, past),
        texts=texts,
        terms=terms,
        took_in=took_in,
        past=past,
        lang=lang,
    )


def _feeds(runtime: Runtime, ids: Iterable[str]) -> Mapping[str, str]:
    """Feed id -> what it is called, of those that are known."""
    wanted = list(dict.fromkeys(ids))[:_MOST_FEEDS]
    known = {feed: found for feed in wanted if (found := runtime.feeds.get(feed))}
    return {feed: found.title or found.polls.title or shown_url(found.url) for feed, found in known.items()}


def page_asked(text: str, articles: int) -> int:
    """Which page of the table an address asks for: the nearest there is."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 1
    return min(max(1, number), _pages(articles))


def _pages(articles: int) -> int:
    return max(1, -(-articles // PAGE))


def _gone(site: Site, request: Request, name: str, results: Results) -> Response:
    settings = site.runtime.settings
    facts: dict[str, Any] = {
        "name": harmless(name, "?"),
        "is_id": parse_story_id(name) is not None,
        "kept": span(settings.retention),
        "archived": bool(settings.archive_dir),
        "done": results.get(request.query_params.get("done", "")),
    }
    return site.page(request, "story_gone.html", facts, 404)

"""Stories and articles: lists from the board in memory, one of them whole from the store.

Invariant: nothing is changed; lists answer while the server is away, and say so.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from worker.errors import BadInput
from worker.model import parse_story_id
from worker.report.board import Selection, folded
from worker.report.following import format_cursor
from worker.report.rows import row_record
from worker.web.api import whole
from worker.web.api.answers import answer, none_such
from worker.web.api.operation import Operation, Parameter
from worker.web.api.parameters import ARTICLE, LISTED, STORY, WORDS
from worker.web.api.records.stories import FullArticle, FullStory, StoryList, StoryRecord
from worker.web.asking import asked
from worker.web.site import Site, base_of

_LISTED = """Filtered and sorted, a page at a time. Pages go on from a place in the order, so a story that moves
meanwhile may be on two of them or on none; one that does not move is on one. The header `Storywire-Cursor` is where the
stream goes on from this list without a gap: give it as `after` to `/api/v1/stream`."""
_SEARCHED = """The same list, of stories in whose headlines, of any of their articles, all of the words begin a word.
Case and accents do not count."""
_STORY = """With its articles, why each belongs, what they share, and its corrections. An id is for good: that of a
story that became part of another one answers with that one, and says so in `moved_from`."""
_ARTICLE = """An article, why it is in its story, and that story. The store keeps no text."""

_NO_PLACE = {409: "`after` is no place in this list, or in one that is sorted otherwise."}


def operations(site: Site) -> Sequence[Operation]:
    """Its part of the table."""
    required = tuple(_required(each) if each is WORDS else each for each in LISTED)
    return (
        Operation(
            name="listStories", method="GET", path="/v1/stories", group="Stories", summary="List stories",
            said=_LISTED, answer=StoryList, call=partial(_stories, site), parameters=LISTED, problems=_NO_PLACE,
            example=("/v1/stories?lang=en&outlets=2&since=6h", None),
        ),
        Operation(
            name="search", method="GET", path="/v1/search", group="Stories", summary="Find stories by words",
            said=_SEARCHED, answer=StoryList, call=partial(_search, site), parameters=required, problems=_NO_PLACE,
            example=("/v1/search?q=harbour+bridge", None),
        ),
        Operation(
            name="getStory", method="GET", path="/v1/stories/{story}", group="Stories", summary="Get a story",
            said=_STORY, answer=FullStory, call=partial(_story, site), parameters=(STORY,),
            problems={404: "There is no such story, or it has ended."},
            example=("/v1/stories/en-1", None),
        ),
        Operation(
            name="getArticle", method="GET", path="/v1/articles/{article}", group="Stories", summary="Get an article",
            said=_ARTICLE, answer=FullArticle, call=partial(_article, site), parameters=(ARTICLE,),
            problems={404: "There is no such article."},
            example=("/v1/articles/herald%2F1", None),
        ),
    )  # fmt: skip


async def _stories(site: Site, request: Request) -> Response:
    return await _list(site, request)


async def _search(site: Site, request: Request) -> Response:
    words = request.query_params.get("q")
    if words is None:
        raise BadInput("q: is missing: write the words to look for")
    return await _list(site, request, nothing=not folded(words))


async def _story(site: Site, request: Request) -> Response:
    name = request.path_params["story"]
    place = parse_story_id(name)
    found = await site.aside(whole.story, site.runtime, *place, name) if place else None
    if found is None:
        raise none_such(name, "story of the store, or has ended", "/api/v1/stories lists the stories")
    said = {"content-location": f"{base_of(request)}/api/v1/stories/{found.story}"}
    response: Response = await site.aside(answer, request, found, said)  # of 5,000 articles 2 MB: 11 ms
    return response


async def _article(site: Site, request: Request) -> Response:
    name = request.path_params["article"]
    found = await site.aside(whole.article, site.runtime, name)
    if found is None:
        raise none_such(name, "article of the store", "/api/v1/stories/STORY lists those of a story")
    return answer(request, found)


async def _list(site: Site, request: Request, *, nothing: bool = False) -> Response:
    """The list that is asked for; `nothing`: no story has what is looked for."""
    wanted = asked(request.query_params)
    if not site.live.ready.is_set():
        raise HTTPException(503, "The stories are being read: ask again in a second.", {"Retry-After": "1"})
    now = site.runtime.clock.now()
    try:
        lists = site.live.lists
        found = await lists.select(wanted.filter, now, sort=wanted.sort, limit=wanted.limit, after=wanted.after)
    except BadInput as error:  # of what was asked for, only the place is left to be wrong
        raise HTTPException(409, str(error)) from None
    if nothing:
        found = Selection((), 0, 0, "")
    return answer(
        request,
        StoryList(
            stories=[StoryRecord(**row_record(row, now)) for row in found.rows],
            found=found.stories,
            articles=found.articles,
            next=found.following or None,
            stale=site.live.trouble or None,
        ),
        {"storywire-cursor": format_cursor(site.live.position)},
    )


def _required(each: Parameter) -> Parameter:
    return replace(each, schema={**each.schema, "minLength": 1}, required=True)

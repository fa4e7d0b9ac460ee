"""The editor's corrections, with the token: split, merge, pin, undo, forget.

Invariant: what is refused changed nothing; the same words and rules as `storywire story` and `storywire forget`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from worker.editing import Edited as Done
from worker.editing import Editing
from worker.editing import Undone as Lifted
from worker.errors import BadInput, NotThere
from worker.forgetting import Removed, Target, What
from worker.model import parse_story_id
from worker.report.cases import correction_record
from worker.report.corrected import told, undone
from worker.runtime import Runtime
from worker.web.api import whole
from worker.web.api.answers import answer, none_such, read
from worker.web.api.bodies import Merge, Pin, Split
from worker.web.api.operation import Operation
from worker.web.api.parameters import ARTICLE, CORRECTION, STORY
from worker.web.api.records.corrections import CorrectionList, Edited, Forgotten, Overridden, Undone
from worker.web.site import Site

_GROUP = "Corrections"
_KEPT = """ It is kept as constraints between articles, so it holds after merges, revisions and restarts. Said twice it
is refused the second time, or changes nothing: sending it again after an answer was lost does no harm."""
_WHERE = {"story": "/api/v1/stories lists the stories", "article": "/api/v1/stories/STORY lists those of a story"}
_MISSING = {
    404: "There is no story of the address's id, or it has ended.",
    409: "The store says otherwise: the line says what, such as a story or an article of the body that is not there.",
}


def operations(site: Site) -> Sequence[Operation]:
    """Its part of the table."""
    return (
        Operation(
            name="splitStory", method="POST", path="/v1/stories/{story}/split", group=_GROUP, edits=True,
            summary="Split articles off a story", call=partial(_split, site), answer=Edited, body=Split,
            parameters=(STORY,),
            said="Takes articles out of a story into one of their own; their copies go with them." + _KEPT,
            problems=_MISSING, example=("/v1/stories/en-1/split", {"articles": ["herald/1"]}),
        ),
        Operation(
            name="mergeStories", method="POST", path="/v1/stories/{story}/merge", group=_GROUP, edits=True,
            summary="Merge stories", call=partial(_merge, site), answer=Edited, body=Merge, parameters=(STORY,),
            said="Makes one story of several: the oldest id stays, the others lead to it." + _KEPT,
            problems=_MISSING, example=("/v1/stories/en-1/merge", {"with": ["en-2"]}),
        ),
        Operation(
            name="pinArticle", method="POST", path="/v1/stories/{story}/pin", group=_GROUP, edits=True,
            summary="Pin an article to a story", call=partial(_pin, site), answer=Edited, body=Pin, parameters=(STORY,),
            said="Puts an article into the story, or keeps it there, for good, whatever its revisions say." + _KEPT,
            problems=_MISSING, example=("/v1/stories/en-1/pin", {"article": "herald/1"}),
        ),
        Operation(
            name="listCorrections", method="GET", path="/v1/corrections", group=_GROUP,
            summary="List the corrections in force", call=partial(_corrections, site), answer=CorrectionList,
            said="Language by language, the oldest first.", example=("/v1/corrections", None),
        ),
        Operation(
            name="undoCorrection", method="POST", path="/v1/corrections/{correction}/undo", group=_GROUP, edits=True,
            summary="Undo a correction", call=partial(_undo, site), answer=Undone, parameters=(CORRECTION,),
            said="It is lifted, and articles go back: what it merged is taken apart again, under new ids (64 articles "
            "at most), what it split off comes back; a pinned article stays. Where a later correction speaks of the "
            "same articles none moves, and `later` names it: undo the latest first.",
            problems={404: "There is no such correction in force."},
            example=("/v1/corrections/en.1/undo", None),
        ),
        Operation(
            name="forgetArticle", method="POST", path="/v1/articles/{article}/forget", group=_GROUP, edits=True,
            summary="Forget an article for good", call=partial(_forget, site), answer=Forgotten, parameters=(ARTICLE,),
            said="Removes an article from every key of the store, and keeps it out until it has not come again for 90 "
            "days. An emptied story ends. Cannot be undone; interrupted, it is to be sent again until it answers 404.",
            problems={404: "There is no such article."}, example=("/v1/articles/herald%2F1/forget", None),
        ),
    )  # fmt: skip


async def _split(site: Site, request: Request) -> Response:
    asked = await read(request, Split)
    return await _change(
        site, request, lambda editing, story: editing.split(story, asked.articles), len(set(asked.articles))
    )


async def _merge(site: Site, request: Request) -> Response:
    asked = await read(request, Merge)
    return await _change(site, request, lambda editing, story: editing.merge([story, *asked.others]))


async def _pin(site: Site, request: Request) -> Response:
    asked = await read(request, Pin)
    return await _change(site, request, lambda editing, story: editing.pin(asked.article, story))


async def _change(site: Site, request: Request, change: Callable[[Editing, str], Done], articles: int = 0) -> Response:
    story = request.path_params["story"]
    done = await site.aside(_edit, site.runtime, story, change)
    return answer(request, _edited(done, articles))


async def _corrections(site: Site, request: Request) -> Response:
    found = await site.aside(site.runtime.editing.corrections)
    return answer(request, CorrectionList(corrections=[whole.correction(each) for each in found]))


async def _undo(site: Site, request: Request) -> Response:
    name = request.path_params["correction"]
    try:
        done: Lifted = await site.aside(lambda: site.runtime.editing.undo(name))
    except BadInput:
        raise none_such(name, "correction that is in force", "/api/v1/corrections lists them") from None
    said = undone(*done.lifted, done.stories, done.later)
    return answer(
        request, Undone(undone=whole.correction(done.lifted), told=said, stories=done.stories, later=done.later)
    )


async def _forget(site: Site, request: Request) -> Response:
    return answer(request, await site.aside(_forgotten, site.runtime, request.path_params["article"]))


def _edit(runtime: Runtime, story: str, change: Callable[[Editing, str], Done]) -> Done:
    place = parse_story_id(story)
    if place is None or runtime.stories.find(*place) is None:
        raise none_such(story, "story of the store, or has ended", "/api/v1/stories lists the stories")
    try:
        return change(runtime.editing, story)
    except NotThere as error:
        raise HTTPException(409, f"{error.said}: {_WHERE[error.what]}") from None
    except BadInput as error:
        raise HTTPException(409, str(error)) from None


def _edited(done: Done, articles: int) -> Edited:
    lang, made = done.made
    record: dict[str, Any] = correction_record(lang, made)
    lifted = [Overridden(correction=each.id, partly=each.correction.number in done.partly) for each in done.lifted]
    return Edited(**record, told=told(lang, made, articles), overrides=lifted)


def _forgotten(runtime: Runtime, name: str) -> Forgotten:
    """An article by its id alone: an address or a feed is more than one may mean by it."""
    target, missing = Target(What.ARTICLE, name), none_such(name, "article of the store", "or it is forgotten already")
    try:
        if runtime.forgetting.find(name).target.what is What.FEED:
            raise missing
    except BadInput:
        raise missing from None
    done: Removed = runtime.forgetting.forget(target)
    if not done.names:
        raise missing
    return Forgotten(
        articles=done.count,
        waiting=len(done.waiting),
        quarantined=len(done.quarantined),
        changed=sorted(done.changed),
        ended=sorted(done.ended),
        rewritten=runtime.rewrite_log(),
    )

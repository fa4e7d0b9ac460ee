"""An editor's corrections on a story's page: split, merge, pin, undo, and forget, which asks first.

Invariant: nothing changes but by a form that a page of ours made for this session; what was done is said in the words
of the command line, but with headlines for ids, once, on the page that the editor is led to.
"""

import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from worker.editing import Edited
from worker.errors import BadInput, NotThere
from worker.forgetting import Removed, Target, What
from worker.model import Member
from worker.report.corrected import overridden, told, undone
from worker.report.harmless import harmless, readable
from worker.report.words import count
from worker.runtime import Runtime
from worker.web import troubles
from worker.web.forms import form_of
from worker.web.site import Site, base_of

_KEPT = 200
_PICKED = "pick."
"""Begins the name of a checkbox; the id of an article is its value."""


class Done(NamedTuple):
    """What was done, a line each, and the stories that it is about."""

    lines: Sequence[str]
    stories: Sequence[str]


class Results:
    """What was done of late, by a key that only the editor's browser was told. One process serves a page."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Done] = OrderedDict()

    def keep(self, done: Done) -> str:
        """Its key."""
        key = secrets.token_urlsafe(9)
        self._kept[key] = done
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return key

    def get(self, key: str) -> Done | None:
        """What was kept under a key."""
        return self._kept.get(key)


class Asked(Struct, frozen=True):
    """A correction: the story whose page it was asked for on, and the fields of its form."""

    story: str
    form: Mapping[str, str]


Show = Callable[..., Awaitable[Response]]
Correct = Callable[[Runtime, Asked], tuple[str, Done]]
"""Where to go, and what was done; blocks."""

_WHERE = {
    "story": "the list of stories leads to each, and its page shows its id",
    "article": "it has left since this page was made, which shows what there is now",
    "correction": "those in force are listed under “Its past”",
}


def correcting(site: Site, results: Results, show: Show) -> list[BaseRoute]:
    """The routes below a story's; show: answers with the story's page."""

    def post(name: str, correct: Correct) -> Route:
        async def answer(request: Request) -> Response:
            form = await form_of(request)
            if refusal := _refusal(site, request, form):
                return refusal
            try:
                where, done = await site.aside(correct, site.runtime, Asked(request.path_params["story"], form))
            except BadInput as error:
                return await show(site, request, results, _wrong(error))
            return RedirectResponse(f"{base_of(request)}/stories/{where}?done={results.keep(done)}", 303)

        return Route(f"/stories/{{story}}/{name}", answer, methods=["POST"])

    async def ask(request: Request) -> Response:
        try:
            return await _ask(site, request)
        except BadInput as error:
            return await show(site, request, results, _wrong(error))

    posts = {"forget": forget, "split": split, "merge": merge, "pin": pin, "undo": undo}
    asking = Route("/stories/{story}/forget", ask, methods=["GET"])
    return [asking, *(post(name, correct) for name, correct in posts.items())]


async def _ask(site: Site, request: Request) -> Response:
    """Whether an article is to be forgotten. Raises BadInput where there is none."""
    if not site.safety.form_token(request):
        return troubles.answer(site, request, 403, "Log in first: only an editor can have an article forgotten.")
    found = await site.aside(_article, site.runtime, request.query_params.get("article", ""))
    facts = {"story": request.path_params["story"], "article": found.id, "outlet": harmless(found.source)}
    return site.page(request, "story_forget.html", facts | {"title": readable(found.title, "(no headline)")})


def _wrong(error: BadInput) -> str:
    """What is wrong, with the remedy of somebody who has a page before them, and no command line."""
    return f"{error.said}: {_WHERE[error.what]}" if isinstance(error, NotThere) else str(error)


def split(runtime: Runtime, asked: Asked) -> tuple[str, Done]:
    """Take the picked articles out. Where to go, and what was done; blocks, as all of these do."""
    picked = [value for name, value in asked.form.items() if name.startswith(_PICKED)]
    if not picked:
        raise BadInput("no article was picked: tick those that are another story, then split them off")
    return asked.story, edited(runtime, runtime.editing.split(asked.story, picked), len(picked))


def merge(runtime: Runtime, asked: Asked) -> tuple[str, Done]:
    """Make one story of this and the one whose id, or address, was written."""
    other = asked.form.get("with", "").strip().rstrip("/").rpartition("/")[2]
    if not other:
        raise BadInput("no story was named: write the id of the other story, such as en-7f3k")
    done = edited(runtime, runtime.editing.merge([asked.story, other]))
    return done.stories[0], done


def pin(runtime: Runtime, asked: Asked) -> tuple[str, Done]:
    """Keep an article here for good."""
    done = edited(runtime, runtime.editing.pin(asked.form.get("article", ""), asked.story))
    return done.stories[0], done


def undo(runtime: Runtime, asked: Asked) -> tuple[str, Done]:
    """Lift a correction; what it merged or split goes back."""
    done = runtime.editing.undo(asked.form.get("correction", ""))
    return asked.story, Done([undone(*done.lifted, done.stories, done.later)], done.stories)


def forget(runtime: Runtime, asked: Asked) -> tuple[str, Done]:
    """Remove an article everywhere, and keep it out. An article, even where its id is a feed's address."""
    found = _article(runtime, asked.form.get("article", ""))
    removed = runtime.forgetting.forget(Target(What.ARTICLE, found.id))
    rewritten = runtime.rewrite_log()
    lines = [f"forgotten: {found_words(removed, _called(found))}"]
    lines += [f"ended: {', '.join(sorted(removed.ended))}"] if removed.ended else []
    lines += [f"shrank: {', '.join(sorted(removed.changed))}"] if removed.changed else []
    if not rewritten:
        lines.append("its server still has it on disk until it rewrites its log or snapshot (BGREWRITEAOF, BGSAVE)")
    return asked.story, Done(lines, [])


def edited(runtime: Runtime, done: Edited, asked: int = 0) -> Done:
    """A correction that was made, in words; asked: how many articles the editor named. Blocks."""
    lang, made = done.made
    called = {name: _called(member) for name, member in runtime.editing.members(done.made).items()}
    lines = [told(lang, made, asked, lambda name: called.get(name) or harmless(name)), f"correction {done.made.id}"]
    lines += overridden(lang, [named.correction for named in done.lifted], done.partly, harmless)
    return Done(lines, done.made.stories)


def found_words(found: Removed, called: str) -> str:
    """`1 article ("Bridge closed"), and 1 that waits`."""
    words = f"{count(found.count, 'article')} ({called})"
    words += f", and {len(found.waiting)} that wait" if found.waiting else ""
    return words + (f", and {len(found.quarantined)} in quarantine" if found.quarantined else "")


def _called(article: Member) -> str:
    """Its headline, by which people know it; its id where it has none."""
    title = readable(article.title)
    return f'"{title}"' if title else harmless(article.id)


def _article(runtime: Runtime, name: str) -> Member:
    found = runtime.stories.article(name)
    if found is None:
        raise BadInput(f"{harmless(name, 'nothing')} is no article of the store: it was forgotten, or has ended")
    return found[1]


def _refusal(site: Site, request: Request, form: Mapping[str, Any]) -> Response | None:
    if site.safety.check_form(request, form):
        return None
    said = "Corrections are made by an editor, from a page of this site: log in, open the story again, and try again."
    return troubles.answer(site, request, 403, said)

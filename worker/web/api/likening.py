"""Which story is this? A text, or the address of an article, beside the stories that there are.

Invariant: nothing that is sent is kept, and no address that is sent is fetched; no more than AT_ONCE are compared at
once, and who would wait behind WAITING others is told to come back.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from worker.errors import BadInput
from worker.feed.canonical import canonical
from worker.feed.identity import page_of
from worker.model import UNDETERMINED, Member, story_id
from worker.report.board import Row
from worker.report.similar import Match, asked_member, joined, matches
from worker.report.views import member_views
from worker.runtime import Runtime
from worker.store.commits import Commits
from worker.web.api.answers import answer, none_such, read
from worker.web.api.bodies import SimilarTo
from worker.web.api.operation import Operation
from worker.web.api.records.stories import OtherArticle, SharedTerm, Similar, SimilarStory
from worker.web.links import safe
from worker.web.site import Site

AT_ONCE = 2
WAITING = 8
"""A text takes some 10 ms, the first after a start 1 s (it loads the words of its language); the worst of hostile ones
takes 2 s alone, and 5 s beside another, as two threads share one interpreter."""

MOST_LANGUAGES = 3
"""Tried for a text too short to tell its language, those with the most stories first: each takes some 10 ms, and at
first a second or two and up to 60 MB for its words."""

_SAID = """Compares a text with the stories as if it came now, by the same decision that places articles, and says which
one it would join, as what, and why. With the `url` of an article that the store has, its story is told at once. An
address is not fetched: of an article that the store does not have, send title and text. Nothing of it is kept. A text
too short to tell its language, such as most headlines, is compared with the stories of the three languages that have
the most: say `lang` for another."""


class Turns:
    """So many at once; so many more may wait."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._free, self._most, self._inside = asyncio.Semaphore(at_once), at_once + waiting, 0

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """A turn for the block. Raises 503 where too many wait."""
        if self._inside >= self._most:
            raise HTTPException(503, "Too many texts are being compared: try again in a moment.", {"Retry-After": "2"})
        self._inside += 1
        try:
            async with self._free:
                yield
        finally:
            self._inside -= 1


def operations(site: Site) -> Sequence[Operation]:
    """Its part of the table."""
    turns = Turns()

    async def similar(request: Request) -> Response:
        given = await read(request, SimilarTo)
        if not (given.url or given.title or given.text):
            raise BadInput("body: has neither text nor title nor url: send one of them")
        async with turns.one():
            row = site.live.board.by_link(given.url) if given.url else None
            found = await site.aside(by_address, site.runtime, given.url, row) if given.url else None
            if found is None and (given.title or given.text):
                likely = [lang for lang in site.live.board.languages() if lang != UNDETERMINED]
                found = await site.aside(by_text, site.runtime, given, likely[:MOST_LANGUAGES])
        if found is None:
            raise none_such(given.url or "", "article's address that the store knows", "send its title and text")
        return answer(request, found)

    return (
        Operation(
            name="similar", method="POST", path="/v1/similar", group="Stories", summary="Which story is this?",
            said=_SAID, answer=Similar, call=similar, body=SimilarTo, any_of=("title", "text", "url"),
            problems={404: "The store has no article at that address."},
            example=("/v1/similar", {
                "title": "Bridge closed after cracks were found",
                "text": "The harbour bridge was closed on Monday after engineers found cracks in a pillar.",
            }),
        ),
    )  # fmt: skip


def by_text(runtime: Runtime, given: SimilarTo, likely: Sequence[str]) -> Similar:
    """The answer for a text; blocks. likely: the languages to try, where neither the text nor who sends it tells."""
    best = _in_language(runtime, given, given.lang or "")
    if best.lang == UNDETERMINED:
        best = max([best, *(_in_language(runtime, given, lang) for lang in likely)], key=_fit)
    return best


def _in_language(runtime: Runtime, given: SimilarTo, stated: str) -> Similar:
    """The answer by the stories of one language."""
    lang, article = asked_member(given.title or "", given.text or "", stated, runtime.clock.now())
    found = Commits(runtime.redis).ask(lang, lambda view: matches(view, article), runtime.settings.strictness)
    best = joined(found)
    return Similar(
        lang=lang,
        words=article.prints.words,
        story=best.story if best else None,
        article=None,
        stories=[_story(match) for match in found],
    )


def _fit(found: Similar) -> tuple[bool, float]:
    """By which the answers of two languages are compared: a story that takes the text, then how far above its bar."""
    return found.story is not None, max((each.score - (each.threshold or 0.0) for each in found.stories), default=-9.0)


def by_address(runtime: Runtime, url: str, row: Row | None) -> Similar | None:
    """The answer for an address, however it is written: that of an article of the story whose `row` it was found in,
    of a page that feeds claim, or of an article that is called by its address; blocks."""
    there = _linked(runtime, url, row) or _claimed(runtime, url) or runtime.stories.article(url)
    story = runtime.stories.find(there[0], there[1].story) if there else None
    if there is None or story is None:
        return None
    lang, member = there
    repeated = next(iter(runtime.stories.present(lang, [member.of])), None) if member.of else None
    (view,) = member_views([member])
    return Similar(
        lang=lang,
        words=member.prints.words,
        story=story_id(lang, story.number),
        article=member.id,
        stories=[
            SimilarStory(
                story=story_id(lang, story.number),
                headline=story.headline,
                articles=story.articles,
                score=round(view.score or 1.0, 4),
                threshold=None,
                joins=True,
                relation=str(view.relation),
                of=_other(repeated),
                nearest=None,
                cosine=None,
                shared=[],
                why="is in it: the store has the article of this address",
            )
        ],
    )


def _linked(runtime: Runtime, url: str, row: Row | None) -> tuple[str, Member] | None:
    """The first article of the row's story whose link leads where the address leads."""
    page = canonical(url)
    members = runtime.stories.members(row.lang, row.number) if row else []
    found = next((member for member in members if canonical(member.url) == page), None)
    return (row.lang, found) if row and found else None


def _claimed(runtime: Runtime, url: str) -> tuple[str, Member] | None:
    page = page_of(url)
    claim = runtime.outbox.claims.stake({page: None}, 0.0).get(page) if page else None
    return runtime.stories.article(claim.article) if claim and claim.article else None


def _story(match: Match) -> SimilarStory:
    return SimilarStory(
        story=match.story,
        headline=match.headline,
        articles=match.articles,
        score=round(match.score, 4),
        threshold=round(match.threshold, 4),
        joins=match.joins,
        relation=str(match.relation),
        of=_other(match.of),
        nearest=_other(match.nearest),
        cosine=round(match.cosine, 4),
        shared=[SharedTerm(each.term, round(each.given, 3), round(each.theirs, 3)) for each in match.shared],
        why=match.why,
    )


def _other(member: Member | None) -> OtherArticle | None:
    return None if member is None else OtherArticle(member.id, member.title, safe(member.url), member.source)

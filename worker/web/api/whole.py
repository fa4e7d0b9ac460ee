"""A story or an article with all that is kept of it, read from the store.

Invariant: blocks, and so is run aside; what has ended between two reads is None, never an error.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from worker.editing import Named
from worker.model import FULL_WEIGHT, Member, Story, story_id
from worker.report.belonging import Why, belonging, shared_terms
from worker.report.cases import correction_record
from worker.report.views import member_record, member_views, rfc3339, story_record, story_view
from worker.runtime import Runtime
from worker.web.api.records.corrections import CorrectionRecord
from worker.web.api.records.stories import FullArticle, FullStory, MemberRecord, StoryRecord, StoryTerm, Term
from worker.web.links import safe


def story(runtime: Runtime, lang: str, number: int, name: str = "") -> FullStory | None:
    """A story by its place, through its alias; `name`: the id that was asked for."""
    found = runtime.stories.find(lang, number)
    if found is None:
        return None
    members = runtime.stories.members(lang, found.number)
    about = runtime.editing.of_story(lang, found, members)
    texts, terms = shared_terms(members)
    record = _record(lang, found, runtime.clock.now())
    return FullStory(
        **record,
        members=_members(runtime, lang, found.number, members, about),
        texts=texts,
        terms=[StoryTerm(shared.term, shared.texts) for shared in terms],
        merged=[story_id(lang, alias) for alias in found.aliases],
        corrections=[correction(each) for each in about],
        moved_from=name if name and name != record["story"] else None,
    )


def article(runtime: Runtime, name: str) -> FullArticle | None:
    """An article by its id, with its story."""
    there = runtime.stories.article(name)
    found = runtime.stories.find(there[0], there[1].story) if there else None
    if there is None or found is None:
        return None
    lang, asked = there
    members = runtime.stories.members(lang, found.number)
    shown = _members(runtime, lang, found.number, members, runtime.editing.of_story(lang, found, members))
    mine = next((each for each in shown if each.id == name), None)
    if mine is None:
        return None
    prints = asked.prints
    return FullArticle(
        **msgspec.structs.asdict(mine),
        lang=lang,
        words=prints.words,
        terms=[
            Term(term, round(weight / FULL_WEIGHT, 3))
            for term, weight in zip(prints.terms, prints.weights, strict=True)
        ],
        story=StoryRecord(**_record(lang, found, runtime.clock.now())),
    )


def correction(named: Named) -> CorrectionRecord:
    """A correction as the API shows it: what `story corrections --json` prints."""
    return CorrectionRecord(**correction_record(*named))


def _record(lang: str, found: Story, now: float) -> dict[str, Any]:
    record = story_record(story_view(lang, found, now))
    return record | {"outlets": max(1, record["outlets"])}


def _members(
    runtime: Runtime, lang: str, number: int, members: Sequence[Member], about: Sequence[Named]
) -> list[MemberRecord]:
    reasons = belonging(
        lang, number, members, runtime.settings.strictness, [(each.id, each.correction) for each in about]
    )
    return [
        MemberRecord(
            **member_record(view)
            | {
                "url": safe(view.url),
                "time": rfc3339(view.time),
                "received": rfc3339(view.received),
                "revision": view.revision,
                **_reason(why),
            }
        )
        for view, why in zip(member_views(members), reasons, strict=True)
    ]


def _reason(why: Why) -> dict[str, Any]:
    return {
        "score": None if why.score is None else round(why.score, 4),
        "threshold": None if why.threshold is None else round(why.threshold, 4),
        "why": why.words,
        "correction": why.by_hand or None,
    }

"""Forgetting an article: out of its story and out of the corrections, as if it had never come.

Invariant: afterwards nothing in the view says what its title, its text or its address was.
"""

from collections.abc import Generator

from msgspec.structs import replace

from worker.cluster.relation import order
from worker.cluster.ties import without
from worker.cluster.view import Need, View
from worker.cluster.withdraw import withdraw
from worker.model import Event, Story


def forget(view: View, article: bytes) -> Generator[Need, None, Story | None]:
    """Remove an article, by its uid; a story that it leaves empty ends.

    Returns what is left of its story (without articles: it has ended); None where there was nothing to remove.
    """
    yield from view.want(members=[article])
    member = view.members[article]
    if member is None:
        return None
    view.seq += 1
    for correction in view.ties.of(article):
        kept = without(correction, [article])
        if kept is None:
            view.drop_correction(correction.number)
        else:
            view.put_correction(kept)
    story = yield from withdraw(view, member)
    view.drop_member(article)
    if story is None:  # it was ending anyway
        return None
    if not story.articles:
        view.drop_story(story.number)
        for alias in story.aliases:
            view.end_alias(alias)
        view.emit(Event("ended", view.seq, view.lang, story.number))
        return story
    others = sorted(view.present(list(view.rolls[story.number])), key=order)
    titles = [other.title for other in others if other.title]
    story = replace(story, headline=story.headline if story.headline in titles else next(iter(titles), ""))
    view.put_story(story)
    view.emit(Event("shrank", view.seq, view.lang, story.number))
    return story

"""A late second look: a story whose texts turn out to be those of two becomes two.

Invariant: the group with the story's first article keeps the number. What an editor spoke of is left as it is.
"""

from collections.abc import Generator, Sequence

from worker.cluster.enforce import standing_at, take_out
from worker.cluster.halves import LEAST_TEXTS, LEAST_WORDS, divided
from worker.cluster.join import begin, join
from worker.cluster.relation import Kinship, order, relate
from worker.cluster.view import Need, View
from worker.model import Event, Member, Relation, Story

MOST_ARTICLES = 64
"""A larger story stays as it is: what so many newsrooms tell is one, and to divide it would hold up all others."""


def divide(view: View, article: Member, now: float) -> Generator[Need, None, None]:
    """After an article joined a story: make it two, where its texts are those of two."""
    yield from view.want(members=[article.uid])
    story = view.root(view.present([article.uid])[0].story)
    if story is None or article.prints.words < LEAST_WORDS or not LEAST_TEXTS <= story.voters == len(story.texts):
        return
    if story.articles > MOST_ARTICLES:
        return
    yield from view.want(members=story.texts)
    texts = sorted(view.present(story.texts), key=order)
    other = divided([text.prints.story for text in texts])
    if other is None:
        return
    yield from view.want(rolls=[story.number])
    roll = list(view.rolls[story.number])
    if view.ties.among(set(roll)):
        return
    yield from view.want(members=roll)
    members = view.present(roll)
    for side in (True, False):  # an earlier copy of a later text may be the story's first article
        taken = with_copies(members, [text for text, out in zip(texts, other, strict=True) if out is side])
        if story.lead not in {member.uid for member in taken}:
            yield from take_apart(view, story, taken, now, backfill=article.backfill)
            return


def take_apart(
    view: View, story: Story, taken: Sequence[Member], now: float, *, backfill: bool = False
) -> Generator[Need, None, None]:
    """Take members, in order of time, out of a story into a new one; each keeps the score that it is given with.
    `backfill`: that it comes of an article that is no news."""
    for member in taken:
        yield from take_out(view, member.uid)
    view.emit(Event("split", view.seq, view.lang, story.number, taken[0].uid, backfill, into=view.made + 1))
    for member in taken:
        if member is taken[0]:
            yield from begin(view, Kinship(member), now, told=False)
        else:
            yield from join(view, Kinship(member), standing_at(view, view.made), member.score, now, told=False)


def with_copies(members: Sequence[Member], chosen: Sequence[Member]) -> list[Member]:
    """The chosen members and those of the same text, in order of time."""
    named = {member.uid for member in chosen}
    return sorted((m for m in members if m.uid in named or _repeats(m, chosen)), key=order)


def _repeats(member: Member, chosen: Sequence[Member]) -> bool:
    return any(relate(one.prints, member.prints) is Relation.COPY for one in chosen)

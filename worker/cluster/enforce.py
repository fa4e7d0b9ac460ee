"""Keeping corrections true: moving articles by hand, and what a placed article ties together.

Invariant: an article is moved whole, vote, terms, relations and all, in one step with its event.
"""

from collections.abc import Generator

from msgspec.structs import replace

from worker.cluster.constraints import destination, forbidden, held_apart, homes
from worker.cluster.join import join
from worker.cluster.merge import absorb, merge
from worker.cluster.relation import Kinship
from worker.cluster.ties import opposite
from worker.cluster.view import Need, View
from worker.cluster.withdraw import withdraw
from worker.model import Correction, Event, Member, Story, uid


def enforce(view: View, article: bytes, now: float) -> Generator[Need, None, None]:
    """After an article was placed: merge the stories, and fetch the articles, that corrections tie to it."""
    for correction in view.ties.of(article):
        if correction.until:
            view.put_correction(replace(correction, until=0.0))
        if correction.kind == "merge":
            yield from _reunite(view, correction, article, now)
        elif correction.kind == "pin" and uid(correction.one[0]) != article:
            yield from _fetch(view, uid(correction.one[0]), now)


def outlive(view: View, until: float) -> None:
    """Note on the corrections of articles that the view has removed how long they stay in force after them."""
    gone = [article for article in view.changes.members if view.members[article] is None]
    outlived = [replace(correction, until=until) for correction in view.ties.named(gone)]
    if outlived:
        view.put_corrections(outlived)


def move(view: View, article: bytes, number: int, now: float) -> Generator[Need, None, None]:
    """Take an article out of its story and into another; a story that it leaves empty leads there from now on."""
    member, left = yield from take_out(view, article)
    story = standing_at(view, number)
    if left is not None and not left.articles:
        story = absorb(view, member, story, left)
    else:
        origin = left.number if left is not None else member.story
        view.emit(Event("moved", view.seq, view.lang, origin, article, into=number))
    yield from join(view, Kinship(member), story, None, now, told=False)


def take_out(view: View, article: bytes) -> Generator[Need, None, tuple[Member, Story | None]]:
    """Withdraw a member as it is now; the member, and what is left of its story."""
    yield from view.want(members=[article])
    (member,) = view.present([article])
    left = yield from withdraw(view, member)
    return member, left


def standing_at(view: View, number: int) -> Story:
    """The story of a number that is known to be there."""
    story = view.root(number)
    assert story is not None
    return story


def _reunite(view: View, correction: Correction, article: bytes, now: float) -> Generator[Need, None, None]:
    """Merge the article's story with that of the other side; where those were split, the article goes there."""
    for partner in opposite(correction, article):
        places = yield from homes(view, [article, partner])
        if article not in places or places.get(partner, places[article]) == places[article]:
            continue
        own, other = standing_at(view, places[article]), standing_at(view, places[partner])
        member = view.members[article]
        if member is not None and not (yield from held_apart(view, own, other)):
            yield from merge(view, own, other, member, now)
        elif other.number not in (yield from forbidden(view, article)):
            yield from move(view, article, other.number, now)


def _fetch(view: View, pinned: bytes, now: float) -> Generator[Need, None, None]:
    """Bring a pinned article to the story that it belongs to, which has come only now."""
    places = yield from homes(view, [pinned])
    story = yield from destination(view, pinned)
    if story is not None and pinned in places and places[pinned] != story.number:
        yield from move(view, pinned, story.number, now)

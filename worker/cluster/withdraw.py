"""Taking an article out of its story again: vote, terms, bands, counts and relations, as if it had never joined.

Invariant: what is left is what the other members alone would have given. A story without members stays in the view
as an empty one, until its article comes back or goes to another story.
"""

from collections.abc import Generator

from msgspec.structs import replace

from worker.cluster import posting, vote
from worker.cluster.join import count, post_copy, post_text, with_outlet
from worker.cluster.relation import Kinship, order
from worker.cluster.view import Need, View
from worker.model import Member, Relation, Story


def withdraw(view: View, member: Member) -> Generator[Need, None, Story | None]:
    """Take a member out of its story; returns what is left of that (maybe no articles), None where it has ended."""
    yield from view.want(stories=[member.story])
    yield from view.want(stories=view.aliased([member.story]))
    story = view.root(member.story)
    if story is None:
        return None
    yield from view.want(rolls=[story.number])
    rest = [uid for uid in view.rolls[story.number] if uid != member.uid]
    yield from view.want(members=rest)
    others = sorted(view.present(rest), key=order)
    view.leave(story.number, member.uid)
    story = count(replace(story, articles=story.articles - 1), member.relation, -1)
    if not member.prints.empty:
        yield from _unpost_bands(view, member)
    if member.voting:
        story = yield from _unpost(view, story, member, others)
    story = _describe(_relate_orphans(view, story, member, others), others)
    view.put_story(story)
    return story


def _unpost(view: View, story: Story, member: Member, others: list[Member]) -> Generator[Need, None, Story]:
    """Take the vote, terms and bands back; the earliest copy that had no vote of its own takes them over."""
    prints = member.prints
    yield from view.want(terms=prints.terms)
    left: dict[str, int] = {}
    for other in others:
        if other.voting:
            for term, weight in zip(other.prints.terms, other.prints.weights, strict=True):
                left[term] = max(weight, left.get(term, 0))
    for term in prints.terms:
        known = view.terms[term]
        if term in left:
            view.put_term(term, posting.reweigh(known, story.number, left[term]))
        else:
            view.put_term(term, posting.drop(known, story.number))
    story = replace(
        story,
        planes=vote.subtract(story.planes, (prints.story,)),
        voters=story.voters - 1,
        texts=tuple(uid for uid in story.texts if uid != member.uid),
    )
    silent = [o for o in others if o.of == member.uid and o.relation is Relation.COPY and not o.voting]
    for copy in silent[1:]:
        yield from post_copy(view, copy)
    if silent:
        view.put_member(replace(silent[0], voting=True))
        story = yield from post_text(view, story, silent[0])
    return story


def _unpost_bands(view: View, member: Member) -> Generator[Need, None, None]:
    keys = posting.bands(member.prints.copy)
    yield from view.want(bands=keys)
    for key in keys:
        view.put_band(key, posting.unpost(view.bands[key], member.uid))


def _relate_orphans(view: View, story: Story, member: Member, others: list[Member]) -> Story:
    """Members that repeated the one that left, and the next in time if it was the first, are settled anew."""
    for place, other in enumerate(others):
        now_first = place == 0 and other.relation is not Relation.FIRST
        if other.of == member.uid or now_first:
            relation, of = Kinship(other).origin(
                [o for o in others[:place] if o.voting or o.relation is Relation.FIRST]
            )
            known = view.members[other.uid] or other
            view.put_member(replace(known, relation=relation, of=of))
            story = count(count(story, other.relation, -1), relation, 1)
    return story


def _describe(story: Story, others: list[Member]) -> Story:
    """Headline, span and outlets of the members that are left."""
    if not others:
        return replace(story, copies=0, rewrites=0, outlets=b"", heat=0.0, texts=())
    outlets = b""
    for source in {other.source for other in others}:
        outlets = with_outlet(outlets, source)
    times = [other.time for other in others]
    lead = others[0]
    return replace(
        story, lead=lead.uid, headline=lead.title or story.headline, first=min(times), last=max(times), outlets=outlets
    )

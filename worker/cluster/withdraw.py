"""Taking an article out of its story again: vote, terms, bands, counts and relations, as if it had never joined.

Invariant: what is left is what the other members alone would have given. A story without members stays in the view
as an empty one, until its article comes back or goes to another story.
"""

from collections.abc import Generator
from math import exp2

from msgspec.structs import replace

from worker.cluster.index import TEXTS, compared, post_copy, post_text, take_bands, take_terms
from worker.cluster.join import count, with_outlet
from worker.cluster.relation import Kinship, order, relate
from worker.cluster.timing import HEAT_HALF_LIFE_S, cooled
from worker.cluster.view import Need, View
from worker.cluster.vote import subtract
from worker.model import Member, Relation, Story

RELATED = 200
"""Of a story's members, the earliest with which one that has lost its original is compared."""


def withdraw(view: View, member: Member) -> Generator[Need, None, Story | None]:
    """Take a member out of its story; returns what is left of that (maybe no articles), None where it has ended."""
    yield from view.want(stories=[member.story])
    yield from view.want(stories=view.aliased([member.story]))
    story = view.root(member.story)
    if story is None:
        return None
    yield from view.want(rolls=[story.number])
    rest = [uid for uid in view.rolls[story.number] if uid != member.uid]
    view.leave(story.number, member.uid)
    if not member.prints.empty:
        yield from take_bands(view, member)
    if not story.articles:  # it is ending, part by part: only what is this member's goes here
        yield from take_terms(view, story, member.prints.terms, {})
        return None
    yield from view.want(members=rest)
    story = count(replace(story, articles=story.articles - 1), member.relation, -1)
    if member.voting:
        story = yield from _take_vote(view, story, member, rest)
    for other in view.present(rest):
        if other.prints.copy == member.prints.copy and not other.prints.empty:
            yield from post_copy(view, story, other)
    story = _relate_orphans(view, story, member, rest)
    story = _describe(cooled(story, member), sorted(view.present(rest), key=order))
    view.put_story(story)
    return story


def repeats(view: View, member: Member) -> Generator[Need, None, list[Member]]:
    """The members of its story that repeat this one, as they are now."""
    yield from view.want(stories=[member.story])
    yield from view.want(stories=view.aliased([member.story]))
    story = view.root(member.story)
    if story is None:
        return []
    yield from view.want(rolls=[story.number])
    yield from view.want(members=list(view.rolls[story.number]))
    return [other for other in view.present(list(view.rolls[story.number])) if other.of == member.uid]


def reclaim(view: View, kin: Kinship, repeating: list[Member]) -> None:
    """After a revision came back to its story: what repeated the old text, and still repeats the new one, says so."""
    article = view.members[kin.article.uid]
    for before in repeating:
        now, story = view.members[before.uid], view.root(before.story)
        stayed = article and now and story and view.root(article.story) == story and order(article) < order(now)
        if stayed and now and story and kin.to(now) is before.relation:
            view.put_member(replace(now, relation=before.relation, of=kin.article.uid))
            view.put_story(count(count(story, now.relation, -1), before.relation, 1))


def _take_vote(view: View, story: Story, member: Member, rest: list[bytes]) -> Generator[Need, None, Story]:
    """Take the vote and the terms back; copies of this text that no other text stands for vote themselves now."""
    left: dict[str, int] = {}
    voting = [other for other in view.present(rest) if other.voting]
    for other in voting:
        for term, weight in zip(other.prints.terms, other.prints.weights, strict=True):
            left[term] = max(weight, left.get(term, 0))
    yield from take_terms(view, story, member.prints.terms, left)
    story = replace(
        story,
        planes=subtract(story.planes, (member.prints.story,)),
        voters=story.voters - 1,
        texts=_texts_without(story, member, voting),
    )
    silent = [o for o in view.present(rest) if not o.voting and not o.prints.empty]
    for heir in sorted(silent, key=order):
        if relate(member.prints, heir.prints) is Relation.COPY and not _stands_for(view, story, heir):
            view.put_member(replace(heir, voting=True))
            story = yield from post_text(view, story, heir)
    return story


def _texts_without(story: Story, member: Member, voting: list[Member]) -> tuple[bytes, ...]:
    """The texts that new articles are compared with once the member has left: where some had no room before, they are
    chosen anew from all that have a vote, in order of placing."""
    texts = tuple(uid for uid in story.texts if uid != member.uid)
    if len(texts) == min(len(voting), TEXTS):
        return texts
    return compared(tuple(other.uid for other in sorted(voting, key=lambda other: other.seq)))


def _stands_for(view: View, story: Story, article: Member) -> bool:
    """Whether one of the story's compared texts is the article's."""
    return any(relate(text.prints, article.prints) is Relation.COPY for text in view.present(story.texts))


def _relate_orphans(view: View, story: Story, member: Member, rest: list[bytes]) -> Story:
    """Members that repeated the one that left, and the next in time if it was the first, are settled anew."""
    others = sorted(view.present(rest), key=order)
    for place, other in enumerate(others):
        now_first = place == 0 and other.relation is not Relation.FIRST
        if other.of == member.uid or now_first:
            earlier = view.present([o.uid for o in others[: min(place, RELATED)]])
            relation, of = Kinship(other).origin(earlier)
            view.put_member(replace(other, relation=relation, of=of))
            story = count(count(story, other.relation, -1), relation, 1)
    return story


def _describe(story: Story, others: list[Member]) -> Story:
    """Headline, span and outlets of the members that are left, in order."""
    if not others:
        return replace(story, copies=0, rewrites=0, outlets=b"", heat=0.0, texts=())
    outlets = b""
    for newsroom in {other.newsroom for other in others}:
        outlets = with_outlet(outlets, newsroom)
    first, last = others[0], max(other.time for other in others)
    heat = story.heat * exp2((story.last - last) / HEAT_HALF_LIFE_S)
    headline = first.title or story.headline
    return replace(story, lead=first.uid, headline=headline, first=first.time, last=last, outlets=outlets, heat=heat)

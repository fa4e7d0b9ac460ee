"""Beginning a story, and joining one: vote, key terms, bands, relations, counts and the event, all in one step.

Invariant: articles = 1 + copies + rewrites + reports, and one vote for each distinct text.
"""

from collections.abc import Generator
from hashlib import blake2b

from msgspec.structs import replace

from worker.cluster.index import post_copy, post_text
from worker.cluster.relation import STRENGTH, Kinship, order
from worker.cluster.timing import heat_at, heated
from worker.cluster.view import Need, View
from worker.model import Event, Member, Relation, Story

MAX_OUTLETS = 4096
AROUND = 64
"""Members around a late article's time that it is compared with besides the texts."""


def begin(
    view: View, kin: Kinship, now: float, again: Story | None = None, *, told: bool = True
) -> Generator[Need, None, None]:
    """A new story of one article; `again`: an emptied story that begins once more, under its number and with its place
    in its series. `told`: with an event of its own."""
    article = replace(kin.article, relation=Relation.FIRST, of=b"", score=None)
    if again is None:
        view.made += 1
        view.rolls[view.made] = {}
    number = again.number if again else view.made
    story = Story(number, article.title, article.time, article.time, now, article.uid)
    if again:
        story = replace(story, aliases=again.aliases, edition=again.edition, every=again.every)
    yield from _enter(view, story, article, not article.prints.empty, now)
    kind = "grew" if again else "new"
    if told:
        view.emit(Event(kind, view.seq, view.lang, number, article.uid, article.backfill))


def join(
    view: View, kin: Kinship, story: Story, score: float | None, now: float, *, told: bool = True
) -> Generator[Need, None, None]:
    """The article becomes a member: what it is to the earlier ones, and what later ones are to it, is settled here."""
    others = yield from _beside(view, kin.article, story)
    relation, of = kin.origin(others)
    article = replace(kin.article, relation=relation, of=of, score=score)
    voting = not article.prints.empty and not any(kin.to(text) is Relation.COPY for text in view.present(story.texts))
    later = [other for other in others if order(other) > order(article) and other.uid != article.uid]
    yield from view.want(members={other.of: None for other in later if other.of})
    story = _relate_later(view, kin, article, story, later)
    yield from _enter(view, story, article, voting, now)
    if told:
        view.emit(Event("grew", view.seq, view.lang, story.number, article.uid, article.backfill))


def _beside(view: View, article: Member, story: Story) -> Generator[Need, None, list[Member]]:
    """The members that the article is compared with: the story's texts, its first, and what a text is a copy of, where
    that came after it; for an article that arrives late also the members around its time, as a copy of a later text may
    repeat, or be repeated by, one that has no vote."""
    uids = dict.fromkeys([*story.texts, story.lead])
    if article.time <= story.last and story.articles > story.voters:
        yield from view.want(rolls=[story.number])
        by_distance = sorted(view.rolls[story.number].items(), key=lambda m: (abs(m[1] - article.time), m[0]))
        uids |= dict.fromkeys(uid for uid, _ in by_distance[:AROUND])
    yield from view.want(members=list(uids))
    uids |= dict.fromkeys(member.of for member in view.present(uids) if member.relation is Relation.COPY)
    yield from view.want(members=list(uids))
    return view.present(uids)


def count(story: Story, relation: Relation, by: int) -> Story:
    """The story's counts with `by` more members of a relation."""
    if relation is Relation.COPY:
        return replace(story, copies=story.copies + by)
    if relation is Relation.REWRITE:
        return replace(story, rewrites=story.rewrites + by)
    return story


def outlet_hash(newsroom: str) -> bytes:
    return blake2b(newsroom.encode("utf-8", "surrogatepass"), digest_size=4).digest()


def with_outlet(outlets: bytes, newsroom: str) -> bytes:
    """Sorted distinct hashes of outlets with one more (Member.newsroom); where nothing tells whose it is, none."""
    known = {outlets[i : i + 4] for i in range(0, len(outlets), 4)}
    if newsroom and len(known) < MAX_OUTLETS:
        known.add(outlet_hash(newsroom))
    return b"".join(sorted(known))


def _enter(view: View, story: Story, article: Member, voting: bool, now: float) -> Generator[Need, None, None]:
    article = replace(article, story=story.number, voting=voting)
    if voting:
        story = yield from post_text(view, story, article)
    elif not article.prints.empty:
        yield from post_copy(view, story, article)
    last = max(story.last, article.time)
    story = replace(
        story,
        articles=story.articles + 1,
        outlets=with_outlet(story.outlets, article.newsroom),
        first=min(story.first, article.time),
        last=last,
        active=now,
        heat=heat_at(story.heat, story.last, last) if article.backfill else heated(story, article.time),
    )
    view.put_story(count(story, article.relation, 1))
    view.put_member(article)
    view.join(story.number, article.uid, article.time)


def _relate_later(view: View, kin: Kinship, article: Member, story: Story, later: list[Member]) -> Story:
    """Keep the relations true when an earlier article arrives late: later texts may repeat it."""
    for other in later:
        relation, of = _origin_now(view, kin, other)
        if (relation, of) != (other.relation, other.of):
            view.put_member(replace(other, relation=relation, of=of))
            story = count(count(story, other.relation, -1), relation, 1)
    if article.relation is Relation.FIRST:
        story = replace(story, lead=article.uid, headline=article.title or story.headline)
    return story


def _origin_now(view: View, kin: Kinship, other: Member) -> tuple[Relation, bytes]:
    """What a later member is, and of whom, now that the article came before it."""
    relation = kin.to(other)
    if other.relation is Relation.FIRST or STRENGTH[relation] > STRENGTH[other.relation]:
        return relation, kin.article.uid if relation is not Relation.REPORT else b""
    repeated = view.present([other.of])
    if relation is other.relation and repeated:
        return Kinship(other).origin([*repeated, kin.article])
    return other.relation, other.of

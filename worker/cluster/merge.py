"""Two stories that turn out to be one: counts summed, members united, an alias left behind.

Invariant: the story that was created first keeps its number; an alias points at a root, never at another alias.
"""

from collections.abc import Generator, Iterable

from msgspec.structs import replace

from worker.cluster import vote
from worker.cluster.constraints import held_apart
from worker.cluster.edition import are_editions
from worker.cluster.evidence import USUAL_STRICTNESS, demanded
from worker.cluster.halves import LEAST_WORDS, divided
from worker.cluster.index import TEXTS, compared
from worker.cluster.join import MAX_OUTLETS, count
from worker.cluster.relation import Kinship, order
from worker.cluster.timing import DAY_S, heat_at, time_factor
from worker.cluster.view import Need, View
from worker.fingerprint import cosine
from worker.model import Event, Member, Story

RELATED = 100
"""Members of two merged stories, the earliest, that are related anew besides their texts: 5,000 pairs, 25 ms."""
MERGE_COSINE = 0.5
"""Two stories whose votes are as alike as this, faded by the time between them, are one."""


def merge_alike(
    view: View, article: Member, number: int, others: Iterable[int], now: float
) -> Generator[Need, None, None]:
    """After an article joined a story: merge it with those of `others` that it has become too like to stay apart."""
    least = demanded(MERGE_COSINE, (view.strictness + USUAL_STRICTNESS) / 2)
    for other_number in others:
        story, other = view.root(number), view.root(other_number)
        if story is None or other is None or story.number == other.number:
            continue
        if story.voters < 2 or not other.voters or alike(story, other) < least:
            continue
        yield from view.want(members=[*story.texts, *other.texts])
        if article.prints.words >= LEAST_WORDS and _would_divide(view, story, other):
            continue
        if are_editions(story, other, view.present(story.texts), view.present(other.texts)):
            continue
        if not (yield from held_apart(view, story, other)):
            yield from merge(view, story, other, article, now)


def _would_divide(view: View, a: Story, b: Story) -> bool:
    """Whether the two would be divided again as soon as they are one."""
    texts = sorted(view.present([*a.texts, *b.texts]), key=order)
    return a.voters + b.voters <= TEXTS and divided([text.prints.story for text in texts]) is not None


def absorb(view: View, article: Member, story: Story, emptied: Story) -> Story:
    """The only article of a story went to another one: its number leads there from now on."""
    for number in (emptied.number, *emptied.aliases):
        view.put_alias(number, story.number)
    view.emit(Event("merged", view.seq, view.lang, emptied.number, article.uid, article.backfill, story.number))
    return replace(story, aliases=(*story.aliases, emptied.number, *emptied.aliases))


def alike(a: Story, b: Story) -> float:
    """The cosine of two stories' votes, faded by the days between their spans."""
    days = max(0.0, b.first - a.last, a.first - b.last) / DAY_S
    return cosine(vote.majority(a.planes, a.voters), vote.majority(b.planes, b.voters)) * time_factor(days)


def merge(view: View, a: Story, b: Story, article: Member, now: float) -> Generator[Need, None, None]:
    """Unite two stories under the older number; what the texts of both are to each other is settled anew."""
    keep, lose = (a, b) if a.number < b.number else (b, a)
    yield from view.want(rolls=[keep.number, lose.number])
    members = sorted((view.rolls[keep.number] | view.rolls[lose.number]).items(), key=lambda m: (m[1], m[0]))
    related = {keep.lead, lose.lead, *keep.texts, *lose.texts, *(uid for uid, _ in members[:RELATED])}
    yield from view.want(members=sorted(related))
    yield from view.want(members=sorted({member.of for member in view.present(related) if member.of}))
    one = _relate_again(view, _both(view, keep, lose, now), related)
    for number in (lose.number, *lose.aliases):
        view.put_alias(number, one.number)
    view.put_story(one)
    view.unite(lose.number, one.number)
    view.emit(Event("merged", view.seq, view.lang, lose.number, article.uid, article.backfill, one.number))


def _both(view: View, keep: Story, lose: Story, now: float) -> Story:
    """The counts, votes and texts of two stories together; the one that stood later in its series gives its place."""
    last = max(keep.last, lose.last)
    later = max(keep, lose, key=lambda story: (story.edition, story.every))
    outlets = {o[i : i + 4] for o in (keep.outlets, lose.outlets) for i in range(0, len(o), 4)}
    texts = sorted(view.present({*keep.texts, *lose.texts}), key=lambda member: member.seq)
    return replace(
        keep,
        first=min(keep.first, lose.first),
        last=last,
        active=now,
        articles=keep.articles + lose.articles,
        copies=keep.copies + lose.copies,
        rewrites=keep.rewrites + lose.rewrites,
        outlets=b"".join(sorted(outlets)[:MAX_OUTLETS]),
        heat=heat_at(keep.heat, keep.last, last) + heat_at(lose.heat, lose.last, last),
        planes=vote.add(keep.planes, lose.planes),
        voters=keep.voters + lose.voters,
        texts=compared(tuple(member.uid for member in texts)),
        aliases=(*keep.aliases, lose.number, *lose.aliases),
        edition=later.edition,
        every=later.every,
    )


def _relate_again(view: View, story: Story, uids: set[bytes]) -> Story:
    """The relations of the members of both, among each other: one of the two leads is not the first any more."""
    texts = sorted(view.present(uids), key=order)
    for text in texts:
        relation, of = Kinship(text).origin([*texts, *view.present([text.of])])
        if (relation, of) != (text.relation, text.of):
            view.put_member(replace(text, relation=relation, of=of))
            story = count(count(story, text.relation, -1), relation, 1)
    return replace(story, lead=texts[0].uid, headline=texts[0].title or story.headline) if texts else story

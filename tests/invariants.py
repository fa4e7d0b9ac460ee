"""What must hold of every language's shard after every commit, whatever was published, revised, merged or ended."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from functools import reduce
from itertools import chain

from worker.cluster import View, posting, vote
from worker.cluster.index import TEXTS
from worker.cluster.join import outlet_hash
from worker.cluster.relation import order, relate
from worker.cluster.ties import opposite, uids
from worker.model import Alias, Correction, Member, Relation, Story


def check(view: View, filled: Collection[str] = ()) -> None:
    """Fails with the first thing that does not hold. filled: terms whose posting was full once, and is not any more: it
    may have shrunk by a merge since it pushed a story out."""
    groups: dict[int, list[Member]] = {}
    for member in filter(None, view.members.values()):
        story = view.root(member.story)
        assert story is not None, f"{member.id} has no story"
        groups.setdefault(story.number, []).append(member)
    for number, stored in view.stories.items():
        if isinstance(stored, Alias):
            assert not isinstance(view.stories.get(stored.root), Alias), "an alias points at an alias"
        elif stored is not None and stored.articles:
            _check_story(view, stored, sorted(groups.get(number, []), key=order))
    _check_postings(view, groups, filled)
    _check_bands(view)
    for correction in view.ties.all():
        _check_correction(view, correction)


def check_relations(view: View) -> None:
    """No report repeats an earlier member of its story: who was first stays true, in whatever order they arrived."""
    for member in filter(None, view.members.values()):
        if member.relation is not Relation.REPORT:
            continue
        story = view.root(member.story)
        assert story is not None
        for other in filter(None, view.members.values()):
            if view.root(other.story) == story and order(other) < order(member):
                kind = relate(other.prints, member.prints)
                assert kind is not Relation.COPY, f"{member.id} is a copy of {other.id}"
                assert kind is Relation.REPORT or not other.voting, f"{member.id} is a rewrite of {other.id}"


def _check_story(view: View, story: Story, members: list[Member]) -> None:
    kinds = Counter(member.relation for member in members)
    assert story.articles == len(members) >= 1
    assert (story.copies, story.rewrites) == (kinds[Relation.COPY], kinds[Relation.REWRITE])
    assert kinds[Relation.FIRST] == 1
    assert members[0].relation is Relation.FIRST
    assert story.lead == members[0].uid
    assert (story.first, story.last) == (members[0].time, max(m.time for m in members))
    assert view.rolls[story.number] == {m.uid: m.time for m in members}
    assert story.outlets == b"".join(sorted({outlet_hash(m.newsroom) for m in members if m.newsroom}))
    assert story.heat >= 0
    by_uid = {m.uid: m for m in members}
    for member in members:
        assert bool(member.of) == (member.relation in (Relation.COPY, Relation.REWRITE))
        if member.of:
            assert order(by_uid[member.of]) < order(member), "it repeats a later member, or one of another story"
    _check_vote(story, members)


def _check_vote(story: Story, members: list[Member]) -> None:
    voters = [m for m in members if m.voting]
    assert story.voters == len(voters)
    none: vote.Planes = ()
    assert story.planes == reduce(lambda planes, m: vote.add(planes, (m.prints.story,)), voters, none)
    assert voters or all(m.prints.empty for m in members), "a story with words has no vote"
    assert set(story.texts) <= {m.uid for m in voters}
    assert len(story.texts) == min(len(voters), TEXTS)


def _check_correction(view: View, correction: Correction) -> None:
    """Each pair of articles that it names, as far as they are there, is where it wants them."""
    members = [view.members.get(article) for article in uids(correction)]
    roots = {m.uid: story.number for m in members if m and (story := view.root(m.story)) and story.articles}
    for article, number in roots.items():
        for other in opposite(correction, article):
            together = roots.get(other, number) == number
            assert together or correction.kind == "split", f"{correction} is not kept: they are apart"
            assert not together or correction.kind != "split" or other not in roots, f"{correction} is not kept"


def _entries(packed: bytes) -> Iterator[tuple[int, int]]:
    for at in range(0, len(packed), 5):
        yield int.from_bytes(packed[at : at + 4], "little"), packed[at + 4]


def _check_postings(view: View, groups: dict[int, list[Member]], filled: Collection[str]) -> None:
    """A posting names just the stories that have the term in a voting text, unless newer ones pushed them out."""
    holders: dict[str, set[int]] = defaultdict(set)
    for number, members in groups.items():
        for term in chain.from_iterable(m.prints.terms for m in members if m.voting):
            holders[term].add(number)
    for term, packed in view.terms.items():
        named = set()
        for number, _ in _entries(packed):
            story = view.root(number)
            assert story is not None, f"{term!r} names a story that has ended"
            named.add(story.number)
            if story.articles:
                assert story.number in holders[term], f"nobody has {term!r}"
        if len(packed) < posting.FULL and term not in filled:
            alive = {n for n in holders[term] if (story := view.root(n)) and story.articles}
            assert alive <= named, f"{term!r} does not name a story that has it"


def _check_bands(view: View) -> None:
    for packed in view.bands.values():
        for copy, uid in posting.posted(packed):
            member = view.members.get(uid)
            assert member is not None, "a band holds an article that is gone"
            assert member.prints.copy == copy
    for member in filter(None, view.members.values()):
        story = view.root(member.story)
        if not member.prints.empty and story is not None and story.articles:
            for band in posting.bands(member.prints.copy):
                known = {copy for copy, _ in posting.posted(view.bands.get(band, b""))}
                assert member.prints.copy in known, f"{member.id} cannot be found by its text"

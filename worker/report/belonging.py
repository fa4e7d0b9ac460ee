"""Why each article is in its story, and what words hold the story together.

Invariant: pure. The limits are those of the decision; what it added where other stories fitted nearly as well is not
kept with an article, so a threshold here is the least that was asked.
"""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from worker import cluster
from worker.cluster.timing import DAY_S
from worker.model import Correction, Member, Relation, story_id
from worker.report.words import fraction

_MOST_COUNTED = 200
"""Texts, the first, whose key terms are counted."""


class Why(Struct, frozen=True):
    """Why an article belongs. `score` and `threshold` are None where none decided; `by_hand`: the name of the newest
    correction that names it, or ""."""

    words: str
    score: float | None = None
    threshold: float | None = None
    by_hand: str = ""


class Shared(Struct, frozen=True):
    """A key term of a story, and how many of its texts have it."""

    term: str
    texts: int


def belonging(
    lang: str,
    number: int,
    members: Sequence[Member],
    strictness: float,
    corrections: Sequence[tuple[str, Correction]] = (),
) -> list[Why]:
    """Why each of the members of the story of this number belongs to it; corrections: (name, correction) of those in
    force that are about this story, the oldest first. The score of a member that came with a story that was merged
    into this one was measured against that one, and says so."""
    by_hand = {article: name for name, said in corrections if said.kind != "merge" for article in said.one}
    began = min(members, key=lambda member: member.seq, default=None)
    asked = _thresholds(members, strictness)
    for other in {member.story for member in members} - {number}:
        asked |= _thresholds([member for member in members if member.story == other], strictness)
    return [
        _why(
            member,
            asked[member.uid],
            by_hand.get(member.id, ""),
            "" if member.story == number else f", as it was in {story_id(lang, member.story)}",
            begins=member is began,
        )
        for member in members
    ]


def shared_terms(members: Sequence[Member], most: int = 24) -> tuple[int, tuple[Shared, ...]]:
    """(texts that were counted, the key terms that several of them have); those that most have first."""
    texts = [member.prints for member in members if member.voting and not member.prints.empty][:_MOST_COUNTED]
    counts: Counter[str] = Counter()
    weights: Counter[str] = Counter()
    for text in texts:
        counts.update(text.terms)
        weights.update(text.by_term)
    several = [term for term, texts_with in counts.items() if texts_with > 1 or len(texts) == 1]
    best = sorted(several, key=lambda term: (-counts[term] * weights[term], term))[:most]
    shown = sorted(best, key=lambda term: (-counts[term], -weights[term], term))
    return len(texts), tuple(Shared(term, counts[term]) for term in shown)


def _why(member: Member, threshold: float, by_hand: str, then: str, *, begins: bool) -> Why:
    """then: the story that it was in when it was placed, in words, "" for this one."""
    if by_hand:
        return Why(f"put here by an editor, correction {by_hand}", member.score, None, by_hand)
    if member.score is None:
        return Why("the story began with it" if begins else "came with the articles it was with")
    if member.relation is Relation.COPY:
        return Why("the same text: joins at any score", member.score)
    score, limit = fraction(member.score), fraction(threshold)
    if member.score >= threshold:
        return Why(f"score {score}, where {limit} was enough{then}", member.score, threshold)
    if then:
        return Why(f"score {score}{then}", member.score)
    why = f"score {score}, under the {limit} asked by its size: it came by a merge, or by a text that has gone"
    return Why(why, member.score, threshold)


def _thresholds(members: Sequence[Member], strictness: float) -> dict[bytes, float]:
    """uid -> the least score that was asked of a member, by what the story had when it came."""
    asked = dict[bytes, float]()
    voters, first, last = 0, float("inf"), float("-inf")
    for member in sorted(members, key=lambda member: member.seq):
        away_s = max(0.0, first - member.time, member.time - last) if voters else 0.0
        limit = cluster.threshold(member.prints.words, max(1, voters), away_s / DAY_S)
        asked[member.uid] = cluster.demanded(limit, strictness)
        voters += member.voting
        first, last = min(first, member.time), max(last, member.time)
    return asked

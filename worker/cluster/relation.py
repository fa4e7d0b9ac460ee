"""What two texts are to each other, and what each member of a story is to the earlier ones.

Invariant: symmetrical in the texts; who repeats whom is decided by event time alone.
"""

from collections.abc import Iterable

from worker.cluster.posting import COPY_DISTANCE
from worker.fingerprint import containment, cosine, hamming
from worker.model import Fingerprints, Member, Relation

COPY_CONTAINMENT = 0.8
REWRITE_CONTAINMENT = 0.25
REWRITE_COSINE = 0.5
SHORT_WORDS = 30
"""Under this, two texts are copies only if they are the same words: a few shingles prove nothing."""

STRENGTH = {Relation.FIRST: 0, Relation.REPORT: 0, Relation.REWRITE: 1, Relation.COPY: 2}


def relate(earlier: Fingerprints, later: Fingerprints) -> Relation:
    """COPY, REWRITE or REPORT: what the later text is to the earlier one."""
    if earlier.empty or later.empty:
        return Relation.REPORT
    if earlier.digest == later.digest:
        return Relation.COPY
    if min(earlier.words, later.words) < SHORT_WORDS:
        return Relation.REPORT
    shared = containment(earlier, later)
    if shared >= COPY_CONTAINMENT or hamming(earlier.copy, later.copy) <= COPY_DISTANCE:
        return Relation.COPY
    if shared >= REWRITE_CONTAINMENT and cosine(earlier.story, later.story) >= REWRITE_COSINE:
        return Relation.REWRITE
    return Relation.REPORT


def order(member: Member) -> tuple[float, int]:
    """Who was first: by event time, equal times by order of arrival."""
    return member.time, member.seq


class Kinship:
    """What one article is to other members; each pair is compared once."""

    def __init__(self, article: Member) -> None:
        self.article = article
        self._known: dict[bytes, Relation] = {}

    def to(self, other: Member) -> Relation:
        """COPY, REWRITE or REPORT."""
        if other.uid not in self._known:
            self._known[other.uid] = relate(other.prints, self.article.prints)
        return self._known[other.uid]

    def origin(self, others: Iterable[Member]) -> tuple[Relation, bytes]:
        """What the article is to the earlier ones of `others`, and the uid of the one it repeats (empty for a report).

        The strongest relation wins, then the larger containment, then the earliest. FIRST where nobody is earlier.
        """
        earlier = [other for other in others if order(other) < order(self.article)]
        if not earlier:
            return Relation.FIRST, b""
        strongest = max(map(self.to, earlier), key=STRENGTH.__getitem__)
        if strongest is Relation.REPORT:
            return strongest, b""
        best = min(
            (other for other in earlier if self.to(other) is strongest),
            key=lambda o: (-round(containment(o.prints, self.article.prints), 2), order(o)),
        )
        return strongest, best.uid

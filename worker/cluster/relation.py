"""What two texts are to each other, and what each member of a story is to the earlier ones.

Invariant: symmetrical in the texts; who repeats whom is decided by event time alone. Wording decides, not words: two
reports of one event use the same words, but not in the same order.
"""

from collections.abc import Iterable

from worker.cluster.posting import COPY_DISTANCE
from worker.fingerprint import hamming
from worker.model import Fingerprints, Member, Relation
from worker.sketch import Overlap, overlap

COPY_CONTAINMENT = 0.85
"""Of the shorter text's 3-shingles, what a copy has: a cut, an insert or an agency line leaves 92 % and more, one word
in ten replaced 80 %, 100 words of boilerplate under two texts of 40 words 75 %."""
REWRITE_OVERLAP = 0.42
"""Of both texts' 3-shingles in the mean, what a rewrite has: three words in ten replaced leave 58 %, while 99 in 100
pairs of independent reports share less than 38 %, most of it quotes."""
SHORT_WORDS = 30
"""Under this, two texts are copies only if they are the same words: a few shingles prove nothing."""
_LONGER_COUNTS = 0.25
"""Which of two texts a third one repeats is told by what the shorter of a pair has of the longer, and in this part by
the reverse: of an original and of its cut copy, another copy has all that the shorter has."""
_AS_NEAR = 0.05
"""What two of them differ by as a mere chance of the sketches: then the earlier one is repeated."""

STRENGTH = {Relation.FIRST: 0, Relation.REPORT: 0, Relation.REWRITE: 1, Relation.COPY: 2}


def relate(earlier: Fingerprints, later: Fingerprints) -> Relation:
    """COPY, REWRITE or REPORT: what the later text is to the earlier one."""
    return _relate(earlier, later, overlap(earlier, later))


def _relate(a: Fingerprints, b: Fingerprints, shared: Overlap) -> Relation:
    if a.empty or b.empty:
        return Relation.REPORT
    if a.digest == b.digest:
        return Relation.COPY
    if shared.of_shorter < REWRITE_OVERLAP or a.words < SHORT_WORDS or b.words < SHORT_WORDS:
        return Relation.REPORT
    if shared.of_shorter >= COPY_CONTAINMENT or hamming(a.copy, b.copy) <= COPY_DISTANCE:
        return Relation.COPY
    return Relation.REWRITE if shared.mean >= REWRITE_OVERLAP else Relation.REPORT


def order(member: Member) -> tuple[float, int]:
    """Who was first: by event time, equal times by order of arrival."""
    return member.time, member.seq


class Kinship:
    """What one article is to other members; each pair is compared once."""

    def __init__(self, article: Member) -> None:
        self.article = article
        self._known: dict[bytes, tuple[Relation, float, float]] = {}

    def to(self, other: Member) -> Relation:
        """COPY, REWRITE or REPORT."""
        return self._compared(other)[0]

    def wording(self, other: Member) -> float:
        """The share of the shorter text's 3-shingles that the other has, 0 to 1."""
        return self._compared(other)[2]

    def origin(self, others: Iterable[Member]) -> tuple[Relation, bytes]:
        """What the article is to the earlier ones of `others`, and the uid of the one it repeats (empty for a report).

        The strongest relation wins, then the largest share of wording, then of those that come up to it the earliest.
        FIRST where nobody is earlier.
        """
        earlier = [other for other in others if order(other) < order(self.article)]
        if not earlier:
            return Relation.FIRST, b""
        strongest = max(map(self.to, earlier), key=STRENGTH.__getitem__)
        if strongest is Relation.REPORT:
            return strongest, b""
        alike = [other for other in earlier if self.to(other) is strongest]
        least = max(self._compared(other)[1] for other in alike) - _AS_NEAR
        return strongest, min((other for other in alike if self._compared(other)[1] >= least), key=order).uid

    def _compared(self, other: Member) -> tuple[Relation, float, float]:
        """The relation, how much of the wording speaks for it, and what the shorter text has of the longer."""
        if other.uid not in self._known:
            shared = overlap(other.prints, self.article.prints)
            relation = _relate(other.prints, self.article.prints, shared)
            weight = shared.of_shorter + _LONGER_COUNTS * shared.of_longer
            self._known[other.uid] = relation, weight, shared.of_shorter
        return self._known[other.uid]

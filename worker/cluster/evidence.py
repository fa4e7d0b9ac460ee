"""How alike an article and a story are, and how alike they have to be: the figures behind a decision.

Invariant: symmetrical for two texts, and a story of one text scores as that text. The weights were chosen on labelled
sets (docs/quality.md); none of them names a set, an outlet or a word.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import log, pow, sqrt

from worker.cluster import posting
from worker.cluster.timing import time_factor
from worker.fingerprint import cosine
from worker.model import FULL_WEIGHT, Fingerprints

_TERMS = 0.7
"""What the key terms count for, the rest is all words: strangers have many words in common, and few that are rare."""
THRESHOLD = 0.115
"""The least score that joins a story of one text."""
_BY_SIZE = 0.077
"""Added times the logarithm of a story's texts, up to eight: a large story has words in common with anything."""
_COUNTED_TEXTS = 8
_SHORT_WORDS = 25.0
"""A headline has few words, and a large story of headlines is no broader for it."""
_BY_LENGTH = 0.026
"""Added times the logarithm of an article's length in 200 words, up to four of them."""
_LONG_WORDS = 200.0
_MOST_LENGTHS = 4.0
_BY_RIVAL = 0.5
"""Added times what the next best story's score is above this much: where several fit, each fits by its subject alone,
and the more stories a day has, the more often one of them does."""
_NO_RIVAL = 0.085
_NEWEST = 80
"""Stories, the newest, over which a term's present rarity is counted."""
_RARE = 0.006
"""A term in fewer of them tells as much as its rarity in the language says."""
_BELIEF = 50.0
"""Stories that all terms are taken to be rare in besides: among few stories, a share says little."""
_FINE = 256

USUAL_STRICTNESS = 0.5
_LOOSEST = 0.7
"""What strictness 0 leaves of every limit: with less, strangers draw so much into a story that others lose theirs."""
_STRICTEST = 3.5
"""What strictness 1 makes of it: two articles in a hundred that are together then do not belong together."""


def score(likeness: float, closest: float, overlap: float, centre: float, days: float) -> float:
    """How well an article fits a story, about 0 to 1, faded by time.

    The weighted mean of four cosines: of all words to the story's vote and to its closest text, as the fingerprints
    estimate them; of the key terms to the closest text and to all texts together, exactly.
    """
    return ((1 - _TERMS) * (likeness + closest) + _TERMS * (overlap + centre)) / 2 * time_factor(days)


def threshold(words: int, voters: int, days: float) -> float:
    """The least score that joins: of an article of so many words, to a story of so many texts, so long apart.

    Of a long text more is asked than of a short one, as it has more words in common with anything; what days apart ask
    besides takes that up.
    """
    length = _BY_LENGTH * log(min(_MOST_LENGTHS, max(1.0, words / _LONG_WORDS)))
    base = max(THRESHOLD, (THRESHOLD + length) * time_factor(days))
    if voters < 2:
        return base
    short = 1 / (1 + (words / _SHORT_WORDS) ** 2)
    return base + _BY_SIZE * log(min(voters, _COUNTED_TEXTS)) * (1 - short)


def rivalry(next_best: float) -> float:
    """What is added to a threshold where another story has this score."""
    return _BY_RIVAL * max(0.0, next_best - _NO_RIVAL)


def demanded(limit: float, strictness: float) -> float:
    """What becomes of a limit at a strictness from 0 to 1; at the usual one it stays as it is. Grows with both."""
    if strictness < USUAL_STRICTNESS:
        return limit * pow(_LOOSEST, 1 - strictness / USUAL_STRICTNESS)
    return limit * pow(_STRICTEST, (strictness - USUAL_STRICTNESS) / (1 - USUAL_STRICTNESS))


def pair_score(a: Fingerprints, b: Fingerprints, days: float) -> float:
    """The score of two articles by themselves: each as a story of one text."""
    alike = cosine(a.story, b.story)
    return score(alike, alike, *key_terms(as_they_are(a), a.weights, [b]), days)


def present_terms(article: Fingerprints, postings: Sequence[bytes], made: int) -> dict[str, int]:
    """The article's key terms, each with what its weight is worth now, in 256ths: less, where many of the newest
    stories have it. postings: one for each of them; made: the number of the newest story.

    A name that is in every fifth story these days tells little of which one this is, however rare it is in the
    language. Inverse document frequency (Spärck Jones 1972) over stories, as the postings count them.
    """
    newest = min(made, _NEWEST)
    found = posting.counts(postings, made - _NEWEST)
    shares = [(stories + _BELIEF * _RARE) / (newest + _BELIEF) for stories in found]
    worth = [min(1.0, log(share) / log(_RARE)) for share in shares]
    return {term: round(_FINE * w * x) for term, w, x in zip(article.terms, article.weights, worth, strict=True)}


def as_they_are(article: Fingerprints) -> dict[str, int]:
    """The same where nothing is known of the present: two articles by themselves."""
    return {term: _FINE * weight for term, weight in article.by_term.items()}


def key_terms(worth: Mapping[str, int], weights: bytes, texts: Sequence[Fingerprints]) -> tuple[float, float]:
    """An article's key terms beside those of a story's texts: the largest product with one text, and the cosine to all
    of them together; nought for none.

    worth: of each term, in 256ths; weights: the article's, of the unit vector. Whole numbers: sums have no order.
    """
    products = [_dot(worth, text.by_term) for text in texts]
    length = _length(weights) * _together(texts)
    return max(products, default=0) / _FINE / FULL_WEIGHT**2, sum(products) / _FINE / length if length else 0.0


def _together(texts: Sequence[Fingerprints]) -> float:
    """The length of the sum of the texts' key terms, remembered: many articles are compared with one story.

    What is remembered holds the very texts, so that no other objects can have their identities: by estimate at most
    220 MB, where 1,000 lists have 32 texts each, of 7 KB, and share none.
    """
    if len(texts) == 1:
        return _length(texts[0].weights)
    same = tuple(map(id, texts))
    if same not in _lengths:
        if len(_lengths) >= _KEPT_LENGTHS:
            _lengths.clear()
        _lengths[same] = texts, _length_of_sum(texts)
    return _lengths[same][1]


_KEPT_LENGTHS = 1_000
_lengths: dict[tuple[int, ...], tuple[Sequence[Fingerprints], float]] = {}


def _length_of_sum(texts: Sequence[Fingerprints]) -> float:
    together: dict[str, int] = {}
    for text in texts:
        for term, weight in zip(text.terms, text.weights, strict=True):
            together[term] = together.get(term, 0) + weight
    return sqrt(sum(weight * weight for weight in together.values()))


@lru_cache(maxsize=20_000)
def _length(weights: bytes) -> float:
    return sqrt(sum(weight * weight for weight in weights))


def _dot(a: Mapping[str, int], b: Mapping[str, int]) -> int:
    return sum([a[term] * b[term] for term in a.keys() & b.keys()])

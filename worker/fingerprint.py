"""Fingerprints of an article: what makes a copy, a rewrite and another report of one event comparable.

Invariant: static. A fingerprint depends on the text, its language, wordfreq 3.1, PyStemmer 3.1, this module and those
below it, never on other articles; any change of one of these is a new schema (store/keys/).
"""

from collections.abc import Collection
from hashlib import blake2b
from math import cos, pi

import numpy as np
from numpy.typing import NDArray

from worker.figures import figures
from worker.lexicon import rarity
from worker.model import Fingerprints
from worker.scripts import tokens_a_word
from worker.sketch import sketch
from worker.stem import is_stemmed, stem
from worker.text import names, tokens
from worker.vocabulary import Numbers, Vocabulary

STORY_BITS = 2048
STORY_WORDS = 400
"""Words of an article that its story fingerprint looks at: news has its facts on top."""
COPY_SHINGLE = 3
KEY_TERMS = 48
TITLE_COUNTS = 3
"""A word of the headline counts as often as three in the text."""

LEAD_WORDS = 60
"""The first words of a report tell the event; they count as much as all 400 together."""
NAMED = 1.5
"""A name tells more than another word as rare: who and where, not what kind of event."""
NAMED_CHARACTERS = 1500
"""Of a text, for names, from its top: twice as many cost a twelfth of a fingerprint and tell no more."""
_SCALE = 1000
"""Weights are whole thousandths, so that sums are exact and the simhash package agrees bit for bit."""


def fingerprints(title: str, text: str, lang: str) -> Fingerprints:
    """Everything that clustering compares, from a clean title and text; empty for a text without words."""
    head, body = tokens(title, lang), tokens(text, lang)
    words = body or head
    if not words:
        return Fingerprints()
    named = names(f"{title}\n{text[:NAMED_CHARACTERS]}", lang)
    numbers = _vocabulary.numbers([*head, *body, *sorted(named)])
    read, called = numbers[: len(head) + len(body)], numbers[len(head) + len(body) :]
    terms, weights = _weighted(read[: len(head)], read[len(head) :], lang, called)
    shingles = _shingles(read[-len(words) :])
    heaviest = _heaviest(terms, weights)
    norm = float(weights @ weights) ** 0.5
    return Fingerprints(
        copy=copy_simhash(shingles),
        story=_majority(terms, weights),
        sketch=sketch(shingles),
        shingles=shingles.size,
        words=-(-len(words) // tokens_a_word(lang)),
        digest=blake2b(" ".join([*head, "\n", *body]).encode(), digest_size=8).digest(),
        terms=tuple([term for _, term in heaviest]),
        weights=bytes([max(1, round(-255 * weight / norm)) for weight, _ in heaviest]),
        figures=figures(_vocabulary.numerals(read[: len(head) + STORY_WORDS * tokens_a_word(lang)])),
    )


def term_weights(head: list[str], body: list[str], lang: str, named: Collection[str] = ()) -> dict[str, int]:
    """Term -> weight in thousandths: that of the whole text and that of its lead, each a vector of length one, summed.

    A term is a word's stem, or the word where the language has no stems (worker/stem.py). It weighs
    (1 + ln tf) x max(0, 6.5 - zipf), half as much more where it is a name; title words count thrice. A text of nothing
    but the commonest words keeps them all, at equal weights.
    """
    numbers = _vocabulary.numbers([*head, *body, *sorted(named)])
    first, rest, called = np.split(numbers, [len(head), len(head) + len(body)])
    terms, weights = _weighted(first, rest, lang, called)
    return dict(zip((_vocabulary.words[term] for term in terms.tolist()), weights.tolist(), strict=True))


def story_simhash(weights: dict[str, int]) -> bytes:
    """The 2048-bit SimHash (Charikar 2002) of weighted words, big-endian.

    Equals `simhash.Simhash(weights, f=2048, hashfunc=lambda b: hashlib.shake_128(b).digest(256))`, with the weights as
    floats, as the package's whole weights end at 255.
    """
    return _majority(_vocabulary.numbers(list(weights)), np.array(list(weights.values())))


def _weighted(head: Numbers, body: Numbers, lang: str, named: Numbers) -> tuple[Numbers, NDArray[np.int64]]:
    """The distinct terms of a text that weigh something, and their weights.

    In the order of their hashes: that of their numbers depends on earlier articles, and sums depend on the order.
    """
    size = tokens_a_word(lang)
    words = np.concatenate((head.repeat(TITLE_COUNTS), body[: STORY_WORDS * size]))
    terms, counts, lead = _counted(words, TITLE_COUNTS * head.size + LEAD_WORDS * size)
    order = np.argsort(_vocabulary.hashes(terms))
    terms, counts, lead = terms[order], counts[order], lead[order]
    rarities = _vocabulary.rarities(terms, lang)
    heavy = rarities > 0
    if not heavy.any():
        return terms, np.full(terms.size, _SCALE)
    rarities[_vocabulary.among(terms, named)] *= NAMED
    terms, counts, lead, rarities = terms[heavy], counts[heavy], lead[heavy], rarities[heavy]
    if is_stemmed(lang):
        stems = _vocabulary.stems(terms, lang)
        _, first, which = np.unique(_vocabulary.hashes(stems), return_index=True, return_inverse=True)
        terms = stems[first]
        rarities = np.bincount(which, weights=counts * rarities) / np.bincount(which, weights=counts)
        counts, lead = _together(which, counts), _together(which, lead)
    weights = _unit(_often(counts) * rarities) + _unit(_often(lead) * rarities)
    return terms, np.maximum(1, np.rint(_SCALE * weights)).astype(np.int64)


def _counted(words: Numbers, first: int) -> tuple[Numbers, Numbers, Numbers]:
    """The distinct words, sorted; how often each is there; how often among the first so many.

    One sort of whole numbers that say both the word and whether it comes later: np.unique with its inverse takes thrice
    the time.
    """
    packed = words << 1
    packed[first:] |= 1
    packed.sort()
    sorted_words = packed >> 1
    bounds = np.flatnonzero(np.concatenate((_TRUE, sorted_words[1:] != sorted_words[:-1], _TRUE)))
    starts = bounds[:-1]
    counts = bounds[1:] - starts
    return sorted_words[starts], counts, counts - np.add.reduceat(packed & 1, starts)


def _together(which: Numbers, counts: Numbers) -> Numbers:
    return np.bincount(which, weights=counts).astype(np.intp)


def _often(counts: Numbers) -> NDArray[np.float64]:
    """1 + ln tf; nought for none."""
    return _OFTEN[counts] if int(counts.max()) < _OFTEN.size else _logs(counts)


def _logs(counts: Numbers) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.where(counts, 1 + np.log(np.maximum(counts, 1)), 0.0)
    return found


_TRUE = np.array([True])
_HALF = STORY_BITS // 16
_OFTEN = _logs(np.arange(1000))
"""Of a word that occurs so often: 1 + ln tf."""


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / (float(vector @ vector) ** 0.5 or 1.0)


def _majority(terms: Numbers, weights: NDArray[np.int64]) -> bytes:
    """The bits that more than half of the weight has; in halves, which stay in the processor's cache."""
    values, rows = weights.astype(np.float32), _vocabulary.rows(terms)
    halves = rows[:, :_HALF], rows[:, _HALF:]
    votes = [values @ np.unpackbits(half, axis=1).astype(np.float32) for half in halves]
    return np.packbits(np.concatenate(votes) > values.sum() / 2).tobytes()


def _heaviest(terms: Numbers, weights: NDArray[np.int64]) -> list[tuple[int, str]]:
    """The KEY_TERMS heaviest words, equal weights in the order of the words, each with its weight below nought.

    What is lighter than the last of them is set aside first: comparing 230 words would cost as much as a fingerprint.
    """
    if terms.size > KEY_TERMS:
        heavy = weights >= np.partition(weights, -KEY_TERMS)[-KEY_TERMS]
        terms, weights = terms[heavy], weights[heavy]
    words = [_vocabulary.words[term] for term in terms.tolist()]
    return sorted(zip((-weights).tolist(), words, strict=True))[:KEY_TERMS]


def hamming(a: bytes, b: bytes) -> int:
    """How many bits differ; both of one length."""
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).bit_count()


def cosine(a: bytes, b: bytes) -> float:
    """The cosine of two word vectors as their story fingerprints estimate it: standard error about 0.03."""
    return COSINES[hamming(a, b)]


COSINES = tuple(cos(pi * distance / STORY_BITS) for distance in range(STORY_BITS + 1))
"""The cosine that a Hamming distance between two story fingerprints stands for (Charikar 2002)."""


def shared_terms(a: Fingerprints, b: Fingerprints) -> list[tuple[str, int, int]]:
    """The key terms of both, with the weight (0 to 255) on each side, the largest product first."""
    right = dict(zip(b.terms, b.weights, strict=True))
    pairs = [(t, w, right[t]) for t, w in zip(a.terms, a.weights, strict=True) if t in right]
    return sorted(pairs, key=lambda pair: (-pair[1] * pair[2], pair[0]))


def shingle_hashes(words: list[str]) -> NDArray[np.uint64]:
    """64-bit hashes of the distinct word 3-shingles, sorted; of all words together where there are fewer than three.

    A shingle's hash mixes those of its words, each remembered: five times faster than hashing every shingle's text.
    The finaliser is SplitMix64's (Steele et al. 2014).
    """
    return _shingles(_vocabulary.numbers(words))


def _shingles(words: Numbers) -> NDArray[np.uint64]:
    hashes = _vocabulary.hashes(words)
    width = min(COPY_SHINGLE, hashes.size)
    mixed = np.zeros(hashes.size - width + 1, dtype=np.uint64)
    for offset in range(width):
        mixed = mixed * _ODD + hashes[offset : offset + mixed.size]
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = np.sort(mixed ^ (mixed >> np.uint64(31)))
    distinct: NDArray[np.uint64] = mixed[
        np.append(True, mixed[1:] != mixed[:-1])
    ]  # np.unique, in a quarter of the time
    return distinct


def copy_simhash(shingles: NDArray[np.uint64]) -> bytes:
    """The 64-bit SimHash of shingle hashes at equal weights, big-endian: the simhash package's over the same hashes."""
    bits = np.unpackbits(shingles.astype(">u8").view(np.uint8).reshape(shingles.size, 8), axis=1)
    ones = np.ones(shingles.size, dtype=np.float32) @ bits.astype(np.float32)
    return np.packbits(2 * ones > shingles.size).tobytes()


_ODD = np.uint64(0x9E3779B97F4A7C15)


_vocabulary = Vocabulary(STORY_BITS, rarity, stem)

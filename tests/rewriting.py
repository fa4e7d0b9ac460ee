"""Copies and rewrites made from an article, the truth known: what relations are measured on.

Invariant: pure. The same text, seed and synonyms give the same pairs; how much was changed is exact, not on average.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from random import Random
from typing import NamedTuple

from wordfreq import top_n_list, zipf_frequency

COMMONEST_ZIPF = 5.5
"""Words above this (the, said, new) are not content: about half of a news text."""
CUT_SHARE = 1 / 3
INSERTED_WORDS = 60

LEAST_COPIES = {
    "another headline": 0.98,
    "last third cut": 0.98,
    "60 words inserted": 0.98,
    "agency line": 0.98,
}
"""Kind of copy -> the least share of pairs that must be called copies."""
LEAST_FOUND = {0.1: 0.98, 0.2: 0.95, 0.3: 0.85}
"""Share of content words replaced -> the least share of pairs that must be called rewrites or copies."""
SHARES = (0.1, 0.2, 0.3, 0.4)

Synonym = Callable[[str, Random], str | None]
"""Another word (or words) for a lower-case one; None where there is none."""


class Text(NamedTuple):
    """What a reader gets."""

    title: str
    text: str


AGENCY_LINES = (
    "(Northwire) - ",
    "CAPITAL CITY (Northwire) -- ",
    "By our correspondent, Northwire, with agencies: ",
    "\nCopyright Northwire. All rights reserved. This material may not be published, broadcast or redistributed.",
    "\nNorthwire contributed to this report.",
    "\n(Reporting by the Northwire desk; editing by the night editor; all times local)",
)
"""An agency's marks, written for tests: before the text, or after it (those that begin a line)."""

_SENTENCE = re.compile(r"(?:(?<=[.!?])|(?<=[.!?][\"”’)]))\s+(?=[\"“‘(]?[A-Z0-9])")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_FEWEST_LETTERS = 3


def copies(text: Text, other: Text, rng: Random) -> Iterator[tuple[str, Text]]:
    """One copy of each kind, all of them under the other's headline; the inserted words are the other's."""
    yield "another headline", retitled(text, other.title)
    yield "last third cut", cut(text, other.title)
    yield "60 words inserted", inserted(text, other.title, other.text, rng)
    yield "agency line", with_agency(text, other.title, rng)


def retitled(text: Text, title: str) -> Text:
    """The same text under another headline."""
    return Text(title, text.text)


def cut(text: Text, title: str) -> Text:
    """Without its last third, counted in words; paragraphs stay."""
    return Text(title, _up_to(text.text, round(len(text.text.split()) * (1 - CUT_SHARE))))


def inserted(text: Text, title: str, foreign: str, rng: Random) -> Text:
    """With 60 words of a foreign text as a paragraph of their own, after any sentence or before the first."""
    words = foreign.split()
    at = rng.randrange(max(1, len(words) - INSERTED_WORDS + 1))
    piece = " ".join(words[at : at + INSERTED_WORDS])
    parts = sentences(text.text)
    place = rng.randrange(len(parts) + 1)
    return Text(title, "\n".join([*filter(None, [" ".join(parts[:place]), piece, " ".join(parts[place:])])]))


def with_agency(text: Text, title: str, rng: Random) -> Text:
    """With an agency's mark before or after it."""
    line = rng.choice(AGENCY_LINES)
    return Text(title, text.text + line if line.startswith("\n") else line + text.text)


def swapped(parts: Sequence[str], rng: Random) -> list[str]:
    """Sentences in another order: neighbours change places, one pair in two."""
    order = list(parts)
    for at in range(0, len(order) - 1, 2):
        if rng.random() < 0.5:
            order[at], order[at + 1] = order[at + 1], order[at]
    return order


def shuffled(parts: Sequence[str], rng: Random) -> list[str]:
    """Sentences in any order."""
    return rng.sample(list(parts), len(parts))


def rewritten(
    text: Text,
    title: str,
    share: float,
    synonym: Synonym,
    rng: Random,
    order: Callable[[Sequence[str], Random], list[str]] = swapped,
) -> Text:
    """With this share of its content words replaced by synonyms, then its sentences reordered."""
    body = replaced(text.text, share, synonym, rng)
    return Text(title, " ".join(order(sentences(body), rng)))


def replaced(text: str, share: float, synonym: Synonym, rng: Random) -> str:
    """Words of the share of content words, chosen at random among those that have a synonym."""
    found = [match for match in _WORD.finditer(text) if is_content(match.group().lower())]
    left = round(share * len(found))
    chosen: dict[int, str] = {}
    for match in rng.sample(found, len(found)):
        if left <= 0:
            break
        other = synonym(match.group().lower(), rng)
        if other:
            chosen[match.start()] = other.capitalize() if match.group()[0].isupper() else other
            left -= 1
    return _WORD.sub(lambda match: chosen.get(match.start(), match.group()), text)


def sentences(text: str) -> list[str]:
    """A text's sentences, in order, by a rule of thumb: a line, or what ends before a capital."""
    return [part for line in text.splitlines() for part in _SENTENCE.split(line) if part.strip()]


@cache
def is_content(word: str) -> bool:
    """Whether a word carries content: not one of the commonest, and of three letters or more."""
    return len(word) >= _FEWEST_LETTERS and zipf_frequency(word, "en") <= COMMONEST_ZIPF


def as_rare(word: str, rng: Random) -> str:
    """A word of about the same rarity: for a fingerprint, a synonym is nothing but another word."""
    words = _by_rarity()
    at = _rank(word)
    return words[min(len(words) - 1, max(0, at + rng.choice((-1, 1)) * rng.randint(1, 40)))]


@cache
def _rank(word: str) -> int:
    frequency = zipf_frequency(word, "en")
    words = _by_rarity()
    low, high = 0, len(words)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if zipf_frequency(words[middle], "en") > frequency else (low, middle)
    return low


@cache
def _by_rarity() -> list[str]:
    """The 50,000 commonest English words, commonest first."""
    return [word for word in top_n_list("en", 50_000) if word.isalpha()]


def _up_to(text: str, words: int) -> str:
    """The first so many words of a text, lines as they are."""
    ends = [match.end() for match in re.finditer(r"\S+", text)]
    return text[: ends[min(words, len(ends)) - 1]] if ends and words else ""

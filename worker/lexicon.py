"""How common the words of a language are, and where they end in scripts that put no spaces between them.

Invariant: static: wordfreq 3.1 alone decides, never other articles. Pure but for reading that package's lists once.
"""

import gzip
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import accumulate
from math import log10

from msgspec import msgpack

SEGMENTED = ("ja", "ko", "zh")
"""Languages whose words are found by the list: Japanese and Chinese, and Korean, whose words carry their particles."""
NO_WEIGHT_ZIPF = 6.5
"""Words as common as this tell nothing: `the` has 7.7, `said` 6.2."""

_UNKNOWN_ZIPF = 1.5
_BY_LENGTH = (7.2, 6.9, 6.1, 5.1, 4.6, 4.4, 4.1, 3.9, 3.8, 3.5)
"""Of words of so many letters, one, two ... ten and more, where there is no list: the mean of ten languages in news
(Zipf's law of abbreviation). At equal weights, `de`, `la` and `que` made one story of all that is told in Spanish."""
_PIECE = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\U0010ffff]")
"""Scripts of which pieces stand for words: all of one length."""
_PIECE_ZIPF = 4.5
_NUMBER_ZIPF = {1: 5.8, 2: 5.0, 3: 4.0, 4: 4.5}
"""By digits, about what wordfreq's number model gives; four digits are mostly years."""
_LISTS = {"no": "nb", "hr": "sh", "sr": "sh", "bs": "sh", "tl": "fil"}
_RAREST = 700
"""Centibels below one."""
_LENGTHS = (2, 3)
"""Characters of a word that is found, but for single ones: what has four and more is two words or three, as outlets
compound them differently."""
_UNKNOWN_CHARACTER = -10.0
_PARTICLE = -3.0
"""Occurs once in a thousand words: a single character as common is no part of a name."""


def rarity(word: str, lang: str) -> float:
    """What a word weighs in a language: 0 or less for the commonest, 5 for one that nobody knows."""
    return NO_WEIGHT_ZIPF - zipf(word, lang)


def zipf(word: str, lang: str) -> float:
    """log10 of a word's occurrences in a thousand million; the common ones of a language have 6 and more."""
    if word[0].isdecimal():
        return _NUMBER_ZIPF.get(len(word), 3.0)
    known = frequencies(lang)
    if not known:
        return _PIECE_ZIPF if _PIECE.match(word) else _BY_LENGTH[min(len(word), len(_BY_LENGTH)) - 1]
    frequency = known.get(word)
    return max(_UNKNOWN_ZIPF, log10(frequency) + 9) if frequency else _UNKNOWN_ZIPF


class Frequencies:
    """The words of a list and their shares, packed: 2 to 8 MB a language where a dict takes 20 to 60, as a feed may
    state another language for every entry. A lookup takes 5 microseconds; the vocabulary asks once a word.
    """

    def __init__(self, by_centibels: Sequence[Sequence[str]]) -> None:
        below = {word.encode(): place for place, words in enumerate(by_centibels) for word in words}
        ordered = sorted(below)
        self._words = b"".join(ordered)
        self._ends = array("I", accumulate(map(len, ordered)))
        self._below = array("H", map(below.__getitem__, ordered))

    def __len__(self) -> int:
        return len(self._below)

    def get(self, word: str) -> float | None:
        """A word's share of all words; None for one that is not listed."""
        wanted = word.encode("utf-8", "surrogatepass")
        at = bisect_left(range(len(self)), wanted, key=self._word)
        return 10 ** (-self._below[at] / 100) if at < len(self) and self._word(at) == wanted else None

    def items(self) -> Iterator[tuple[str, float]]:
        """All words with their shares, in the order of their UTF-8."""
        for at, below in enumerate(self._below):
            yield self._word(at).decode(), 10 ** (-below / 100)

    def _word(self, at: int) -> bytes:
        return self._words[self._ends[at - 1] if at else 0 : self._ends[at]]


_NONE = Frequencies(())


def frequencies(lang: str) -> Frequencies:
    """Word -> its share of all words; empty for a language that wordfreq has no list of.

    But for English only words that occur once in ten million or more often: a third of the memory less, and no worse.
    """
    known = _LISTS.get(lang, lang)
    return _list(known) if known in _available() else _NONE


@cache
def _available() -> frozenset[str]:
    from wordfreq import available_languages  # noqa: PLC0415 (0.2 s, only where needed)

    return frozenset(available_languages())


@cache
def _list(known: str) -> Frequencies:
    from wordfreq import get_frequency_list  # noqa: PLC0415

    by_centibels = get_frequency_list(known)
    get_frequency_list.cache_clear()
    if known != "en":
        del by_centibels[_RAREST + 1 :]  # before they are packed, as both stand in memory for a while
    return Frequencies(by_centibels)


@lru_cache(maxsize=20_000)
def segment(run: str, lang: str) -> tuple[str, ...]:
    """The words of a run of characters without spaces, in a language of SEGMENTED: the likeliest sequence of listed
    words of up to three characters (Viterbi 1967, a unigram model).

    Names are rarely listed: single characters that stand together become overlapping pairs.
    """
    likelihood = _likelihoods(lang).get
    best, starts = [0.0], [0]
    for end, character in enumerate(run, 1):
        likeliest, start = best[-1] + likelihood(character, _UNKNOWN_CHARACTER), end - 1
        for length in _LENGTHS[:end]:
            found = likelihood(run[end - length : end])
            if found is not None and best[end - length] + found > likeliest:
                likeliest, start = best[end - length] + found, end - length
        best.append(likeliest)
        starts.append(start)
    words, end = [], len(run)
    while end:
        words.append(run[starts[end] : end])
        end = starts[end]
    return tuple(_with_names(words[::-1], lang))


def _with_names(words: list[str], lang: str) -> list[str]:
    likelihood = _likelihoods(lang).get
    found: list[str] = []
    name = ""
    for word in [*words, ""]:
        if len(word) == 1 and likelihood(word, _UNKNOWN_CHARACTER) < _PARTICLE and not "\u3040" <= word <= "\u309f":
            name += word
            continue
        if name:
            found += [name[i : i + 2] for i in range(max(1, len(name) - 1))]
            name = ""
        if word:
            found.append(word)
    return found


@cache
def _likelihoods(lang: str) -> dict[str, float]:
    """log10 of the share of each listed word that is short enough."""
    return {word: log10(share) for word, share in frequencies(lang).items() if len(word) <= _LENGTHS[-1]}


@cache
def simplified() -> dict[int, str]:
    """Traditional Chinese characters and the simplified ones that wordfreq lists words in, for `str.translate`."""
    packed = (files("wordfreq") / "data" / "_chinese_mapping.msgpack.gz").read_bytes()
    return msgpack.decode(gzip.decompress(packed), type=dict[int, str])

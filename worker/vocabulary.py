"""What fingerprints need of each word, remembered in arrays: looked up once a word, then used by its number.

Invariant: pure; what an array says of a word depends on the word (and language) alone. Bounded: a vocabulary that has
outgrown its limit starts anew, so numbers are good only until the next call of `numbers`. For one thread.
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b, shake_128

import numpy as np
from numpy.typing import NDArray

LIMIT = 100_000
"""Words that are remembered: what 20,000 articles of one language use; 52 MB at the peak, as its arrays grow."""

_FIRST_ROOM = 1 << 12

Numbers = NDArray[np.intp]


class Vocabulary:
    """Numbers words as they come, over all languages.

    bits: how many bits a word's long hash has; rarity: what a word weighs in a language; stem: the word that stands
    for it there. Four lookups a word in caches of their own cost twice the time of all arithmetic; one lookup and whole
    arrays do not.
    """

    def __init__(
        self, bits: int, rarity: Callable[[str, str], float], stem: Callable[[str, str], str], limit: int = LIMIT
    ) -> None:
        self._width = bits // 8
        self._rarity = rarity
        self._stem = stem
        self._limit = limit
        self._clear()

    def _clear(self) -> None:
        words: list[str] = []
        self._known = _Known(words)
        self._filled = 0
        self._hashes = np.zeros(_FIRST_ROOM, dtype=np.uint64)
        self._rows = np.zeros((_FIRST_ROOM, self._width), dtype=np.uint8)
        self._numeral = np.zeros(_FIRST_ROOM, dtype=np.bool_)
        self._rarities: dict[str, NDArray[np.float64]] = {}
        self._stems: dict[str, Numbers] = {}
        self.words = words
        """Number -> word. Last: where a signal ends this method, they are still too many, and it runs again."""

    def numbers(self, words: Sequence[str]) -> Numbers:
        """The number of each word; new ones are added."""
        if len(self.words) > self._limit:
            self._clear()
        found = np.fromiter(map(self._known.__getitem__, words), dtype=np.intp, count=len(words))
        if self._filled < len(self.words):
            self._fill(self.words[self._filled :])
        return found

    def hashes(self, numbers: Numbers) -> NDArray[np.uint64]:
        """64-bit hashes of these words (BLAKE2b)."""
        return self._hashes[numbers]

    def rows(self, numbers: Numbers) -> NDArray[np.uint8]:
        """The long hashes of these words (SHAKE128), a row each."""
        return self._rows[numbers]

    def numerals(self, numbers: Numbers) -> list[str]:
        """Those of these words that begin with a digit, in order."""
        return [self.words[number] for number in numbers[self._numeral[numbers]].tolist()]

    def among(self, numbers: Numbers, others: Numbers) -> NDArray[np.bool_]:
        """Of each of these words whether it is one of the others; np.isin sorts both, which takes ten times as long."""
        marked = np.zeros(len(self.words), dtype=np.bool_)
        marked[others] = True
        return marked[numbers]

    def rarities(self, numbers: Numbers, lang: str) -> NDArray[np.float64]:
        """What these words weigh in a language."""
        known = self._rarities.setdefault(lang, np.empty(0))
        if known.size < len(self._rows):
            known = np.append(known, np.full(len(self._rows) - known.size, np.nan))
            self._rarities[lang] = known
        found = known[numbers]
        if np.isnan(found).any():
            for number in numbers[np.isnan(found)].tolist():
                known[number] = self._rarity(self.words[number], lang)
            found = known[numbers]
        return found

    def stems(self, numbers: Numbers, lang: str) -> Numbers:
        """The numbers of the words that stand for these in a language; new ones are added, and none is forgotten."""
        known = self._stems.setdefault(lang, np.empty(0, dtype=np.intp))
        if known.size < len(self._rows):
            known = np.append(known, np.full(len(self._rows) - known.size, -1))
            self._stems[lang] = known
        new = numbers[known[numbers] < 0]
        if new.size:
            known[new] = [self._known[self._stem(self.words[number], lang)] for number in new.tolist()]
            if self._filled < len(self.words):
                self._fill(self.words[self._filled :])
        return known[numbers]

    def _fill(self, words: Sequence[str]) -> None:
        """Hash the newest words; where a signal ends that, they are hashed at the next call."""
        start, end = self._filled, self._filled + len(words)
        if end > len(self._rows):
            room = max(end, 2 * len(self._rows))
            self._hashes = np.append(self._hashes, np.zeros(room - len(self._hashes), dtype=np.uint64))
            self._numeral = np.append(self._numeral, np.zeros(room - len(self._numeral), dtype=np.bool_))
            self._rows = np.append(self._rows, np.zeros((room - len(self._rows), self._width), dtype=np.uint8), axis=0)
        texts = [word.encode() for word in words]
        hashes = b"".join([blake2b(text, digest_size=8).digest() for text in texts])
        rows = b"".join([shake_128(text).digest(self._width) for text in texts])
        self._numeral[start:end] = [word[:1].isdecimal() for word in words]
        self._hashes[start:end] = np.frombuffer(hashes, dtype=">u8")
        self._rows[start:end] = np.frombuffer(rows, dtype=np.uint8).reshape(len(texts), self._width)
        self._filled = end


class _Known(dict[str, int]):
    """Word -> number; a word that is not there yet gets the next one."""

    def __init__(self, words: list[str]) -> None:
        super().__init__()
        self._words = words

    def __missing__(self, word: str) -> int:
        self._words.append(word)  # first: where a signal comes between, two words never have one number
        number = self[word] = len(self._words) - 1
        return number

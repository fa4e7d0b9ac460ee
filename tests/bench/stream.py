"""A stream of news at any volume, with the truth: words at wordfreq's frequencies, beats, and bursts that are stories.

Invariant: a pure function of its arguments. An article draws its words from the language as a whole, from its beat
(the vocabulary of one subject, which all stories of that subject share), and from its story (some thirty words, common
and rare, of which each report uses its own choice). The figures below are such that cosines within a story and to
strangers, the rarity of an article's key terms, and that of the terms which two reports share, are near those of real
articles (docs/quality.md).
"""

from collections.abc import Iterable, Iterator
from functools import cache
from heapq import heappop, heappush
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from worker.model import Article

T = TypeVar("T")

DAY_S = 86_400.0
WINDOW_S = 7 * DAY_S
END_S = 1_767_571_200.0
"""When the window ends and the probes come."""
LARGEST_STORY = 50
_SIZE_POWER = 2.3
"""A story has n articles with a probability of about n ** -2.3: two of three have one, the mean is two."""
_GAP_S, _SPAN_S = 3 * 3600.0, 36 * 3600.0
"""The mean time between two articles of a story: three hours, less where many of them share a day and a half."""
WARM_S = 2 * DAY_S
"""So long before a stream the stories begin that are told in it."""
_BEATS, _BEAT_POWER = 1000, 1.5
"""Subjects, and how uneven they are: the most told has one story in a hundred, half have less than one in 1,200."""
_BEAT_WORDS = 600
_STORY_WORDS = 30
_TITLE_WORDS = 9
_MEDIAN_WORDS = 250
_SHARES = (0.66, 0.20, 0.14)
"""Of an article's words: from the language, from its beat, from its story."""
_TAIL, _CONTENT = 1.2, 0.95
"""Powers of wordfreq's frequencies: one article has fewer of the rarest words than so many words drawn one by one."""
_COPIES = 0.12
_SOURCES = 2_000

Words = NDArray[np.int32]
Weights = NDArray[np.float64]


class Report(NamedTuple):
    """An article of a story: its place among the story's articles, and its time in seconds since 1970."""

    event: str
    place: int
    time: float
    title: str
    text: str
    source: str

    @property
    def id(self) -> str:
        return f"{self.event}.{self.place}"

    @property
    def url(self) -> str:
        return f"https://{self.source}.example/news/2026/{self.title.replace(' ', '-')[:40]}-{self.id}.html"

    def article(self) -> Article:
        """The report as a poller would queue it."""
        return Article(
            id=self.id, title=self.title, text=self.text, url=self.url,
            source=self.source, lang="en", published=self.time, received=self.time,
        )  # fmt: skip


class Event:
    """What happened: a beat, its own words, and `size` reports, which are drawn unless they are given."""

    def __init__(self, kind: str, number: int, size: int = 0) -> None:
        self.name = f"{kind}{number}"
        self._random = random = np.random.default_rng([2, *kind.encode(), number])
        self._beat = int(_BEATS * random.random() ** _BEAT_POWER)
        beat, said = _beat(self._beat)
        chosen, weights = _content()
        own = _STORY_WORDS // 2
        words = np.concatenate([beat[_draw(random, said, own)], chosen[_draw(random, weights, own)]])
        self._words = random.permutation(np.unique(words))
        self._said = _cumulative(1.0 / (3.0 + np.arange(len(self._words))))
        self.size = size or 1 + int(_draw(random, _sizes(), 1)[0])

    def reports(self, begin_s: float) -> Iterator[Report]:
        """The story's articles in order of time; some are copies of the one before with another headline."""
        random, time_s, text = self._random, begin_s, self._write()
        for place in range(self.size):
            if place and random.random() >= _COPIES:
                text = self._write()
            source = f"outlet{int(_SOURCES * random.random() ** 2)}"
            yield Report(self.name, place, time_s, _spelt(self._headline()), _spelt(text), source)
            time_s += float(random.exponential(min(_GAP_S, _SPAN_S / self.size)))

    def _write(self) -> Words:
        random = self._random
        length = float(np.clip(random.lognormal(np.log(_MEDIAN_WORDS), 0.5), 40, 900))
        plain, subject, story = (int(length * share) for share in _SHARES)
        beat, said = _beat(self._beat)
        own = self._words[_draw(random, self._said, story)]
        parts = (_draw(random, _language(), plain), beat[_draw(random, said, subject)], own)
        return random.permutation(np.concatenate(parts))

    def _headline(self) -> Words:
        random = self._random
        beat, said = _beat(self._beat)
        own = self._words[_draw(random, self._said, 4)]
        rest = (beat[_draw(random, said, 2)], _draw(random, _language(), _TITLE_WORDS - 6))
        return random.permutation(np.concatenate([own, *rest]))


def filling(count: int, span_s: float = WINDOW_S) -> Iterator[Report]:
    """About so many articles of a time that ends at END_S, in order: of stories that begin in it, or have before."""
    mean_size = float(np.diff(_sizes(), prepend=0.0) @ np.arange(1, LARGEST_STORY + 1))
    random = np.random.default_rng([3, count])
    due: list[tuple[float, str, Report]] = []
    number, begin_s = 0, END_S - span_s - WARM_S
    while begin_s < END_S:
        while due and due[0][0] <= begin_s:
            yield heappop(due)[2]
        for report in Event("f", number).reports(begin_s):
            if report.time >= END_S - span_s:
                heappush(due, (report.time, report.id, report))
        number, begin_s = number + 1, begin_s + float(random.exponential(span_s * mean_size / max(1, count)))
    while due and due[0][0] <= END_S:
        yield heappop(due)[2]


def observed(count: int) -> tuple[list[Report], list[Report]]:
    """(what came before, in order of time; `count` probes): articles at the end of the window, as a reader of the
    stream meets them there. An event is met in proportion to its size, at any of its reports; earlier ones came before.
    """
    random = np.random.default_rng(4)
    sizes = np.arange(1, LARGEST_STORY + 1)
    biased = _cumulative(np.diff(_sizes(), prepend=0.0) * sizes)
    before: list[Report] = []
    probes: list[Report] = []
    for number in range(count):
        size = 1 + int(_draw(random, biased, 1)[0])
        reports = list(Event("p", number, size).reports(0.0))[: int(random.integers(size)) + 1]
        shift = END_S + 0.1 * number - reports[-1].time
        *earlier, probe = (report._replace(time=report.time + shift) for report in reports)
        before += earlier
        probes.append(probe)
    return sorted(before, key=lambda report: (report.time, report.id)), probes


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of `size`, the last one maybe shorter."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


@cache
def _vocabulary() -> tuple[list[str], Weights]:
    """English words, commonest first, and how often each stands among a thousand million words."""
    from wordfreq import get_frequency_dict

    known = get_frequency_dict("en")
    words = sorted((w for w in known if w.isalpha() and w.isascii()), key=lambda w: (-known[w], w))
    return words, np.array([known[w] * 1e9 for w in words])


@cache
def _language() -> Weights:
    return _cumulative(_vocabulary()[1] ** _TAIL)


@cache
def _content() -> tuple[Words, Weights]:
    """Words that can be of a subject: not the commonest 300."""
    words, frequency = _vocabulary()
    return np.arange(300, len(words), dtype=np.int32), _cumulative(frequency[300:] ** _CONTENT)


@cache
def _beat(number: int) -> tuple[Words, Weights]:
    """A beat's words, and how often each is said there: by rank, as everywhere."""
    random = np.random.default_rng([1, number])
    chosen, weights = _content()
    words = random.permutation(np.unique(chosen[_draw(random, weights, 2 * _BEAT_WORDS)]))[:_BEAT_WORDS]
    return words, _cumulative(1.0 / (10.0 + np.arange(len(words))))


@cache
def _sizes() -> Weights:
    return _cumulative(np.arange(1, LARGEST_STORY + 1, dtype=np.float64) ** -_SIZE_POWER)


def _spelt(words: Words) -> str:
    names, _ = _vocabulary()
    return " ".join([names[word] for word in words])


def _cumulative(weights: NDArray[Any]) -> Weights:
    shares: Weights = np.cumsum(weights) / weights.sum()
    return shares


def _draw(random: np.random.Generator, cumulative: Weights, count: int) -> Words:
    drawn: Words = np.searchsorted(cumulative, random.random(count)).clip(max=len(cumulative) - 1).astype(np.int32)
    return drawn

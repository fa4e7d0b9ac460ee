"""Recurring reports (market close, weather, "what we know today"): every edition is a story of its own.

Invariant: two articles are editions of one report by what differs while the rest recurs: an outlet's title half a day
later, or the same wording around other figures and names. Once three editions of a report are known, an article joins
one of them only with its news. Nothing here knows an outlet, a title or a topic.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec.structs import replace

from worker.cluster.dates import DATING
from worker.cluster.join import outlet_hash
from worker.cluster.relation import Kinship
from worker.cluster.timing import DAY_S
from worker.figures import agreement
from worker.model import Fingerprints, Member, Story
from worker.text import tokens

APART_DAYS = 0.5

TEMPLATE = 0.25
"""Texts that share this much of the shorter one's 3-shingles have their wording from one hand: of independent reports
one pair in fifty does."""
_OTHER_NEWS = 0.22
"""Texts of one wording tell other news where they share less than this of what is news in them."""
_BY_WORDING = 0.5
"""That limit rises by so much for each share of the wording beyond TEMPLATE: a copy shares all."""
_SAME_TITLE = 0.3
"""It rises by so much under one title, but for its numbers and dates, if _SAME_TITLE_DAYS lie between."""
_SAME_TITLE_DAYS = 0.25
"""Sooner the same title may well tell how many more were found."""
_LEAST_SAID = 1.0
"""What figures must say at least; with fewer, names alone would decide."""
_LEAST_WORDS = 15
"""A headline is no template."""
_NAMES_SAY = 1.5
"""What the heaviest terms of a text say beside its figures (see figures.py)."""
_NAMES = 8

KNOWN = 2
"""So many editions before it make a story one of a known series: one alone may be a chance."""
_SAME_NEWS = 0.4
"""The least share of common news between reports of one edition of a known series, close in time."""
_SAME_NEWS_LATE = 0.6
"""The same where the report is further from the edition's beginning than _WINDOW_S, or half of the series' interval."""
_SAME_NEWS_AGAIN = 0.8
"""The same where, so late, the outlet has told the edition before."""
_WINDOW_S = 43_200.0


@lru_cache(maxsize=20_000)
def label(title: str) -> tuple[str, ...]:
    """What recurs of a title: its words without numbers, days and months; all of it where nothing else is left."""
    words = tokens(title)
    return tuple(word for word in words if not word[0].isdecimal() and word not in DATING) or tuple(words)


def is_edition(kin: Kinship, story: Story, texts: Sequence[Member]) -> bool:
    """Whether the article is another edition of what the story tells: it never joins it, however alike they are."""
    article = kin.article
    others = [text for text in texts if text.uid != article.uid]
    return _recurs(article, story, others) or _tells_other_news(kin, others) or _misses(article, story, others)


def two_editions(one: Member, other: Member) -> bool:
    """Whether two articles by themselves are editions of one report: by title and outlet, or by wording and news."""
    again = one.newsroom == other.newsroom and label(one.title) == label(other.title) != ()
    if again and _days(one, other) >= APART_DAYS:
        return True
    return other_news(one, other, Kinship(one).wording(other))


def are_editions(a: Story, b: Story, texts_of_a: Sequence[Member], texts_of_b: Sequence[Member]) -> bool:
    """Whether two stories are editions of one report: they are never merged."""
    if any(_tells_other_news(Kinship(one), texts_of_b) for one in texts_of_a):
        return True
    apart = abs(a.first - b.first) >= APART_DAYS * DAY_S
    if not apart or not label(a.headline) or label(a.headline) != label(b.headline):
        return False
    outlets = {a.outlets[i : i + 4] for i in range(0, len(a.outlets), 4)}
    return not a.outlets or any(b.outlets[i : i + 4] in outlets for i in range(0, len(b.outlets), 4))


def _tells_other_news(kin: Kinship, texts: Sequence[Member]) -> bool:
    """Whether, of the texts that have the article's wording, the one with most of its news tells other news."""
    alike = [text for text in texts if kin.wording(text) >= TEMPLATE]
    nearest = max(alike, key=lambda text: news(kin.article.prints, text.prints), default=None)
    return nearest is not None and other_news(kin.article, nearest, kin.wording(nearest))


def other_news(one: Member, other: Member, wording: float) -> bool:
    """Whether two texts are one template around different news: much of the wording, few of the figures and names.

    `wording`: the share of the shorter one's 3-shingles that the other has.
    """
    a, b = one.prints, other.prints
    if wording < TEMPLATE or min(a.words, b.words) < _LEAST_WORDS:
        return False
    if agreement(a.figures, b.figures)[1] < _LEAST_SAID and (not one.newsroom or one.newsroom != other.newsroom):
        return False
    most = _OTHER_NEWS + _BY_WORDING * (wording - TEMPLATE)
    if _days(one, other) >= _SAME_TITLE_DAYS and label(one.title) == label(other.title) != ():
        most += _SAME_TITLE
    return news(a, b) < most


def news(a: Fingerprints, b: Fingerprints) -> float:
    """The share of what is news in the one text that is in the other too, 0 to 1: of the figures of the one that has
    fewer, and of the heaviest terms of the one that has more of them in common."""
    share, says = agreement(a.figures, b.figures)
    names = max(_named(a, b), _named(b, a))
    return (share * says + names * _NAMES_SAY) / (says + _NAMES_SAY)


def _named(a: Fingerprints, b: Fingerprints) -> float:
    """The share of the one's heaviest terms, by weight, that the other has among its own."""
    known = _terms(b.terms)
    common = sum(weight for term, weight in zip(a.terms[:_NAMES], a.weights, strict=False) if term in known)
    return common / sum(a.weights[:_NAMES])


@lru_cache(maxsize=20_000)
def _terms(terms: tuple[str, ...]) -> frozenset[str]:
    return frozenset(terms)


def numbered(story: Story, others: Sequence[Story]) -> Story:
    """The story with its place in its series: one more than the latest of the editions that were found beside it and
    began before it; late reports to two editions, each found beside the other, leave their places as they are."""
    earlier = [other for other in others if other.first < story.first]
    before = max((other.edition for other in earlier), default=-1)
    if before < story.edition:
        return story
    return replace(story, edition=before + 1, every=min(story.first - other.first for other in earlier))


def _recurs(article: Member, story: Story, texts: Iterable[Member]) -> bool:
    """Whether an outlet that is in the story has its title again, half a day or more after it last had it there."""
    alike = [text for text in texts if label(text.title) == label(article.title) != ()]
    own = [_days(article, text) for text in alike if text.newsroom == article.newsroom]
    if own:
        return min(own) >= APART_DAYS
    return any(_days(article, text) >= APART_DAYS for text in alike) and _tells(story, article)


def _days(one: Member, other: Member) -> float:
    return abs(one.time - other.time) / DAY_S


def _tells(story: Story, article: Member) -> bool:
    """Whether the article's outlet is in the story."""
    hashed = outlet_hash(article.newsroom)
    return bool(article.newsroom) and any(story.outlets[i : i + 4] == hashed for i in range(0, len(story.outlets), 4))


def _misses(article: Member, story: Story, texts: Sequence[Member]) -> bool:
    """Whether the story is an edition of a known series, and the article's figures, or else its time, are not its."""
    if story.edition < KNOWN:
        return False
    least = _SAME_NEWS
    if abs(article.time - story.first) > min(_WINDOW_S, story.every / 2):
        least = _SAME_NEWS_AGAIN if _tells(story, article) else _SAME_NEWS_LATE
    return all(news(article.prints, text.prints) < least for text in texts)

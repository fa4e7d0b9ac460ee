"""The decision: an article goes into a story, or begins one. Live, replays and tests all decide here.

Invariant: one article after another, in the order of `seq`; what it does depends on the view alone. A generator: it
yields a Need for what the view lacks, and goes on when that was loaded.
"""

from collections.abc import Generator
from enum import StrEnum

from msgspec.structs import replace

from worker.cluster.constraints import destination, forbidden, united
from worker.cluster.divide import divide
from worker.cluster.edition import numbered
from worker.cluster.enforce import enforce
from worker.cluster.join import begin, join
from worker.cluster.merge import absorb, merge_alike
from worker.cluster.relation import SHORT_WORDS, Kinship, relate
from worker.cluster.search import Candidate, search
from worker.cluster.view import Need, View
from worker.cluster.withdraw import reclaim, repeats, withdraw
from worker.model import MOST_FEEDS, MOST_TITLES, Member, Relation, Story

SHORT_COPY_DAYS = 1.0
"""A short text that comes again later than this says little: it joins by its score, or not at all."""


class Placed(StrEnum):
    """What became of an article."""

    NEW = "new"
    JOINED = "joined"
    REVISED = "revised"
    REPEATED = "repeated"
    CARRIED = "carried"


def place(view: View, article: Member, now: float) -> Generator[Need, None, Placed]:
    """Put an article (not placed yet, its event time set) into its story; `now` is the wall clock.

    What an editor said of it goes before what its text says.

    A revision that is already there, or an older one, changes nothing but which feeds carry it. A newer one takes the
    old one's part out first; it stays in its story while the texts are still alike, and a story that it began keeps its
    number.
    """
    yield from view.want(members=[article.uid])
    before = view.members[article.uid]
    if before is not None and before.revision >= article.revision:
        return _carried(view, before, article)
    view.seq += 1
    if before is None:
        placed = yield from _settle(view, Kinship(replace(article, seq=view.seq)), now)
        yield from enforce(view, article.uid, now)
        return placed
    repeating = yield from repeats(view, before)
    home = yield from withdraw(view, before)
    kin = Kinship(_succeeding(before, article, now))
    placed = yield from _resettle(view, kin, before, home, now)
    reclaim(view, kin, repeating)
    yield from enforce(view, article.uid, now)
    return placed


def _carried(view: View, there: Member, article: Member) -> Placed:
    """What comes again changes nothing, but that another feed carries it."""
    feeds = _feeds(there, article)
    if feeds == there.feeds:
        return Placed.REPEATED
    view.put_member(replace(there, feeds=feeds))
    return Placed.CARRIED


def _feeds(before: Member, after: Member) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*before.feeds, *after.feeds)))[:MOST_FEEDS]


def _succeeding(before: Member, article: Member, now: float) -> Member:
    """A revision as it takes the place of what was there: in its order, with its feeds and earlier headlines, and as
    the article first came: another feed may tell of the edit, which was fetched later, or then for the first time."""
    titles = before.titles
    if before.revision and before.title not in ("", article.title):
        titles = (*titles, (now, before.title))
        titles = titles if len(titles) <= MOST_TITLES else (titles[0], *titles[2:])
    came = min(before.received, article.received)
    feeds = _feeds(before, article)
    return replace(article, seq=before.seq, titles=titles, feeds=feeds, received=came, backfill=before.backfill)


def _settle(view: View, kin: Kinship, now: float) -> Generator[Need, None, Placed]:
    candidates = yield from _candidates(view, kin)
    chosen = choose(kin.article, candidates)
    story = yield from destination(view, kin.article.uid)
    if story is None:
        story = chosen.story if chosen else (yield from united(view, kin.article.uid))
    if story is None:
        yield from begin(view, kin, now)
        _number(view, kin.article.uid, candidates)
        return Placed.NEW
    score = next((c.score for c in candidates if c.story.number == story.number), None)
    yield from join(view, kin, story, score, now)
    yield from merge_alike(view, kin.article, story.number, [c.story.number for c in candidates], now)
    yield from divide(view, kin.article, now)
    _number(view, kin.article.uid, candidates)
    return Placed.JOINED


def _number(view: View, article: bytes, candidates: list[Candidate]) -> None:
    """Where the article would have joined another edition of its report: the story that it is in at last, after a
    merge or a division, is the next one of that series."""
    story = view.root(view.present([article])[0].story)
    found = [view.root(c.story.number) for c in candidates if c.edition and c.score >= c.threshold]
    editions = [other for other in found if other is not None and story is not None and other.number != story.number]
    if story is not None and editions:
        view.put_story(numbered(story, editions))


def _resettle(
    view: View, kin: Kinship, before: Member, home: Story | None, now: float
) -> Generator[Need, None, Placed]:
    """A revision stays in its story while its text is still like the old one, where no other story fits, or where an
    editor spoke of it."""
    tied = bool(view.ties.of(kin.article.uid))
    if tied and home is None:
        yield from _settle(view, kin, now)
        return Placed.REVISED
    candidates = yield from _candidates(view, kin)
    chosen = choose(kin.article, candidates)
    alike = tied or relate(before.prints, kin.article.prints) is not Relation.REPORT
    if home is not None and not home.articles and (alike or chosen is None):
        yield from begin(view, kin, now, home)
    elif home is not None and alike:
        score = next((c.score for c in candidates if c.story.number == home.number), before.score)
        yield from join(view, kin, home, score, now)
    elif chosen is None:
        yield from begin(view, kin, now)
    else:
        story = chosen.story
        if home is not None and not home.articles:
            story = absorb(view, kin.article, story, home)
        yield from join(view, kin, story, chosen.score, now)
    return Placed.REVISED


def _candidates(view: View, kin: Kinship) -> Generator[Need, None, list[Candidate]]:
    """The stories beside the article; none for a text without words, none that was just emptied, and none that it was
    split off from."""
    if kin.article.prints.empty:
        return []
    candidates = yield from search(view, kin)
    barred = yield from forbidden(view, kin.article.uid)
    return [c for c in candidates if c.story.articles and c.story.number not in barred]


def choose(article: Member, candidates: list[Candidate]) -> Candidate | None:
    """The candidate whose story the article joins; None where it begins one."""
    candidates = [candidate for candidate in candidates if not candidate.edition]
    for candidate in candidates:
        if copies(article, candidate):
            return candidate
    return candidates[0] if candidates and candidates[0].score >= candidates[0].threshold else None


def copies(article: Member, candidate: Candidate) -> bool:
    """Whether the article is a copy that joins whatever its age; a short text only on the same day."""
    if candidate.strongest is not Relation.COPY:
        return False
    return article.prints.words >= SHORT_WORDS or candidate.gap_days <= SHORT_COPY_DAYS

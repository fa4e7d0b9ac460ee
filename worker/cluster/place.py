"""The decision: an article goes into a story, or begins one. Live, replays and tests all decide here.

Invariant: one article after another, in the order of `seq`; what it does depends on the view alone. A generator: it
yields a Need for what the view lacks, and goes on when that was loaded.
"""

from collections.abc import Generator
from enum import StrEnum

from msgspec.structs import replace

from worker.cluster.join import begin, join
from worker.cluster.merge import merge_alike
from worker.cluster.relation import SHORT_WORDS, Kinship, relate
from worker.cluster.search import Candidate, search
from worker.cluster.view import Need, View
from worker.cluster.withdraw import reclaim, repeats, withdraw
from worker.model import Event, Member, Relation, Story

SHORT_COPY_DAYS = 1.0
"""A short text that comes again later than this says little: it joins by its score, or not at all."""


class Placed(StrEnum):
    """What became of an article."""

    NEW = "new"
    JOINED = "joined"
    REVISED = "revised"
    REPEATED = "repeated"


def place(view: View, article: Member, now: float) -> Generator[Need, None, Placed]:
    """Put an article (not placed yet, its event time set) into its story; `now` is the wall clock.

    A revision that is already there, or an older one, changes nothing. A newer one takes the old one's part out
    first; it stays in its story while the texts are still alike, and a story that it began keeps its number.
    """
    yield from view.want(members=[article.uid])
    before = view.members[article.uid]
    if before is not None and before.revision >= article.revision:
        return Placed.REPEATED
    view.seq += 1
    if before is None:
        return (yield from _settle(view, Kinship(replace(article, seq=view.seq)), now))
    repeating = yield from repeats(view, before)
    home = yield from withdraw(view, before)
    kin = Kinship(replace(article, seq=before.seq))
    placed = yield from _resettle(view, kin, before, home, now)
    reclaim(view, kin, repeating)
    return placed


def _settle(view: View, kin: Kinship, now: float) -> Generator[Need, None, Placed]:
    candidates = yield from _candidates(view, kin)
    chosen = choose(kin.article, candidates)
    if chosen is None:
        yield from begin(view, kin, now)
        return Placed.NEW
    yield from join(view, kin, chosen.story, chosen.score, now)
    yield from merge_alike(view, kin.article, chosen.story.number, [c.story.number for c in candidates], now)
    return Placed.JOINED


def _resettle(
    view: View, kin: Kinship, before: Member, home: Story | None, now: float
) -> Generator[Need, None, Placed]:
    """A revision stays in its story while its text is still like the old one, or where no other story fits."""
    candidates = yield from _candidates(view, kin)
    chosen = choose(kin.article, candidates)
    alike = relate(before.prints, kin.article.prints) is not Relation.REPORT
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
            story = _absorb(view, kin.article, story, home)
        yield from join(view, kin, story, chosen.score, now)
    return Placed.REVISED


def _absorb(view: View, article: Member, story: Story, emptied: Story) -> Story:
    """The only article of a story went to another one: its number leads there from now on."""
    for number in (emptied.number, *emptied.aliases):
        view.put_alias(number, story.number)
    view.emit(Event("merged", view.seq, view.lang, emptied.number, article.uid, article.backfill, story.number))
    return replace(story, aliases=(*story.aliases, emptied.number, *emptied.aliases))


def _candidates(view: View, kin: Kinship) -> Generator[Need, None, list[Candidate]]:
    """The stories beside the article; none for a text without words, and none that was just emptied."""
    if kin.article.prints.empty:
        return []
    candidates = yield from search(view, kin)
    return [candidate for candidate in candidates if candidate.story.articles]


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

"""Stories and members as they are shown: public ids, ages, heat now, arrivals over time.

Invariant: pure. A view holds no fingerprints and no keys of the store; its texts are still as hostile as the feeds.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import log2
from typing import Any

from msgspec import Struct

from worker.cluster.timing import HEAT_HALF_LIFE_S, heat_at
from worker.model import UNTOLD, Member, Relation, Story, story_id

GROWTH_BINS = 8

_OUTLET_BYTES = 4
_OF_A_FEED = re.compile(r"([0-9a-f]{12})\.[0-9a-f]{16}$")
"""The id of a feed's article; what a file calls its articles may look like that by chance only."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MemberView(Struct, frozen=True, kw_only=True):
    """An article of a story. `of`: the member it repeats; `published`: the stated date; `time`: the event time;
    `outlet`: its newsroom's domain, "" where the name alone tells; `titles`: earlier headlines, each with the time
    until which it stood; `feeds`: the ids of all that carried it, none for one that came from a file; `page`: `read`
    where its text is its page's, or why its page was not read, "" where its feed carried the text."""

    id: str
    title: str
    url: str
    source: str
    published: float | None
    relation: Relation
    of: str | None
    score: float | None
    time: float
    received: float
    revision: int = 1
    outlet: str = ""
    titles: tuple[tuple[float, str], ...] = ()
    feeds: tuple[str, ...] = ()
    page: str = ""


class StoryView(Struct, frozen=True, kw_only=True):
    """A story. `first`, `last`: event times of its members; `heat`: arrivals, halved every two hours until now;
    `growth`: arrivals in equal parts of its life; `members` by event time, None where nobody asked for them."""

    story: str
    headline: str
    lang: str
    articles: int
    outlets: int
    copies: int
    rewrites: int
    first: float
    last: float
    heat: float
    age_s: float
    quiet_s: float
    growth: tuple[int, ...] = ()
    members: tuple[MemberView, ...] | None = None

    @property
    def reports(self) -> int:
        """Articles of their own, the first not counted: articles = 1 + copies + rewrites + reports."""
        return max(0, self.articles - 1 - self.copies - self.rewrites)


def story_view(
    lang: str,
    story: Story,
    now: float,
    *,
    times: Sequence[float] = (),
    members: Sequence[Member] | None = None,
) -> StoryView:
    """A stored story as it is shown at `now`, with the event times of its members and, if asked for, its members."""
    return StoryView(
        story=story_id(lang, story.number),
        headline=story.headline,
        lang=lang,
        articles=story.articles,
        outlets=len(outlets(story)),
        copies=story.copies,
        rewrites=story.rewrites,
        first=story.first,
        last=story.last,
        heat=heat_at(story.heat, story.last, now),
        age_s=max(0.0, now - story.first),
        quiet_s=max(0.0, now - story.last),
        growth=growth(times),
        members=None if members is None else member_views(members),
    )


def outlets(story: Story) -> frozenset[bytes]:
    """The story's distinct outlets, a hash each."""
    return frozenset(story.outlets[i : i + _OUTLET_BYTES] for i in range(0, len(story.outlets), _OUTLET_BYTES))


def member_views(members: Sequence[Member]) -> tuple[MemberView, ...]:
    """Members as they are shown; one that repeats an article that is gone repeats none."""
    ids = {member.uid: member.id for member in members}
    return tuple(
        MemberView(
            id=m.id,
            title=m.title,
            url=m.url,
            source=m.source,
            published=m.published,
            relation=m.relation,
            of=ids.get(m.of),
            score=None if m.relation is Relation.FIRST else m.score,
            time=m.time,
            received=m.received,
            revision=m.revision,
            outlet="" if m.outlet == UNTOLD else m.outlet,
            titles=m.titles,
            feeds=carriers(m),
            page=m.page,
        )
        for m in members
    )


def carriers(member: Member) -> tuple[str, ...]:
    """The ids of the feeds that carried an article, first the one that its id names."""
    named = _OF_A_FEED.match(member.id)
    return ((named[1],) if named else ()) + member.feeds


def growth(times: Sequence[float], bins: int = GROWTH_BINS) -> tuple[int, ...]:
    """How many arrived in each of `bins` equal parts between the first and the last; all in one where they coincide."""
    if not times:
        return ()
    start, span = min(times), max(times) - min(times)
    if span <= 0:
        return (len(times),)
    counts = [0] * bins
    for time in times:
        counts[min(bins - 1, int((time - start) / span * bins))] += 1
    return tuple(counts)


def rank(story: Story) -> tuple[float, float]:
    """Sorts the hottest story first, then the most recent: the same order at any `now`, and over any span of years."""
    heat = log2(story.heat) if story.heat > 0 else float("-inf")
    return (-(heat + story.last / HEAT_HALF_LIFE_S), -story.last)


def story_record(view: StoryView) -> dict[str, Any]:
    """What `report --json` prints of a story, keys in their documented order."""
    record: dict[str, Any] = {
        "story": view.story,
        "headline": view.headline,
        "lang": view.lang,
        "articles": view.articles,
        "outlets": view.outlets,
        "copies": view.copies,
        "rewrites": view.rewrites,
        "reports": view.reports,
        "first": rfc3339(view.first),
        "last": rfc3339(view.last),
        "heat": round(view.heat, 4),
    }
    if view.members is not None:
        record["members"] = [member_record(member) for member in view.members]
    return record


def member_record(member: MemberView) -> dict[str, Any]:
    """What `report --json --members` prints of a member."""
    return {
        "id": member.id,
        "title": member.title,
        "url": member.url,
        "source": member.source,
        "published": None if member.published is None else rfc3339(member.published),
        "relation": str(member.relation),
        "of": member.of,
        "score": None if member.score is None else round(member.score, 4),
        "outlet": member.outlet or None,
        "titles": [{"until": rfc3339(until), "title": title} for until, title in member.titles],
        "feeds": list(member.feeds),
        "page": member.page or None,
    }


def rfc3339(time: float) -> str:
    """`2026-05-04T09:30:00Z`, with milliseconds where there are any; a year outside 1 to 9999 becomes the nearest."""
    try:
        moment = _EPOCH + timedelta(milliseconds=round(time * 1000))
    except (OverflowError, ValueError):
        moment = (datetime.min if time < 0 else datetime.max).replace(tzinfo=UTC)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")

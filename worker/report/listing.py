"""The stories of a span, hottest first: the listing that `report` shows, and what `replay` ends with.

Invariant: the order depends on the store alone (heat, then last activity, then id), never on when it is read.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from worker.errors import BadInput
from worker.model import Story, parse_story_id
from worker.report.views import StoryView, outlets, rank, story_view

if TYPE_CHECKING:
    from worker.store.stories import Stories

MAX_READ = 10_000
"""Stories of one language that a listing looks at, the latest: about 20 MB of them."""

_EVER = -1e11
"""Before any date that a calendar has."""


class Query(Struct, frozen=True, kw_only=True):
    """What a person asks for. `since_s`: seconds back from now, by last activity in event time; None: any."""

    since_s: float | None = None
    min_outlets: int = 1
    lang: str = ""
    limit: int = 50
    members: bool = False

    def fits(self, story: Story, now: float) -> bool:
        """Whether a story is one of those asked for; one whose outlet nobody stated counts as of one outlet."""
        recent = self.since_s is None or story.last >= now - self.since_s
        return recent and max(1, len(outlets(story))) >= self.min_outlets


class Listing(Struct, frozen=True, kw_only=True):
    """The stories shown, and what there is besides.

    `stories`, `articles`, `outlets` count everything that fits the query, shown or not. `stored`: stories in the store
    at all. `newest`: the latest event time in the store, None where it is empty. `now`: what ages are measured from.
    """

    views: tuple[StoryView, ...]
    stories: int
    articles: int
    outlets: int
    stored: int
    newest: float | None
    now: float

    @property
    def hidden(self) -> int:
        """Stories that fit and that the limit left out."""
        return self.stories - len(self.views)


def listing(stories: "Stories", query: Query, now: float) -> Listing:
    """The stories that fit the query, hottest first, then the most recent."""
    languages = [query.lang] if query.lang else stories.languages()
    since = _EVER if query.since_s is None else now - query.since_s
    found = [(lang, story) for lang in languages for story in stories.recent(lang, since, MAX_READ)]
    fitting = [(lang, story) for lang, story in found if query.fits(story, now)]
    fitting.sort(key=lambda pair: (rank(pair[1]), pair[0], pair[1].number))
    return Listing(
        views=_views(stories, fitting[: query.limit], query, now),
        stories=len(fitting),
        articles=sum(story.articles for _, story in fitting),
        outlets=len(frozenset[bytes]().union(*(outlets(story) for _, story in fitting))),
        stored=stories.counts().get("stories", 0),
        newest=_newest(stories),
        now=now,
    )


def one_story(stories: "Stories", name: str, now: float) -> StoryView:
    """A story by its public id, or that of one that it took in, with its members. Raises BadInput for what is none."""
    parsed = parse_story_id(name)
    found = stories.find(*parsed) if parsed else None
    if parsed is None or found is None:
        raise BadInput(f"{name!r} is no story of the store, or has ended: `storywire report` lists the stories")
    members = stories.members(parsed[0], found.number)
    return story_view(parsed[0], found, now, times=[member.time for member in members], members=members)


def whole_store(stories: "Stories", query: Query) -> Listing:
    """The listing of everything, whatever its dates: ages and heat are measured from the newest article."""
    newest = _newest(stories)
    return listing(stories, replace(query, since_s=None), newest or 0.0)


def _newest(stories: "Stories") -> float | None:
    heads = [story.last for lang in stories.languages() for story in stories.recent(lang, _EVER, 1)]
    return max(heads, default=None)


def _views(stories: "Stories", chosen: Sequence[tuple[str, Story]], query: Query, now: float) -> tuple[StoryView, ...]:
    times: dict[tuple[str, int], list[float]] = {}
    for lang in {lang for lang, _ in chosen}:
        numbers = [story.number for of, story in chosen if of == lang]
        times |= {(lang, n): t for n, t in zip(numbers, stories.times(lang, numbers), strict=True)}
    return tuple(
        story_view(
            lang,
            story,
            now,
            times=times[lang, story.number],
            members=stories.members(lang, story.number) if query.members else None,
        )
        for lang, story in chosen
    )

"""The event stream as changes of stories: what is new, what grew, what merged, and which article did it.

Invariant: a cursor names everything that was read, language by language, so that following on from it loses and repeats
nothing.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from worker.errors import BadSetting, Transient
from worker.model import Event, Story, story_id, uid
from worker.report.listing import Query
from worker.report.views import MemberView, StoryView, member_views, story_record, story_view

if TYPE_CHECKING:
    from worker.store.stories import Stories

Position = Mapping[str, tuple[int, int]]
"""language -> (commit sequence, part): the last event read of each."""

MAX_EVENTS = 500
POLL_S = 0.3
"""How often a follower asks for new events."""
PATIENCE_S = 30.0
"""How long a follower waits for a server that went away."""

KINDS = ("merged", "split", "moved", "new", "grew", "pinned", "shrank")
"""Of several events at once the first of these names the change."""


class Change(Struct, frozen=True, kw_only=True):
    """What one event, or several at once, did to a story, which is shown as it is now.

    `kind`: one of KINDS. `newcomers`: the articles that came, oldest first. `former`: public ids of stories that were
    merged into this one; `parts_of`: of those that it, or an article of it, was taken out of, by an editor or as
    the texts were those of two. `backfill`: nothing of it is news. `cursor`: where to go on after it. `repeated`:
    newcomer's id -> the outlet of the article that it repeats.
    """

    kind: str
    view: StoryView
    newcomers: tuple[MemberView, ...] = ()
    former: tuple[str, ...] = ()
    parts_of: tuple[str, ...] = ()
    repeated: Mapping[str, str] = {}
    backfill: bool = False
    cursor: str = ""


def change_record(change: Change) -> dict[str, Any]:
    """What `report --follow --json` prints of a change; `former` only where stories were merged into this one, `from`
    only where it, or an article of it, was taken out of others, which have fewer articles now."""
    others = {"former": list(change.former), "from": list(change.parts_of)}
    said = {name: ids for name, ids in others.items() if ids}
    return {"event": change.kind, "cursor": change.cursor} | story_record(change.view) | said


def parse_cursor(text: str) -> dict[str, tuple[int, int]]:
    """The position that `en:17-0,es:4-0` names; empty or `0` is before the first event. Raises BadSetting."""
    position: dict[str, tuple[int, int]] = {}
    for part in filter(None, text.strip().split(",")) if text.strip() != "0" else ():
        lang, _, place = part.strip().partition(":")
        seq, _, sub = place.partition("-")
        if not lang.isalnum() or not _is_count(seq) or not _is_count(sub or "0"):
            raise BadSetting(f"--after {text!r}: {part!r} is no place; write a cursor such as en:17-0,es:4-0")
        position[lang] = (int(seq), int(sub or 0))
    return position


def format_cursor(position: Position) -> str:
    """The position as text, languages in alphabetical order."""
    return ",".join(f"{lang}:{seq}-{part}" for lang, (seq, part) in sorted(position.items()))


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 19


class Follower:
    """Reads on from a position in the event streams of all languages."""

    def __init__(self, stories: "Stories", position: Position | None = None) -> None:
        """From `position`, by default from now on."""
        self._stories = stories
        self.position: dict[str, tuple[int, int]] = dict(stories.end() if position is None else position)

    def read(self) -> list[tuple[Event, str]]:
        """The events since the last call, at most MAX_EVENTS, each with the cursor after it."""
        after = dict.fromkeys(self._stories.languages(), (0, 0)) | self.position
        read = []
        for event in self._stories.events(after, MAX_EVENTS):
            self.position[event.lang] = max(self.position.get(event.lang, (0, 0)), (event.seq, event.part))
            read.append((event, format_cursor(self.position)))
        return read

    def stream(self, waiting: Callable[[Transient], None]) -> Iterator[list[tuple[Event, str]]]:
        """What `read` returns, as it comes, without end. A server that is away is waited for, `waiting` told once;
        after PATIENCE_S its error is raised."""
        away_since: float | None = None
        while True:
            try:
                read = self.read()
                away_since = None
            except Transient as error:
                if away_since is None:
                    away_since = time.monotonic()
                    waiting(error)
                if time.monotonic() - away_since > PATIENCE_S:
                    raise
                read = []
            if read:
                yield read
            else:
                time.sleep(POLL_S)

    def each(self, read: Sequence[tuple[Event, str]], query: Query, now: float) -> Iterator[Change]:
        """One change an event, without its newcomers; stories that are gone or do not fit the query are left out."""
        for event, cursor in read:
            story = self._story(event, query, now)
            if story is not None:
                members = self._stories.members(event.lang, story.number) if query.members else None
                view = story_view(event.lang, story, now, members=members)
                yield _change([event], view, (), cursor)

    def summary(self, read: Sequence[tuple[Event, str]], query: Query, now: float) -> Iterator[Change]:
        """One change a story with its newcomers, in the order of their first events."""
        groups: dict[tuple[str, int], tuple[Story, list[Event]]] = {}
        for event, _ in read:
            story = self._story(event, query, now)
            if story is not None:
                groups.setdefault((event.lang, story.number), (story, []))[1].append(event)
        for (lang, number), (story, events) in groups.items():
            members = self._stories.members(lang, number)
            view = story_view(lang, story, now, members=members if query.members else None)
            yield _change(events, view, member_views(members), read[-1][1])

    def _story(self, event: Event, query: Query, now: float) -> Story | None:
        if query.lang not in ("", event.lang) or event.kind == "ended":
            return None
        story = self._stories.find(event.lang, event.into or event.story)
        return story if story is not None and query.fits(story, now) else None


def _change(events: Sequence[Event], view: StoryView, members: Sequence[MemberView], cursor: str) -> Change:
    kinds = {event.kind for event in events}
    came = {event.uid for event in events if event.kind in ("new", "grew", "moved")}
    newcomers = tuple(member for member in members if uid(member.id) in came)
    sources = {member.id: member.source for member in members}
    return Change(
        kind=next(kind for kind in KINDS if kind in kinds),
        view=view,
        newcomers=newcomers,
        repeated={member.id: sources.get(member.of or "", "") for member in newcomers},
        former=tuple(story_id(event.lang, event.story) for event in events if event.kind == "merged"),
        parts_of=tuple(story_id(event.lang, event.story) for event in events if event.kind in ("split", "moved")),
        backfill=all(event.backfill for event in events),
        cursor=cursor,
    )

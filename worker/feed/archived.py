"""An article's line in the archive: what import and replay read of any line, and in place of the text what it was.

Invariant: pure. What is written here is read here: fingerprints bit for bit, times to the last digit. Text is not in
it, as the store does not keep it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from worker.figures import FIGURES
from worker.fingerprint import KEY_TERMS, STORY_BITS
from worker.joiners import unjoined
from worker.model import MOST_FEEDS, MOST_TITLES, Fingerprints, Kept, Member, Story, story_id, uid
from worker.sketch import SKETCH

FORMAT = 1
"""Of the line and of the fingerprints: a change of either is another one."""

_HASH_BYTES, _SHINGLE_BYTES, _FIGURE_BYTES = 8, 3, 4
_LONGEST_TERM = 60
_LONGEST_NAME, _LONGEST_TITLE = 300, 2_000
_MOST_NUMBER = 2**32 - 1
_NO_TIME = 1e12
"""Seconds: no clock says so much, and arithmetic would go out of bounds."""


class Archived(Struct, frozen=True, kw_only=True):
    """The part of a line that restores: exact times, whose report it was, and what was `kept`."""

    format: int
    revision: int
    published: float | None
    received: float
    kept: Kept
    outlet: str = ""


class _Line(Struct, kw_only=True):
    """The line: first what every reader of the format takes, then what it was, to be read by eyes and scripts."""

    id: str
    title: str
    url: str
    published: str | None
    source: str
    lang: str
    story: str
    headline: str
    relation: str
    of: str | None
    score: float | None
    received: str | None
    storywire: Archived


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Archived).decode


def archive_lines(lang: str, story: Story, members: Sequence[Member]) -> list[bytes]:
    """The lines, each with its end, of a story that ends; `members`: all of them."""
    ids: Mapping[bytes, str] = {member.uid: member.id for member in members}
    name = story_id(lang, story.number)
    origin = story.origin or uid(f"{name} {story.lead.hex()} {story.first!r}")
    lines = (
        _line(lang, name, story, member, ids.get(member.of), _restoring(story, origin, member)) for member in members
    )
    return [_encode(line) + b"\n" for line in lines]


def _line(lang: str, name: str, story: Story, member: Member, of: str | None, restoring: Archived) -> _Line:
    """What eyes and scripts read of an article, with what restores it."""
    return _Line(
        id=member.id,
        title=member.title,
        url=member.url,
        published=_written(member.published),
        source=member.source,
        lang=lang,
        story=name,
        headline=story.headline,
        relation=member.relation.value,
        of=of,
        score=member.score,
        received=_written(member.received),
        storywire=restoring,
    )


def _restoring(story: Story, origin: bytes, member: Member) -> Archived:
    """What an import puts back; `origin`: what tells the story from another one of its number."""
    place = Kept(story.number, origin, member.prints, member.score, story.edition, story.every)
    return Archived(
        format=FORMAT,
        revision=member.revision,
        published=member.published,
        received=member.received,
        kept=replace(place, titles=member.titles, feeds=member.feeds),
        outlet=member.outlet,
    )


def archived(raw: Any) -> Archived | str:
    """What a line's `storywire` part says, or why it cannot be used, in words."""
    try:
        found = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return f"cannot be read ({error})"
    if found.format != FORMAT:
        return f"is of format {found.format}, this version reads {FORMAT}"
    kept = found.kept
    sound = 0 < kept.story <= _MOST_NUMBER and len(kept.origin) == _HASH_BYTES and 0 <= found.revision < _MOST_NUMBER
    times = abs(found.received) < _NO_TIME and abs(found.published or 0.0) < _NO_TIME
    series = 0 <= kept.edition <= _MOST_NUMBER and 0 <= kept.every < _NO_TIME and abs(kept.score or 0.0) <= 2
    told = _is_name(found.outlet) and len(kept.titles) <= MOST_TITLES and len(kept.feeds) <= MOST_FEEDS
    told = told and all(abs(time) < _NO_TIME and len(unjoined(title)) <= _LONGEST_TITLE for time, title in kept.titles)
    told = told and all(map(_is_name, kept.feeds))
    return found if sound and times and series and told and _is_sound(kept.prints) else "is damaged"


def _is_name(text: str) -> bool:
    """Whether this can be a domain, or a feed's id."""
    return len(text) <= _LONGEST_NAME and text.isprintable()


def _is_sound(prints: Fingerprints) -> bool:
    """Whether these can be fingerprints at all: every size is as fingerprint.py makes it."""
    if not prints.story:
        return prints == Fingerprints()
    return (
        len(prints.story) == STORY_BITS // 8
        and len(prints.copy) == _HASH_BYTES
        and len(prints.digest) == _HASH_BYTES
        and len(prints.sketch) % _SHINGLE_BYTES == 0
        and 0 < len(prints.sketch) <= SKETCH * _SHINGLE_BYTES
        and 0 < prints.shingles < _MOST_NUMBER
        and 0 < prints.words < _MOST_NUMBER
        and len(prints.terms) == len(prints.weights) == len(set(prints.terms)) <= KEY_TERMS
        and all(0 < len(term) <= _LONGEST_TERM for term in prints.terms)
        and len(prints.figures) % _FIGURE_BYTES == 0
        and len(prints.figures) <= FIGURES * _FIGURE_BYTES
    )


def _written(time: float | None) -> str | None:
    """RFC 3339, to the second; None for what no calendar has."""
    if time is None:
        return None
    try:
        return datetime.fromtimestamp(time, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return None

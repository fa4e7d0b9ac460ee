"""Stories and members made by hand, for tests of what is shown."""

from typing import Any

from msgspec.structs import replace

from worker.model import Fingerprints, Member, Relation, Story
from worker.report.views import MemberView, StoryView

NOW = 1_800_000_000.0

_STORY = Story(
    number=1,
    headline="Harbour bridge closed after a ship hits it",
    first=NOW - 600,
    last=NOW - 60,
    active=NOW,
    lead=b"l",
)
_MEMBER = Member(
    id="m",
    revision=1,
    title="Harbour bridge closed after a ship hits it",
    url="https://example.org/m",
    source="The Example",
    published=None,
    time=NOW - 600,
    received=NOW - 590,
    backfill=False,
    prints=Fingerprints(),
)
_VIEW = StoryView(
    story="en-1",
    headline="Harbour bridge closed after a ship hits it",
    lang="en",
    articles=1,
    outlets=1,
    copies=0,
    rewrites=0,
    first=NOW - 600,
    last=NOW - 60,
    heat=1.0,
    age_s=600.0,
    quiet_s=60.0,
    growth=(1,),
)


def story(number: int = 1, *, outlets: int = 1, **fields: Any) -> Story:
    """A story of one article and so many outlets, unless `fields` say otherwise."""
    hashes = b"".join(n.to_bytes(4, "big") for n in range(outlets))
    return replace(_STORY, **({"articles": 1, "heat": 1.0, "outlets": hashes} | fields | {"number": number}))


def member(article_id: str, **fields: Any) -> Member:
    """A stored member, the first of its story unless `fields` say otherwise."""
    return replace(_MEMBER, id=article_id, **fields)


def shown(article_id: str, relation: Relation = Relation.FIRST, of: str | None = None, **fields: Any) -> MemberView:
    """A member as it is shown."""
    values: dict[str, Any] = {
        "title": "Harbour bridge closed after a ship hits it",
        "url": "",
        "source": f"Outlet {article_id}",
        "published": None,
        "score": None if relation is Relation.FIRST else 0.5,
        "time": NOW - 600,
        "received": NOW - 590,
    }
    return MemberView(**(values | fields | {"id": article_id, "relation": relation, "of": of}))


def view(**fields: Any) -> StoryView:
    """A story as it is shown: one article of one outlet, ten minutes old, unless `fields` say otherwise."""
    return replace(_VIEW, **fields)

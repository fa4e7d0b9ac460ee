"""What the API answers of an editor's corrections."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from worker.web.api.records.fields import Time


class CorrectionRecord(Struct, kw_only=True):
    """What an editor said of articles."""

    correction: Annotated[str, Meta(examples=["en.3"])]
    kind: Literal["split", "merge", "pin"]
    when: Time
    stories: list[str]
    articles: list[str]
    others: Annotated[list[str], Meta(description="Articles that stand for the other story.")]
    until: Annotated[str | None, Meta(description="When it is let go of, after articles of it have ended.")]


class CorrectionList(Struct, kw_only=True, forbid_unknown_fields=True):
    """The corrections in force, language by language, the oldest first."""

    corrections: list[CorrectionRecord]


class Overridden(Struct, kw_only=True):
    """An earlier correction that this one lifted, `partly`: of which it lifted a part."""

    correction: str
    partly: bool


class Edited(CorrectionRecord, kw_only=True, forbid_unknown_fields=True):
    """A correction that was made."""

    told: Annotated[str, Meta(description="What it did, in words.")]
    overrides: list[Overridden]


class Undone(Struct, kw_only=True, forbid_unknown_fields=True):
    """A correction that is no longer in force."""

    undone: CorrectionRecord
    told: Annotated[str, Meta(description="What it came to, in words.")]
    stories: Annotated[list[str], Meta(description="Where its articles went back to; none where they stay.")]
    later: Annotated[list[str], Meta(description="The later corrections of the same articles, which kept them.")]


class Forgotten(Struct, kw_only=True, forbid_unknown_fields=True):
    """What was removed, and is kept out from now on."""

    articles: Annotated[int, Meta(description="That were in stories.")]
    waiting: Annotated[int, Meta(description="That waited to be clustered.")]
    quarantined: int
    changed: Annotated[list[str], Meta(description="Stories that have fewer articles now.")]
    ended: Annotated[list[str], Meta(description="Stories that had no other article.")]
    rewritten: Annotated[bool, Meta(description="Whether the server's log on disk was written anew without it.")]

"""What the API takes: a body is read as one of these, and described by it.

Invariant: what does not fit is refused with the field's name; a field that there is not is refused too.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

Id = Annotated[str, Meta(min_length=1, max_length=200)]


class SimilarTo(Struct, kw_only=True, forbid_unknown_fields=True):
    """A text, the address of an article, or both: then the text is compared where the store has no such address."""

    title: Annotated[str, Meta(min_length=1, max_length=2_000)] | UnsetType = UNSET
    text: Annotated[str, Meta(min_length=1, max_length=200_000, description="Plain, or HTML.")] | UnsetType = UNSET
    lang: Annotated[str, Meta(min_length=2, max_length=12, description="ISO 639; else the text tells.")] | UnsetType = (
        UNSET
    )
    url: Annotated[str, Meta(min_length=1, max_length=2_000)] | UnsetType = UNSET


class Split(Struct, kw_only=True, forbid_unknown_fields=True):
    """Articles of the story, by id or address; their copies go with them."""

    articles: Annotated[list[Id], Meta(min_length=1, max_length=64)]


class Merge(Struct, kw_only=True, forbid_unknown_fields=True, rename={"others": "with"}):
    """Stories that are the same as this one; of all of them the oldest id stays."""

    others: Annotated[list[Id], Meta(min_length=1, max_length=16)]


class Pin(Struct, kw_only=True, forbid_unknown_fields=True):
    """An article that belongs to the story for good, by id or address."""

    article: Id

"""What fields of several answers are, and the answer that tells of a problem."""

from typing import Annotated

from msgspec import Meta, Struct

Time = Annotated[str, Meta(description="RFC 3339, UTC.", examples=["2026-05-04T09:30:00Z"])]
Share = Annotated[float, Meta(description="From 0 to 1.")]


class Problem(Struct, kw_only=True):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: Annotated[str, Meta(description="A line that names the thing and the remedy.")]

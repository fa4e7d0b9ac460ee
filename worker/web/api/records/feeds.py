"""What the API answers of feeds, and of how all goes."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class FetchRecord(Struct, kw_only=True):
    """A poll of a feed."""

    at: str | None
    outcome: str
    status: int | None
    ms: float
    bytes: int
    entries: int
    new: int
    revised: int
    carried: int
    trouble: str | None
    wait_s: Annotated[float | None, Meta(description="Until the next one; null for never.")]
    why: str


class FeedRecord(Struct, kw_only=True):
    """A feed: how it does, and when it is polled next."""

    id: str
    url: Annotated[str, Meta(description="Without a password.")]
    title: str
    status: Annotated[str, Meta(examples=["ok"])]
    entries: int
    folder: str | None
    pages: str
    new_a_day: float | None
    added: str | None
    polled: str | None
    succeeded: str | None
    next: str | None
    why: Annotated[str, Meta(description="Why the next poll is when it is.")]
    errors: Annotated[int, Meta(description="In a row.")]
    trouble: str | None


class FeedList(Struct, kw_only=True, forbid_unknown_fields=True):
    """A page of the list of feeds, by id."""

    feeds: list[FeedRecord]
    found: int
    next: Annotated[str | None, Meta(description="Write it as `after` for the next page; null on the last.")]


class GateRecord(Struct, kw_only=True):
    """How a feed's host is approached."""

    name: str
    closed_s: float
    inside: int
    waiting: int


class FullFeed(FeedRecord, kw_only=True, forbid_unknown_fields=True):
    """A feed with its last polls."""

    kind: str | None
    http_status: int | None
    etag: str | None
    last_modified: str | None
    validators_true: int
    fetched_whole: str | None
    last_new: str | None
    carried_a_day: float
    ttl_s: float | None
    skip_hours: list[int]
    skip_days: list[int]
    moved: str | None
    moved_since: str | None
    hub: str | None
    topic: str | None
    subscribed: bool
    subscribed_until: str | None
    subscription_trouble: str | None
    pushes: int
    remembered: int
    gate: GateRecord
    fetches: list[FetchRecord]


class CheckRecord(Struct, kw_only=True):
    """A line of `storywire check`, with its figures beside these."""

    check: str
    state: Literal["ok", "warn", "fail"]
    said: Annotated[str, Meta(description="In words, with the remedy.")]


class Status(Struct, kw_only=True, forbid_unknown_fields=True):
    """How all of it does."""

    state: Annotated[Literal["ok", "warn", "fail"], Meta(description="The worst of all lines.")]
    checks: list[CheckRecord]

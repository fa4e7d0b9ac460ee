"""What the API's answers are made of, as they are written and as the document describes them.

Invariant: a field that an answer has stands here with its meaning; times are RFC 3339, UTC.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Time = Annotated[str, Meta(description="RFC 3339, UTC.", examples=["2026-05-04T09:30:00Z"])]
Relation = Literal["first", "copy", "rewrite", "report"]
Share = Annotated[float, Meta(description="From 0 to 1.")]


class StoryRecord(Struct, kw_only=True):
    """A story. articles = 1 + copies + rewrites + reports."""

    story: Annotated[str, Meta(description="Its id, for good.", examples=["en-7f3k"])]
    headline: str
    lang: Annotated[str, Meta(description="ISO 639; `und`: undetermined.", examples=["en"])]
    articles: int
    outlets: Annotated[int, Meta(description="Newsrooms, by domain, or by name where that alone is known.")]
    copies: int
    rewrites: int
    reports: Annotated[int, Meta(description="Articles of their own, the first not counted.")]
    first: Annotated[str, Meta(description="Event time of its first article.")]
    last: Annotated[str, Meta(description="Event time of its latest article.")]
    heat: Annotated[float, Meta(description="Arrivals, halved every two hours until now.")]


class StoryList(Struct, kw_only=True, forbid_unknown_fields=True):
    """A page of a list of stories."""

    stories: list[StoryRecord]
    found: Annotated[int, Meta(description="Stories that fit, on this page or not.")]
    articles: Annotated[int, Meta(description="Articles of all of these.")]
    next: Annotated[str | None, Meta(description="Write it as `after` for the next page; null on the last.")]
    stale: Annotated[str | None, Meta(description="Why this may be out of date: the server of the stories is away.")]


class EarlierTitle(Struct):
    """A headline that an article had, and until when."""

    until: Time
    title: str


class MemberRecord(Struct, kw_only=True):
    """An article of a story."""

    id: str
    title: str
    url: Annotated[str | None, Meta(description="http or https; null where its feed gave none that is safe to follow.")]
    source: Annotated[str, Meta(description="What its outlet is called.")]
    outlet: Annotated[str | None, Meta(description="Its outlet's domain, where that is known.")]
    published: Annotated[str | None, Meta(description="As stated, RFC 3339.")]
    time: Annotated[str, Meta(description="Event time: as stated where that can be believed, else when it came.")]
    received: Time
    relation: Annotated[str, Meta(description="`first`, `copy`, `rewrite`, or `report`: a report of its own.")]
    of: Annotated[str | None, Meta(description="The id of the article that it repeats.")]
    score: Annotated[float | None, Meta(description="How well it fitted when it came.")]
    threshold: Annotated[float | None, Meta(description="The least score that was asked of it.")]
    why: Annotated[str, Meta(description="Why it belongs, in words.")]
    correction: Annotated[str | None, Meta(description="The editor's correction that put it here.", examples=["en.3"])]
    titles: list[EarlierTitle]
    feeds: Annotated[list[str], Meta(description="The ids of the feeds that carried it.")]
    page: Annotated[str | None, Meta(description="`read` where its text is its page's, or why that was not read.")]
    revision: int


class StoryTerm(Struct):
    """A key term of a story, and how many of its texts have it."""

    term: str
    texts: int


class CorrectionRecord(Struct, kw_only=True):
    """What an editor said of articles."""

    correction: Annotated[str, Meta(examples=["en.3"])]
    kind: Literal["split", "merge", "pin"]
    when: Time
    stories: list[str]
    articles: list[str]
    others: Annotated[list[str], Meta(description="Articles that stand for the other story.")]
    until: Annotated[str | None, Meta(description="When it is let go of, after articles of it have ended.")]


class FullStory(StoryRecord, kw_only=True, forbid_unknown_fields=True):
    """A story with its articles."""

    members: Annotated[list[MemberRecord], Meta(description="By event time.")]
    texts: Annotated[int, Meta(description="Distinct texts whose key terms were counted.")]
    terms: Annotated[list[StoryTerm], Meta(description="The key terms that its texts share.")]
    merged: Annotated[list[str], Meta(description="Ids of the stories that became part of it; they lead here.")]
    corrections: Annotated[list[CorrectionRecord], Meta(description="Those in force that name its articles.")]
    moved_from: Annotated[str | None, Meta(description="The id that was asked for, where it has become part of this.")]


class Term(Struct):
    """A key term of an article and its weight in it."""

    term: str
    weight: Share


class FullArticle(MemberRecord, kw_only=True, forbid_unknown_fields=True):
    """An article, and the story that it is in."""

    lang: str
    words: int
    terms: Annotated[list[Term], Meta(description="Heaviest first.")]
    story: StoryRecord


class SharedTerm(Struct):
    """A key term of both, and its weight on each side."""

    term: str
    given: Share
    theirs: Share


class OtherArticle(Struct):
    """An article, briefly."""

    id: str
    title: str
    url: str | None
    source: str


class SimilarStory(Struct, kw_only=True):
    """A story beside the text."""

    story: str
    headline: str
    articles: int
    score: Annotated[float, Meta(description="How well the text fits.")]
    threshold: Annotated[float | None, Meta(description="The score that would do; null for an article that is in it.")]
    joins: Annotated[bool, Meta(description="Whether the text would become an article of it, or is one.")]
    relation: Annotated[str, Meta(description="What it would be there: `copy`, `rewrite`, `report`; `first` of one.")]
    of: Annotated[OtherArticle | None, Meta(description="What it repeats.")]
    nearest: Annotated[OtherArticle | None, Meta(description="The story's text that is most like it.")]
    cosine: Annotated[float | None, Meta(description="Of all words, to that text, as the fingerprints estimate it.")]
    shared: Annotated[list[SharedTerm], Meta(description="Key terms of both, those that say most first.")]
    why: Annotated[str, Meta(description="The same in words.")]


class Similar(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which story a text is."""

    lang: Annotated[str, Meta(description="As it was decided.")]
    words: int
    story: Annotated[str | None, Meta(description="The story that it would join, or is in; null: it would begin one.")]
    article: Annotated[str | None, Meta(description="The article that the store has at the address given.")]
    stories: Annotated[list[SimilarStory], Meta(description="Those that come near, best first.")]


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
    """A correction that was lifted; no article moved."""

    undone: CorrectionRecord


class Forgotten(Struct, kw_only=True, forbid_unknown_fields=True):
    """What was removed, and is kept out from now on."""

    articles: Annotated[int, Meta(description="That were in stories.")]
    waiting: Annotated[int, Meta(description="That waited to be clustered.")]
    quarantined: int
    changed: Annotated[list[str], Meta(description="Stories that have fewer articles now.")]
    ended: Annotated[list[str], Meta(description="Stories that had no other article.")]
    rewritten: Annotated[bool, Meta(description="Whether the server's log on disk was written anew without it.")]


class Problem(Struct, kw_only=True):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: Annotated[str, Meta(description="A line that names the thing and the remedy.")]

"""What the API answers of stories, articles, and texts that are like them."""

from typing import Annotated

from msgspec import Meta, Struct

from worker.web.api.records.corrections import CorrectionRecord
from worker.web.api.records.fields import Share, Time


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

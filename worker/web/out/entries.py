"""A feed of stories as values, before it is written as Atom or as JSON.

Invariant: pure; all texts are one harmless line, all links are http(s), and no entry is changed after it was published.
"""

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import urlencode
from uuid import UUID, uuid5

from msgspec import Struct

from worker.model import UNDETERMINED, Member, Relation, Story
from worker.report.board import Filter
from worker.report.harmless import harmless, readable
from worker.report.rows import Row
from worker.report.views import rfc3339
from worker.report.words import count
from worker.web.asking import since_text
from worker.web.links import safe

_MOST_TAGS = 10
_MOST_HEADLINES = 20
NO_HEADLINE = "A story without a headline"


class Entry(Struct, frozen=True, kw_only=True):
    """A story. `id`: a URN that is its own for ever; `updated`: when anything but a copy last came; `link`: its page;
    `first_link`: its first article, "" where that has no address that may be followed; `author`: who was first.
    `summary`: how it is told, a line of text; `content`: its headlines, HTML."""

    id: str
    title: str
    published: float
    updated: float
    summary: str
    content: str
    link: str
    first_link: str
    first_title: str
    author: str
    lang: str
    tags: tuple[str, ...]


class Feed(Struct, frozen=True, kw_only=True):
    """A list of stories, the newest first. `following`: the address of the next part of it, "" for none."""

    id: str
    title: str
    updated: float
    home: str
    own: str
    following: str
    lang: str
    entries: tuple[Entry, ...]


class Headline(Struct, frozen=True):
    """A headline, who had it first, and where: "" where that has no address that may be followed."""

    title: str
    source: str
    url: str


class Facts(Struct, frozen=True, kw_only=True):
    """Of a story's members: the first one's address, title, source and date; their distinct headlines, the first
    _MOST_HEADLINES; when the first of them came, and the last that is no copy; when, by the wall clock, the story last
    changed."""

    url: str
    title: str
    source: str
    time: float
    headlines: tuple[Headline, ...]
    came: float
    news: float
    changed: float


def facts_of(story: Story, members: Sequence[Member]) -> Facts:
    """The facts of a story with these members, of which there is at least one, by event time."""
    first = members[0]
    news = [member.received for member in members if member.relation is not Relation.COPY]
    return Facts(
        url=safe(first.url) or "",
        title=readable(first.title),
        source=harmless(first.source),
        time=first.time,
        headlines=_headlines(members),
        came=min(member.received for member in members),
        news=max(news or [member.received for member in members]),
        changed=story.active,
    )


def entry(store: UUID, base: str, row: Row, facts: Facts, *, updates: bool) -> Entry:
    """The entry of a story. updates: let it come again, under another id, whenever one more outlet reports it."""
    name = f"{row.story}/{row.outlets}" if updates else row.story
    sources = dict.fromkeys(harmless(source) for source in row.sources[: 2 * _MOST_TAGS])  # of hundreds
    title = readable(row.headline, NO_HEADLINE)
    return Entry(
        id=uuid5(store, name).urn,
        title=title,
        published=facts.came,
        updated=facts.news,
        summary=_summary(row, facts),
        content=_content(facts, title),
        link=f"{base}/stories/{row.story}",
        first_link=facts.url,
        first_title=facts.title,
        author=facts.source,
        lang="" if row.lang == UNDETERMINED else row.lang,
        tags=tuple(source for source in sources if source)[:_MOST_TAGS],
    )


def _headlines(members: Sequence[Member]) -> tuple[Headline, ...]:
    found = dict[str, Headline]()
    for member in members:
        if len(found) == _MOST_HEADLINES:
            break
        if title := readable(member.title):
            found.setdefault(title, Headline(title, readable(member.source), safe(member.url) or ""))
    return tuple(found.values())


def _content(facts: Facts, title: str) -> str:
    """The headlines as a list, each with its outlet where only people look (as `title`): words that stand in many
    entries, as counts, dates and outlets do, make their stories alike to whoever compares texts, such as Storywire."""
    shown = facts.headlines or (Headline(title, "", ""),)
    return f"<ul>{''.join(f'<li>{_line(each)}</li>' for each in shown)}</ul>"


def _line(headline: Headline) -> str:
    tag, leads = ("a", f' href="{escape(headline.url)}"') if headline.url else ("span", "")
    named = f' title="{escape(headline.source)}"' if headline.source else ""
    said = headline.title.rstrip(".… ") or headline.title  # a list that ends in dots looks like a text cut off
    return f"<{tag}{leads}{named}>{escape(said)}</{tag}>"


def _summary(row: Row, facts: Facts) -> str:
    said = f"{count(row.outlets, 'outlet')}, {count(row.articles, 'article')}, {count(row.copies, 'copy', 'copies')}, "
    said += f"{count(row.rewrites, 'rewrite')}; first: {facts.source or 'an outlet without a name'}, "
    said += rfc3339(facts.time)
    return f"{said}: {facts.title}" if facts.title and facts.title != readable(row.headline) else said


def title_of(wanted: Filter) -> str:
    """What a feed of these stories is called."""
    said = []
    if wanted.words:
        said.append(f"about {harmless(wanted.words)}")
    if wanted.lang:
        said.append(f"in {harmless(wanted.lang)}")
    if wanted.outlet:
        said.append(f"with {harmless(wanted.outlet)}")
    if wanted.min_outlets > 1:
        said.append(f"of {wanted.min_outlets} or more outlets")
    if wanted.since_s is not None:
        said.append(f"of the last {since_text(wanted.since_s)}")
    return "Storywire: stories" + (f" {', '.join(said)}" if said else "")


def feed_name(query: Mapping[str, str]) -> str:
    """What a feed's id is made of: what it is asked for, whatever the order, without secrets and places in it."""
    return "feed?" + urlencode(sorted((k, v) for k, v in query.items() if v and k not in ("key", "after", "limit")))

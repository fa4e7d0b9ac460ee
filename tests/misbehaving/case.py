"""One case of the table, and what all cases are written with.

Invariant: a case says everything that is checked of it; a round of polls takes one of its answers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape

from tests.e2e.feed_server import Answer, Request
from worker.model import Article


@dataclass(frozen=True)
class Places:
    """Where the servers of the table are; each is the beginning of an address.

    plain: http; trusted, self_signed, expired, other_name, stranger: https with such certificates; numbered: http at an
    IPv6 address alone; kept: http with connections that stay open; nowhere: nothing listens; unknown: no such name.
    """

    plain: str = "http://news.example"
    trusted: str = "https://news.example"
    self_signed: str = "https://self.example"
    expired: str = "https://old.example"
    other_name: str = "https://other.example"
    stranger: str = "https://stranger.example"
    numbered: str = "http://[2001:db8::1]"
    kept: str = "http://kept.example"
    nowhere: str = "http://down.example:80"
    unknown: str = "http://no-such-host.invalid"

    def tls(self, place: str) -> str:
        """The same host and port by the other scheme."""
        scheme, _, rest = place.partition("://")
        return f"{'http' if scheme == 'https' else 'https'}://{rest}"


DOCUMENTED = Places()
"""The places that docs/feeds.md shows."""

FIRST, SECOND = "Harbour opens after storm", "Council votes on new bridge"
RESTS_H = (0, 2, 2, 25)
"""Hours before each round: in the last one a day has gone by since any body came."""


@dataclass(frozen=True)
class Case:
    """What a server does, and what must come of it.

    name: its path; does: in words, a sentence about the feed without its subject; answers: one for each poll; outcome
    and told: of the last poll; titles: of all articles that it brought; queued: how many revisions went to the queue
    in all, by default one an article; waits_h: between how many hours the next poll must lie; sent: what must hold of
    the requests; brought: what must hold of the articles; owed: what comes instead, where the table does not hold yet.
    """

    name: str
    does: str
    answers: Sequence[Answer]
    outcome: str = "failed"
    told: str = ""
    titles: Sequence[str] = ()
    queued: int | None = None
    at: str = "plain"
    path: str = ""
    waits_h: tuple[float, float] | None = None
    more: dict[str, Answer] = field(default_factory=dict)
    sent: Callable[[list[Request]], object] | None = None
    brought: Callable[[list[Article]], object] | None = None
    owed: str = ""

    @property
    def revisions(self) -> int:
        """How many are queued in all."""
        return len(self.titles) if self.queued is None else self.queued


def item(
    title: str, *, guid: str | None = None, link: str | None = None, date: str | None = None, text: str = ""
) -> str:
    """An RSS item; an empty guid, link or date is left out."""
    slug = "-".join(title.lower().split())
    guid = slug if guid is None else guid
    link = f"https://news.example/{slug}" if link is None else link
    date = "Sun, 15 Jun 2025 15:00:00 GMT" if date is None else date
    return "".join(
        (
            f"<item><title>{escape(title)}</title>",
            f"<guid isPermaLink='false'>{escape(guid)}</guid>" if guid else "",
            f"<link>{escape(link)}</link>" if link else "",
            f"<pubDate>{date}</pubDate>" if date else "",
            f"<description>{escape(text or f'All there is to say: {title}.')}</description></item>",
        )
    )


def channel(*items: str, encoding: str = "utf-8") -> str:
    """An RSS document of these items."""
    return (
        f'<?xml version="1.0" encoding="{encoding}"?><rss version="2.0"><channel><title>Example News</title>'
        f"<link>https://news.example/</link><language>en</language>{''.join(items)}</channel></rss>"
    )


ONE = channel(item(FIRST))
TWO = channel(item(SECOND), item(FIRST))
"""The same feed, a story later."""

"""Feeds that show ever more of a newsroom's articles.

Invariant: they go on showing all that they ever showed, so nothing that a poller could see may be missing in the end.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path

from tests.e2e.feed_server import Answer, FeedServer, Request, page
from worker.model import Article

FEEDS = 16
_TITLE = "<rss version='2.0'><channel><title>Outlet {}</title><language>en</language>"


class Wire:
    """Feeds that show the articles of a newsroom, so many a second while `flowing`."""

    def __init__(self, site: FeedServer, articles: Sequence[Article]) -> None:
        self.site, self._articles = site, list(articles)
        self._items = [_item(article) for article in articles]
        self._before, self._began, self._rate = 0, 0.0, 0.0
        for feed in range(FEEDS):
            site.routes[f"/{feed}"] = self._answer(feed)

    @property
    def shown(self) -> int:
        """How many articles the feeds show by now: the first ones."""
        flowed = int((time.monotonic() - self._began) * self._rate) if self._rate else 0
        return min(len(self._articles), self._before + flowed)

    @property
    def articles(self) -> list[Article]:
        """The articles shown by now."""
        return self._articles[: self.shown]

    @contextmanager
    def flowing(self, rate: float) -> Iterator[None]:
        """While the block lasts so many more appear each second."""
        self._before, self._began, self._rate = self.shown, time.monotonic(), rate
        try:
            yield
        finally:
            self._before, self._rate = self.shown, 0.0

    def opml(self, folder: Path) -> Path:
        """The list of its feeds, as a file."""
        file = folder / "feeds.opml"
        outlines = "".join(f"<outline type='rss' xmlUrl='{self.site.url(f'/{feed}')}'/>" for feed in range(FEEDS))
        file.write_text(f"<opml version='2.0'><head/><body>{outlines}</body></opml>")
        return file

    def _answer(self, feed: int) -> Answer:
        async def answer(request: Request, writer: object) -> None:
            items = "".join(self._items[feed : self.shown : FEEDS])
            body = f"{_TITLE.format(feed)}{items}</channel></rss>"
            await page(body, content_type="text/xml")(request, writer)  # type: ignore[arg-type]

        return answer


def _item(article: Article) -> str:
    published = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() - 3600))
    return (
        f"<item><guid isPermaLink='false'>{escape(article.id)}</guid><link>{link(article)}</link>"
        f"<title>{escape(article.title)}</title><description>{escape(article.text)}</description>"
        f"<pubDate>{published}</pubDate></item>"
    )


def link(article: Article) -> str:
    """The address by which an article is known again in the store."""
    return f"https://example.org/{escape(article.id)}"

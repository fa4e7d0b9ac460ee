"""Whether what was read of a page is an entry's full text, and the article that follows.

Invariant: pure; the article keeps its id, its revision, its language, its outlet, its time and the title that its feed
gave it.
"""

from msgspec.structs import replace

from worker.feed.address import web_link
from worker.feed.domain import hostname, registrable
from worker.fetch import Failed
from worker.model import PAGE_READ, Article
from worker.pages.extracted import Extracted
from worker.text import tokens

_LONG_WORD = 5
"""Characters: shorter ones are mostly words that any text has."""

_ENOUGH_WORDS = 5
_SHARED = 0.25
"""So much of what the entry says, a page that is its article says too: a consent wall, a login form, the front page in
place of what is gone do not."""

_LONGER, _MORE_BYTES = 1.25, 100
"""By so much a text must be longer than the summary: a paywall leaves the summary over, and adds an offer."""

_FAILURES = {
    "dns": "cannot be reached: its server is not known",
    "connect": "cannot be reached",
    "tls": "has no certificate that can be trusted",
    "timeout": "took too long to come",
    "redirects": "redirects to nowhere",
    "too-big": "is larger than 5 MB",
    "broken": "did not come as a whole",
    "bad-url": "has an address that cannot be used",
    "private": "is at a private address (STORYWIRE_ALLOW_PRIVATE)",
    "type": "is no HTML",
}
"""What a failure of a fetch means for a page, in words that follow "its page"."""


def failed(answer: Failed) -> str:
    """Why a page could not be fetched, in words that follow "its page"."""
    return f"answers with status {answer.status}" if answer.status else _FAILURES.get(answer.kind, "cannot be fetched")


def without_page(article: Article, reason: str) -> Article:
    """The article as its feed has it, with the reason."""
    return replace(article, page=reason)


def with_page(article: Article, page: Extracted, url: str) -> Article:
    """The article with its page's text, or without and with the reason; `url`: where the page was found."""
    if not page.text:
        return without_page(article, page.reason or "shows no article that can be told from the rest of the page")
    if not _is_about(article, page):
        return without_page(article, "shows another text: a wall, or what stands where it was")
    text = _body(page)
    if _size(text) < _LONGER * _size(article.text) + _MORE_BYTES:
        return without_page(article, "shows no more than the summary: the rest may be for subscribers")
    return replace(
        article,
        text=text,
        title=article.title or page.title,
        url=_address(article.url, page.canonical, url),
        published=page.published if article.published is None else article.published,
        page=PAGE_READ,
    )


def _body(page: Extracted) -> str:
    """The text without its headline, which counts by itself."""
    headline, _, rest = page.text.partition("\n")
    return rest if headline == page.title else page.text


def _size(text: str) -> int:
    """Bytes: a Chinese sign says more than a letter."""
    return len(text.encode("utf-8", "ignore"))


def _is_about(article: Article, page: Extracted) -> bool:
    """Whether the page says what the entry says."""
    said = _words(f"{article.title}\n{article.text}", article.lang)
    return not said or len(said & set(tokens(f"{page.title}\n{page.text}", article.lang))) >= _SHARED * len(said)


def _words(text: str, lang: str) -> set[str]:
    """The distinct words that tell a text from others."""
    words = set(tokens(text, lang))
    long = {word for word in words if len(word) >= _LONG_WORD}
    return long if len(long) >= _ENOUGH_WORDS else words


def _address(given: str, canonical: str, found: str) -> str:
    """The address that the page gives itself, where the same outlet answers for it and it is not its front page."""
    link = web_link(found, canonical) if canonical else ""
    if not link or _is_front(link) or _owner(link) != _owner(found):
        return given
    return link


def _owner(url: str) -> str:
    return registrable(url) or hostname(url)


def _is_front(url: str) -> bool:
    return url.partition("://")[2].rstrip("/").count("/") == 0

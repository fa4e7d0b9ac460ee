"""Which pages are an entry's full text, and what the article then is."""

import pytest

from worker.fetch import Failed
from worker.model import AWAITED, PAGE_READ, Article
from worker.pages.choose import failed, with_page
from worker.pages.extracted import Extracted

SUMMARY = "Divers found a crack in the pier of the harbour bridge, and traffic is stopped until Tuesday."
TEXT = SUMMARY + " " + "The city sends ferries across the water, and the mayor asks for patience. " * 5
ARTICLE = Article(
    id="f.1", title="Harbour bridge stays shut", text=SUMMARY, url="https://news.example.org/?p=1",
    source="News", lang="en", received=5.0, page=AWAITED, outlet="example.org",
)  # fmt: skip
URL = "https://www.example.org/bridge"


def chosen(page: Extracted, url: str = URL, article: Article = ARTICLE) -> Article:
    """The article with this page."""
    return with_page(article, page, url)


def test_only_text_address_and_a_missing_date_change() -> None:
    after = chosen(Extracted(TEXT, "A title of the page", "https://m.example.org/bridge", "de", 7.0))
    assert (after.text, after.page, after.url) == (TEXT, PAGE_READ, "https://m.example.org/bridge")
    assert after.published == 7.0
    kept = ("id", "title", "source", "lang", "received", "outlet", "revision", "backfill")
    assert [getattr(after, name) for name in kept] == [getattr(ARTICLE, name) for name in kept]


def test_the_feeds_date_stands_and_a_title_is_taken_where_the_feed_has_none() -> None:
    bare = Article(id="f.1", text=SUMMARY, url=ARTICLE.url, lang="en", received=5.0, published=3.0, page=AWAITED)
    after = chosen(Extracted(TEXT, "A title of the page", published=7.0), article=bare)
    assert (after.published, after.title) == (3.0, "A title of the page")


@pytest.mark.parametrize(
    ("canonical", "found", "expected"),
    [
        ("https://www.example.org/bridge?x=1", URL, "https://www.example.org/bridge?x=1"),
        ("/bridge/full", URL, "https://www.example.org/bridge/full"),
        ("https://agency.example.net/bridge", URL, ARTICLE.url),
        ("https://www.example.org/", URL, ARTICLE.url),
        ("https://www.example.org", URL, ARTICLE.url),
        ("javascript:alert(1)", URL, ARTICLE.url),
        ("http://[", URL, ARTICLE.url),
        ("", URL, ARTICLE.url),
        ("https://b.github.io/x/y", "https://a.github.io/x", ARTICLE.url),
    ],
)
def test_an_address_is_taken_from_the_same_owner_alone(canonical: str, found: str, expected: str) -> None:
    """Neither another outlet's, nor the front page, which careless sites give all their pages."""
    assert chosen(Extracted(TEXT, canonical=canonical), found).url == expected


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (Extracted(reason="cannot be read (ValueError)"), "cannot be read (ValueError)"),
        (Extracted(), "shows no article"),
        (Extracted(SUMMARY), "shows no more than the summary"),
        (Extracted(SUMMARY[:40]), "shows no more than the summary"),
        (Extracted(SUMMARY + " Subscribe now to read on, four weeks for one crown."), "shows no more than the summary"),
        (Extracted("We value your privacy. " * 40), "shows another text"),
        (Extracted("Sign in with your account or create one. " * 40, "Sign in"), "shows another text"),
    ],
)
def test_what_is_no_fuller_text_leaves_the_summary(page: Extracted, reason: str) -> None:
    after = chosen(page)
    assert (after.text, after.url) == (SUMMARY, ARTICLE.url)
    assert after.page.startswith(reason)


def test_a_text_in_chinese_is_measured_by_what_it_says() -> None:
    """Sixty signs are an article of forty words."""
    short = Article(id="f.1", title="大桥封闭", text="货轮撞上桥墩,大桥封闭。", url=URL, lang="zh", received=5.0)
    page = Extracted(
        "货轮撞上桥墩,大桥封闭。潜水员将于周二检查桥墩基础,在此之前火车和汽车都不得通行,市政府已增开渡轮,请市民预留时间。"
    )
    assert chosen(page, article=short).page == PAGE_READ


def test_the_headline_is_not_taken_for_text() -> None:
    assert chosen(Extracted(f"Bridge shut\n{TEXT}", "Bridge shut")).text == TEXT


@pytest.mark.parametrize("kind", "dns connect tls timeout redirects too-big broken bad-url private type odd".split())
def test_every_failure_has_words(kind: str) -> None:
    said = failed(Failed(kind, "of a feed: remove the feed"))
    assert said and "feed" not in said
    assert failed(Failed("http", "", status=418)) == "answers with status 418"

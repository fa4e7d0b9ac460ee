"""Whose report an article is: newsrooms are told apart by domain, and no aggregator is one."""

import pytest

from worker.feed.outlet import Issue, Masthead, Outlet, room, whose
from worker.feed.parse import Entry
from worker.feed.sites import newsroom, site
from worker.model import UNTOLD

POST = Masthead("Harbour Post: World", "https://www.harbourpost.com/world.xml", "harbourpost.com")
BURNED = Masthead("Harbour Post", "https://feeds.feedburner.com/harbour", "harbourpost.com")
GOOGLE = Masthead("Top stories - Google News", "https://news.google.com/rss", "")
YAHOO = Masthead("Yahoo News", "https://news.yahoo.com/rss", "")
HACKER = Masthead("Hacker News", "https://news.ycombinator.com/rss", "github.com")
REDDIT = Masthead("r/worldnews", "https://www.reddit.com/r/worldnews/.rss", "")
PLANET = Masthead("Planet Harbour", "https://planet.harbour.io/feed", "")
LOCAL = Masthead("Test Feed", "http://127.0.0.1:8000/feed", "")

GOOGLE_LINK = "https://news.google.com/rss/articles/CBMi0gFBVV95cUxN?oc=5"

CASES = {
    "its own page": ("https://www.harbourpost.com/a", "", "", POST, ("Harbour Post: World", "harbourpost.com")),
    "its mobile site": ("https://m.harbourpost.com/a", "", "", POST, ("Harbour Post: World", "harbourpost.com")),
    "no link": ("", "", "", POST, ("Harbour Post: World", "harbourpost.com")),
    "a page of another": ("https://lakenews.com/a", "", "", POST, ("lakenews.com", "lakenews.com")),
    "a page of another that it names": (
        "https://lakenews.com/a", "Lake News", "https://lakenews.com/rss", POST, ("Lake News", "lakenews.com"),
    ),
    "a feed through a carrier": ("https://harbourpost.com/a", "", "", BURNED, ("Harbour Post", "harbourpost.com")),
    "a link through a carrier": (
        "http://feedproxy.google.com/~r/harbour/~3/x/", "", "", BURNED, ("Harbour Post", ""),
    ),
    "google news": (GOOGLE_LINK, "Reuters", "https://www.reuters.com", GOOGLE, ("Reuters", "reuters.com")),
    "google news in a feed of a person's own": (
        GOOGLE_LINK, "Reuters", "https://www.reuters.com", LOCAL, ("Reuters", "reuters.com"),
    ),
    "google news without an address": (GOOGLE_LINK, "Reuters", "", GOOGLE, ("Reuters", "")),
    "google news that does not say": (GOOGLE_LINK, "", "", GOOGLE, ("Top stories - Google News", UNTOLD)),
    "yahoo of itself": (
        "https://news.yahoo.com/a.html", "Yahoo News", "https://news.yahoo.com/", YAHOO, ("Yahoo News", UNTOLD),
    ),
    "yahoo": (
        "https://uk.yahoo.com/news/a.html", "Lake News", "https://lakenews.com/", YAHOO, ("Lake News", "lakenews.com"),
    ),
    "hacker news": ("https://www.lakenews.com/a", "", "", HACKER, ("lakenews.com", "lakenews.com")),
    "hacker news of most of its links": ("https://github.com/a", "", "", HACKER, ("github.com", "github.com")),
    "hacker news of its own": ("https://news.ycombinator.com/item?id=1", "", "", HACKER, ("Hacker News", UNTOLD)),
    "reddit": ("https://www.reddit.com/r/worldnews/comments/1/x/", "", "", REDDIT, ("r/worldnews", UNTOLD)),
    "a planet": ("https://ann.substack.com/p/x", "", "", PLANET, ("ann.substack.com", "ann.substack.com")),
    "a planet that names its sources": (
        "https://ann.substack.com/p/x", "Ann", "https://ann.substack.com/feed", PLANET, ("Ann", "ann.substack.com"),
    ),
    "bing's redirection": (
        "http://www.bing.com/news/apiclick.aspx?url=https%3a%2f%2flakenews.com%2fa", "Lake News", "", GOOGLE,
        ("Lake News", "lakenews.com"),
    ),
    "a server without a name": ("http://127.0.0.1:8000/a", "", "", LOCAL, ("Test Feed", "")),
    "a name that is nobody's": ("https://example.org/a", "", "", LOCAL, ("Test Feed", "")),
    "an address nobody can read": ("https://[a/", "", "https://[b/", LOCAL, ("Test Feed", "")),
}  # fmt: skip


@pytest.mark.parametrize(("link", "said", "said_url", "feed", "outlet"), CASES.values(), ids=CASES)
def test_whose_report_it_is(link: str, said: str, said_url: str, feed: Masthead, outlet: tuple[str, str]) -> None:
    assert whose(link, said, said_url, feed) == Outlet(*outlet)


@pytest.mark.parametrize(
    ("url", "owner"),
    [
        ("https://news.bbc.co.uk/a", "bbc.co.uk"),
        ("https://www.bbc.com/a", "bbc.co.uk"),
        ("https://ann.blogspot.com/a", "ann.blogspot.com"),
        ("https://ann.substack.com/p/a", "ann.substack.com"),
        ("https://www.ann.wordpress.com/a", "ann.wordpress.com"),
        ("https://medium.com/@Ann/a", "medium.com/@ann"),
        ("https://ann.medium.com/a", "ann.medium.com"),
        ("https://sites.google.com/ann/a", "sites.google.com/ann"),
        ("https://t.co/a", ""),
        ("https://old.reddit.com/r/a", ""),
        ("https://notreddit.com/a", "notreddit.com"),
        ("https://feeds.feedburner.com/a", ""),
        ("https://co.uk/a", ""),
        ("https://a.test/x", ""),
        ("", ""),
    ],
)
def test_newsrooms(url: str, owner: str) -> None:
    assert newsroom(url) == owner


def test_a_platform_itself_is_a_site() -> None:
    assert site("https://www.substack.com/about") == site("https://substack.com") == "substack.com"


def issue(address: str, *links: str) -> tuple[Issue, list[Entry]]:
    entries = [Entry(str(number), "Title", "Text", link) for number, link in enumerate(links)]
    return Issue(entries, "The Feed", address), entries


def test_a_feed_has_its_name_where_most_of_its_pages_are_of_one_newsroom() -> None:
    """As the feed of `bbc.co.uk` is at `bbci.co.uk`."""
    found, (first, _, other) = issue(
        "https://feeds.b.net/x", "https://a.com/1", "https://www.a.com/2", "https://c.com/1"
    )
    assert found.outlet_of(first) == Outlet("The Feed", "a.com")
    assert found.outlet_of(other) == Outlet("c.com", "c.com")
    found, (first, other) = issue("https://feeds.b.net/x", "https://a.com/1", "https://c.com/1")
    assert found.outlet_of(first) == Outlet("a.com", "a.com")


A, B, LIST = "https://a.com", "https://b.com", "https://news.ycombinator.com/rss"


@pytest.mark.parametrize(
    ("address", "links", "pages"),
    [
        (f"{A}/rss", ["https://www.a.com/1?utm_source=rss"], [f"{A}/1"]),
        (f"{A}/rss", [f"{A}/1", f"{A}/1#later", f"{A}/2"], ["", "", f"{A}/2"]),
        (f"{A}/rss", [f"{A}/", ""], ["", ""]),
        (f"{A}/rss", [f"{A}/1", f"{A}/2", f"{B}/1"], [f"{A}/1", f"{A}/2", ""]),
        (LIST, [f"{A}/1", f"{B}/1"], [f"{A}/1", f"{B}/1"]),
        ("https://news.google.com/rss", ["https://news.google.com/articles/1"], [""]),
        ("http://127.0.0.1/rss", ["http://127.0.0.1/1", "https://example.org/1"], ["", ""]),
    ],
    ids=["its own", "one page for several", "none", "another's", "a list's", "an aggregator's", "nobody's"],
)
def test_pages_that_stand_for_one_article(address: str, links: list[str], pages: list[str]) -> None:
    found, entries = issue(address, *links)
    assert [found.page_of(entry) for entry in entries] == pages


def test_a_page_alone_tells_its_newsroom_unless_it_shows_others() -> None:
    """All that a line of a file says, besides a name."""
    assert room("https://www.lakenews.com/a") == room("https://www.google.com/amp/s/m.lakenews.com/a") == "lakenews.com"
    assert room("https://news.google.com/articles/a") == room("") == ""


MANY_OF_A = [f"{A}/{number}" for number in range(6)]


@pytest.mark.parametrize(
    ("address", "links", "asks"),
    [
        (f"{A}/rss", MANY_OF_A, False),
        (f"{A}/rss", [], False),
        ("https://feeds.a.com/rss", MANY_OF_A, False),
        ("https://feeds.bbci.co.uk/news/rss.xml", ["https://www.bbc.co.uk/news/1", "https://www.bbc.com/2"], False),
        (f"{B}/rss", MANY_OF_A, True),
        (f"{B}/rss", [*MANY_OF_A, f"{B}/1"], True),
        ("https://feeds.feedburner.com/a", MANY_OF_A, True),
        ("http://93.184.216.34/rss", MANY_OF_A, True),
        ("https://evil.example/rss", MANY_OF_A, True),
        ("http://127.0.0.1:1200/a", MANY_OF_A, False),
        (LIST, [f"{A}/1", f"{B}/1"], True),
    ],
    ids=[
        "its own", "empty", "its own subdomain", "its own other domain", "another's", "another's with one of its own",
        "a carrier's", "a bare address", "nobody's", "of this machine", "a list's",
    ],
)  # fmt: skip
def test_a_feed_claims_the_pages_of_its_own_address_alone(address: str, links: list[str], asks: bool) -> None:
    """Whoever links to another's pages may ask whose they are, or any feed could take over a newsroom's articles."""
    found, entries = issue(address, *links)
    assert found.lists is asks
    assert all(found.page_of(entry) for entry in entries if entry.url.startswith(A))

"""What feeds say besides their entries, JSON Feed, news sitemaps and their indexes, summaries and outlets."""

import json
from time import process_time
from typing import Any

import pytest

from worker.feed import sniff
from worker.feed.hints import header_links
from worker.feed.parse import MAX_ENTRIES, ParsedFeed, State, parse
from worker.feed.sitemap import read_sitemap
from worker.feed.summary import is_summary

URL = "https://feeds.example/news/feed"


def rss(channel: str = "", item: str = "") -> ParsedFeed:
    spaces = 'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    return parse(
        f"<rss version='2.0' {spaces}><channel><title>F</title>{channel}<item><title>T</title>"
        f"<link>https://a.example/1</link>{item}</item></channel></rss>".encode(),
        URL,
        "",
    )


def json_feed(**fields: Any) -> ParsedFeed:
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "J"} | fields
    return parse(json.dumps(feed).encode(), URL, "application/feed+json")


def test_hours_and_days_to_skip_are_read() -> None:
    told = rss(
        "<skipHours><hour>0</hour><hour> 23 </hour><hour>24</hour><hour>99</hour></skipHours>"
        "<skipDays><day>Saturday</day><day>sunday</day><day>Someday</day></skipDays>"
    )
    assert (told.skip_hours, told.skip_days) == ((0, 23), (5, 6))


def test_what_an_entry_writes_of_hours_to_skip_is_no_request() -> None:
    told = rss(item="<description><![CDATA[<skipHours><hour>1</hour></skipHours>]]></description>")
    assert told.skip_hours == ()


def test_a_list_after_the_entries_counts_and_one_without_an_end_is_bounded() -> None:
    skips = b"<skipDays><day>Monday</day></skipDays>"
    body = b"<rss version='2.0'><channel><item><title>T</title></item>" + skips + b"</channel></rss>"
    assert parse(body, URL, "").skip_days == (0,)
    assert parse(b"<rss><channel><skipHours>" + b"<hour>1</hour>" * 50_000, URL, "").skip_hours in ((), (1,))


def test_the_hub_and_the_topic_are_read_from_any_format() -> None:
    links = '<{0}link rel="hub" href="https://hub.example/"/><{0}link rel="self" href="/news/self"/>'
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title>{links.format("")}</feed>'
    hub = [{"type": "rssCloud", "url": "https://x.example/"}, {"type": "WebSub", "url": "https://hub.example/"}]
    for told in (
        rss(links.format("atom:")),
        parse(feed.encode(), URL, ""),
        json_feed(hubs=hub, feed_url="https://feeds.example/news/self"),
    ):
        assert (told.hub, told.topic) == ("https://hub.example/", "https://feeds.example/news/self")
    assert (rss().hub, rss().topic) == ("", "")


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", ("", "")),
        ('<https://hub.example/>; rel="hub"', ("https://hub.example/", "")),
        ("<https://hub.example/>; rel=hub, </self>; rel=self", ("https://hub.example/", "https://feeds.example/self")),
        ('</self>; title="a, b; c"; rel="self alternate"', ("", "https://feeds.example/self")),
        ('<https://a.example/?a=1,2>;rel="next", <//hub.example/x>; REL="HUB"', ("https://hub.example/x", "")),
        ("<javascript:alert(1)>; rel=hub", ("", "")),
        ("<https://hub.example/>; rel=hub, " * 9_000, ("https://hub.example/", "")),
        ("<" * 99_999, ("", "")),
        ("<a>" + ";a=" * 9_999, ("", "")),
    ],
)
def test_a_link_header_names_hub_and_topic(header: str, found: tuple[str, str]) -> None:
    began = process_time()
    assert header_links(header, URL) == found
    assert process_time() - began < 1


@pytest.mark.parametrize(
    ("item", "summary"),
    [
        ("<description>A short word on it.</description>", True),
        ("", True),
        (f"<description>{'word ' * 400}</description>", False),
        (f"<description>{'word ' * 400}[…]</description>", True),
        (f"<description>{'word ' * 400}&lt;a href='/1'&gt;Read more »&lt;/a&gt;</description>", True),
        (f"<description>{'word ' * 400}Continue reading →</description>", True),
        (f"<description>{'word ' * 400}Weiterlesen …</description>", True),
        (f"<description>{'слово ' * 300}Читать далее</description>", True),
        (f"<description>{'word ' * 400}[…]\n\nThe post A dam appeared first on The Courier.</description>", True),
        (f"<description>{'word ' * 400}There will be no more.</description>", False),
        ("<content:encoded>All that there is to say.</content:encoded>", False),
        ("<content:encoded>All that there is…</content:encoded>", True),
        ("<content:encoded>All of it.</content:encoded><description>Some…</description>", False),
        (f"<description>{'市长回答' * 200}</description>", False),
    ],
)
def test_a_summary_is_told_from_an_article(item: str, summary: bool) -> None:
    assert rss(item=item).entries[0].summary is summary


def test_without_a_page_nothing_is_its_summary() -> None:
    assert not is_summary("Short…", "", has_content=False)


def test_an_entry_without_a_link_has_none() -> None:
    """Not the address of the site, whose page would be taken for the article's."""
    body = b"<rss version='2.0'><channel><link>https://a.example/</link><item><title>T</title></item></channel></rss>"
    assert [(entry.url, entry.summary) for entry in parse(body, URL, "").entries] == [("", False)]


def test_the_caption_of_a_picture_is_not_the_article() -> None:
    media = '<media:description xmlns:media="http://search.yahoo.com/mrss/">The mayor, on Monday.</media:description>'
    assert rss(item=f"<description>It was opened.</description>{media}").entries[0].text == "It was opened."
    assert rss(item=media).entries[0].text == "The mayor, on Monday."


def test_an_outlet_is_whom_the_entry_names() -> None:
    entry = rss(item='<source url="https://courier.example/feed">The &amp; Courier</source>').entries[0]
    assert (entry.outlet, entry.outlet_url) == ("The & Courier", "https://courier.example/feed")
    source = "<source><id>x</id><title>The Courier</title><link href='https://courier.example/'/></source>"
    body = (
        f"<feed xmlns='http://www.w3.org/2005/Atom'><title>Planet</title><entry><title>T</title>{source}</entry></feed>"
    )
    entry = parse(body.encode(), URL, "").entries[0]
    assert (entry.outlet, entry.outlet_url) == ("The Courier", "https://courier.example/")
    assert (rss().entries[0].outlet, rss().entries[0].outlet_url) == ("", "")


def test_a_json_feed_is_a_feed() -> None:
    told = json_feed(
        home_page_url="https://a.example/",
        language="en-GB",
        items=[
            {
                "id": 7,
                "url": "/1",
                "title": "Lock <b>gates</b>",
                "content_html": "<p>They&nbsp;opened.</p>",
                "summary": "s",
                "date_published": "2026-03-16T10:00:00+01:00",
                "authors": [{"name": "x"}],
                "_extension": {"a": [1]},
            },
            {"id": "b", "external_url": "https://b.example/", "content_text": "1 < 2 <b> & so on", "language": "de"},
            {"id": "c", "date_modified": "2026-03-16T10:00:00Z", "url": "https://a.example/c", "summary": "Short."},
        ],
    )
    assert (told.state, told.title, told.lang, told.reason) == (State.OK, "J", "en-GB", "")
    one, two, three = told.entries
    assert (one.title, one.text, one.url) == ("Lock gates", "They opened.", "https://feeds.example/1")
    assert (one.published, one.lang, one.summary) == (1_773_651_600.0, "en-GB", False)
    assert (two.title, two.text, two.url) == ("1 < 2 <b> & so on",) * 2 + ("https://b.example/",)
    assert (two.lang, three.published, three.summary) == ("de", 1_773_655_200.0, True)


def test_a_json_feed_says_little_or_wrong_things() -> None:
    """What is missing is empty; items of other types are left out, and counted."""
    assert json_feed().state is State.EMPTY
    halves = (
        b'{"version": "https://jsonfeed.org/version/1", "items": [{"id": 1, "title": "a \\ud83d\\ude00 b \\ud83d"}]}'
    )
    assert parse(halves, URL, "").entries[0].title.startswith("a 😀 b")
    assert json_feed(title=None, items=None, language=None).state is State.EMPTY
    told = json_feed(items=[{"id": ["a"]}, 7, {"id": 1.5, "title": "T"}, {}], hubs="none")
    assert [entry.title for entry in told.entries] == ["T", ""]
    assert told.reason == "2 items with fields of the wrong type were left out: tell the site"
    many = json_feed(items=[{"id": n} for n in range(MAX_ENTRIES + 1)])
    assert (len(many.entries), many.reason) == (MAX_ENTRIES, "only the first 2,000 of 2,001 entries were taken")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"version": 1}',
        b'{"version": "https://jsonfeed.org/version/1", "items": {}}',
        b'{"version": "https://jsonfeed.org/version/1", "title": ["x"]}',
        b'{"a":' * 500_000,
        b"[" * 5_000_000,
        b'{"version": "https://jsonfeed.org/version/1", "items": [' + b"{}," * 1_500_000 + b"{}]}",
    ],
)
def test_json_that_is_no_feed_is_refused_at_once(body: bytes) -> None:
    began = process_time()
    parsed = parse(body, URL, "application/json")
    assert (parsed.state, "no JSON Feed" in parsed.reason) == (State.NOT_A_FEED, True)
    assert process_time() - began < 1


def sitemap(*urls: str) -> bytes:
    spaces = (
        'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9" '
        'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset {spaces}>{"".join(urls)}</urlset>'.encode()


def news(number: int, name: str = "The Courier", date: str = "2026-03-16T10:00:00Z", more: str = "") -> str:
    return (
        f"<url><loc>https://a.example/{number}</loc><lastmod>2026-03-17</lastmod>{more}<news:news><news:publication>"
        f"<news:name>{name}</news:name><news:language>de</news:language></news:publication>"
        f"<news:publication_date>{date}</news:publication_date><news:title>Title {number} &amp; more</news:title>"
        "</news:news></url>"
    )


def test_a_news_sitemap_is_a_feed() -> None:
    image = "<image:image><image:loc>https://a.example/i.jpg</image:loc><image:title>I</image:title></image:image>"
    told = parse(sitemap(news(1, more=image), "<url><loc>https://a.example/about</loc></url>", news(2)), URL, "")
    assert (told.state, told.title, len(told.entries)) == (State.OK, "The Courier", 2)
    entry = told.entries[0]
    assert (entry.title, entry.url, entry.lang) == ("Title 1 & more", "https://a.example/1", "de")
    assert (entry.published, entry.text, entry.summary, entry.outlet) == (1_773_655_200.0, "", True, "")


def test_a_sitemap_of_several_publications_names_them() -> None:
    told = parse(sitemap(news(1), news(2, "The Herald")), URL, "")
    assert [entry.outlet for entry in told.entries] == ["The Courier", "The Herald"]


def test_the_newest_of_a_long_sitemap_are_taken() -> None:
    dates = [f"2026-03-{1 + n % 28:02}T00:00:00Z" for n in range(MAX_ENTRIES + 500)]
    told = parse(sitemap(*(news(n, date=date) for n, date in enumerate(dates))), URL, "")
    assert len(told.entries) == MAX_ENTRIES
    assert min(entry.published or 0 for entry in told.entries) >= sorted(map(_seconds, dates))[500]
    assert told.reason == "only the newest 2,000 of 2,500 entries were taken"


def _seconds(date: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(date).timestamp()


@pytest.mark.parametrize(
    "body",
    [
        sitemap("<url><loc>https://a.example/about</loc></url>"),
        b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + sitemap(news(1)),
        sitemap(news(1))[:-20],
        sitemap("<url>" * 30_000),
    ],
    ids=["no news", "entities", "cut off", "deep"],
)
def test_a_sitemap_that_is_no_feed_says_so(body: bytes) -> None:
    told = parse(body, URL, "")
    assert (told.state, told.reason) == (State.NOT_A_FEED, sniff.NO_NEWS)


def test_an_empty_sitemap_is_a_feed_without_entries() -> None:
    assert parse(sitemap(), URL, "").state is State.EMPTY


def index(*parts: str) -> bytes:
    inside = "".join(parts)
    return f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{inside}</sitemapindex>'.encode()


def part(name: str, lastmod: str = "") -> str:
    return f"<sitemap><loc>https://a.example/{name}</loc>{f'<lastmod>{lastmod}</lastmod>' if lastmod else ''}</sitemap>"


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ([part("a", "2026-03-01"), part("b", "2026-03-03"), part("c", "2026-03-02T00:00:00Z"), part("d")], "bca"),
        ([part("s-1"), part("s-2"), part("s-10"), part("s-9")], ["s-10", "s-9", "s-2"]),
        ([part("2025-12"), part("2026-01"), part("2026-03"), part("2026-02")], ["2026-03", "2026-02", "2026-01"]),
        ([part("pages", "2026-03-09"), part("news", "2026-03-01")], ["news"]),
        ([part("one"), part("two")], ["one", "two"]),
        (["<sitemap><loc>javascript:alert(1)</loc></sitemap>", "<sitemap/>"], []),
    ],
)
def test_an_index_names_its_newest_parts(given: list[str], parts: list[str]) -> None:
    read = read_sitemap(index(*given), URL, MAX_ENTRIES)
    assert read is not None
    assert list(read.parts) == [f"https://a.example/{name}" for name in parts]
    told = parse(index(*given), URL, "")
    assert told.state is State.EMPTY
    assert ("its newest part, https://a.example/" in told.reason) is bool(parts)

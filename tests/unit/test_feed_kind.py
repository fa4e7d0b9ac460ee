"""What is told of a feed that is looked at: the name of its format, and what is odd about it."""

import pytest

from worker.feed.kind import kind_of
from worker.feed.oddities import newest, oddities
from worker.feed.parse import Entry, ParsedFeed, State

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('<?xml version="1.0"?><rss version="2.0">', "RSS 2.0"),
        ("\ufeff<!-- a note --><rss version='0.91' xmlns:x='y'>", "RSS 0.91"),
        ("<rss>", "RSS"),
        ('<rdf:RDF xmlns:rdf="r" xmlns="http://purl.org/rss/1.0/">', "RSS 1.0 (RDF)"),
        ('<rdf:RDF xmlns="http://my.netscape.com/rdf/simple/0.9/">', "RSS 0.90 (RDF)"),
        ('<feed xmlns="http://www.w3.org/2005/Atom">', "Atom 1.0"),
        ('<a:feed xmlns:a="http://www.w3.org/2005/Atom">', "Atom 1.0"),
        ('<feed version="0.3" xmlns="http://purl.org/atom/ns#">', "Atom 0.3"),
        ('{"version": "https://jsonfeed.org/version/1.1"}', "JSON Feed 1.1"),
        ('{"items": []}', "JSON Feed"),
        ('<urlset xmlns="x">', "news sitemap"),
        ("<sitemapindex>", "sitemap index"),
        ("<channel>", "RSS without a version"),
        ("", "feed"),
        ("<" * 100_000, "feed"),
        ("<rss " * 100_000, "RSS"),
    ],
)
def test_a_document_is_called_by_its_format(body: str, kind: str) -> None:
    assert kind_of(body.encode()) == kind


def test_a_document_in_utf_16_has_a_format_too() -> None:
    assert kind_of('<?xml version="1.0" encoding="utf-16"?><rss version="2.0">'.encode("utf-16")) == "RSS 2.0"


def entry(number: int, age_s: float | None = 60.0, url: str = "", text: str = "x") -> Entry:
    published = None if age_s is None else NOW - age_s
    return Entry(str(number), f"T{number}", text, url or f"https://a.example/{number}", published=published)


def told(*entries: Entry, size: int = 1000, content_type: str = "text/xml", has_validators: bool = True) -> list[str]:
    feed = ParsedFeed(State.OK, entries=entries)
    return oddities(feed, size=size, content_type=content_type, has_validators=has_validators, now=NOW)


def test_a_feed_as_it_should_be_is_not_odd() -> None:
    assert told(entry(1), entry(2)) == []


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (told(entry(1, None), entry(2, None)), "states no dates: articles count from when they are first seen"),
        (told(entry(1, None), entry(2)), "states no date for 1 of 2 entries"),
        (told(entry(1, -7200), entry(2)), "dates 1 of 2 entries in the future: they count from when "
         "they are first seen"),
        (told(entry(1, 86400 * 99.5)), "has brought nothing for 99 days"),
        (told(Entry("1", "T", "x", "", published=NOW)), "has no link in all its entries"),
        (told(entry(1, url="https://a.example/"), entry(2, url="https://a.example/")),
         "gives 1 of 2 entries the link of another one"),
        (told(entry(1, text=""), entry(2)), "has only a headline in 1 of 2 entries"),
        (told(entry(1), size=2_500_000), "is large: 2.5 MB a poll"),
        (told(entry(1), content_type="text/html; charset=utf-8"), "is served as text/html, as web pages are"),
        (told(entry(1), has_validators=False),
         "gives neither ETag nor Last-Modified: each poll brings the whole document"),
    ],
)  # fmt: skip
def test_what_is_odd_is_told_once(found: list[str], says: str) -> None:
    assert found == [says]


def test_the_newest_entry_is_not_of_the_future() -> None:
    entries = [entry(1, 500), entry(2, -90_000), entry(3, 100), entry(4, None)]
    found = newest(entries, NOW)
    assert found is not None
    assert found.key == "3"
    assert newest([entry(5, None), entry(6, None)], NOW) == entry(5, None)
    assert newest([], NOW) is None

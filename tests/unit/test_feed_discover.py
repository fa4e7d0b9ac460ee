"""The feeds of a page: those it names, those its links look like, those that many sites have."""

from time import process_time

import pytest

from worker.feed.discover import MAX_CANDIDATES, Candidate, candidates

URL = "https://news.example/world/"


def found(page: str) -> list[tuple[str, str]]:
    """Address and how it was found, without what is guessed."""
    return [(each.url, each.found) for each in candidates(page.encode(), URL) if each.found != "guess"]


def test_what_the_page_names_comes_first_and_comments_come_last() -> None:
    page = """<!doctype html><html><head>
      <link rel="alternate" type="application/rss+xml" title="World &raquo; Comments" href="/comments/feed/">
      <link rel='alternate' type='application/rss+xml; charset=utf-8' title='World &amp; more' href='/world/feed/'>
      <link type=application/feed+json rel=alternate href=/feed.json>
      </head><body><a href="/rss.xml"><img src="x"> Our <b>RSS</b></a>
      <a href="https://feeds.feedburner.example/world">Elsewhere</a></body></html>"""
    told = candidates(page.encode(), URL)
    assert told[0] == Candidate("https://news.example/world/feed/", "World & more", "application/rss+xml", "link")
    assert told[1] == Candidate("https://news.example/feed.json", "", "application/feed+json", "link")
    assert told[2] == Candidate("https://news.example/rss.xml", "Our RSS", "", "anchor")
    assert told[3] == Candidate("https://feeds.feedburner.example/world", "Elsewhere", "", "anchor")
    assert {each.found for each in told[4:-1]} == {"guess"}
    assert told[-1].url == "https://news.example/comments/feed/"


@pytest.mark.parametrize(
    "page",
    [
        '<link rel="alternate" type="application/atom+xml" href="/a">',
        "<LINK REL=Alternate TYPE=Application/Atom+XML HREF=/a>",
        '<link href="/a" type="application/atom+xml"/>',
        "<link rel='home alternate' type='application/atom+xml' href=' \n/a#top '>",
        '<base href="https://news.example/"><link rel="alternate" type="application/atom+xml" href="a">',
        '<link rel="feed" type="text/xml" href="//news.example/a">',
        "<link\nrel = 'alternate'\ntype = 'application/atom+xml'\nhref = '/a'\n>",
    ],
)
def test_a_link_is_read_however_it_is_written(page: str) -> None:
    assert found(page) == [("https://news.example/a", "link")]


@pytest.mark.parametrize(
    "page",
    [
        "",
        '<link rel="alternate" type="application/json+oembed" href="/wp-json/oembed/1.0/embed?url=x">',
        '<link rel="alternate" hreflang="de" href="/de/">',
        '<link rel="stylesheet" type="text/css" href="/feed.css">',
        '<link rel="alternate" type="application/rss+xml" href="">',
        '<link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">',
        '<link rel="alternate" type="application/rss+xml" href="http://[::1">',
        '<!-- <link rel="alternate" type="application/rss+xml" href="/old"> -->',
        "<script>var page = '<a href=\"/rss.xml\">';</script>",
        '<a href="/feeding-cats/">Feeding cats</a><a href="/press/">Press</a><a href="/embarrassing-story">x</a>',
        '<a href="/rss.html">About our feeds</a><a href="#rss">RSS</a>',
    ],
)
def test_what_is_no_feed_is_not_named(page: str) -> None:
    assert found(page) == []


def test_each_address_is_named_once_by_what_tells_most() -> None:
    page = (
        '<a href="/feed/">Feed</a><link rel="alternate" type="application/rss+xml" href="/feed/"><a href="/feed/">x</a>'
    )
    assert found(page) == [("https://news.example/feed/", "link")]


def test_many_paths_are_guessed_below_the_page_and_at_the_root() -> None:
    told = [each.url for each in candidates(b"<html></html>", URL)]
    assert told[:3] == ["https://news.example/world/feed", "https://news.example/feed", "https://news.example/rss"]
    assert len(told) == len(set(told)) <= MAX_CANDIDATES


def test_a_page_in_another_encoding_is_read() -> None:
    page = '<link rel="alternate" type="application/rss+xml" title="Новости" href="/feed">'
    assert candidates(page.encode("cp1251"), URL, "text/html; charset=windows-1251")[0].title == "Новости"
    assert candidates(page.encode("utf-16"), URL)[0].title == "Новости"


@pytest.mark.parametrize(
    "piece",
    [
        b"<link ", b"<a a=1 ", b'<a href="', b"<!--", b"<script", b"<a href=/rss.xml>", b"<base href=//x>",
        b'<link rel="alternate" type="application/rss+xml" href="/a">', b"<a\t\n", b"<a ",
        b"<a href='/feed?'>" + b"&amp;" * 400, b"<a " + b"x" * 3_990 + b">",
        b"\xff", b"\0", b"<style><style", b"<a href=" + b"/feed" * 300 + b">",
    ],
)  # fmt: skip
def test_hostile_pages_take_little(piece: bytes) -> None:
    began = process_time()
    assert len(candidates(b"<html>" + piece * (2_000_000 // len(piece)), URL)) <= MAX_CANDIDATES
    assert process_time() - began < 2


def test_long_words_where_attributes_stand_cost_little() -> None:
    began = process_time()
    assert candidates((b"<a " + b"a" * 3_999 + b">") * 500, "https://a.example/", "text/html")
    assert process_time() - began < 2

"""Extraction of articles from pages: the shapes of real outlets, encodings, and what a page's head states."""

from time import process_time

import pytest

from tests.unit.page_layouts import LAYOUTS, PARAGRAPHS, TITLE
from worker.pages.decode import decode
from worker.pages.extract import extract
from worker.text import clean

URL = "https://courier.example/amp/bridge-closed"


@pytest.mark.parametrize("name", LAYOUTS)
def test_text_and_title_of_a_layout_are_found_and_nothing_else(name: str) -> None:
    layout = LAYOUTS[name]()
    page = extract(layout.body, URL, layout.content_type)
    assert page.title == clean(layout.title)
    assert [text for text in layout.found if clean(text) not in page.text] == [], "paragraphs are missing"
    assert [text for text in layout.left_out if text in page.text] == [], "what stands around the article is in it"
    assert (page.lang, page.canonical, page.published) == (layout.lang, layout.canonical, layout.published)
    assert page.reason == ""


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_page_gives_the_same_every_time(name: str) -> None:
    layout = LAYOUTS[name]()
    assert extract(layout.body, URL, layout.content_type) == extract(layout.body, URL, layout.content_type)


@pytest.mark.parametrize(
    "body",
    [b"", b"   ", b"\0\1\2" * 1000, b"%PDF-1.7 " + b"x" * 1000, b"<html></html>", b'{"json": [1, 2]}', b"<a" * 100_000],
    ids=["empty", "blank", "binary", "pdf", "nothing", "json", "tags"],
)
def test_what_is_no_article_has_a_reason(body: bytes) -> None:
    page = extract(body, URL, "text/html")
    assert (page.text, bool(page.reason)) == ("", True)


WORDS = b"<p>A normal paragraph of an article with enough words in it to be found.</p>" * 10
HOSTILE = {
    "paragraphs": b"<html><body><article>" + WORDS + b"".join(b"<p>w%d</p>" % n for n in range(90_000)),
    "emphasis": b"<html><body><article><p>" + b"x y <i>z</i>" * 12_000,
    "anchors": b"<html><body>" + b"<a>" * 400_000,
    "attributes": b"<html><body><p " + b" ".join(b"a%d=1" % n for n in range(60_000)) + b">x",
    "in UTF-16": ("<html><body><article><p>" + "x y <i>z</i>" * 12_000).encode("utf-16"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_no_article_has_so_many_of_costs_little(name: str) -> None:
    """Read to their end, these take from five seconds to minutes."""
    began = process_time()
    page = extract(HOSTILE[name], URL, "text/html")
    assert process_time() - began < 4
    assert (page.text, page.reason) == ("", "has more elements, or attributes on one, than any article")


def test_a_long_article_among_long_menus_is_read() -> None:
    menu = b"<nav>" + b"<ul><li><a href='/x'>More news</a></li></ul>" * 5_000 + b"</nav>"
    article = b"<article>" + WORDS * 30 + b"</article>"
    page = extract(b"<html><body>" + menu + article + menu + b"</body></html>", URL, "text/html")
    assert (page.reason, "A normal paragraph" in page.text) == ("", True)


def test_text_that_looks_like_markup_stays_text() -> None:
    """`&lt;b&gt;` on a page is about HTML, and no HTML."""
    words = "To make a word bold, write &lt;b&gt; before it and &lt;/b&gt; behind it; browsers do the rest."
    body = f"<html><body><article><h1>How to</h1><p>{words}</p><p>{words} Again.</p></article></body></html>"
    page = extract(body.encode(), URL, "text/html")
    assert "write <b> before it and </b> behind it; browsers" in page.text


GREETING = "Der Bürgermeister grüßt die Gäste; für 5 € gibt es Käsespätzle."


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (GREETING.encode(), ""),
        (GREETING.encode(), "text/html; charset=iso-8859-1"),
        (GREETING.encode("cp1252"), "text/html; charset=iso-8859-1"),
        (GREETING.encode("cp1252"), "text/html; charset=no-such-thing"),
        (GREETING.encode("utf-16"), "text/html"),
        (b"\xef\xbb\xbf" + GREETING.encode(), "text/html; charset=ascii"),
        (b'<meta charset="windows-1252">' + GREETING.encode("cp1252"), "text/html"),
        (b'<meta charset="utf-16le">' + GREETING.encode(), "text/html; charset=utf-8"),
    ],
    ids=["utf-8", "lie", "latin", "nonsense", "utf-16", "mark", "meta", "meta that cannot be"],
)
def test_encodings(body: bytes, content_type: str) -> None:
    assert decode(body, content_type).endswith(GREETING)


def test_japanese_in_seven_bits() -> None:
    text = "港の橋は月曜日に閉鎖された。"
    assert decode(text.encode("iso-2022-jp"), "text/html; charset=ISO-2022-JP") == text
    assert decode(text.encode("shift_jis"), 'text/html; charset="Shift_JIS"') == text


def test_structured_data_that_is_broken_does_no_harm() -> None:
    """JSON-LD of many pages is none; a headline that is a list, a date that is none."""
    bad = ['{"@type": "NewsArticle", "headline": ["a"], "datePublished": "soon"}', "{]", "[" * 50_000, '"text"', "null"]
    scripts = "".join(f'<script type="application/ld+json">{text}</script>' for text in bad)
    paragraphs = "".join(f"<p>{text}</p>" for text in PARAGRAPHS)
    body = f"<html><head>{scripts}</head><body><article><h1>{TITLE}</h1>{paragraphs}</article></body></html>"
    page = extract(body.encode(), URL, "text/html")
    assert (page.title, page.published, PARAGRAPHS[-1] in page.text) == (TITLE, None, True)

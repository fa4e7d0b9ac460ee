"""Bytes to the entries that a reader would show: golden feeds, feeds of the real world, and what is no feed."""

import json
import re
import time
import unicodedata
from html import unescape
from pathlib import Path
from time import process_time

import msgspec
import pytest

from worker.feed.encoding import as_utf8
from worker.feed.parse import MAX_ENTRIES, State, parse
from worker.feed.sniff import is_overloaded

GOLDEN = sorted((Path(__file__).parent / "feeds").glob("*.xml"))
MARKUP = re.compile(r"</?(?:p|a|img|div|br|b)\b|&(?:amp|nbsp|lt|#\d+);")
URL = "https://feeds.example/feed.xml"
_SELDOM = {"summary": False, "outlet": "", "outlet_url": ""}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_feeds_read_as_they_should(path: Path) -> None:
    """`x.xml` parses to `x.xml.json`, which leaves out what is seldom said; every entry has a key of its own."""
    parsed = parse(path.read_bytes(), URL, "application/xml")
    got = json.loads(msgspec.json.encode(parsed))
    keys = [entry.pop("key") for entry in got["entries"]]
    assert all(any(entry.pop("names")) for entry in got["entries"])
    wanted = json.loads(path.with_suffix(".xml.json").read_text(encoding="utf-8"))
    wanted["entries"] = [_SELDOM | entry for entry in wanted["entries"]]
    assert {name: got[name] for name in wanted} == wanted
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch(r"[0-9a-f]{16}", key) for key in keys)


def test_the_golden_feeds_are_there() -> None:
    assert len(GOLDEN) >= 3


def _titles(document: str) -> list[str]:
    """The title of each item or entry, by regular expressions alone; "" for none."""
    titles = []
    for item in re.findall(r"<(?:item|entry)[\s>].*?</(?:item|entry)>", document, re.DOTALL):
        match = re.search(r"<title(?:\s[^>]*)?>(.*?)</title>", item, re.DOTALL)
        text = re.sub(r"<!\[CDATA\[(.*?)\]\]>", r"\1", match[1], flags=re.DOTALL) if match else ""
        text = re.sub(r"<[^>]+>", "", unescape(unescape(text)))
        titles.append(_plain(text))
    return titles


def _plain(text: str) -> str:
    return re.sub(r"[\s\u200b\u2060]+", " ", unicodedata.normalize("NFKC", text)).strip()


def test_every_feed_of_the_real_world_parses_to_what_a_reader_would_show(shared: Path) -> None:
    """As many entries as the document has items, in their order, each with its title and an absolute link.

    Microblogs have no titles: there the headline is the beginning of the text.
    """
    paths = sorted((shared / "feeds" / "real-world").glob("*/feed.xml"))
    assert len(paths) > 20
    shown = marked_up = 0
    for path in paths:
        document = path.read_text(encoding="utf-8")
        parsed = parse(path.read_bytes(), URL, "text/xml")
        titles = _titles(document)
        name = f"{path.parent.name} ({parsed.title})"
        assert (parsed.state, parsed.reason) == (State.OK, ""), name
        assert parsed.title, name
        assert len(parsed.entries) == len(titles), name
        for entry, title in zip(parsed.entries, titles, strict=True):
            headline = entry.title.rstrip("…")
            assert _plain(entry.title) == title or (not title and entry.text.startswith(headline)), name
            assert entry.title, name
            assert entry.url.startswith(("https://", "http://")), name
            assert entry.published is not None, name
            shown, marked_up = shown + 1, marked_up + bool(MARKUP.search(entry.title + entry.text))
        assert sum(bool(entry.text) for entry in parsed.entries) >= 0.9 * len(titles) or "telegraph" in parsed.title
    assert marked_up < 0.01 * shown, "only posts about HTML show tags"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "is empty"),
        (b"\0\0\0", "neither RSS nor Atom"),
        (b"<html><title>x</title></html>", "a web page, not a feed: look for"),
        (b'<!doctype html><link type="application/atom+xml" href="/a.xml">', "try https://feeds.example/a.xml"),
        (b'<!doctype html><link type="application/atom+xml" href="javascript:x">', "look for its RSS address"),
        (b'{"version": "https://example.org/version/1", "items": []}', "JSON, but no JSON Feed"),
        (b"<rss version='2.0'><channel><title>Cut", "cut off or broken"),
        (b"/etc/passwd", "neither RSS nor Atom"),
        (b"http://127.0.0.1:9/", "neither RSS nor Atom"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "neither RSS nor Atom"),
    ],
)
def test_what_is_no_feed_says_what_it_is(body: bytes, says: str) -> None:
    """Above all no path and no URL in the bytes is opened."""
    parsed = parse(body, URL, "text/html")
    assert (parsed.state, parsed.entries) == (State.NOT_A_FEED, ())
    assert says in parsed.reason


def test_a_feed_that_shows_html_is_not_taken_for_a_page() -> None:
    """The tags of a page inside a feed's texts do not make it one."""
    body = b"<rss><channel><item><title>On &lt;html&gt;</title><description><![CDATA[<html><p>x]]></description></item>"
    assert parse(body + b"</channel></rss>", URL, "text/html").state is State.OK


def test_a_page_full_of_links_costs_little() -> None:
    """5 MB that would keep feedparser busy for 12 seconds, and a careless pattern for minutes."""
    started = time.process_time()
    parsed = parse(b"<html>" + b"<link " * 800_000, URL, "text/html")
    assert parsed.state is State.NOT_A_FEED
    assert time.process_time() - started < 5


def test_a_feed_without_entries_is_a_state_of_its_own() -> None:
    parsed = parse(b"<rss version='2.0'><channel><title>New</title></channel></rss>", URL, "")
    assert (parsed.state, parsed.title, parsed.reason) == (
        State.EMPTY,
        "New",
        "the feed is valid and has no entries yet",
    )


def test_a_cut_document_gives_its_whole_entries() -> None:
    """Half a title would be a revision as soon as the whole document can be had."""
    body = b"<rss><channel><item><title>Whole</title><guid>1</guid></item><item><guid>2</guid><title>Prime minis"
    parsed = parse(body, URL, "")
    assert [entry.title for entry in parsed.entries] == ["Whole"]
    assert "ends in the middle" in parsed.reason


def test_an_archive_is_cut() -> None:
    body = b"<rss><channel>" + b"".join(b"<item><guid>%d</guid></item>" % n for n in range(MAX_ENTRIES + 5))
    parsed = parse(body + b"</channel></rss>", URL, "")
    assert len(parsed.entries) == MAX_ENTRIES
    assert parsed.reason == "only the first 2,000 of 2,005 entries were taken"


@pytest.mark.parametrize(
    "body",
    [
        b"<?xml version='1.0'?><!DOCTYPE r [<!ENTITY a 'aaaaaaaaaa'>"
        + b"".join(b"<!ENTITY a%d '%s'>" % (n, b"&a%d;" % (n - 1) * 10 if n > 1 else b"&a;" * 10) for n in range(1, 9))
        + b"]><rss><channel><item><title>&a8;</title></item></channel></rss>",
        b"<?xml version='1.0'?><!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
        b"<rss><channel><item><title>&x;</title></item></channel></rss>",
        b"<rss><channel><item>" + b"<a>" * 20_000 + b"</item></channel></rss>",
        b"<rss><channel><item><title>" + b"\xff\xfe\x00\xd8" * 100 + b"</title></item></channel></rss>",
        b"<rss><channel><item><title>" + b"t" * 1_000_000 + b"</title></item></channel></rss>",
    ],
    ids=["billion laughs", "external entity", "deep", "garbage", "long title"],
)
def test_hostile_documents_are_harmless(body: bytes) -> None:
    """No file is read, nothing explodes, and what comes out is short enough to show."""
    parsed = parse(body, URL, "")
    for entry in parsed.entries:
        assert len(entry.title) <= 500
        assert "root:" not in entry.title


@pytest.mark.parametrize("attributes", [" a{}='1'", ' a{} = "x > y"', " a{}", " a{}=1"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_element_with_hundreds_of_attributes_is_refused_at_once(attributes: str, encoding: str) -> None:
    """feedparser looks each up among all others: 40,000 take a minute."""
    many = "".join(attributes.format(number) for number in range(40_000))
    body = f"<?xml version='1.0' encoding='{encoding}'?><rss version='2.0'><channel{many}><item/></channel></rss>"
    began = process_time()
    parsed = parse(body.encode(encoding), "https://example.org/feed", "")
    assert (parsed.state, "attributes" in parsed.reason) == (State.NOT_A_FEED, True)
    assert process_time() - began < 1


@pytest.mark.parametrize(
    "body",
    [
        (b"<a'" + b" b='<a'" * 498 + b" >\n") * 198,
        (b"<a'" + (b" b='<a" + b"x" * 35 + b"'") * 498 + b" >\n") * 198,
        b"<a" + b" p='<a'" * 498 + b' z="' + b"x" * 5_000_000,
    ],
    ids=["within quotes", "within long quotes", "before a quote that never ends"],
)
def test_tags_within_tags_are_told_in_no_more_than_their_length(body: bytes) -> None:
    """Reading each from its beginning to its end takes 4 s for these."""
    began = process_time()
    assert is_overloaded(body)
    assert process_time() - began < 1


def test_quotes_and_markup_within_attributes_are_no_overload() -> None:
    tag = b"<a title='5\" < 6\"' data-html=\"<p class='x'><b id='y'>\" href=x disabled/>don't \"say\" it's so <br "
    assert not is_overloaded(tag * 1_000)


def test_a_document_of_nothing_but_tags_is_refused_at_once() -> None:
    assert "tags" in parse(b"<rss>" + b"<item>" * 100_001, "https://example.org/feed", "").reason


@pytest.mark.parametrize(
    "entities",
    [
        '<!ENTITY a "lol"><!ENTITY b "&a;&a;">',
        "<!ENTITY a 'lol'><!ENTITY b '&a;'>",
        f'<!ENTITY a "{"x" * 1_001}">',
        "".join(f'<!ENTITY a{n} "x">' for n in range(301)),
    ],
    ids=["nested", "once", "long", "many"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_that_grow_are_refused(entities: str, encoding: str) -> None:
    document = f"<?xml version='1.0'?><!DOCTYPE rss [{entities}]><rss version='2.0'><channel></channel></rss>"
    assert is_overloaded(as_utf8(document.encode(encoding), ""))


def test_entities_that_stand_for_signs_are_read() -> None:
    entities = '<!ENTITY nbsp "&#160;"><!ENTITY name "The Courier">'
    body = (
        f"<?xml version='1.0'?><!DOCTYPE rss [{entities}]><rss version='2.0'><channel>"
        "<item><title>&name;: dam broke</title></item></channel></rss>"
    )
    assert parse(body.encode(), "http://a.example/feed", "text/xml").entries[0].title == "The Courier: dam broke"


def test_millions_of_ampersands_cost_little() -> None:
    began = process_time()
    assert parse(b"<rss><channel><item>" + b"&" * 5_000_000, "https://a.example/", "").state is State.NOT_A_FEED
    assert process_time() - began < 3

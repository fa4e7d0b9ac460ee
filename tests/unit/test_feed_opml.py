"""Lists of feeds: what other readers export can be read, and what is written can be read again."""

import pytest

from worker.errors import BadInput
from worker.feed.opml import Outline, read_opml, write_opml
from worker.poller.subscribe import default_feeds

NESTED = """<?xml version="1.0"?><opml version="1.0"><head><title>x</title></head><body>
<outline text="Papers"><outline text="The A &amp;amp; B" type="rss" xmlUrl="HTTPS://a.example/rss" htmlUrl="https://a.example"/>
<outline title="https://b.example/rss" text="https://b.example/rss" xmlUrl="https://b.example/rss"/></outline>
<outline text="again" xmlUrl="https://a.example/rss"/><outline text="a note"/>
<outline text="local" xmlUrl="file:///etc/passwd"/></body></opml>"""


def test_nested_lists_are_read_and_bad_addresses_named() -> None:
    outlines, refused = read_opml(NESTED.encode(), "x.opml")
    assert outlines == [Outline("https://a.example/rss", "The A & B"), Outline("https://b.example/rss", "")]
    assert len(refused) == 1
    assert "file:///etc/passwd" in refused[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_lists_are_read_in_the_encoding_they_state(encoding: str) -> None:
    stated = "utf-8" if encoding == "utf-8-sig" else encoding
    document = f"<?xml version='1.0' encoding='{stated}'?><opml><body><outline text='Zürich' xmlUrl='http://z.example'/></body></opml>"
    outlines, _ = read_opml(document.encode(encoding), "x.opml")
    assert outlines == [Outline("http://z.example/", "Zürich")]


@pytest.mark.parametrize(
    "body", [b"", b"no xml", b"<html></html>", b"<opml><body/></opml>", b"http://127.0.0.1:9/", b"\xff\x00"]
)
def test_what_is_no_list_is_refused_in_words(body: bytes) -> None:
    """A body that reads like an address is not fetched."""
    with pytest.raises(BadInput, match=r"x\.opml shows no feed: it should be OPML"):
        read_opml(body, "x.opml")


def test_what_is_written_can_be_read_again() -> None:
    feeds = [Outline("https://a.example/?x=1&y=<2>", 'Quotes "and" <tags> & more'), Outline("https://b.example/", "")]
    outlines, refused = read_opml(write_opml(feeds).encode(), "own")
    assert ([o.url for o in outlines], refused) == ([o.url for o in feeds], [])
    assert outlines[1].title == ""


def test_the_default_list_has_about_forty_outlets() -> None:
    """Each with a name and a secure address, no feed and no outlet twice."""
    outlines = default_feeds()
    assert 35 <= len(outlines) <= 50
    assert all(outline.url.startswith("https://") and outline.title for outline in outlines)
    assert len({outline.title for outline in outlines}) == len({outline.url for outline in outlines}) == len(outlines)

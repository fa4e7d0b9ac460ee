"""Lists of feeds: what other readers export can be read, and what is written can be read again."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import BadInput
from worker.feed.opml import Outline, folder_path, read_opml, write_opml
from worker.poller.subscribe import default_feeds

NESTED = """<?xml version="1.0"?><opml version="1.0"><head><title>x</title></head><body>
<outline text="Papers"><outline text="The A &amp;amp; B" type="rss" xmlUrl="HTTPS://a.example/rss" htmlUrl="https://a.example"/>
<outline title="https://b.example/rss" text="https://b.example/rss" xmlUrl="https://b.example/rss"/></outline>
<outline text="again" xmlUrl="https://a.example/rss"/><outline text="a note"/>
<outline text="local" xmlUrl="file:///etc/passwd"/></body></opml>"""

A = Outline("https://a.example/", "A")


def test_nested_lists_are_read_and_bad_addresses_named() -> None:
    outlines, refused = read_opml(NESTED.encode(), "x.opml")
    assert outlines == [
        Outline("https://a.example/rss", "The A & B", "Papers"),
        Outline("https://b.example/rss", "", "Papers"),
    ]
    assert len(refused) == 1
    assert "file:///etc/passwd" in refused[0]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("<outline text='A' url='https://a.example/'/>", [A]),
        ("<outline text='A' type='rss' url='https://a.example/'/>", [A]),
        ("<outline text='A' type='link' url='https://a.example/'/>", []),
        ("<OUTLINE TEXT='A' XMLURL='https://a.example/'/>", [A]),
        ("<outline title='A' xmlurl='https://a.example/'/>", [A]),
        ("<outline text='A' title='' xmlUrl=' https://a.example/\n'/>", [A]),
        ("<outline text='' title='A' xmlUrl='feed:https://a.example/'/>", [A]),
        (
            "<outline text='A' category='/News/World,/Tech' xmlUrl='https://a.example/'/>",
            [A._replace(folder="News/World")],
        ),
        ("<outline text='A' category='' xmlUrl='https://a.example/'/>", [A]),
        (
            "<outline text='F'><outline text='G'><outline text='A' xmlUrl='https://a.example/'/></outline></outline>",
            [A._replace(folder="F/G")],
        ),
        (
            "<outline><outline text='F '><outline text='A' category='x' xmlUrl='https://a.example/'/></outline></outline>",
            [A._replace(folder="F")],
        ),
        (
            "<outline text='A' xmlUrl='https://a.example/'><outline text='B' xmlUrl='https://b.example/'/></outline>",
            [A, Outline("https://b.example/", "B")],
        ),
        ("<outline text='A' xmlUrl='https://a.example/'/><outline text='B' xmlUrl='https://A.example'/>", [A]),
        (
            "<outline text='A&nbsp;&B &copy; AT&T' xmlUrl='https://a.example/?a=1&copy=2&amp;c=3'/>",
            [Outline("https://a.example/?a=1&copy=2&c=3", "A &B © AT&T")],
        ),
        ("<outline text='A\x07\x1b' xmlUrl='https://a.example/'/>", [A]),
        ("<outline text='A' xmlUrl='https://a.example/' x:y='z' />", [A]),
        ("<outline text='F'><outline text='A' xmlUrl='https://a.example/'>", [A._replace(folder="F")]),
        ("<outline text='<b>A</b>' xmlUrl='https://a.example/'/>", [A]),
        ("<!-- <outline xmlUrl='https://b.example/'/> --><outline text='A' xmlUrl='https://a.example/'/>", [A]),
    ],
)
def test_what_other_readers_write_is_read(body: str, found: list[Outline]) -> None:
    """Addresses in other places, names in other cases, categories for folders, entities of HTML, bare ampersands,
    control characters, tags that are not closed."""
    document = f"<?xml version='1.0' encoding='UTF-8'?>\n<opml version='1.0'><body>{body}"
    if not found:
        with pytest.raises(BadInput, match="shows no feed"):
            read_opml(document.encode(), "x.opml")
    else:
        assert read_opml(f"{document}</body></opml>".encode(), "x.opml") == (found, [])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_lists_are_read_in_the_encoding_they_state(encoding: str) -> None:
    stated = "utf-8" if encoding == "utf-8-sig" else encoding
    document = f"<?xml version='1.0' encoding='{stated}'?><opml><body><outline text='Zürich' xmlUrl='http://z.example'/></body></opml>"
    outlines, _ = read_opml(document.encode(encoding), "x.opml")
    assert outlines == [Outline("http://z.example/", "Zürich")]


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE opml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b'<opml><body><outline text="&b;" xmlUrl="https://a.example/&b;"/></body></opml>'
)
EXTERNAL = (
    b'<?xml version="1.0"?><!DOCTYPE opml SYSTEM "file:///etc/passwd" [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b'<opml><body><outline text="&x;" xmlUrl="https://a.example/"/></body></opml>'
)


@pytest.mark.parametrize(
    "body",
    [b"", b"no xml", b"<html></html>", b"<opml><body/></opml>", b"http://127.0.0.1:9/", b"\xff\x00", BOMB, EXTERNAL],
)
def test_what_is_no_list_is_refused_in_words(body: bytes) -> None:
    """A body that reads like an address is not fetched, and one that defines entities is none."""
    with pytest.raises(BadInput, match=r"x\.opml shows no feed: it should be OPML"):
        read_opml(body, "x.opml")


def test_what_is_written_can_be_read_again() -> None:
    """All that a person set; a name that only the feed gave itself is shown to others, and is no title of ours."""
    feeds = [
        Outline("https://a.example/?x=1&y=%3C2%3E", 'Quotes "and" <tags> &amp; more', "A B/C & D", "on", True),
        Outline("https://b.example/", "", "A B", "off"),
        Outline("https://c.example/", ""),
    ]
    written = write_opml(feeds, names={"https://c.example/": "Their own name"})
    assert 'text="Their own name"' in written
    assert read_opml(written.encode(), "own") == (feeds, [])
    again = read_opml(written.encode(), "own")[0]
    assert write_opml(again, names={"https://c.example/": "Their own name"}) == written


_NAMES = st.text(max_size=40).map(lambda text: " ".join("".join(c for c in text if c.isprintable()).split()))


@given(st.lists(st.tuples(_NAMES, _NAMES, st.sampled_from(["auto", "on", "off"]), st.booleans()), min_size=1))
def test_a_round_trip_is_exact(said: list[tuple[str, str, str, bool]]) -> None:
    """Whatever a person called a feed and its folder."""
    feeds = [
        Outline(f"https://{n}.example/feed", title, folder_path(folder), pages, paused)
        for n, (title, folder, pages, paused) in enumerate(said)
    ]
    assert sorted(read_opml(write_opml(feeds).encode(), "own")[0]) == sorted(feeds)


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("", ""),
        (" / ", ""),
        ("News", "News"),
        (" News /  World ", "News/World"),
        ("/a//b/", "a/b"),
        ("x/" * 50, "x/x/x/x/x/x/x/x"),
    ],
)
def test_a_folder_is_written_one_way(said: str, path: str) -> None:
    assert folder_path(said) == path


def test_ten_thousand_feeds_are_read_and_hostile_lists_take_no_longer() -> None:
    """Nested a hundred thousand deep, or all of it tags that are never closed: no error but 'shows no feed'."""
    feeds = [Outline(f"https://{n}.example/feed", f"Outlet {n}", f"F{n % 50}/G{n % 7}") for n in range(10_000)]
    assert sorted(read_opml(write_opml(feeds).encode(), "own")[0]) == sorted(feeds)
    for hostile in (
        b"<outline>" * 100_000,
        b"<outline text='" * 100_000,
        b"<outline " + b"a='b' " * 100_000,
        b"&" * 10**6,
    ):
        with pytest.raises(BadInput, match="shows no feed"):
            read_opml(b"<opml><body>" + hostile, "x.opml")


def test_the_default_list_has_about_forty_outlets() -> None:
    """Each with a name and a secure address, no feed and no outlet twice."""
    outlines = default_feeds()
    assert 35 <= len(outlines) <= 50
    assert all(outline.url.startswith("https://") and outline.title for outline in outlines)
    assert len({outline.title for outline in outlines}) == len({outline.url for outline in outlines}) == len(outlines)


@pytest.mark.parametrize(
    "outline",
    [b"<outline " + b" ".join(b"a%d='1'" % n for n in range(100_000)) + b"/>", b"<outline text='" + b"&" * 4_000_000],
    ids=["attributes", "ampersands"],
)
def test_a_hostile_outline_costs_little(outline: bytes) -> None:
    began = process_time()
    with pytest.raises(BadInput):
        read_opml(b"<opml><body>" + outline + b"</body></opml>", "this list")
    assert process_time() - began < 5

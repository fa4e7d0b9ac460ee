"""The fast reader of plain feeds gives what feedparser gives, field for field, or leaves the document to it."""

from pathlib import Path

import pytest

from tests.fault.mutations import case
from worker.feed.dates import stated_time
from worker.feed.encoding import as_utf8
from worker.feed.plain import read_plain
from worker.feed.reader import read_any
from worker.feed.repair import begins_at_once, captions_apart, repaired

FEEDS = Path(__file__).parent / "feeds"
NAMESPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" xmlns:wfw="http://wellformedweb.org/CommentAPI/" '
    'xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0" xmlns:slash="http://purl.org/rss/1.0/modules/slash/"'
)
BASE = "<title>T</title><guid>g</guid><link>https://a.example/1</link>"


def rss(item: str = BASE, channel: str = "<title>F</title><link>https://a.example/</link>", root: str = "") -> bytes:
    return (
        f'<?xml version="1.0"?><rss version="2.0" {NAMESPACES} {root}><channel>{channel}<item>{item}</item>'
        f"<item>{BASE}</item></channel></rss>"
    ).encode()


def atom(entry: str, feed: str = "<title>F</title>", root: str = "") -> bytes:
    return (
        f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" {root}>{feed}<entry>{entry}</entry></feed>'
    ).encode()


ATOM = "<title>T</title><id>tag:a.example,2026:1</id><updated>2026-03-16T10:00:00Z</updated>"
DATE = "<pubDate>Mon, 16 Mar 2026 10:00:00 {}</pubDate>"
PLAIN = {
    "an item": rss(),
    "an item of all": rss(
        BASE + DATE.format("+0530") + "<description>d &amp; &lt;b&gt;e&lt;/b&gt;</description>"
        "<content:encoded><![CDATA[<p>c</p>]]></content:encoded><dc:creator>x</dc:creator><category>y</category>"
        '<wfw:commentRss>https://a.example/c</wfw:commentRss><slash:comments>3</slash:comments>'
        '<media:content url="https://a.example/p.jpg"><media:credit>z</media:credit></media:content>'
        '<enclosure url="https://a.example/a.mp3" type="audio/mpeg" length="1"/><comments>https://a.example/k</comments>'
        '<source url="https://b.example/feed">B</source><dc:language>de_AT</dc:language>'
        "<feedburner:origLink>https://a.example/orig?a=1&amp;b=2</feedburner:origLink>"
    ),
    "content before its description": rss(BASE + "<content:encoded>c</content:encoded><description>d</description>"),
    "content alone": rss(BASE + "<content:encoded>c</content:encoded>"),
    "empty elements": rss("<title/><guid/><description></description><link>https://a.example/</link><pubDate/>"),
    "a guid that is a link": rss("<title>T</title><guid>https://a.example/g</guid>"),
    "a guid that is none": rss('<title>T</title><guid isPermaLink="false">g</guid>'),
    "a guid before the link": rss("<guid>g</guid><link>https://a.example/l</link>"),
    "links by attribute": rss('<title>T</title><atom:link href="/x"/><atom:link rel="self" href="/y"/>'),
    "a link of references": rss("<title>T</title><link>https://a.example/?a=1&amp;amp;b=2&amp;c;=3</link>"),
    "spaces around everything": rss("\n <title>\n T \n</title>\n<link>\n https://a.example/1 \n</link>\n"),
    "letters of windows-1252": rss("<title>a &#147;b&#148; c</title>" + BASE[15:]),
    "letters written twice": rss(f"<title>{'Café'.encode().decode('latin-1')}</title>" + BASE[15:]),
    "a description of the picture": rss(BASE + '<media:description type="plain">p</media:description>'),
    "one in a group": rss(
        BASE + "<media:group><media:title>t</media:title><media:description>p</media:description></media:group>"
    ),
    "a channel of all": rss(
        channel="<title>F</title><atom:link rel='hub' href='https://hub.example/'/><atom:link rel='self' "
        "href='https://a.example/feed'/><link>https://a.example/</link><description>d</description><ttl>30</ttl>"
        "<language>en_GB</language><sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>"
        "<lastBuildDate>Mon, 16 Mar 2026 10:00:00 GMT</lastBuildDate><pubDate>x</pubDate><generator>g</generator>"
        "<image><url>https://a.example/i.png</url><title>I</title><link>https://a.example/i</link></image>"
        "<textInput><title>I</title><name>q</name><link>https://a.example/i</link></textInput>"
        "<skipHours><hour>1</hour></skipHours>"
    ),
    "a site of WordPress": rss(channel='<title>F</title><site xmlns="com-wordpress:feed-additions:1">7</site>'),
    "a language of the root": rss(root='xml:lang="pt_BR"'),
    "a language of the title": rss('<title xml:lang="fr">T</title><guid>1</guid>'),
    "a base of the root": rss("<title>T</title><link>x/../y</link><guid>g</guid>", root='xml:base="https://c.example/d/"'),
    "an entry": atom(ATOM + '<link href="https://a.example/1"/><summary>s</summary>'),
    "an entry of all": atom(
        ATOM + '<published>2026-03-16T10:00:00.123+02:00</published><link rel="edit" href="/e"/><link rel="alternate" '
        'type="text/html" href="/1"/><link rel="alternate" type="application/json" href="/1.json"/>'
        "<author><name>n</name><uri>https://a.example/n</uri><email>e</email></author><category term='x'/>"
        '<summary type="text">s</summary><content type="html">&lt;p&gt;c</content><rights>r</rights>',
        feed='<title type="html">F</title><id>tag:a.example:f</id><link href="https://a.example/"/>'
        '<link rel="self" href="https://a.example/f"/><link rel="hub" href="https://hub.example/"/>'
        "<author><name>n</name></author><icon>/i</icon><logo>/l</logo><subtitle>s</subtitle>"
        "<generator uri='x'>g</generator>",
        root='xml:lang="de" xml:base="https://a.example/"',
    ),
}  # fmt: skip
UNUSUAL = {
    "markup that is not escaped": atom(ATOM + '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">x</div></content>'),
    "a title twice": rss("<title>T</title><title>U</title>"),
    "a description twice": rss(BASE + "<description>d</description><description>e</description>"),
    "a title within another": rss(BASE + "<foo><title>U</title></foo>"),
    "a source with a title": atom(ATOM + "<source><title>B</title><link href='https://b.example/'/></source>"),
    "a date written otherwise": rss(BASE + "<pubDate>16/03/2026 10:00</pubDate>"),
    "base64": atom(ATOM + '<content mode="base64">YQ==</content>'),
    "a base of an entry": atom(ATOM + '<link xml:base="https://c.example/" href="d"/>'),
    "an old Atom": b'<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>F</title></feed>',
    "entities of its own": b'<!DOCTYPE rss [<!ENTITY a "b">]>' + rss(),
    "a namespace of nobody's": rss(root='xmlns="http://nobody.example/"'),
    "a prefix for another namespace": rss(root='xmlns:itunes="http://nobody.example/"'),
    "RSS 1.0": (FEEDS / "rdf.xml").read_bytes(),
}  # fmt: skip


def same(body: bytes) -> bool:
    """Whether the document is plain; fails where it reads otherwise than feedparser."""
    found = read_plain(body)
    if found is not None:
        assert found == read_any(body, 2_000)
    return found is not None


@pytest.mark.parametrize("body", PLAIN.values(), ids=PLAIN)
def test_plain_feeds_read_as_feedparser_reads_them(body: bytes) -> None:
    assert same(captions_apart(body))


@pytest.mark.parametrize("body", UNUSUAL.values(), ids=UNUSUAL)
def test_whatever_is_unusual_is_left_to_feedparser(body: bytes) -> None:
    assert read_plain(captions_apart(body)) is None
    assert read_any(captions_apart(body), 2_000) is not None


@pytest.mark.parametrize(
    "date",
    [
        *(f"Mon, 16 Mar 2026 10:00:00 {zone}" for zone in "GMT UTC UT Z EST EDT CST CDT MST MDT PST PDT".split()),
        *(f"16 March 2026 9:05 {zone}" for zone in ("+0000", "-0000", "+05:30", "-0930", "+1400")),
        *(f"2026-03-16T10:00:00{zone}" for zone in ("Z", ".5Z", "+01:00", "-09:30", ".123456+00:00")),
        "Tuesday, 29 Feb 2028 23:59:59 -0330",
        "2026-03-16",
        "1999-12-31T23:59:59z",
    ],
)
def test_dates_mean_what_they_mean_to_feedparser(date: str) -> None:
    assert stated_time(date) is not None
    assert same(rss(BASE + f"<pubDate>{date}</pubDate>"))
    assert same(atom(f"<title>T</title><id>1</id><updated>{date}</updated>"))


@pytest.mark.parametrize(
    "date", ["", "soon", "2026-02-30", "Mon, 31 Feb 2026 10:00:00 GMT", "2026-03-16T10:00:60Z", "١٢/٣"]
)
def test_what_is_no_date_is_left_to_feedparser(date: str) -> None:
    assert stated_time(date) is None


def test_mutated_feeds_read_the_same_wherever_they_are_plain() -> None:
    """Bytes changed, pieces cut, moved and doubled, entities, encodings, controls: by a seed of their own."""
    plain = 0
    for number in range(400):
        made = case(4, number)
        if made.kind == "feed" and len(made.body) < 100_000:
            body = captions_apart(begins_at_once(as_utf8(made.body, made.content_type)))
            try:
                plain += same(body) or same(repaired(body))
            except AssertionError as error:
                raise AssertionError(f"case(4, {number}) [{made.made}]: {error}") from error
    assert plain > 40, "what is left says too little"


def test_feeds_of_the_real_world_are_plain_and_read_the_same(shared: Path) -> None:
    """Those of the corpus, and the captures: nine of ten without feedparser."""
    paths = [*(shared / "feeds").glob("real-world/*/feed.xml"), *(shared / "feeds").glob("*/*.xml")]
    assert len(paths) > 90
    bodies = [captions_apart(begins_at_once(as_utf8(path.read_bytes(), ""))) for path in paths]
    plain = sum(same(body) for body in bodies)
    assert plain >= 0.9 * len(bodies)

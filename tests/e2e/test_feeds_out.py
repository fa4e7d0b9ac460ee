"""Stories as feeds: valid, the same in both forms, calm when copies come, and fit for Storywire's own poller."""

import re
from asyncio import to_thread
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import feedparser
import pytest
from lxml import etree
from msgspec.structs import replace

from tests.e2e.polling import bench, poller
from tests.e2e.polling import eventually as eventually_here
from tests.e2e.site import Answer, RunningSite, article, fill, running_site, site_runtime
from tests.languages import reports
from tests.unit.articles import CUP, CUP_TITLE, DAM, DAM_REPORT, DAM_REPORT_TITLE, DAM_TITLE
from tests.waiting import eventually
from worker.runtime import Runtime
from worker.web.out.atom import atom
from worker.web.out.entries import Entry, Feed

ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = "<script>alert(1)</script> \x00\x08\x1b[31m \u202eodd\ufffe & ]]> sheep"
SHEEP = "Forty sheep walked through the gate of the customs house at Ulmen and ate the mayor's roses before noon."


@pytest.fixture(scope="module")
def runtime(server_pool: Any) -> Iterator[Runtime]:
    with site_runtime(server_pool.url("valkey")) as opened:
        fill(opened, [article("herald/dam", DAM_TITLE, DAM), article("post/cup", CUP_TITLE, CUP)])
        fill(opened, [article("odd/sheep", HOSTILE, SHEEP, url="javascript:alert(1)", source="Odd\x07 <b>")])
        yield opened


@pytest.fixture(scope="module")
def site(runtime: Runtime) -> Iterator[RunningSite]:
    with running_site(runtime) as running:
        running.shows(3)
        yield running


def entries(site: RunningSite, query: str = "") -> dict[str, Any]:
    """Title -> entry of Atom as feedparser reads it, which has nothing to complain of."""
    parsed = feedparser.parse(site.ask(f"/stories.atom?{query}").body)
    assert not parsed.bozo, parsed.get("bozo_exception")
    return {entry.title: entry for entry in parsed.entries}


def headline(found: dict[str, Any], word: str) -> Any:
    """The one entry with this word in its title."""
    [entry] = [entry for title, entry in found.items() if word in title]
    return entry


def required(element: Any, *names: str) -> None:
    """Each of these elements of Atom exactly once."""
    for name in names:
        assert len(element.findall(ATOM + name)) == 1, f"{name} in {element.tag}"


def dated(text: str | None) -> datetime:
    assert text is not None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text), "RFC 3339 with a capital T and Z"
    return datetime.fromisoformat(text)


def test_atom_keeps_what_its_rfc_demands(site: RunningSite) -> None:
    """RFC 4287, 4.1.1 and 4.1.2: each MUST that can be read off a document; JSON says the same under the same ids."""
    answer = site.ask("/stories.atom")
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    root = etree.fromstring(answer.body)
    assert root.tag == ATOM + "feed"
    required(root, "id", "title", "updated", "author", "generator")
    links = {link.get("rel"): link.get("href") for link in root.findall(ATOM + "link")}
    assert links == {"self": f"{site.url}/stories.atom", "alternate": f"{site.url}/"}
    ids = []
    for entry in root.findall(ATOM + "entry"):
        required(entry, "id", "title", "updated", "published", "summary", "content", "author")
        required(entry.find(ATOM + "author"), "name")
        assert dated(entry.findtext(ATOM + "published")) <= dated(entry.findtext(ATOM + "updated"))
        assert len([link for link in entry.findall(ATOM + "link") if link.get("rel") == "alternate"]) == 1
        assert all(category.get("term") for category in entry.findall(ATOM + "category"))
        ids.append(entry.findtext(ATOM + "id"))
    assert all(re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", name) for name in [*ids, root.findtext(ATOM + "id")])
    assert len(set(ids)) == len(ids) == 3
    assert [item["id"] for item in site.ask("/stories.json").json["items"]] == ids


def test_json_feed_keeps_what_its_version_demands(site: RunningSite) -> None:
    """JSON Feed 1.1: version and title; of each item an id that is a text, and its content."""
    answer = site.ask("/stories.json?limit=2")
    assert answer.headers["content-type"] == "application/feed+json; charset=utf-8"
    feed = answer.json
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"] == "Storywire: stories"
    assert feed["feed_url"] == f"{site.url}/stories.json?limit=2"
    assert len(feed["items"]) == 2
    for item in feed["items"]:
        assert isinstance(item["id"], str)
        assert item["content_html"].startswith("<ul><li>")
        assert item["summary"]
        dated(item["date_published"])
        dated(item["date_modified"])
        assert all(author["name"] for author in item["authors"])
    rest = site.ask(feed["next_url"].removeprefix(site.url)).json["items"]
    assert len({item["id"] for item in feed["items"] + rest}) == 3, "the next address goes on where this one ended"


def test_an_entry_says_how_a_story_is_told(site: RunningSite) -> None:
    """Its page, its first article, who was first, and the newest stories first."""
    found = entries(site)
    entry = headline(found, "cup")
    assert entry.summary.startswith("1 outlet, 1 article, 0 copies, 0 rewrites; first: Post, 20")
    assert entry.content[0].value == f'<ul><li><a href="https://post/cup" title="Post">{CUP_TITLE}</a></li></ul>'
    assert entry.link.startswith(f"{site.url}/stories/en-")
    assert [link.href for link in entry.links if link.rel == "related"] == ["https://post/cup"]
    assert [tag.term for tag in entry.tags] == ["Post"]
    published = [entry.published for entry in found.values()]
    assert published == sorted(published, reverse=True)


def test_hostile_texts_are_text(site: RunningSite) -> None:
    """Control characters and markup break nothing, and no link runs anything."""
    entry = headline(entries(site), "sheep")
    body = site.ask("/stories.atom").body + site.ask("/stories.json").body
    assert b"javascript:" not in body
    content = site.ask("/stories.json?q=sheep").json["items"][0]["content_html"]
    assert content.startswith('<ul><li><span title="Odd &lt;b&gt;">&lt;script&gt;alert(1)&lt;/script&gt;')
    assert not [link for link in entry.links if link.rel == "related"]
    title = etree.fromstring(site.ask("/stories.atom?q=sheep").body).findtext(f"{ATOM}entry/{ATOM}title") or ""
    assert "<script>alert(1)</script>" in title, "kept as text"
    assert all(c.isprintable() for c in title), repr(title)


def test_an_entry_that_cannot_be_written_is_left_out_alone() -> None:
    """What XML cannot hold, wherever it got through."""
    fine = Entry(
        id="urn:1", title="Fine", published=0.0, updated=0.0, summary="", content="", link="", first_link="",
        first_title="", author="", lang="", tags=(),
    )  # fmt: skip
    odd = replace(fine, id="urn:2", first_link="https://example.org/a\uffffb")
    last = replace(fine, id="urn:3")
    feed = Feed(id="urn:0", title="", updated=0.0, home="", own="", following="", lang="", entries=(fine, odd, last))
    root = etree.fromstring(atom(feed))
    assert [entry.findtext(ATOM + "id") for entry in root.findall(ATOM + "entry")] == ["urn:1", "urn:3"]


def test_a_copy_brings_nothing_back(site: RunningSite, runtime: Runtime) -> None:
    """A copy changes the summary alone; a report changes `updated`; with updates=1 it is an entry anew."""
    before, again = headline(entries(site), "Dam"), headline(entries(site, "updates=1"), "Dam")
    fill(runtime, [article("gazette/dam", DAM_TITLE, DAM)])
    copied = grown(site, "2 outlets, 2 articles, 1 copy")
    assert (copied.id, copied.updated, copied.published) == (before.id, before.updated, before.published)
    fill(runtime, [article("times/dam", DAM_REPORT_TITLE, DAM_REPORT)])
    told = grown(site, "3 outlets, 3 articles, 1 copy")
    assert told.id == before.id
    assert told.updated > before.updated
    assert headline(entries(site, "updates=1"), "Dam").id not in (again.id, before.id)


def grown(site: RunningSite, said: str) -> Any:
    """The entry of the dam, once its summary begins so."""

    def entry() -> Any:
        found = headline(entries(site), "Dam")
        return found if found.summary.startswith(said) else None

    return eventually(entry, 10, f"the story of the dam with {said}")


@pytest.mark.parametrize("path", ["/stories.atom", "/stories.json"])
def test_what_a_reader_has_is_not_sent_again(site: RunningSite, path: str) -> None:
    """By tag, whoever weakened it on the way, and by date; another filter has another tag."""
    first = eventually_dated(site, path)
    tag, date = first.headers["etag"], first.headers["last-modified"]
    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        answer = site.ask(path, headers={"If-None-Match": known})
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", tag)
    assert site.ask(path, headers={"If-Modified-Since": date}).status == 304
    assert site.ask(path, headers={"If-Modified-Since": "Mon, 05 Jan 2026 00:00:00 GMT"}).status == 200
    assert site.ask(path, headers={"If-None-Match": '"other"', "If-Modified-Since": date}).status == 200
    assert site.ask(path + "?q=dam").headers["etag"] != tag
    assert "no-store" not in first.headers["cache-control"]


def eventually_dated(site: RunningSite, path: str) -> Answer:
    """An answer with a date, which there is none of within the second of a change."""

    def answer() -> Answer | None:
        found = site.ask(path)
        return found if "last-modified" in found.headers else None

    found = eventually(answer, 5, "an answer with a date")
    assert found is not None
    return found


def test_filters_are_those_of_the_page(site: RunningSite) -> None:
    """Words, language, limit; what cannot be used is refused by its name."""
    assert len(entries(site, "q=cup")) == 1
    assert entries(site, "lang=de") == {}
    assert len(entries(site, "limit=1")) == 1
    for query in ("updates=2", "limit=0", "since=soon"):
        answer = site.ask(f"/stories.atom?{query}")
        assert (answer.status, query.partition("=")[0] in answer.text) == (400, True)
    assert feedparser.parse(site.ask("/stories.atom?q=cup&outlets=2").body).feed.title == (
        "Storywire: stories about cup, of 2 or more outlets"
    )


@pytest.mark.parametrize(
    "query", ["lang=%00%3C", "outlet=%01%FF%ED%A0%80", "q=%00%1B%3Cb", "since=1d&utm_x=%00", "lang=e%22"]
)
def test_hostile_parameters_break_nothing(site: RunningSite, query: str) -> None:
    """What is asked for stands in the feed itself: its title, its address, its language."""
    answer = site.ask(f"/stories.atom?{query}")
    assert answer.status == 200
    etree.fromstring(answer.body)
    assert site.ask(f"/stories.json?{query}").json["version"]


def test_another_address_changes_no_id(site: RunningSite, runtime: Runtime) -> None:
    """Under a public address with a path: links lead there, ids stay, and a reader's key stays in the feed's own."""
    token = "t" * 24
    ids = {entry.id for entry in entries(site).values()}
    public = "https://news.example.org/wire"
    with (
        site_runtime(runtime.settings.redis_url, public_url=public, token=token) as other,
        running_site(other) as moved,
    ):
        bearer = {"Authorization": f"Bearer {token}"}
        assert moved.ask("/wire/stories.atom").status == 401
        answer = moved.ask("/wire/stories.atom", headers=bearer)
        parsed = feedparser.parse(answer.body)
        assert {entry.id for entry in parsed.entries} == ids
        assert all(entry.link.startswith(f"{public}/stories/en-") for entry in parsed.entries)
        assert [link.href for link in parsed.feed.links if link.rel == "self"] == [f"{public}/stories.atom"]


def test_a_strangers_host_header_is_in_no_feed(site: RunningSite) -> None:
    """Neither a name that is led here, nor one that is no name."""
    for host in ("evil.example", 'localhost"><x', "a b"):
        answer = site.ask("/stories.atom", headers={"Host": host})
        assert "evil" not in answer.text
        assert "<x" not in answer.text


async def test_storywire_reads_its_own_stories(site: RunningSite, fresh_url: Callable[[], str]) -> None:
    """The product of feeds is a feed: a poller subscribes to both, and gets each story as an article."""
    found = {entry.link: entry.title for entry in entries(site).values()}
    feeds = [f"{site.url}/stories.atom", f"{site.url}/stories.json"]
    store = bench(fresh_url())
    for feed in feeds:
        store.feeds.add(feed, "", store.clock.now())
    async with poller(store):
        await store.polled(*feeds)
        articles = store.articles()
    assert [store.feed(feed).polls.errors for feed in feeds] == [0, 0]
    assert {one.url for one in articles} == found.keys()
    assert [one.title for one in articles if one.title == found[one.url]] != [], "titles come as they are"


@pytest.mark.parametrize("path", ["/stories.atom", "/stories.json"])
async def test_stories_stay_apart_where_they_are_read(
    newsroom: RunningSite, fresh_url: Callable[[], str], path: str
) -> None:
    """As many stories as there are entries; a story that grew is a revision of its entry, not another one."""
    asked, url = f"{path}?limit=100", fresh_url()
    feed, store, count = newsroom.url + asked, bench(url), len(newsroom.live.board)
    store.feeds.add(feed, "", store.clock.now())
    async with poller(store):
        await store.polled(feed)
        read = store.articles()
        assert (len(read), [one.title for one in read if one.page]) == (count, []), "no page is read for its content"
        with site_runtime(url) as second:
            second.ingest.run(store.refs)
            assert second.stories.counts()["stories"] == count
        dam = article(f"times{path}", f"{DAM_TITLE}, says Times of {path}", DAM)
        await to_thread(fill, newsroom.runtime, [dam])
        await eventually_here(lambda: dam.title in newsroom.ask(asked).text, lambda: "the dam's new headline")
        await store.turn(feed)
        [again] = store.articles()
    assert (again.id in {one.id for one in read}, again.revision, dam.title in again.text) == (True, 2, True)


@pytest.fixture(scope="module")
def newsroom(server_pool: Any) -> Iterator[RunningSite]:
    """Stories of one article in two languages, and one whose headline ends as a text that goes on does."""
    first = {(lang, one.story): one for lang in ("de", "es") for one in reports(lang)[::-1]}
    told = [
        article(f"{lang}/{one.id}", one.title, one.text, lang=lang, source=one.outlet)
        for (lang, _), one in first.items()
    ]
    with site_runtime(server_pool.url("valkey")) as opened, running_site(opened) as running:
        fill(opened, [*told, article("herald/dam", DAM_TITLE + " …", DAM)])
        running.shows(len(told) + 1)
        yield running

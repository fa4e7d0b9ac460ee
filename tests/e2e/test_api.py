"""The API over a real site: lists, stories, articles, which story a text is, feeds, health."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.exceptions import HTTPException

from tests.e2e.api_scene import EDITOR, FERRIES, api_site, post, problem
from tests.e2e.site import RunningSite, article, fill
from tests.unit.harbour import BRIDGE, REPORT, REWRITTEN
from tests.waiting import eventually
from worker.feed.carried import Claim
from worker.feed.identity import page_of
from worker.report.following import parse_cursor
from worker.web.api.likening import Turns
from worker.web.api.records.stories import FullArticle, FullStory, StoryRecord

KEYS = list(StoryRecord.__struct_fields__)


@pytest.fixture(scope="module")
def site(server_pool: Any) -> Iterator[RunningSite]:
    with api_site(server_pool.url("valkey")) as running:
        yield running


def test_a_list_has_what_the_report_has(site: RunningSite) -> None:
    told = site.ask("/api/v1/stories?lang=en").json
    assert [list(story) for story in told["stories"]] == [KEYS, KEYS]
    first = told["stories"][0]
    assert first["story"] == "en-1"
    assert first["headline"] == "Bridge in Port Vell closed after cracks are found"
    assert (first["articles"], first["outlets"], first["copies"], first["rewrites"], first["reports"]) == (
        3,
        3,
        0,
        1,
        1,
    )
    assert (told["found"], told["articles"], told["next"], told["stale"]) == (2, 4, None, None)


@pytest.mark.parametrize(
    ("query", "stories"),
    [
        ("outlets=2", ["en-1"]),
        ("outlet=Gazette", ["en-1", "en-2"]),
        ("outlet=post", ["en-1"]),
        ("q=volcano", ["en-2"]),
        ("q=FERRIES+packed", ["en-1"]),
        ("q=ferries+volcano", []),
        ("since=6h", ["en-1", "en-2"]),
        ("sort=large", ["en-1", "en-2"]),
        ("limit=1", ["en-1"]),
        ("outlet=nobody", []),
    ],
)
def test_a_list_is_filtered(site: RunningSite, query: str, stories: list[str]) -> None:
    told = site.ask(f"/api/v1/stories?lang=en&{query}").json
    assert [story["story"] for story in told["stories"]] == stories


def test_pages_show_each_story_once(site: RunningSite) -> None:
    fill(site.runtime, [article(f"a/{n}", f"Topic{n}", f"word{n} other{n} third{n}", lang="fi") for n in range(7)])
    seen, after = list[str](), ""
    deadline = time.monotonic() + 10
    while site.ask("/api/v1/stories?lang=fi").json["found"] < 7:
        assert time.monotonic() < deadline, "the stories did not come to the board"
    for _ in range(4):
        told = site.ask(f"/api/v1/stories?lang=fi&sort=new&limit=2{after}").json
        assert told["found"] == 7
        seen += [story["story"] for story in told["stories"]]
        after = f"&after={told['next']}"
    assert told["next"] is None
    assert sorted(seen) == sorted(f"fi-{n}" for n in range(1, 8))
    problem(site.ask(f"/api/v1/stories?lang=fi&sort=hot{after.replace('None', 'new_1.0_fi_1')}"), 409, "after")


def test_a_search_is_the_list_of_its_words(site: RunningSite) -> None:
    found = site.ask("/api/v1/search?q=cracks&lang=en").json
    assert [story["story"] for story in found["stories"]] == ["en-1"]
    problem(site.ask("/api/v1/search"), 400, "q: is missing")


def test_what_did_not_change_is_not_sent_again(site: RunningSite) -> None:
    """Nor is what changed by time alone."""
    for path in ("/api/v1/stories?lang=en", "/api/v1/stories/en-1", "/api/v1/articles/herald/1", "/api/openapi.json"):
        first = site.ask(path)
        tag = first.headers["etag"]
        for known in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
            again = site.ask(path, headers={"If-None-Match": known})
            assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag), path
        assert site.ask(path, headers={"If-None-Match": '"other"'}).body == first.body or "heat" in first.text
        assert "no-cache" in first.headers["cache-control"]
        head = site.ask(path, "HEAD")
        assert (head.status, head.body, head.headers["etag"]) == (200, b"", tag)


def test_what_changed_is_sent(site: RunningSite) -> None:
    fill(site.runtime, [article("b/1", "Ett", "nyhet om en bro i hamnen som stängdes", lang="sv")])
    tag = site.ask("/api/v1/stories/sv-1").headers["etag"]
    fill(site.runtime, [article("c/1", "Ett", "nyhet om en bro i hamnen som stängdes", lang="sv")])
    again = site.ask("/api/v1/stories/sv-1", headers={"If-None-Match": tag})
    assert again.status == 200
    assert again.headers["etag"] != tag


def test_a_story_says_why_each_article_belongs(site: RunningSite) -> None:
    answer = site.ask("/api/v1/stories/en-1")
    told = answer.json
    assert told.keys() == set(FullStory.__struct_fields__)
    assert answer.headers["content-location"] == "/api/v1/stories/en-1"
    first, rewrite, report = told["members"]
    assert [member["id"] for member in told["members"]] == ["herald/1", "gazette/1", "post/1"]
    assert (first["relation"], first["of"], first["score"]) == ("first", None, None)
    assert (rewrite["relation"], rewrite["of"]) == ("rewrite", "herald/1")
    assert (report["relation"], report["of"]) == ("report", None)
    assert report["score"] >= report["threshold"] > 0
    assert "score" in report["why"]
    assert {"vell", "bridge"} <= {shared["term"] for shared in told["terms"]}
    assert (told["merged"], told["corrections"], told["moved_from"]) == ([], [], None)


@pytest.mark.parametrize("name", ["en-zzzz", "nonsense", "xx-1", "en-", "%00", "en-1%2F..", "a" * 300])
def test_a_story_that_there_is_not(site: RunningSite, name: str) -> None:
    answer = site.ask(f"/api/v1/stories/{name}")
    problem(answer, 404)
    assert len(answer.body) < 400


@pytest.mark.parametrize("path", ["herald%2F1", "herald/1"])
def test_an_article_has_its_story(site: RunningSite, path: str) -> None:
    told = site.ask(f"/api/v1/articles/{path}").json
    assert told.keys() == set(FullArticle.__struct_fields__)
    assert (told["id"], told["url"], told["story"]["story"]) == ("herald/1", "https://herald/1", "en-1")
    assert told["words"] > 40
    assert told["terms"][0]["weight"] >= told["terms"][-1]["weight"] > 0
    problem(site.ask("/api/v1/articles/herald%2F2"), 404, "is no article of the store")


def test_an_address_that_must_not_be_followed_is_not_told(site: RunningSite) -> None:
    hostile = "<script>alert(1)</script>"
    fill(site.runtime, [article("d/1", hostile, "una noticia cualquiera", lang="es", url="javascript:alert(1)")])
    answer = site.ask("/api/v1/articles/d/1")
    assert answer.json["url"] is None
    assert answer.json["title"] == hostile
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("text", "story", "relation", "of"),
    [
        (BRIDGE, "en-1", "copy", "herald/1"),
        (REWRITTEN.replace("Traders", "Merchants"), "en-1", "copy", "gazette/1"),
        (REPORT.rsplit(" ", 9)[0], "en-1", "copy", "post/1"),
        (
            "Ana Ruiz, mayor of Port Vell, defended the closing of the harbour bridge: a pillar has cracks.",
            "en-1",
            "",
            "",
        ),
        ("Port Vell bridge: cracks, pillar", "en-1", "", ""),
        ("Parliament passed the budget; a tax on ash trees fell.", None, "", ""),
        ("!!!", None, "", ""),
    ],
)
def test_which_story_a_text_is(site: RunningSite, text: str, story: str | None, relation: str, of: str) -> None:
    before = site.runtime.stories.counts()
    told = post(site, "/api/v1/similar", {"text": text}, {}).json
    assert told["story"] == story
    assert told["lang"] in ("en", "und")
    assert site.runtime.stories.counts() == before
    if story is not None:
        best = told["stories"][0]
        assert best["joins"]
        assert best["relation"] == (relation or "report")
        assert (best["of"] or {}).get("id", "") == of
        assert best["score"] >= best["threshold"]
        assert best["shared"]
        assert "joins it as a" in best["why"]


@pytest.mark.parametrize(
    ("url", "article"),
    [
        (FERRIES, "post/1"),
        (f"{FERRIES}?utm_source=mail&fbclid=x#comments", "post/1"),
        ("http://m.port-vell-post.co.uk/2026/ferries.html/?at_medium=rss", "post/1"),
        ("https://gazette/1?ref=rss", "gazette/1"),
    ],
)
def test_the_story_of_an_articles_link(site: RunningSite, url: str, article: str) -> None:
    """However it came into the store, and whatever the link says of where its reader came from."""
    told = post(site, "/api/v1/similar", {"url": url}, {}).json
    assert (told["story"], told["article"]) == ("en-1", article)
    assert told["stories"][0]["relation"] == ("report" if article == "post/1" else "rewrite")


def test_the_story_of_an_address(site: RunningSite) -> None:
    """By what the feeds said of the page; without its tracking, and never by asking for it."""
    page = page_of("https://herald.example/bridge")
    site.runtime.outbox.claims.stake({page: Claim("herald/1", "en", 0.0)}, 60)
    told = post(site, "/api/v1/similar", {"url": "https://herald.example/bridge?utm_source=x"}, {}).json
    assert (told["story"], told["article"]) == ("en-1", "herald/1")
    assert told["stories"][0]["why"].startswith("is in it")
    unknown = "http://127.0.0.1:1/nowhere"
    problem(post(site, "/api/v1/similar", {"url": unknown}, {}), 404, "send its title and text")
    assert post(site, "/api/v1/similar", {"url": unknown, "text": BRIDGE}, {}).json["story"] == "en-1"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "JSON"),
        (b"{", 400, "JSON"),
        (b"[]", 400, "object"),
        (b"{}", 400, "neither text nor title nor url"),
        (b'{"text": 7}', 400, "$.text"),
        (b'{"text": null}', 400, "$.text"),
        (b'{"text": ""}', 400, "$.text"),
        (b'{"text": "a", "more": 1}', 400, "more"),
        (b'{"text": "\\ud800"}', 400, "JSON"),
        (b'{"text": "\xff"}', 400, "JSON"),
        (b'{"lang": "en"}', 400, "neither"),
        (b"[" * 100_000, 400, "body"),
        (b'{"text": "' + b"a" * 1_000_000 + b'"}', 413, "bytes"),
    ],
)
def test_a_body_that_cannot_be_used(site: RunningSite, body: bytes, status: int, said: str) -> None:
    answer = site.ask("/api/v1/similar", "POST", body, {"Content-Type": "application/json"})
    problem(answer, status, said)


def test_a_body_says_that_it_is_json(site: RunningSite) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        problem(site.ask("/api/v1/similar", "POST", b'{"text": "a"}', {"Content-Type": kind}), 415, "application/json")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("langs=en", "'langs' is no parameter"),
        ("limit=201", "limit=201"),
        ("limit=-1", "limit=-1"),
        ("since=yesterday", "since=yesterday"),
        ("sort=best", "sort=best"),
        ("outlets=0", "outlets=0"),
        ("q=" + "a" * 300, "q="),
        ("after=%F0%9F%92%A9%00", ""),
        ("%00=%ff", "is no parameter"),
        ("limit=1&limit=2", "limit: is given twice"),
        ("limit=%201", "limit= 1: write a whole number from 1 to 200"),
        ("since=1.5h", "write it like 6h or 2d"),
    ],
)
def test_an_address_that_cannot_be_used(site: RunningSite, query: str, said: str) -> None:
    answer = site.ask(f"/api/v1/stories?{query}")
    problem(answer, 409 if query.startswith("after") else 400, said)


def test_what_is_empty_is_not_given(site: RunningSite) -> None:
    """A form sends what nobody filled in; only what is needed has to be there."""
    query = "lang=&outlet=&outlets=&since=&q=&sort=&limit=&after="
    given, plain = site.ask(f"/api/v1/stories?{query}").json, site.ask("/api/v1/stories").json
    for record in (*given["stories"], *plain["stories"]):
        del record["heat"]  # falls from one answer to the next
    assert given == plain
    assert site.ask("/api/v1/feeds?status=&q=&limit=&after=").status == 200
    problem(site.ask("/api/v1/search?q="), 400, "q: is empty: give it a value")


def test_an_operation_that_there_is_not(site: RunningSite) -> None:
    problem(site.ask("/api/v1/nothing"), 404)
    problem(site.ask("/api/v1/stories", "DELETE"), 405)
    answer = site.ask("/api/v1/similar")
    problem(answer, 405)
    assert answer.headers["allow"] == "POST"


def test_feeds_are_listed_and_hide_their_passwords(site: RunningSite) -> None:
    now = time.time()
    ids = [site.runtime.feeds.add(f"https://user:secret@example.org/{n}", f"Feed {n}", now)[0] for n in range(5)]
    listed = "/api/v1/feeds?limit=1"
    eventually(lambda: site.ask(listed).json["found"] == len(ids), 10, "all feeds are listed")
    seen, after = list[str](), ""
    while True:
        answer = site.ask(f"/api/v1/feeds?limit=2&status=new{after}")
        assert "secret" not in answer.text
        seen += [feed["id"] for feed in answer.json["feeds"]]
        if not answer.json["next"]:
            break
        after = f"&after={answer.json['next']}"
    assert seen == sorted(ids)
    assert [feed["title"] for feed in site.ask("/api/v1/feeds?q=feed+3").json["feeds"]] == ["Feed 3"]
    assert site.ask("/api/v1/feeds?status=failed").json == {"feeds": [], "found": 0, "next": None}
    assert site.ask("/api/v1/feeds?q=secret").json["found"] == 0, "words find no password"
    assert "example.org" not in site.ask("/feeds?q=secret").text
    one = site.ask(f"/api/v1/feeds/{ids[0]}")
    assert one.json["url"] == "https://example.org/0"
    assert one.json["fetches"] == []
    assert "secret" not in one.text
    problem(site.ask("/api/v1/feeds/000000000000"), 404, "is no feed")
    for query in ("limit=0", "limit=x", "after=zz", "status=odd", "word=x"):
        problem(site.ask(f"/api/v1/feeds?{query}"), 400, query.partition("=")[0])


def test_health_is_told_line_by_line(site: RunningSite) -> None:
    told = site.ask("/api/v1/status").json
    lines = {line["check"]: line for line in told["checks"]}
    assert {"server", "queue", "pollers", "feeds", "stories"} <= lines.keys()
    assert lines["queue"]["state"] == "fail"
    assert "start `storywire work`" in lines["queue"]["said"]
    assert told["state"] == "fail"


def test_a_list_says_where_the_stream_goes_on(site: RunningSite) -> None:
    """Also where it was not sent again: the tag is about the list alone."""
    fill(site.runtime, [article("e/1", "Um", "uma notícia qualquer sobre nada", lang="pt")])
    first = site.ask("/api/v1/stories?lang=en")
    cursor = first.headers["storywire-cursor"]
    assert cursor
    again = site.ask("/api/v1/stories?lang=en", headers={"If-None-Match": first.headers["etag"]})
    assert again.status == 304
    assert again.headers["storywire-cursor"]
    deadline = time.monotonic() + 10
    while site.ask("/api/v1/stories?lang=pt").json["found"] < 1:
        assert time.monotonic() < deadline, "the story did not come to the board"
    position = parse_cursor(site.ask("/api/v1/stories?lang=pt").headers["storywire-cursor"])
    assert "pt" in position
    assert position["en"] >= parse_cursor(cursor)["en"]


def test_a_site_under_a_path_says_so(server_pool: Any) -> None:
    settings = {"public_url": "http://127.0.0.1/wire"}
    with api_site(server_pool.url("valkey"), **settings) as under:
        document = under.ask("/wire/api/openapi.json", headers=EDITOR).json
        assert document["servers"] == [{"url": "/wire/api"}]
        story = under.ask("/wire/api/v1/stories/en-1", headers=EDITOR)
        assert story.headers["content-location"] == "/wire/api/v1/stories/en-1"
        page = under.ask("/wire/api", headers=EDITOR).text
        assert 'href="/wire/api/openapi.json"' in page
        problem(under.ask("/wire/api/v1/stories/none", headers=EDITOR), 404)
        assert under.ask("/api/openapi.json", headers=EDITOR).json["servers"] == [{"url": "/api"}]


async def test_no_more_texts_are_compared_at_once_than_may_be() -> None:
    """Who would wait behind too many is told when to come back; who is done makes room, also by an error."""
    turns = Turns(at_once=1, waiting=1)
    done, began = asyncio.Event(), list[int]()

    async def compare(number: int) -> None:
        async with turns.one():
            began.append(number)
            await done.wait()
            raise ValueError(number)

    first, second = asyncio.create_task(compare(1)), asyncio.create_task(compare(2))
    for _ in range(5):
        await asyncio.sleep(0)
    assert began == [1]
    with pytest.raises(HTTPException) as refused:
        async with turns.one():
            pass
    assert refused.value.status_code == 503
    assert (refused.value.headers or {})["Retry-After"].isdecimal()
    done.set()
    ended = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(each) for each in ended] == [ValueError, ValueError]
    async with turns.one():
        pass

"""`storywire feeds add`: what an address leads to is found, looked at, told, and added or refused."""

import asyncio
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.command import here, one_line
from tests.e2e.feed_server import Answer, FeedServer, Request, head, page
from tests.e2e.polling import rss

NEWS = rss(
    ("1", "The harbour bridge is closed", "It rained. " * 300), ("2", "U", "It was dry. " * 300), channel="Harbour News"
)
SPORTS = rss(("3", "Home win", "Three to one. " * 300), channel="Harbour Sports")
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Harbour News</title>
<link rel="hub" href="https://hub.example/push"/><link rel="self" href="https://news.example/atom"/>
<entry><id>a</id><title>T</title><link href="https://example.org/1"/><updated>2025-06-15T15:00:00Z</updated></entry>
<entry><id>b</id><title>U</title><link href="https://example.org/2"/><updated>2025-06-15T14:00:00Z</updated></entry></feed>"""


@pytest.fixture
def feeds() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


def html(*feeds: tuple[str, str]) -> Answer:
    """A page that names these feeds (address, title)."""
    links = "".join(f"<link rel='alternate' type='application/rss+xml' title='{t}' href='{a}'>" for a, t in feeds)
    return page(f"<!doctype html><html><head><title>Home</title>{links}</head></html>", content_type="text/html")


def moved(location: str) -> Answer:
    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        await head(writer, 301, {"Location": location, "Content-Length": "0"})

    return answer


def urls(redis_url: str) -> list[str]:
    """The addresses of all feeds, in order."""
    run = here("feeds", "list", "--json", redis_url=redis_url)
    return sorted(str(json.loads(line)["url"]) for line in run.stdout.splitlines())


def test_a_feed_is_looked_at_and_what_is_odd_is_told(feeds: FeedServer, valkey_url: str) -> None:
    """Title, format, entries, the newest headline, whether it has whole articles, what it asks, its hub."""
    feeds.routes["/feed"] = page(NEWS.replace("<language>", "<ttl>60</ttl><language>"), content_type="text/html")
    run = here("feeds", "add", feeds.url("/feed"), "--folder", " News / World ", redis_url=valkey_url)
    assert run.returncode == 0, run.stderr
    said = " ".join(run.stdout.split())
    for words in (
        "Harbour News",
        "RSS 2.0, 2 entries",
        "The harbour bridge is closed",
        "full text (typically 750 words)",
        "at most every 1h (ttl)",
        "odd is served as text/html",
        "odd gives neither ETag nor Last-Modified",
        "odd has brought nothing for",
    ):
        assert words in said, f"{words!r} is missing in:\n{run.stdout}"
    assert "no poller runs" in one_of(run.stderr)
    feeds.routes["/atom"] = page(ATOM, content_type="application/atom+xml", etag='"1"')
    said = here("feeds", "add", feeds.url("/atom"), "--pages", "on", redis_url=valkey_url).stdout
    assert "Atom 1.0, 2 entries" in said
    assert "https://hub.example/push (WebSub)" in said
    assert "neither ETag" not in said
    assert "headlines only" in said
    listed = [json.loads(line) for line in here("feeds", "list", "--json", redis_url=valkey_url).stdout.splitlines()]
    assert {(feed["folder"], feed["pages"]) for feed in listed} == {("News/World", "auto"), (None, "on")}


def one_of(errors: str) -> str:
    [line] = errors.splitlines()
    return line


def test_a_page_leads_to_its_feed_whatever_formats_that_has(feeds: FeedServer, valkey_url: str) -> None:
    """RSS and Atom of one feed are one; feeds of comments are not asked for."""
    feeds.routes |= {"/rss": page(NEWS), "/atom": page(ATOM), "/c": page(SPORTS)}
    feeds.routes["/"] = html(("/rss", "RSS"), ("/atom", "Atom"), ("/c", "Comments"))
    run = here("feeds", "add", feeds.url("/"), redis_url=valkey_url)
    assert run.returncode == 0, run.stderr
    assert f"{feeds.url('/')} is a web page; its feed:" in run.stdout
    assert f"(--all adds them): {feeds.url('/c')}" in run.stdout
    assert urls(valkey_url) == [feeds.url("/rss")]
    assert not feeds.asked("/c")


def test_of_several_feeds_one_has_to_be_chosen_or_all(feeds: FeedServer, valkey_url: str) -> None:
    feeds.routes |= {"/news": page(NEWS), "/sports": page(SPORTS), "/c": page(ATOM)}
    feeds.routes["/"] = html(("/news", "News"), ("/sports", "Sports"), ("/c", "Comments"))
    run = here("feeds", "add", feeds.url("/"), redis_url=valkey_url)
    assert run.returncode == 1
    assert "names 2 feeds: add one of these, or --all of them" in one_line(run.stderr)
    for words in (feeds.url("/news"), "Harbour News: RSS 2.0", feeds.url("/sports"), "Harbour Sports: RSS 2.0"):
        assert words in run.stdout
    assert urls(valkey_url) == []
    assert here("feeds", "add", "--all", feeds.url("/"), redis_url=valkey_url).returncode == 0
    assert feeds.url("/news") in urls(valkey_url)
    assert feeds.url("/sports") in urls(valkey_url)


def test_a_page_that_names_no_feed_is_tried_where_many_have_theirs(feeds: FeedServer, valkey_url: str) -> None:
    feeds.routes |= {"/": html(), "/feed.xml": page(NEWS)}
    run = here("feeds", "add", feeds.url("/"), redis_url=valkey_url)
    assert run.returncode == 0, run.stderr
    assert "it names no feed, and this is where many sites have theirs" in run.stdout
    assert urls(valkey_url) == [feeds.url("/feed.xml")]


def test_a_feed_that_moved_for_good_is_added_where_it_is(feeds: FeedServer, valkey_url: str) -> None:
    feeds.routes |= {"/old": moved("/new"), "/new": page(NEWS)}
    run = here("feeds", "add", feeds.url("/old"), redis_url=valkey_url)
    assert f"for good, from {feeds.url('/old')}" in run.stdout
    assert urls(valkey_url) == [feeds.url("/new")]


async def hangs(request: Request, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (None, "answers with status 404"),
        (page("no feed, no page"), "neither RSS nor Atom"),
        (page(""), "the answer is empty"),
        (html(("/nothing", "News")), "is a web page, and the feed that it names cannot be read: "),
        (moved("http://127.0.0.2:1/inside"), "leads to 127.0.0.2, an address of this machine"),
        (hangs, "took longer than 2s"),
    ],
    ids=["404", "text", "empty", "page", "private", "slow"],
)
def test_what_cannot_be_read_is_refused_with_the_reason_and_added_by_force(
    feeds: FeedServer, valkey_url: str, answer: Answer | None, why: str
) -> None:
    """No other way than the poller's: addresses inside are refused, and a server has only so much time."""
    if answer is not None:
        feeds.routes["/x"] = answer
    settings: dict[str, Any] = {
        "redis_url": valkey_url,
        "allow_private": f"127.0.0.1:{feeds.port}",
        "fetch_timeout": "2s",
    }
    run = here("feeds", "add", feeds.url("/x"), **settings)
    assert run.returncode == 1
    said = one_line(run.stderr)
    assert said.startswith(feeds.url("/x"))
    assert why in said
    assert "--force adds it all the same" in said
    assert urls(valkey_url) == []
    forced = here("feeds", "add", "--force", feeds.url("/x"), **settings)
    assert forced.returncode == 0
    assert why in forced.stdout
    assert urls(valkey_url) == [feeds.url("/x")]


def test_many_at_once_are_added_as_far_as_they_can_be(feeds: FeedServer, valkey_url: str) -> None:
    """From standard input too; a line each, and in the end one for each that is none. The gate of their host holds."""
    began: list[float] = []

    def timed(answer: Answer) -> Answer:
        async def answered(request: Request, writer: asyncio.StreamWriter) -> None:
            began.append(monotonic())
            await answer(request, writer)

        return answered

    for name in "abc":
        feeds.routes[f"/{name}"] = timed(page(rss((name, name, "x"), channel=f"Paper {name}")))
    given = f"# mine\n\n{feeds.url('/a')}\n{feeds.url('/b')}\n{feeds.url('/a')}\n"
    run = here(
        "feeds", "add", feeds.url("/c"), "gopher://x", "-", given=given, redis_url=valkey_url, gate_spacing="0.4s"
    )
    assert run.returncode == 1
    assert "'gopher://x' is not http or https" in run.stderr
    assert len([line for line in run.stdout.splitlines() if line.startswith("added: ")]) == 3
    assert urls(valkey_url) == sorted(feeds.url(f"/{name}") for name in "abc")
    gaps = [later - sooner for sooner, later in pairwise(began)]
    assert len(gaps) == 2
    assert min(gaps) > 0.3, f"the host was asked too often: {gaps}"


def test_a_host_that_asked_to_be_left_alone_is(feeds: FeedServer, valkey_url: str) -> None:
    feeds.routes |= {"/busy": page("", status=429, retry_after="600"), "/feed": page(NEWS)}
    assert "status 429" in here("feeds", "add", feeds.url("/busy"), redis_url=valkey_url).stderr
    run = here("feeds", "add", feeds.url("/feed"), redis_url=valkey_url)
    assert "asked to be left alone" in one_line(run.stderr)
    assert not feeds.asked("/feed")


@pytest.mark.parametrize("scheme", ["", "//", "feed://"])
def test_an_address_without_a_scheme_is_tried_with_https_and_then_http(
    feeds: FeedServer, valkey_url: str, scheme: str
) -> None:
    """And the name that was found is the feed's, before it was ever polled."""
    feeds.routes["/feed"] = page(NEWS)
    run = here("feeds", "add", scheme + feeds.url("/feed").removeprefix("http://"), redis_url=valkey_url)
    assert run.returncode == 0, run.stderr
    [listed] = here("feeds", "list", "--json", redis_url=valkey_url).stdout.splitlines()
    feed = json.loads(listed)
    assert (feed["url"], feed["title"], feed["polled"]) == (feeds.url("/feed"), "Harbour News", None)
    shown = here("feeds", "show", "harbour news", redis_url=valkey_url).stdout
    assert "named by a person" not in shown


def test_a_known_feed_is_not_fetched_but_changed(feeds: FeedServer, valkey_url: str, tmp_path: Path) -> None:
    url = feeds.url("/feed")
    assert here("feeds", "add", "--no-fetch", url, redis_url=valkey_url).returncode == 0
    assert here("feeds", "pause", url, redis_url=valkey_url).returncode == 0
    run = here("feeds", "add", url, "--title", "Mine", "--folder", "F", redis_url=valkey_url)
    assert "known already" in run.stdout
    assert "is polled again" in run.stdout
    assert not feeds.requests
    shown = json.loads(here("feeds", "show", "mine", "--json", redis_url=valkey_url).stdout)
    assert (shown["title"], shown["folder"], shown["status"]) == ("Mine", "F", "new")

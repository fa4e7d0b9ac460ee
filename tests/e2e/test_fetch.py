"""Fetches from real servers: what is sent, what is brought back, and who is asked before a redirect is followed."""

import asyncio
import gzip

import pytest

from tests.e2e.feed_server import Answer, FeedServer, Request, page
from tests.misbehaving.answering import RSS, feed, kept, to
from tests.misbehaving.case import ONE
from worker.fetch import Failed, Fetched, Fetcher, Guard, NotModified


def fetcher(timeout_s: float = 10.0) -> Fetcher:
    return Fetcher(user_agent="storywire/test (+https://example.org)", timeout_s=timeout_s, guard=Guard("1"))


async def test_a_body_comes_with_all_that_the_schedule_wants_to_know(server: FeedServer) -> None:
    """Validators, freshness, and where it moved for good."""
    how = {"etag": '"1"', "last_modified": "then", "cache_control": "max-age=60", "expires": "tomorrow", "age": "7"}
    server.routes = {
        "/old": to("/new", 301),
        "/new": feed(gzip.compress(ONE.encode()), 200, content_encoding="gzip", **how),
    }
    async with fetcher() as fetching:
        answer = await fetching.fetch(server.url("/old"))
    new = server.url("/new")
    assert answer == Fetched(ONE.encode(), new, RSS, '"1"', "then", "max-age=60", "tomorrow", new, True, "", "7")


async def test_a_304_behind_a_permanent_redirect_tells_the_new_address(server: FeedServer) -> None:
    server.routes = {"/old": to("/new", 308), "/new": page("", status=304, etag='"2"', expires="soon")}
    async with fetcher() as fetching:
        answer = await fetching.fetch(server.url("/old"), '"1"', "then")
    assert answer == NotModified('"2"', "", "", "soon", server.url("/new"))
    [asked] = server.asked("/new")
    assert (asked.headers["if-none-match"], asked.headers["if-modified-since"]) == ('"1"', "then")


async def test_a_failure_tells_its_status_and_how_long_to_wait(server: FeedServer) -> None:
    server.routes = {"/forbidden": page("", status=403, retry_after="60"), "/teapot": page("", status=418)}
    async with fetcher() as fetching:
        forbidden = await fetching.fetch(server.url("/forbidden"))
        teapot = await fetching.fetch(server.url("/teapot"))
    assert isinstance(forbidden, Failed)
    assert (forbidden.kind, forbidden.retry_after, forbidden.status) == ("refused", "60", 403)
    assert isinstance(teapot, Failed)
    assert (teapot.kind, teapot.retry_after, teapot.status) == ("http", "", 418)


async def test_a_server_is_told_who_asks_and_what_can_be_read(server: FeedServer) -> None:
    server.routes["/feed"] = feed(ONE)
    async with fetcher() as fetching:
        await fetching.fetch(server.url("/feed"))
    [asked] = server.requests
    assert asked.headers["user-agent"] == "storywire/test (+https://example.org)"
    assert asked.headers["accept-encoding"] == "gzip, deflate"
    assert asked.headers["accept"].startswith("application/rss+xml")
    assert not {"cookie", "if-none-match", "if-modified-since", "authorization"} & asked.headers.keys()


async def test_connections_are_kept_for_the_next_fetch() -> None:
    """Twenty fetches in a row, one connection."""
    with FeedServer(keep=True) as server:
        server.routes["/feed"] = kept(ONE)
        async with fetcher() as fetching:
            for _ in range(20):
                assert isinstance(await fetching.fetch(server.url("/feed")), Fetched)
        assert (len(server.requests), server.connections) == (20, 1)


async def test_every_redirect_is_asked_for_before_it_is_followed(server: FeedServer) -> None:
    """As a host's gate needs; what it waits does not count as the server's time, and what it raises is passed on."""
    server.routes = {"/a": to("/b"), "/b": to("/c"), "/c": feed(ONE)}
    asked: list[tuple[str, int]] = []

    async def waiting(url: str) -> None:
        asked.append((url, len(server.requests)))
        await asyncio.sleep(1.0)

    async with fetcher(timeout_s=1.5) as fetching:
        assert isinstance(await fetching.fetch(server.url("/a"), before_redirect=waiting), Fetched)
    assert asked == [(server.url("/b"), 1), (server.url("/c"), 2)]

    async def refusing(url: str) -> None:
        raise LookupError(url)

    async with fetcher() as fetching:
        with pytest.raises(LookupError):
            await fetching.fetch(server.url("/a"), before_redirect=refusing)
    assert len(server.requests) == 4, "nobody was asked after the refusal"


async def test_one_clock_runs_for_all_of_a_fetch(server: FeedServer) -> None:
    """Redirects that each take their time are as slow as one answer that does."""

    def slowly(place: str) -> Answer:
        async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.7)
            await to(place)(request, writer)

        return answer

    server.routes = {f"/{n}": slowly(f"/{n + 1}") for n in range(5)} | {"/5": feed(ONE)}
    async with fetcher(timeout_s=1.5) as fetching:
        answer = await fetching.fetch(server.url("/0"))
    assert isinstance(answer, Failed)
    assert answer.kind == "timeout"
    assert len(server.requests) < 5

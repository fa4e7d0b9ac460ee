"""The schedule in a running poller: what feeds bring and ask for, addresses that change, the history that is left."""

from collections.abc import Iterator

import pytest

from tests.e2e.feed_server import FeedServer, page, versioned
from tests.e2e.polling import NOW, Bench, eventually, poller, rss

DAY_S = 86_400.0


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with FeedServer() as running:
        yield running


def item(name: str) -> tuple[str, str, str]:
    return name, f"The {name} report", f"Words of the {name} report."


async def test_every_poll_leaves_a_line_and_a_reason(server: FeedServer, store: Bench) -> None:
    """What came, how long it took, and when the next one is: the newest first; errors as well."""
    url = server.url("/feed")
    server.routes["/feed"] = versioned(rss(item("first")), '"1"')
    store.feeds.add(url, "", NOW)
    async with poller(store):
        await store.polled(url)
        await store.turn(url, after_s=1200)
        server.routes["/feed"] = versioned(rss(item("second"), item("first")), '"2"')
        await store.turn(url, after_s=1200)
        server.routes["/feed"] = page("gone fishing", status=404)
        await store.turn(url, after_s=7200)
    feed = store.feed(url)
    lines = store.feeds.fetches(feed.id)
    assert [line.outcome for line in lines] == ["failed", "ok", "not-modified", "ok"]
    assert [line.new for line in lines] == [0, 1, 0, 1]
    assert (lines[0].status, "404" in lines[0].trouble) == (404, True)
    assert lines[0].reason == feed.polls.reason != ""
    assert feed.polls.reason.endswith("after an error: status 404")
    assert (lines[1].entries, lines[1].size > 100, lines[1].took_ms > 0) == (2, True, True)
    assert lines[0].at + lines[0].wait_s == pytest.approx(feed.due, abs=0.1)  # kept in decimals of its own
    assert lines[-1].reason == "every 10m: as is set, nothing is known of it yet"


async def test_a_permanent_redirect_that_holds_for_a_week_becomes_the_address(server: FeedServer, store: Bench) -> None:
    """Not before; nothing that was shown is new again; and the old address is not asked any more."""
    old, new = server.url("/old"), server.url("/new")
    server.routes["/old"] = page("", status=301, location=new)
    server.routes["/new"] = page(rss(item("first")))
    feed, _ = store.feeds.add(old, "", NOW)
    async with poller(store):
        await store.polled(old)
        for _ in range(6):
            await store.turn(old)
            assert store.feed(old).url == old
        store.clock.advance(1.5 * DAY_S)
        await eventually(lambda: store.feeds.all()[0].url == new, lambda: f"still at {store.feeds.all()[0].url}")
        asked = len([request for request in server.requests if request.path == "/old"])
        server.routes["/new"] = page(rss(item("second"), item("first")))
        store.clock.advance(25 * 3600)
        await eventually(lambda: len(store.refs) == 2, lambda: f"{len(store.refs)} articles")
    assert [each.id for each in store.feeds.all()] == [feed]
    assert len([request for request in server.requests if request.path == "/old"]) == asked
    assert sorted(article.title for article in store.articles()) == ["The first report", "The second report"]
    assert store.feeds.id_of(old) == store.feeds.id_of(new) == feed


async def test_a_feed_that_moves_to_one_that_is_known_becomes_part_of_it(server: FeedServer, store: Bench) -> None:
    old, new = server.url("/old"), server.url("/new")
    server.routes["/old"] = page("", status=308, location=new)
    server.routes["/new"] = page(rss(item("first")))
    store.feeds.add(old, "", NOW)
    stays, _ = store.feeds.add(new, "", NOW)
    async with poller(store):
        await store.polled(old, new)
        for _ in range(8):
            store.clock.advance(25 * 3600)
            await store.polled(new)
        await eventually(lambda: store.feeds.count() == 1, lambda: f"{store.feeds.count()} feeds")
    assert [(each.id, each.url) for each in store.feeds.all()] == [(stays, new)]
    assert store.feeds.id_of(old) == stays


async def test_a_feed_that_is_gone_for_good_is_paused_until_it_is_resumed(server: FeedServer, store: Bench) -> None:
    url = server.url("/feed")
    server.routes["/feed"] = page("", status=410)
    feed, _ = store.feeds.add(url, "", NOW)
    async with poller(store):
        await store.polled(url)
        store.clock.advance(9 * DAY_S)
        found = store.feed(url)
        assert (found.paused, found.held) == (True, False)
        assert found.polls.reason == "gone: the server says that it is for good (410)"
        server.routes["/feed"] = page(rss(item("first")))
        store.feeds.resume(feed, store.clock.now())
        await store.polled(url)
    assert store.feed(url).polls.readable


async def test_a_server_whose_validators_lie_is_found_out(server: FeedServer, store: Bench) -> None:
    """It says that nothing changed while there is something new: within a day it is asked without them, and from then
    on always."""
    url = server.url("/feed")
    server.routes["/feed"] = versioned(rss(item("first")), '"same"')
    store.feeds.add(url, "", NOW)
    async with poller(store):
        await store.polled(url)
        server.routes["/feed"] = versioned(rss(item("second"), item("first")), '"same"')
        await store.turn(url, after_s=3600)
        assert len(store.refs) == 1, "it was believed"
        await store.turn(url)
        assert len(store.refs) == 2
        server.routes["/feed"] = versioned(rss(item("third"), item("second"), item("first")), '"same"')
        await store.turn(url, after_s=7200)
    assert len(store.refs) == 3
    assert "if-none-match" not in server.requests[-1].headers

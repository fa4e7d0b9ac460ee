"""Without a network: feeds are tried again soon, whoever starts hears so, and one mistyped feed is no outage."""

import json
from typing import Any

import pytest

from tests.command import storywire
from tests.e2e.feed_server import FeedServer, page
from tests.e2e.polling import NOW, Bench, poller, rss
from worker.connect import connect
from worker.feed.address import feed_id
from worker.schedule import NO_NETWORK
from worker.store.feeds import Feeds

NOWHERE = ["http://no-such-host.invalid/feed", "http://nor-this-one.invalid/feed", "http://nor-this-one.invalid/2"]
NOTICE = "no feed can be reached: without internet, try `storywire demo`"


def poll_once(url: str) -> list[dict[str, Any]]:
    """The lines of one `storywire poll --once`."""
    run = storywire("poll", "--once", redis_url=url, log_format="json")
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stderr.splitlines()]


def test_every_start_without_a_network_tries_at_once_and_says_so_once(valkey_url: str) -> None:
    with connect(valkey_url) as client:
        for url in NOWHERE:
            Feeds(client).add(url, "", NOW)
        for _ in range(2):
            lines = poll_once(valkey_url)
            assert [line["event"] for line in lines].count(NOTICE) == 1, lines
            assert [line["next"] for line in lines if line["event"] == "polled"] == [NO_NETWORK] * 3
        found = Feeds(client).get(feed_id(NOWHERE[0]))
        assert found is not None
        assert (found.polls.errors, found.due - found.polls.polled <= 33) == (0, True)


@pytest.mark.parametrize("beside", [[], NOWHERE[1:2]], ids=["one host alone", "two hosts beside one that answers"])
def test_a_mistyped_feed_shows_its_own_error(valkey_url: str, beside: list[str]) -> None:
    """Two feeds of one host alone, or two hosts while another feed answers."""
    with FeedServer() as server, connect(valkey_url) as client:
        server.routes["/feed"] = page(rss(("a", "Dam breaks above the valley", "Two villages were cleared.")))
        urls = [NOWHERE[0], *beside] if beside else NOWHERE[1:]
        for url in [*urls, *([server.url("/feed")] if beside else [])]:
            Feeds(client).add(url, "", NOW)
        lines = poll_once(valkey_url)
    told = {line["url"]: line for line in lines if line["event"] == "polled"}
    assert NOTICE not in [line["event"] for line in lines]
    assert {told[url]["next"].partition(" after ")[2] for url in urls} == {"an error: no such name"}
    assert all("check the address" in told[url]["trouble"] for url in urls)


async def test_feeds_that_stay_dead_while_others_answer_wait_longer(store: Bench) -> None:
    """Two dead feeds are alone in their rounds, and taken for an outage only until something answers."""
    with FeedServer() as server:
        server.routes["/feed"] = page(rss(("a", "Dam breaks above the valley", "Two villages were cleared.")))
        dead, alive = NOWHERE[:2], server.url("/feed")
        for url in dead:
            store.feeds.add(url, "", NOW)
        async with poller(store):
            await store.polled(*dead)
            assert {store.feed(url).polls.reason for url in dead} == {NO_NETWORK}
            store.clock.advance(1)
            store.feeds.add(alive, "", store.clock.now())
            await store.polled(alive)
            await store.turn(*dead, after_s=40)
        assert {store.feed(url).polls.errors for url in dead} == {1}

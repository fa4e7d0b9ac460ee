"""The poller against real HTTP and a real store: nothing lost, nothing doubled, nothing asked for twice."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import NewServer
from tests.e2e.feed_server import FeedServer, Request, head, page, versioned
from tests.e2e.polling import NOW, Bench, bench, eventually, poller, rss
from worker.errors import ServerUnavailable
from worker.feed.domain import _registrable, _suffixes
from worker.model import Ref
from worker.poller.parsers import Parsers
from worker.store import keys
from worker.store.feeds import Feeds
from worker.store.pollers import Pollers
from worker.text.languages import _detector

FIRST = ("a", "Dam breaks above the valley", "Two villages were cleared on Sunday night.")
EDITED = ("a", "Dam breaks above the valley; two villages cleared", "Two villages were cleared on Sunday night.")
SECOND = ("b", "Council votes on the bridge", "The vote was close.")
THIRD = ("c", "Ferry service resumes", "After a week of storms.")


async def test_entries_come_once_and_edits_update_their_article(server: FeedServer, store: Bench) -> None:
    """Three editions of a feed: first fetch, an edited title beside a new entry, an entry that has gone."""
    url = server.url("/feed")
    server.routes["/feed"] = page(rss(FIRST, SECOND))
    store.feeds.add(url, "", NOW)
    async with poller(store):
        await store.polled(url)
        server.routes["/feed"] = page(rss(THIRD, EDITED, SECOND))
        await store.turn(url)
        server.routes["/feed"] = page(rss(THIRD, EDITED))
        await store.turn(url)
    found = {article.url[-1]: article for article in store.articles()}
    assert sorted(found) == ["a", "b", "c"]
    assert (found["a"].title, found["a"].revision, found["a"].received) == (EDITED[1], 2, NOW)
    assert (found["b"].title, found["b"].revision) == (SECOND[1], 1)
    assert {article.id.partition(".")[0] for article in found.values()} == {store.feed(url).id}
    assert [len(refs) for refs in store.queued] == [2, 2], "two jobs: the first fetch, and what changed in the second"


async def test_a_first_fetch_is_backfill_and_what_follows_is_not(server: FeedServer, store: Bench) -> None:
    """What a feed shows when it is first seen is history; a revision of it stays history; a new entry is news."""
    url = server.url("/feed")
    server.routes["/feed"] = page(rss(FIRST))
    store.feeds.add(url, "Our Name", NOW)
    async with poller(store):
        await store.polled(url)
        server.routes["/feed"] = page(rss(SECOND, EDITED))
        await store.turn(url)
    assert {article.url[-1]: article.backfill for article in store.articles()} == {"a": True, "b": False}
    assert {article.source for article in store.articles()} == {"Our Name"}
    assert {article.lang for article in store.articles()} == {"en"}


async def test_what_first_articles_need_is_loaded_before_any_feed_is_leased(store: Bench) -> None:
    """Seconds, which every feed of the first round would wait for, each of the store's threads loading it anew."""
    _detector.cache_clear()
    _registrable.cache_clear()
    _suffixes.cache_clear()
    async with poller(store):
        pollers = Pollers(store.outbox._redis)
        await eventually(lambda: bool(pollers.alive()), lambda: "no poller is alive")
        assert (_detector.cache_info().currsize, _suffixes.cache_info().currsize) == (1, 1)


@pytest.mark.parametrize("conditional", [True, False], ids=["304", "same body"])
async def test_an_unchanged_feed_costs_no_job(server: FeedServer, store: Bench, conditional: bool) -> None:
    """With a 304, and with the same body in spite of none: nothing is queued, nothing is parsed."""
    url = server.url("/feed")
    server.routes["/feed"] = versioned(rss(FIRST), '"v1"') if conditional else page(rss(FIRST))
    store.feeds.add(url, "", NOW)
    async with poller(store):
        await store.polled(url)
        for _ in range(3):
            await store.turn(url, after_s=3600)
            assert store.feed(url).polls.outcome == ("not-modified" if conditional else "same-body")
    assert (len(server.asked("/feed")), len(store.queued)) == (4, 1)


async def test_another_body_with_the_same_entries_costs_no_job(server: FeedServer, store: Bench) -> None:
    """A new build date changes the body and nothing that a reader would show."""
    url = server.url("/feed")
    server.routes["/feed"] = page(rss(FIRST, SECOND))
    store.feeds.add(url, "", NOW)
    async with poller(store):
        await store.polled(url)
        server.routes["/feed"] = page(rss(FIRST, SECOND).replace("<channel>", "<channel><ttl>5</ttl>"))
        await store.turn(url)
        assert store.feed(url).polls.outcome == "ok"
    assert len(store.queued) == 1


async def test_validators_go_back_byte_for_byte(server: FeedServer, store: Bench) -> None:
    """Opaque they are: weak, with commas, with a date that is none; a 304 may give new ones."""
    url, etag, since = server.url("/feed"), 'W/"a,b;ü \\"q\\"-gzip"', "Yesterday, about noon"

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.headers.get("if-none-match"):
            await head(writer, 304, {"ETag": '"second"', "Last-Modified": "later"})
        else:
            await page(rss(FIRST), etag=etag, last_modified=since)(request, writer)

    server.routes["/feed"] = answer
    store.feeds.add(url, "", NOW)
    async with poller(store):
        await store.polled(url)
        await store.turn(url, after_s=3600)
        await store.turn(url, after_s=3600)
    sent = [(r.headers.get("if-none-match"), r.headers.get("if-modified-since")) for r in server.asked("/feed")]
    assert sent == [(None, None), (etag, since), ('"second"', "later")]


async def test_a_feed_is_fetched_without_conditions_once_a_day(server: FeedServer, store: Bench) -> None:
    """Some servers never change their validators: their feed is not stuck for good."""
    url = server.url("/feed")
    server.routes["/feed"] = versioned(rss(FIRST), '"forever"')
    store.feeds.add(url, "", NOW)
    async with poller(store):
        await store.polled(url)
        server.routes["/feed"] = versioned(rss(SECOND, FIRST), '"forever"')
        await store.turn(url, after_s=3600)
        assert len(store.articles()) == 1
        await store.turn(url, after_s=24 * 3600)
    assert len(store.articles()) == 2


async def test_no_cookie_is_kept_and_we_say_who_we_are(server: FeedServer, store: Bench) -> None:
    url = server.url("/feed")
    server.routes["/feed"] = page(rss(FIRST), set_cookie="id=1; Path=/")
    store.feeds.add(url, "", NOW)
    async with poller(store):
        await store.polled(url)
        await store.turn(url)
    assert all("cookie" not in request.headers for request in server.requests)
    assert all(request.headers["user-agent"].startswith("Storywire/") for request in server.requests)


async def test_two_pollers_share_the_feeds(server: FeedServer, store: Bench, valkey_url: str) -> None:
    """Of two pollers on one store exactly one polls a feed, and each of them polls some."""
    urls = [server.url(f"/{number}") for number in range(40)]
    for number, url in enumerate(urls):
        server.routes[f"/{number}"] = page(rss((f"{number}", f"Title {number}", "A text.")))
        store.feeds.add(url, "", NOW)
    other = Bench(Feeds(store.feeds._redis), store.outbox, store.clock)
    async with poller(store, parallel=4), poller(other, parallel=4):
        await store.polled(*urls)
    assert len(server.requests) == 40
    assert len(store.refs) + len(other.refs) == len({*store.refs, *other.refs}) == 40
    assert store.refs, "the first poller took its share"
    assert other.refs, "the second poller took its share"


async def test_a_restart_polls_nothing_before_its_time(server: FeedServer, store: Bench) -> None:
    """Schedule, validators and body hash are in the store: another poller goes on where the first one stopped."""
    url, later = server.url("/feed"), server.url("/later")
    server.routes["/feed"] = server.routes["/later"] = versioned(rss(FIRST), '"v1"')
    store.feeds.add(url, "", NOW)
    async with poller(store):
        await store.polled(url)
    store.feeds.add(later, "", NOW)
    async with poller(store):
        await store.polled(later)
        assert len(server.asked("/feed")) == 1
        await store.turn(url, later, after_s=3600)
    assert [r.headers.get("if-none-match") for r in server.asked("/feed")] == [None, '"v1"']


async def test_a_stopped_poller_gives_its_leases_back(server: FeedServer, store: Bench) -> None:
    """What was being fetched is due at once for whoever comes next, and stopping does not wait for it."""
    url = server.url("/slow")

    async def never(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    server.routes["/slow"] = never
    store.feeds.add(url, "", NOW)
    async with poller(store, fetch_timeout="60s") as running:
        await eventually(lambda: bool(server.requests), lambda: "the slow feed was not asked for")
        assert store.feed(url).due > NOW, "it is leased"
        running.stop()
    assert store.feed(url).due == NOW
    assert store.feed(url).polls.polled == 0


async def test_a_removed_feed_does_not_come_back_with_its_poll(server: FeedServer, store: Bench) -> None:
    """A person removes a feed while it is being fetched: only seen marks are left of it, and these expire."""
    url, removed = server.url("/feed"), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def slow(request: Request, writer: asyncio.StreamWriter) -> None:
        future = asyncio.run_coroutine_threadsafe(removed.wait(), loop)
        await asyncio.wrap_future(future)
        await page(rss(FIRST))(request, writer)

    server.routes["/feed"] = slow
    feed, _ = store.feeds.add(url, "", NOW)
    async with poller(store):
        await eventually(lambda: bool(server.requests), lambda: "not asked for")
        store.feeds.remove(feed)
        removed.set()
        await eventually(lambda: bool(store.queued), lambda: "the poll was not finished")
    assert store.feeds.all() == []
    assert store.feeds._redis.ttl(keys.seen(feed)) > 0, "marks of a removed feed are kept for a while only"


HANGS = """
import sys
from worker.poller import parser
real = parser.parse
def parse(body, url, content_type):
    if b"HANG" in body:
        while True: pass
    if b"DIE" in body:
        import os; os._exit(3)
    return real(body, url, content_type)
parser.parse = parse
parser.serve(sys.stdin.buffer, sys.stdout.buffer)
"""


async def test_a_parse_that_hangs_or_dies_costs_only_its_own_feed(
    server: FeedServer, store: Bench, tmp_path: Path
) -> None:
    """One parser process, three times killed by what it reads: the feeds after it are parsed by a fresh one."""
    script = tmp_path / "parser.py"
    script.write_text(HANGS)
    bad, good = ["HANG", "DIE"], [f"good {number}" for number in range(4)]
    for number, text in enumerate([bad[0], good[0], good[1], bad[1], good[2], good[3]]):
        server.routes[f"/{number}"] = page(rss((str(number), text, text)))
        store.feeds.add(server.url(f"/{number}"), "", NOW + number / 100)
    store.clock.advance(1)
    urls = [server.url(f"/{number}") for number in range(6)]
    parsers = Parsers(size=1, timeout_s=3.0, command=[sys.executable, str(script)])
    async with poller(store, parsers=parsers, parallel=2):
        await store.polled(*urls)
    assert sorted(article.title for article in store.articles()) == good
    hung, died = store.feed(urls[0]).polls, store.feed(urls[3]).polls
    assert (hung.outcome, hung.trouble) == ("failed", "took longer than 3s to parse: remove the feed")
    assert (died.outcome, died.trouble) == ("failed", "ended the process that parsed it: remove the feed")


async def test_a_server_that_goes_and_comes_back_is_waited_for(server: FeedServer, new_server: NewServer) -> None:
    """kill -9 of the store while the poller runs: it goes on by itself, and what was due meanwhile is polled."""
    redis = new_server("valkey", persistent=True, appendfsync="always")
    store, url = bench(redis.url(0)), server.url("/feed")
    server.routes["/feed"] = page(rss(FIRST))
    store.feeds.add(url, "", NOW)
    async with poller(store) as running:
        await store.polled(url)
        redis.kill()
        await eventually(lambda: running._waiting, lambda: "the poller did not notice")
        server.routes["/feed"] = page(rss(SECOND, FIRST))
        store.clock.advance(3600)
        await asyncio.to_thread(redis.start)
        await store.polled(url)
    assert len(store.articles()) == 2


async def test_a_queue_that_is_down_loses_nothing(server: FeedServer, store: Bench) -> None:
    """The articles wait in the outbox, where the workers' sweeper finds them; the poll counts as done."""
    url = server.url("/feed")
    server.routes["/feed"] = page(rss(FIRST, SECOND))
    store.feeds.add(url, "", NOW)

    def down(refs: Sequence[Ref]) -> int:
        raise ServerUnavailable("the queue is down")

    store.enqueue = down  # type: ignore[method-assign]
    async with poller(store):
        await store.polled(url)
    assert store.feed(url).polls.outcome == "ok"
    assert len(store.outbox.stale(NOW + 1, NOW + 61, 10)) == 2


async def test_a_crash_between_publishing_and_recording_publishes_nothing_twice(
    server: FeedServer, store: Bench
) -> None:
    """The lease of a poller that died runs out, the feed is polled again as if for the first time: nothing is new."""
    url = server.url("/feed")
    server.routes["/feed"] = page(rss(FIRST, SECOND))
    feed, _ = store.feeds.add(url, "", NOW)
    async with poller(store):
        await store.polled(url)
    store.feeds._redis.hdel(keys.feed(feed), "polls")  # as it is if the poller dies before it records
    store.feeds._redis.zadd(keys.schedule(), {feed: NOW})
    store.clock.advance(600)
    async with poller(store):
        await store.polled(url)
    assert len(store.queued) == 1
    assert store.outbox.depth() == 2

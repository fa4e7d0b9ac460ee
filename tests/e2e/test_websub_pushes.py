"""What hubs push, with a real hub, a real server and a real poller, and a clock that is moved by hand."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.e2e.feed_server import page, versioned
from tests.e2e.polling import NOW, eventually, poller
from tests.e2e.subscribing import Scene, subscribing
from worker.clock import ManualClock

HOUR_S, DAY_S = 3600.0, 86400.0


@pytest.fixture
async def scene(valkey_url: str) -> AsyncIterator[Scene]:
    async with subscribing(valkey_url) as running:
        yield running


async def test_what_a_hub_pushes_is_a_story_without_a_fetch(scene: Scene) -> None:
    """The feed names its hub, which is asked, confirms and pushes: the entry is published, and nothing was fetched."""
    feed = scene.add("/feed", "a")
    async with poller(scene.bench):
        form = await scene.subscribed()
        assert form["hub.callback"].startswith(f"{scene.runtime.settings.public_url}/websub/{feed}/")
        assert len(form["hub.callback"].rpartition("/")[2]) >= 32
        assert form["hub.lease_seconds"] == "864000"
        await scene.until(lambda: scene.hub.confirmations == [200], "confirmed once")
        planned = scene.bench.feed(scene.site.url("/feed")).polls.next_poll
        scene.bench.clock.advance(60)
        assert await scene.pushed(form, scene.document("/feed", "b")) == 202
        await scene.until(lambda: scene.titles() == ["Report a", "Report b"], "published")
        await scene.until(lambda: scene.bench.feed(scene.site.url("/feed")).due == planned, "planned as before")
    assert len(scene.site.asked("/feed")) == 1
    assert scene.runtime.hubs.counts(feed)[:2] == (1, 0)
    line = scene.runtime.feeds.fetches(feed)[0]
    assert (line.at, line.outcome, line.status, line.new, line.entries) == (NOW + 60, "ok", 0, 1, 1)
    assert line.wait_s == pytest.approx(planned - NOW - 60, abs=0.1)


async def test_a_feed_is_polled_rarely_once_its_hub_has_proved_itself(scene: Scene) -> None:
    """Not because it has confirmed: many hubs are never told of anything."""
    feed = scene.add("/feed", "a")
    url = scene.site.url("/feed")
    async with poller(scene.bench):
        form = await scene.subscribed()
        await scene.bench.turn(url, after_s=2 * HOUR_S)
        assert scene.bench.feed(url).polls.next_poll - scene.bench.clock.now() < HOUR_S
        await scene.pushed(form, scene.document("/feed", "b"))
        await scene.until(lambda: scene.runtime.hubs.counts(feed).proofs == 1, "proved")
        scene.site.routes["/feed"] = page(scene.document("/feed", "b", "a"))
        await scene.bench.turn(url, after_s=2 * HOUR_S)
        polls = scene.bench.feed(url).polls
        assert polls.reason == "pushed by its hub 127.0.0.1; polled every 6h to be safe"
        assert 6 * HOUR_S <= polls.next_poll - polls.polled <= 24 * HOUR_S


async def test_a_hub_that_keeps_something_back_is_not_trusted_any_more(scene: Scene) -> None:
    """A poll finds what no push had brought: polled normally again, until pushes come first three times."""
    feed = scene.add("/feed", "a")
    url = scene.site.url("/feed")
    hubs = scene.runtime.hubs
    async with poller(scene.bench):
        form = await scene.subscribed()
        await scene.bench.turn(url, after_s=2 * HOUR_S)
        await scene.pushed(form, scene.document("/feed", "b"))
        await scene.until(lambda: hubs.counts(feed).proofs == 1, "proved")
        scene.site.routes["/feed"] = page(scene.document("/feed", "c", "b", "a"))
        await scene.bench.turn(url, after_s=2 * HOUR_S)
        assert (hubs.counts(feed).misses, hubs.counts(feed).proofs) == (1, 0)
        assert "pushed" not in scene.bench.feed(url).polls.reason
        assert scene.bench.feed(url).polls.next_poll - scene.bench.clock.now() < 2 * HOUR_S
        shown = ["c", "b", "a"]
        for number, guid in enumerate("def", start=1):
            shown.insert(0, guid)
            await scene.pushed(form, scene.document("/feed", guid))
            await scene.until(lambda number=number: hubs.counts(feed).proofs == number, "proved")  # type: ignore[misc]
        scene.site.routes["/feed"] = page(scene.document("/feed", *shown))
        await scene.bench.turn(url, after_s=2 * HOUR_S)
        assert scene.bench.feed(url).polls.reason.startswith("pushed by its hub")
    assert sorted(scene.titles()) == [f"Report {guid}" for guid in "abcdef"]


async def test_each_signature_of_the_standard_is_taken(scene: Scene) -> None:
    scene.add("/feed", "a")
    methods = ["sha1", "sha256", "sha384", "sha512"]
    async with poller(scene.bench):
        form = await scene.subscribed()
        for method in methods:
            assert await scene.pushed(form, scene.document("/feed", method), method=method) == 202
            await scene.until(lambda method=method: f"Report {method}" in scene.titles(), "published")  # type: ignore[misc]


async def test_what_the_hub_has_not_signed_is_ignored_and_counted(scene: Scene) -> None:
    """The answer is the same, so that nobody learns by trying."""
    feed = scene.add("/feed", "a")
    async with poller(scene.bench):
        form = await scene.subscribed()
        body = scene.document("/feed", "b")
        assert await scene.pushed(form, body, secret="guessed") == 202
        assert await scene.pushed(form, body, method="") == 202
        assert await scene.pushed(form, body, method="md5") == 202
        assert scene.runtime.hubs.counts(feed)[:2] == (0, 3)
        await scene.bench.turn(scene.site.url("/feed"), after_s=2 * HOUR_S)
    assert scene.titles() == ["Report a"]


async def test_what_is_pushed_while_nobody_polls_waits_or_is_fetched(scene: Scene) -> None:
    """Three bodies wait; of more, and of one that is too big, the feed's own document tells: nothing is lost."""
    feed = scene.add("/feed", "a")
    async with poller(scene.bench):
        form = await scene.subscribed()
    before = len(scene.site.asked("/feed"))
    guids = [f"n{number}" for number in range(6)]
    for guid in guids[:5]:
        assert await scene.pushed(form, scene.document("/feed", guid)) == 202
    assert await scene.pushed(form, scene.document("/feed", guids[0])) == 202, "the same again takes no room"
    assert await scene.pushed(form, b"x" * 5_000_001) == 202
    scene.site.routes["/feed"] = page(scene.document("/feed", *reversed(guids), "a"))
    async with poller(scene.bench):
        await scene.until(
            lambda: len(scene.titles()) == 7 and scene.runtime.hubs.first([feed]) == {}, "published, and nothing waits"
        )
    assert sorted(scene.titles()) == ["Report a", *(f"Report {guid}" for guid in guids)]
    fetches = len(scene.site.asked("/feed")) - before
    assert fetches in (1, 2), "a feed that is made due while a push of it is read may be leased, and fetched, once more"
    assert scene.runtime.hubs.first([feed]) == {}


async def test_a_push_without_a_feed_in_it_is_a_ping(scene: Scene) -> None:
    """Some hubs only say that there is something: the feed is fetched."""
    scene.add("/feed", "a")
    async with poller(scene.bench):
        form = await scene.subscribed()
        scene.site.routes["/feed"] = page(scene.document("/feed", "b", "a"))
        assert await scene.pushed(form, "ping") == 202
        await scene.until(lambda: scene.titles() == ["Report a", "Report b"], "fetched")
        assert scene.bench.feed(scene.site.url("/feed")).polls.errors == 0


async def test_a_push_is_never_taken_for_the_whole_document(scene: Scene) -> None:
    """A month of 304 later a hub pushes one entry: the others are not forgotten, and do not come again as new ones."""
    scene.add("/feed", "a", "b", "c")
    url = scene.site.url("/feed")
    scene.site.routes["/feed"] = versioned(scene.document("/feed", "a", "b", "c"), '"1"')
    async with poller(scene.bench):
        form = await scene.subscribed()
        for _ in range(5):
            await scene.bench.turn(url, after_s=6 * DAY_S)
        form = await scene.subscribed(count=2)
        before = scene.bench.feed(url).polls
        await scene.pushed(form, scene.document("/feed", "d"))
        await scene.until(lambda: "Report d" in scene.titles(), "published")
        after = scene.bench.feed(url).polls
        assert (after.etag, after.body_hash, after.fetched) == (before.etag, before.body_hash, before.fetched)
        scene.site.routes["/feed"] = versioned(scene.document("/feed", "d", "a", "b", "c"), '"2"')
        await scene.bench.turn(url, after_s=2 * DAY_S)
    assert sorted(scene.titles()) == [f"Report {guid}" for guid in "abcd"]


async def test_five_hundred_pushes_at_once(scene: Scene) -> None:
    """Each of a hundred feeds' five entries is published once, while the poller takes them and some come twice."""
    paths = [f"/feed{number}" for number in range(100)]
    for path in paths:
        scene.add(path, "a")
    async with poller(scene.bench):
        forms = {path: await scene.subscribed(path) for path in paths}
        pushes = [(forms[path], scene.document(path, f"{path[1:]}-{n}")) for path in paths for n in range(5)]
        for path in paths:
            scene.site.routes[path] = page(scene.document(path, *(f"{path[1:]}-{n}" for n in range(5)), "a"))
        ticking = asyncio.create_task(_tick(scene.bench.clock))
        statuses = await asyncio.to_thread(scene.hub.push_all, pushes, 5)
        assert statuses == [202] * 500
        await eventually(lambda: len(scene.bench.refs) >= 600, lambda: f"{len(scene.bench.refs)} queued", within_s=60)
        ticking.cancel()
    published = [(ref.feed, article.title) for ref, article in scene.bench.outbox.load(scene.bench.refs)]
    assert len(published) == len(set(published)) == 600


async def _tick(clock: ManualClock) -> None:
    """Time goes on, as leases are told apart by their ends."""
    while True:
        clock.advance(0.001)
        await asyncio.sleep(0.001)

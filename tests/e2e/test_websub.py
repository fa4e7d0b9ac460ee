"""Subscriptions, with a real hub, a real server and a real poller, and a clock that is moved by hand."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from tests.e2e.feed_server import page
from tests.e2e.hub import Hub
from tests.e2e.polling import NOW, eventually, poller
from tests.e2e.subscribing import Scene, opened, subscribing
from worker.clock import ManualClock
from worker.connect import connect
from worker.feed.websub import Subscription
from worker.fetch.post import Poster
from worker.store.feeds import Feeds
from worker.web.serve import Serving
from worker.web.subscriber import Subscriber

HOUR_S, DAY_S = 3600.0, 86400.0


@pytest.fixture
async def scene(valkey_url: str) -> AsyncIterator[Scene]:
    async with subscribing(valkey_url) as running:
        yield running


async def test_only_what_was_asked_for_is_confirmed(scene: Scene) -> None:
    """Another topic, another path, another mode, no challenge, a question that comes again much later: 404."""
    scene.add("/feed", "a")
    scene.hub.confirms = False
    async with poller(scene.bench):
        await scene.until(lambda: bool(scene.hub.of("subscribe")), "asked")
        form = scene.hub.of("subscribe")[-1]
        assert (await scene.asked_back(form, topic="https://other.example/"))[0] == 404
        assert (await scene.asked_back(form | {"hub.callback": form["hub.callback"][:-1] + "!"}))[0] == 404
        assert (await scene.asked_back(form, mode="unsubscribe"))[0] == 404
        assert (await scene.asked_back(form, challenge=""))[0] == 404
        assert await scene.pushed(form, scene.document("/feed", "x")) == 202, "and is ignored: nothing is confirmed"
        assert not scene.active()
        assert await scene.asked_back(form, challenge="a1") == (200, "a1")
        assert await scene.asked_back(form, challenge="a2") == (200, "a2"), "the first answer may have been lost"
        known = scene.known()
        scene.bench.clock.advance(HOUR_S)
        assert (await scene.asked_back(form, challenge="a1", lease_seconds="99999999"))[0] == 404
        assert scene.known() == known
    assert scene.titles() == ["Report a"]


async def test_a_subscription_is_renewed_in_time_with_a_new_secret(scene: Scene) -> None:
    """What was signed with the old one is taken until the hub has the new one, and what is under way an hour longer."""
    scene.add("/feed", "a")
    async with poller(scene.bench):
        first = await scene.subscribed()
        scene.hub.confirms = False
        scene.bench.clock.advance(6.9 * DAY_S)
        await scene.bench.polled(scene.site.url("/feed"))
        assert len(scene.hub.of("subscribe")) == 1, "not before 70 % of its lease"
        scene.bench.clock.advance(2.2 * DAY_S)
        await scene.until(lambda: len(scene.hub.of("subscribe")) == 2, "renewed")
        second = scene.hub.of("subscribe")[-1]
        assert second["hub.callback"] == first["hub.callback"]
        assert second["hub.secret"] != first["hub.secret"]
        assert await scene.pushed(first, scene.document("/feed", "b")) == 202
        await scene.until(lambda: "Report b" in scene.titles(), "published")
        assert (await scene.asked_back(second))[0] == 200
        await scene.pushed(first, scene.document("/feed", "c"))
        await scene.pushed(second, scene.document("/feed", "d"))
        await scene.until(lambda: {"Report c", "Report d"} <= set(scene.titles()), "published")
        scene.bench.clock.advance(2 * HOUR_S)
        await scene.pushed(first, scene.document("/feed", "e"))
        assert scene.runtime.hubs.counts(scene.bench.feed(scene.site.url("/feed")).id).ignored == 1
    assert "Report e" not in scene.titles()


async def test_a_hub_that_denies_is_asked_again_after_days(scene: Scene) -> None:
    """The reason is kept; the feed is polled as before."""
    scene.add("/feed", "a")
    url = scene.site.url("/feed")
    scene.hub.confirms = False
    async with poller(scene.bench):
        await scene.until(lambda: bool(scene.hub.asked), "asked")
        form = scene.hub.asked[-1]
        assert (await scene.asked_back(form, mode="denied", reason="not\nfor you"))[0] == 200
        assert scene.reason() == "denied by its hub 127.0.0.1: not for you"
        await scene.bench.turn(url, after_s=DAY_S)
        await scene.bench.turn(url, after_s=DAY_S)
        assert (len(scene.hub.asked), scene.bench.feed(url).polls.reason[:5]) == (1, "every")
        scene.bench.clock.advance(DAY_S)
        await scene.until(lambda: len(scene.hub.asked) == 2, "asked again")


async def test_a_confirmed_hub_that_denies_later_is_polled_for_at_once(scene: Scene) -> None:
    """What it may have kept back is not waited for."""
    scene.add("/feed", "a")
    async with poller(scene.bench):
        form = await scene.subscribed()
        scene.site.routes["/feed"] = page(scene.document("/feed", "b", "a"))
        assert (await scene.asked_back(form, mode="denied"))[0] == 200
        await scene.until(lambda: scene.titles() == ["Report a", "Report b"], "polled")


async def test_a_hub_that_never_confirms_is_asked_ever_more_rarely(scene: Scene) -> None:
    scene.add("/feed", "a")
    scene.hub.confirms = False
    async with poller(scene.bench):
        await scene.until(lambda: len(scene.hub.asked) == 1, "asked")
        for count, minutes in enumerate((10, 40, 160), start=1):
            scene.bench.clock.advance(minutes * 60 - 30)
            await asyncio.sleep(0.1)  # time in which it might be asked too soon
            assert len(scene.hub.asked) == count
            scene.bench.clock.advance(60)
            await scene.until(lambda count=count: len(scene.hub.asked) == count + 1, "asked again")  # type: ignore[misc]
        assert not scene.active()
        assert "hub" not in scene.bench.feed(scene.site.url("/feed")).polls.reason


async def test_a_hub_that_is_gone_leaves_the_feed_to_its_polls(scene: Scene) -> None:
    """Its words are kept; when the lease has ended, the feed is polled at once and as ever."""
    scene.hub.lease_s = 3600
    scene.add("/feed", "a")
    url = scene.site.url("/feed")
    async with poller(scene.bench):
        await scene.subscribed()
        scene.hub.answer = 404
        scene.bench.clock.advance(3500)
        await scene.until(lambda: len(scene.hub.asked) == 2, "asked to renew")
        await scene.until(lambda: "answers 404" in scene.reason(), "told")
        await scene.bench.polled(url)
        scene.site.routes["/feed"] = page(scene.document("/feed", "b", "a"))
        scene.bench.clock.advance(101)
        await scene.until(lambda: scene.titles() == ["Report a", "Report b"], "polled")
        assert scene.reason() == "its hub 127.0.0.1 answers 404: not here"
        assert "hub" not in scene.bench.feed(url).polls.reason


async def test_a_subscription_ends_with_its_feed(scene: Scene) -> None:
    """Removed or paused: the hub is told, and what it pushes after that is gone; resumed: it is asked again."""
    for path in ("/feed", "/other"):
        scene.add(path, "a")
    async with poller(scene.bench):
        form, other = await scene.subscribed("/feed"), await scene.subscribed("/other")
        gone, paused = scene.bench.feed(form["hub.topic"]).id, scene.bench.feed(other["hub.topic"]).id
        scene.runtime.feeds.remove(gone)
        scene.runtime.feeds.pause(paused)
        await eventually(lambda: len(scene.hub.of("unsubscribe")) == 2, lambda: f"asked {scene.hub.asked}")
        await eventually(lambda: scene.runtime.hubs.known() == [], lambda: "not forgotten")
        assert await scene.pushed(form, scene.document("/feed", "b")) == 410
        assert await scene.pushed(other, scene.document("/other", "b")) == 410
        scene.runtime.feeds.resume(paused, scene.bench.clock.now())
        again = await scene.subscribed("/other", count=2)
        assert again["hub.callback"] != other["hub.callback"]


async def test_a_feed_that_changes_its_hub_is_asked_for_there(scene: Scene) -> None:
    scene.add("/feed", "a")
    with Hub() as second:
        async with poller(scene.bench):
            await scene.subscribed()
            moved = scene.document("/feed", "a").replace(scene.hub.url, second.url)
            scene.site.routes["/feed"] = page(moved)
            await scene.bench.turn(scene.site.url("/feed"), after_s=2 * HOUR_S)
            await eventually(lambda: len(second.of("subscribe")) == 1, lambda: f"{scene.known()}")
            assert len(scene.hub.of("unsubscribe")) == 1
            await scene.until(scene.active, "confirmed")


async def test_a_hub_may_stand_in_a_header(scene: Scene) -> None:
    """It counts before what the document says."""
    link = f'<{scene.hub.url}>; rel="hub", <{scene.site.url("/topic")}>; rel="self"'
    scene.add("/feed", "a")
    body = scene.document("/feed", "a").replace(scene.hub.url, "http://other.example/")
    scene.site.routes["/feed"] = page(body, link=link)
    async with poller(scene.bench):
        await scene.until(scene.active, "confirmed")
    assert [form["hub.topic"] for form in scene.hub.asked] == [scene.site.url("/topic")]


async def test_a_hub_learns_no_password(scene: Scene) -> None:
    """The address of a feed that needs one is no topic."""
    url = scene.site.url("/feed").replace("://", "://reader:secret@")
    scene.add("/feed", "a")
    body = scene.document("/feed", "a")
    scene.site.routes["/feed"] = page(body.replace(f'rel="self" href="{scene.site.url("/feed")}"', 'rel="x"'))
    scene.runtime.feeds.remove(scene.bench.feed(scene.site.url("/feed")).id)
    scene.runtime.feeds.add(url, "", NOW)
    scene.add("/other", "a")
    async with poller(scene.bench):
        await scene.bench.polled(url)
        assert scene.bench.feed(url).polls.hub == scene.hub.url
        await scene.subscribed("/other")
    assert [form["hub.topic"] for form in scene.hub.asked] == [scene.site.url("/other")]


async def test_a_hub_on_a_private_network_is_never_asked(valkey_url: str) -> None:
    """A feed may name any address as its hub: the guard of fetches stands before it too."""
    async with subscribing(valkey_url, allow_private="0") as scene, poller(scene.bench):
        scene.add("/feed", "a")
        await scene.until(lambda: "STORYWIRE_ALLOW_PRIVATE" in scene.reason(), "refused")
        assert scene.hub.asked == []


async def test_a_hub_without_tls_is_told_no_secret(scene: Scene) -> None:
    """On no private network, where the tests' own is."""
    feed = scene.add("/feed", "a")
    body = scene.document("/feed", "a").replace(scene.hub.url, "http://hub.example/")
    scene.site.routes["/feed"] = page(body)
    scene.add("/other", "a")
    async with poller(scene.bench):
        await scene.bench.polled(scene.site.url("/feed"))
        assert scene.bench.feed(scene.site.url("/feed")).polls.hub == "http://hub.example/"
        await scene.subscribed("/other")
        assert feed not in scene.runtime.hubs.known()


async def test_a_hub_that_repeats_what_it_is_told_is_not_quoted(scene: Scene) -> None:
    """Its words are logged and stored."""
    scene.hub.answer, scene.hub.echoes = 400, True
    scene.add("/feed", "a")
    async with poller(scene.bench):
        await scene.until(lambda: "answers 400" in scene.reason(), "refused")
    [form, *_] = scene.hub.asked
    token = form["hub.callback"].rpartition("/")[2]
    assert "…" in scene.reason()
    assert token not in scene.reason() and form["hub.secret"] not in scene.reason()


def test_whoever_dies_before_all_is_polled_for_leaves_it_to_the_next(valkey_url: str) -> None:
    """The sign of life comes last: it says that nothing is left of what hubs pushed to nobody."""

    class Died(BaseException):
        pass

    class Dying(Feeds):
        def hasten(self, feed: str, now: float) -> bool:
            raise Died

    async def unused(*_: Any) -> None: ...

    with opened(valkey_url, clock := ManualClock(NOW)) as runtime, connect(valkey_url) as redis:
        feed, _ = runtime.feeds.add("https://news.example/feed", "", NOW)
        runtime.feeds.lease_due(NOW, 900, 1)
        runtime.hubs.add([feed], NOW)
        known = Subscription("https://hub.example/", "https://news.example/feed", "https://us.example/", "token")
        runtime.hubs.put(feed, None, replace(known, since=NOW, until=NOW + DAY_S))

        def subscriber(feeds: Feeds) -> Subscriber:
            poster = Poster(user_agent="", timeout_s=1.0)
            return Subscriber(
                hubs=runtime.hubs, feeds=feeds, gates=runtime.gates, poster=poster, clock=clock, base="", aside=unused
            )

        with pytest.raises(Died):
            subscriber(Dying(redis)).beat()
        subscriber(runtime.feeds).beat()
        assert [each.due for each in runtime.feeds.all()] == [NOW]
        assert runtime.hubs.listening()


async def test_two_web_processes_ask_a_hub_once(valkey_url: str, scene: Scene) -> None:
    """They share the work, whoever sees a feed first."""
    with opened(valkey_url, scene.bench.clock, public_url=scene.runtime.settings.public_url) as other:
        second = Serving(other, tick_s=0.005, look_s=0.01)
        task = asyncio.create_task(second.run())
        paths = [f"/feed{number}" for number in range(30)]
        for path in paths:
            scene.add(path, "a")
        async with poller(scene.bench):
            for path in paths:
                await scene.subscribed(path)
        second.stop()
        await task
    assert sorted(form["hub.topic"] for form in scene.hub.asked) == sorted(scene.site.url(path) for path in paths)

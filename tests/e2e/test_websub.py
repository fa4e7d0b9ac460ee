"""WebSub with a real hub, a real server and a real poller, and a clock that is moved by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import pytest

from tests.e2e.feed_server import FeedServer, page, versioned
from tests.e2e.hub import Form, Hub
from tests.e2e.polling import NOW, Bench, eventually, poller, rss
from tests.servers import free_port
from worker.clock import ManualClock
from worker.config import load
from worker.feed.websub import Subscription
from worker.runtime import Runtime, open_runtime
from worker.web.serve import Serving

HOUR_S, DAY_S = 3600.0, 86400.0
STORY = "The harbour bridge of Port Vell was closed on Monday after engineers found cracks in two of its pillars."


@pytest.fixture
def site() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as running:
        yield running


@dataclass
class Scene:
    """A store with what polls it and what serves it, a site and its hub."""

    runtime: Runtime
    bench: Bench
    site: FeedServer
    hub: Hub

    def document(self, path: str, *guids: str) -> str:
        """A feed of these entries that names its hub."""
        links = f'<link xmlns="http://www.w3.org/2005/Atom" rel="hub" href="{escape(self.hub.url)}"/>'
        links += f'<link xmlns="http://www.w3.org/2005/Atom" rel="self" href="{escape(self.site.url(path))}"/>'
        items = [(guid, f"Report {guid}", f"{STORY} It is report {guid}.") for guid in guids]
        return rss(*items).replace("<channel>", f"<channel>{links}")

    def add(self, path: str, *guids: str) -> str:
        """A feed with these entries; its id."""
        self.site.routes[path] = page(self.document(path, *guids), content_type="application/rss+xml")
        return self.runtime.feeds.add(self.site.url(path), "", self.bench.clock.now())[0]

    async def subscribed(self, path: str = "/feed", count: int = 1) -> Form:
        """What the hub was asked for, once it has confirmed so often."""
        await self.until(lambda: len(self.hub.of("subscribe", self.site.url(path))) >= count, "asked")
        form = self.hub.of("subscribe", self.site.url(path))[-1]
        await self.until(lambda: self.active(path), "confirmed")
        return form

    async def pushed(self, form: Form, body: bytes | str, **how: Any) -> int:
        """Push a body: the status."""
        return await asyncio.to_thread(self.hub.push, form, body, **how)

    async def asked_back(self, form: Form, **changed: str) -> tuple[int, str]:
        """A question of the hub's: status and body of the answer."""
        return await asyncio.to_thread(self.hub.ask, form, **changed)

    def known(self, path: str = "/feed") -> Subscription | None:
        """What is known of a feed's subscription."""
        return self.runtime.hubs.get(self.bench.feed(self.site.url(path)).id)

    def reason(self, path: str = "/feed") -> str:
        """Why it is not in force."""
        known = self.known(path)
        return known.reason if known else ""

    def active(self, path: str = "/feed") -> bool:
        """Whether it is in force, with what was last asked for."""
        known = self.known(path)
        return known is not None and known.active(self.bench.clock.now()) and not known.pending

    def titles(self) -> list[str]:
        """Of all that was published, in order."""
        return [article.title for article in self.bench.articles()]

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for it."""
        await eventually(condition, lambda: f"{what}; {self.runtime.feeds.all()[:3]}; asked {self.hub.asked}")


def opened(url: str, clock: ManualClock, **settings: str) -> Any:
    """A runtime whose web process listens at a port of its own."""
    place = f"127.0.0.1:{free_port()}"
    ours = {"listen": place, "public_url": f"http://{place}/wire", "allow_private": "1", "gate_spacing": "0s"}
    ours |= {"gate_parallel": "64"} | settings
    return open_runtime(load({"STORYWIRE_REDIS_URL": url}, **ours), clock)


@pytest.fixture
async def scene(valkey_url: str, site: FeedServer, hub: Hub) -> AsyncIterator[Scene]:
    clock = ManualClock(NOW)
    with opened(valkey_url, clock) as runtime:
        serving = Serving(runtime, tick_s=0.01, look_s=0.02)
        task = asyncio.create_task(serving.run())
        yield Scene(runtime, Bench(runtime.feeds, runtime.outbox, clock), site, hub)
        serving.stop()
        async with asyncio.timeout(10):
            await task


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


async def test_what_is_pushed_while_nobody_polls_waits_or_is_fetched(scene: Scene) -> None:
    """Three bodies wait; of more, and of one that is too big, the feed's own document tells: nothing is lost."""
    feed = scene.add("/feed", "a")
    async with poller(scene.bench):
        form = await scene.subscribed()
    guids = [f"n{number}" for number in range(6)]
    for guid in guids[:5]:
        assert await scene.pushed(form, scene.document("/feed", guid)) == 202
    assert await scene.pushed(form, scene.document("/feed", guids[0])) == 202, "the same again takes no room"
    assert await scene.pushed(form, b"x" * 5_000_001) == 202
    scene.site.routes["/feed"] = page(scene.document("/feed", *reversed(guids), "a"))
    async with poller(scene.bench):
        await scene.until(lambda: len(scene.titles()) == 7, "published")
    assert sorted(scene.titles()) == ["Report a", *(f"Report {guid}" for guid in guids)]
    assert len(scene.site.asked("/feed")) == 2
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
        statuses = await asyncio.to_thread(scene.hub.push_all, pushes, 5)
        assert statuses == [202] * 500
        await eventually(lambda: len(scene.bench.refs) >= 600, lambda: f"{len(scene.bench.refs)} queued", within_s=60)
    published = [(ref.feed, article.title) for ref, article in scene.bench.outbox.load(scene.bench.refs)]
    assert len(published) == len(set(published)) == 600


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


async def test_a_hub_on_a_private_network_is_never_asked(valkey_url: str, site: FeedServer, hub: Hub) -> None:
    """A feed may name any address as its hub: the guard of fetches stands before it too."""
    clock = ManualClock(NOW)
    with opened(valkey_url, clock, allow_private=f"127.0.0.1:{site.port}") as runtime:
        serving = Serving(runtime, tick_s=0.01, look_s=0.02)
        task = asyncio.create_task(serving.run())
        scene = Scene(runtime, Bench(runtime.feeds, runtime.outbox, clock), site, hub)
        scene.add("/feed", "a")
        async with poller(scene.bench):
            await scene.until(lambda: "STORYWIRE_ALLOW_PRIVATE" in scene.reason(), "refused")
        serving.stop()
        await task
    assert hub.asked == []


async def test_two_web_processes_ask_a_hub_once(valkey_url: str, site: FeedServer, hub: Hub) -> None:
    clock = ManualClock(NOW)
    with opened(valkey_url, clock) as one, opened(valkey_url, clock, public_url=one.settings.public_url) as two:
        both = [Serving(runtime, tick_s=0.005, look_s=0.01) for runtime in (one, two)]
        tasks = [asyncio.create_task(serving.run()) for serving in both]
        scene = Scene(one, Bench(one.feeds, one.outbox, clock), site, hub)
        paths = [f"/feed{number}" for number in range(30)]
        for path in paths:
            scene.add(path, "a")
        async with poller(scene.bench):
            for path in paths:
                await eventually(lambda path=path: scene.active(path), lambda: "not confirmed")  # type: ignore[misc]
        for serving in both:
            serving.stop()
        await asyncio.gather(*tasks)
    assert sorted(form["hub.topic"] for form in hub.asked) == sorted(site.url(path) for path in paths)

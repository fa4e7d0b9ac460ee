"""One article in several feeds of its outlet: counted once, in whatever order they come and whoever dies."""

from collections.abc import Iterator

import pytest

from tests.e2e.feed_server import FeedServer, page
from tests.e2e.polling import NOW, Bench, bench, poller
from worker.clock import ManualClock
from worker.config import load
from worker.feed.address import feed_id
from worker.feed.canonical import canonical
from worker.feed.carried import Claim
from worker.feed.parse import parse
from worker.forgetting import Target, What
from worker.model import Member
from worker.report.listing import one_story
from worker.report.views import carriers
from worker.runtime import Runtime, open_runtime

SITE = "https://www.harbourpost.com"
TEXT = "Engineers found cracks in two pillars of the harbour bridge on Monday and closed it to all traffic at once."
TITLE = "Harbour bridge closed"


def feed(*items: tuple[str, str, str], name: str = "Harbour Post") -> str:
    """An RSS document of (guid, link, title) items."""
    shown = "".join(
        f"<item><guid isPermaLink='false'>{guid}</guid><title>{title}</title><link>{link}</link>"
        f"<description>{TEXT}</description><pubDate>Sun, 15 Jun 2025 15:00:00 GMT</pubDate></item>"
        for guid, link, title in items
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>{name}</title>'
        f"<link>{SITE}/</link><language>en</language>{shown}</channel></rss>"
    )


AT_WORLD, AT_LOCAL = f"{SITE}/a?utm_source=world", "https://m.harbourpost.com/a/amp"
WORLD = feed(("w1", AT_WORLD, TITLE), name="Harbour Post: World")
LOCAL = feed(("l1", AT_LOCAL, TITLE), name="Harbour Post: Local")


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with FeedServer() as server:
        server.routes["/world"], server.routes["/local"] = page(WORLD), page(LOCAL)
        yield server


@pytest.fixture
def runtime(valkey_url: str) -> Iterator[Runtime]:
    clock = ManualClock(NOW)
    with open_runtime(load({"STORYWIRE_REDIS_URL": valkey_url}), clock) as runtime:
        yield runtime


@pytest.fixture
def store(runtime: Runtime) -> Bench:
    found = bench(runtime.settings.redis_url)
    assert isinstance(runtime.clock, ManualClock)
    found.clock = runtime.clock
    return found


def placed(runtime: Runtime, store: Bench) -> list[Member]:
    """What the store has when all that was queued is clustered."""
    runtime.ingest.run(store.refs)
    return [member for _, _, member in runtime.stories.everything()]


async def poll_in_turn(store: Bench, *urls: str) -> None:
    """Each is added when those before it have been polled."""
    async with poller(store):
        for url in urls:
            store.feeds.add(url, "", store.clock.now())
            await store.polled(url)


@pytest.mark.parametrize("first", ["/world", "/local"])
async def test_it_is_one_article_with_both_feeds(
    server: FeedServer, runtime: Runtime, store: Bench, first: str
) -> None:
    """Whichever comes first: its name is the article's, the other carries it; and it is one outlet."""
    second = "/local" if first == "/world" else "/world"
    await poll_in_turn(store, server.url(first), server.url(second))
    [member] = placed(runtime, store)
    one, other = (feed_id(server.url(path)) for path in (first, second))
    assert carriers(member) == (one, other)
    assert (member.outlet, member.revision) == ("harbourpost.com", 1)
    assert one_story(runtime.stories, "en-1", NOW).outlets == 1


async def test_another_page_of_the_same_outlet_is_another_article(
    server: FeedServer, runtime: Runtime, store: Bench
) -> None:
    """A copy, of one outlet under two titles."""
    server.routes["/local"] = page(feed(("l1", f"{SITE}/b", TITLE), name="Harbour Post: Local"))
    await poll_in_turn(store, server.url("/world"), server.url("/local"))
    assert sorted(member.source for member in placed(runtime, store)) == ["Harbour Post: Local", "Harbour Post: World"]
    view = one_story(runtime.stories, "en-1", NOW)
    assert (view.articles, view.copies, view.outlets) == (2, 1, 1)


async def test_several_pollers_at_once_agree(server: FeedServer, runtime: Runtime, store: Bench) -> None:
    """Twelve feeds of one outlet, four pollers."""
    urls = [server.url(f"/{number}") for number in range(12)]
    for number, url in enumerate(urls):
        server.routes[f"/{number}"] = page(feed((f"g{number}", f"{SITE}/a?utm_campaign={number}", TITLE)))
        store.feeds.add(url, "", NOW)
    async with poller(store), poller(store), poller(store), poller(store):
        await store.polled(*urls)
    [member] = placed(runtime, store)
    assert sorted(carriers(member)) == sorted(map(feed_id, urls))


async def test_it_is_there_though_who_claimed_it_died(server: FeedServer, runtime: Runtime, store: Bench) -> None:
    """A poller that ended between its claim and its article: the next feed brings it, and then the first carries it."""
    world, local = server.url("/world"), server.url("/local")
    [entry] = parse(WORLD.encode(), world, "").entries
    claimed = f"{feed_id(world)}.{entry.key}"
    store.outbox.claims.stake({canonical(AT_WORLD): Claim(claimed, "en", NOW)}, 1000)
    await poll_in_turn(store, local)
    [member] = placed(runtime, store)
    assert (member.id, member.source, member.revision) == (claimed, "Harbour Post: Local", 0)
    await poll_in_turn(store, world)
    [member] = placed(runtime, store)
    assert (member.id, member.source, member.revision) == (claimed, "Harbour Post: World", 1)


async def test_the_first_feed_s_edits_are_told_and_the_other_s_are_not(
    server: FeedServer, runtime: Runtime, store: Bench
) -> None:
    """And the headline that was there before is kept, with the time until which it stood."""
    world, local = server.url("/world"), server.url("/local")
    await poll_in_turn(store, world, local)
    placed(runtime, store)
    server.routes["/local"] = page(feed(("l1", AT_LOCAL, "Quite another headline")))
    async with poller(store):
        await store.turn(local)
    [member] = placed(runtime, store)
    assert (member.title, member.revision, member.titles) == (TITLE, 1, ())
    server.routes["/world"] = page(feed(("w1", AT_WORLD, f"{TITLE} for weeks")))
    async with poller(store):
        await store.turn(world)
    [member] = placed(runtime, store)
    assert (member.title, member.revision) == (f"{TITLE} for weeks", 2)
    assert member.titles == ((store.clock.now(), TITLE),)
    assert carriers(member) == (feed_id(world), feed_id(local))


async def retitled(server: FeedServer, runtime: Runtime, store: Bench, **titles: str) -> Member:
    """The article after its feeds have shown these headlines at once, and were polled twice."""
    for path, title in titles.items():
        link = AT_WORLD if path == "world" else AT_LOCAL
        server.routes[f"/{path}"] = page(feed((path[0] + "1", link, title)))
    polled = [url for path in titles if not store.feed(url := server.url(f"/{path}")).paused]
    async with poller(store):
        await store.turn(*polled)
        await store.turn(*polled)
    [member] = placed(runtime, store)
    return member


@pytest.mark.parametrize("how", ["paused", "removed", "failing", "unchanged", "dropped"])
async def test_who_carries_it_tells_the_edits_that_the_first_feed_does_not(
    server: FeedServer, runtime: Runtime, store: Bench, how: str
) -> None:
    """Once, whoever of them comes first: the first feed that shows its old headline, or the one that the others have
    told, changes nothing; what it then says anew is told."""
    world, local, third = (server.url(path) for path in ("/world", "/local", "/third"))
    server.routes["/third"] = page(LOCAL)
    await poll_in_turn(store, world, local, third)
    placed(runtime, store)
    match how:
        case "paused":
            store.feeds.pause(feed_id(world))
        case "removed":
            store.feeds.remove(feed_id(world))
        case "failing":
            server.routes["/world"] = page("away", status=500)
        case "dropped":
            server.routes["/world"] = page(feed(("w2", f"{SITE}/b", "Ferry runs again")))
    later = dict.fromkeys(("local", "third"), "Harbour bridge torn down")
    for path, title in later.items():
        server.routes[f"/{path}"] = page(feed((path[0] + "1", AT_LOCAL, title)))
    seen = (world,) if how == "dropped" else ()  # that it is gone has to be seen first
    async with poller(store):
        for _ in range(3):
            await store.turn(*seen, local, third)
    runtime.ingest.run(store.refs)
    [member] = [m for _, _, m in runtime.stories.everything() if m.titles]
    assert (member.title, member.revision) == ("Harbour bridge torn down", 2)
    assert [title for _, title in member.titles] == [TITLE]


async def test_a_first_feed_that_comes_back_tells_only_what_is_new(
    server: FeedServer, runtime: Runtime, store: Bench
) -> None:
    world, local = server.url("/world"), server.url("/local")
    await poll_in_turn(store, world, local)
    placed(runtime, store)
    store.feeds.pause(feed_id(world))
    told = await retitled(server, runtime, store, local="Harbour bridge torn down")
    assert (told.title, told.revision) == ("Harbour bridge torn down", 2)
    store.feeds.resume(feed_id(world), store.clock.now())
    for shown in (TITLE, "Harbour bridge torn down"):
        again = await retitled(server, runtime, store, world=shown)
        assert (again.title, again.revision) == ("Harbour bridge torn down", 2), shown
    anew = await retitled(server, runtime, store, world="New bridge planned", local="New bridge planned")
    assert (anew.title, anew.revision, len(anew.titles)) == ("New bridge planned", 3, 2)


async def test_two_feeds_with_headlines_of_their_own_do_not_set_each_other_back(
    server: FeedServer, runtime: Runtime, store: Bench
) -> None:
    """Each is told once, and then it stays."""
    await poll_in_turn(store, server.url("/world"), server.url("/local"))
    placed(runtime, store)
    for _ in range(3):
        told = await retitled(server, runtime, store, world="Bridge gone", local="No more bridge")
    assert (told.title, told.revision) == ("No more bridge", 3)
    assert [title for _, title in told.titles] == [TITLE, "Bridge gone"]
    again = await retitled(server, runtime, store, world="Bridge gone", local="No more bridge")
    assert again == told


async def test_what_the_first_feed_says_takes_the_place_of_what_the_other_brought_sooner(
    server: FeedServer, runtime: Runtime, store: Bench
) -> None:
    """The workers have no order: the first feed's text may wait longer, for its page or for a dead poller's queue."""
    await poll_in_turn(store, server.url("/world"), server.url("/local"))
    first, second = store.refs
    runtime.ingest.run([second])
    [(_, _, early)] = runtime.stories.everything()
    assert early.source == "Harbour Post: Local"
    runtime.ingest.run([first])
    [(_, _, member)] = runtime.stories.everything()
    assert (member.source, member.revision, len(carriers(member))) == ("Harbour Post: World", 1, 2)


@pytest.mark.parametrize("forgotten", [False, True], ids=["removed", "forgotten"])
async def test_nothing_breaks_without_the_first_feed(
    server: FeedServer, runtime: Runtime, store: Bench, forgotten: bool
) -> None:
    """Removed, its articles stay. Forgotten, they go, whoever else carried them; what the outlet publishes later comes
    through the other feed."""
    world, local = server.url("/world"), server.url("/local")
    await poll_in_turn(store, world, local)
    placed(runtime, store)
    if forgotten:
        runtime.forgetting.forget(Target(What.FEED, feed_id(world)))
    else:
        store.feeds.remove(feed_id(world))
    edited = f"{TITLE} for weeks"
    server.routes["/local"] = page(feed(("l2", f"{SITE}/later", "Ferry runs again"), ("l1", AT_LOCAL, edited)))
    async with poller(store):
        await store.turn(local)
    titles = {member.title for member in placed(runtime, store)}
    assert titles == ({"Ferry runs again"} if forgotten else {"Ferry runs again", edited})


async def test_a_page_that_has_another_article_every_day_is_none(
    server: FeedServer, runtime: Runtime, store: Bench
) -> None:
    """One address for all bulletins: tomorrow's of the second feed is not today's of the first."""
    world, local = server.url("/world"), server.url("/local")
    server.routes["/world"] = page(feed(("w1", f"{SITE}/bulletin", "Bulletin: storm nears the coast")))
    tomorrow = feed(("l2", f"{SITE}/bulletin", "Bulletin: museum reopens")).replace("Sun, 15 Jun", "Mon, 16 Jun")
    await poll_in_turn(store, world)
    server.routes["/local"] = page(tomorrow)
    store.clock.advance(86_400)
    await poll_in_turn(store, local)
    assert len(placed(runtime, store)) == 2

"""A feed that shows new entries at every fetch gets its share of the day; nothing that it still shows is lost."""

import json
from collections.abc import Iterator

import pytest

from tests.command import storywire
from tests.e2e.feed_server import FeedServer, page
from tests.e2e.polling import NOW, bench, poller, rss
from worker.feed.seen import MOST_EDITS

DAY_S = 86400.0


@pytest.fixture
def site() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


def entries(first: int, count: int = 5) -> str:
    """A document of these entries, the newest first."""
    numbers = range(first + count - 1, first - 1, -1)
    return rss(*((f"n{number}", f"Headline {number}", "The river rose by a metre.") for number in numbers))


async def test_what_is_beyond_a_feeds_share_comes_with_a_later_poll(site: FeedServer, valkey_url: str) -> None:
    """Eight a day: its first fetch is free, the second fetch of five has room, of the third three come at once; the
    server says that nothing has changed, and yet the other two come when there is room again."""
    store = bench(valkey_url)
    url, other = site.url("/flood"), site.url("/other")
    site.routes["/other"] = page(entries(900))
    for address in (url, other):
        store.feeds.add(address, "", NOW)
    brought = []
    async with poller(store, max_daily=8):
        for first in (0, 100, 200):
            site.routes["/flood"] = page(entries(first), ETag='"one"')
            await (store.turn(url, after_s=7300) if first else store.polled(url, other))
            brought.append(sum(ref.feed == store.feed(url).id for ref in store.refs))
        polls = store.feed(url).polls
        listed = storywire("feeds", "list", "--json", redis_url=valkey_url)
        checked = storywire("check", "--only", "feeds", redis_url=valkey_url)
        await store.turn(url, after_s=DAY_S)
    assert brought == [5, 10, 13]
    assert (polls.outcome, polls.reason) == ("ok", "again in 1h, as it has brought its share of the day")
    assert polls.trouble.startswith("brings more than 8 new articles a day (STORYWIRE_MAX_DAILY): 2 more come later")
    assert polls.next_poll - polls.polled >= 3600
    assert any("brings more than 8 new articles" in line for line in listed.stdout.splitlines() if json.loads(line))
    assert "1 with more than STORYWIRE_MAX_DAILY new articles a day" in checked.stdout
    articles = [article for article in store.articles() if article.id.startswith(store.feed(url).id)]
    found = [article.url.rpartition("/")[2] for article in articles]
    assert sorted(found[-2:]) == ["n203", "n204"] and len(found) == len(set(found)) == 15
    assert store.feed(url).polls.trouble == ""
    assert store.feed(other).polls.trouble == "", "no other feed is held back for it"


async def test_the_last_of_too_many_edits_comes_though_the_feed_does_not_change_any_more(
    site: FeedServer, valkey_url: str
) -> None:
    """What was held is neither taken for seen nor hidden behind `304 Not Modified`."""
    store = bench(valkey_url)
    url = site.url("/edited")
    store.feeds.add(url, "", NOW)
    async with poller(store):
        for number in range(40):
            document = rss(("n1", "Headline", f"The river rose by {number} metres."))
            site.routes["/edited"] = page(document, ETag=f'"{number}"')
            if number:
                store.pass_time(700, url)
            await store.polled(url)
        (article,) = store.articles()
        assert MOST_EDITS < article.revision <= 1 + MOST_EDITS + 8, "in eight hours"
        store.pass_time(7300, url)
        await store.polled(url)
        (article,) = store.articles()
    assert "by 39 metres" in article.text

"""Feeds whose address changes for good: nothing is lost, nothing is new again, whenever the process ends."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from redis import Redis
from redis.connection import AbstractConnection

from worker.connect import connect
from worker.feed.address import feed_id
from worker.schedule import PAUSED, Fetch, PollState
from worker.store import keys
from worker.store.feeds import Feeds, Offered

NOW = 1_750_000_000.0
OLD, NEW, THIRD = "http://old.example/feed", "https://new.example/feed", "https://third.example/feed"


def polled(feeds: Feeds, redis: Redis, url: str, *entries: str) -> str:
    """A feed that was polled once, and has seen these entries."""
    feed, _ = feeds.add(url, "", NOW)
    [leased] = [each for each in feeds.lease_due(NOW, 60, 10) if each.id == feed]
    assert feeds.record(leased, PollState(etag=url, succeeded=NOW, next_poll=NOW + 900), Fetch(NOW, "ok"))
    for entry in entries:
        redis.hset(keys.seen(feed), entry, f"{feed} {entry}")
    return feed


def test_a_feed_that_moves_keeps_its_id_and_all_that_goes_by_it(feeds: Feeds, redis: Redis) -> None:
    feed = polled(feeds, redis, OLD, "a", "b")
    assert feeds.move(feed, NEW, NOW) == feed
    [found] = feeds.all()
    assert (found.id, found.url, found.polls.etag, found.due) == (feed, NEW, OLD, NOW + 900)
    assert redis.hlen(keys.seen(feed)) == 2
    assert len(feeds.fetches(feed)) == 1


def test_both_addresses_lead_to_a_feed_that_moved(feeds: Feeds, redis: Redis) -> None:
    """Whoever adds either, or has it in a list, means this feed; and none of them takes it back to the old address."""
    feed = polled(feeds, redis, OLD)
    feeds.move(feed, NEW, NOW)
    assert {feeds.id_of(url) for url in (OLD, NEW)} == {feed}
    for url in (OLD, NEW):
        assert feeds.add(url, "Named", NOW + 5) == (feed, False)
    assert feeds.offer([(OLD, ""), (NEW, "")], NOW) == Offered(0, 1, 0)
    assert [(each.url, each.title) for each in feeds.all()] == [(NEW, "Named")]


def test_a_removed_feed_stays_removed_under_any_of_its_addresses(feeds: Feeds, redis: Redis) -> None:
    """That of what became part of it among them; each is free to be added again, as itself."""
    gone, feed = polled(feeds, redis, OLD), polled(feeds, redis, NEW)
    feeds.move(gone, THIRD, NOW)
    assert feeds.move(gone, NEW, NOW) == feed
    assert feeds.move(feed, "https://fourth.example/feed", NOW) == feed
    feeds.remove(feed)
    assert redis.hgetall(keys.moved_feeds()) == {}
    left = [OLD, NEW, "https://fourth.example/feed"]
    assert feeds.offer([(url, "") for url in left], NOW) == Offered(0, 0, 3)
    for url in left:
        assert feeds.add(url, "", NOW) == (feed_id(url), True)
    assert sorted(each.url for each in feeds.all()) == sorted(left)


@pytest.mark.parametrize("then", [OLD, THIRD])
def test_an_address_that_a_feed_has_left_is_free(feeds: Feeds, redis: Redis, then: str) -> None:
    """Whoever adds it means what is there now, and not a feed that is polled elsewhere."""
    feed = polled(feeds, redis, OLD)
    feeds.move(feed, NEW, NOW)
    feeds.move(feed, then, NOW)
    assert feeds.add(NEW, "", NOW) == (feed_id(NEW), True)
    assert {(each.id, each.url) for each in feeds.all()} == {(feed, then), (feed_id(NEW), NEW)}
    assert feeds.id_of(then) == feed


def test_a_feed_may_move_back(feeds: Feeds, redis: Redis) -> None:
    feed = polled(feeds, redis, OLD)
    for url in (NEW, OLD, NEW):
        assert feeds.move(feed, url, NOW) == feed
        assert [each.url for each in feeds.all()] == [url]
        assert feeds.move(feed, url, NOW) == "", "it is there already"


def test_two_feeds_that_become_one_address_are_one(feeds: Feeds, redis: Redis) -> None:
    """What either of them showed is not new; the marks that both have stay those of the feed that stays."""
    old, new = polled(feeds, redis, OLD, "a", "b"), polled(feeds, redis, NEW, "b", "c")
    feeds.change(old, title="My name", folder="News")
    redis.zadd(keys.pending(old), {"waits": NOW})
    assert feeds.move(old, NEW, NOW) == new
    [found] = feeds.all()
    assert (found.id, found.url, found.title, found.folder) == (new, NEW, "My name", "News")
    marks = redis.hgetall(keys.seen(new))
    assert marks == {b"a": f"{old} a".encode(), b"b": f"{new} b".encode(), b"c": f"{new} c".encode()}
    assert feeds.id_of(OLD) == new
    assert feeds.offer([(OLD, ""), (NEW, "")], NOW) == Offered(0, 1, 0)
    assert not redis.exists(keys.feed(old), keys.fetches(old))
    assert redis.ttl(keys.seen(old)) > 0
    assert redis.zcard(keys.pending(old)) == 1, "what waits is clustered under the id that it has"


def test_a_feed_is_not_lost_in_one_that_a_person_paused(feeds: Feeds, redis: Redis) -> None:
    """It goes on at its old address; one that was given up as gone is there again."""
    old, new = polled(feeds, redis, OLD), polled(feeds, redis, NEW)
    feeds.pause(new)
    assert feeds.move(old, NEW, NOW) == ""
    assert {each.url for each in feeds.all()} == {OLD, NEW}
    feeds.resume(new, NOW)
    redis.zadd(keys.schedule(), {new: PAUSED})  # as after a 410
    assert feeds.move(old, NEW, NOW) == new
    assert [(each.id, each.due) for each in feeds.all()] == [(new, NOW)]


def test_two_feeds_that_lead_to_each_other_do_not_both_end(feeds: Feeds, redis: Redis) -> None:
    """Servers may say so, and two pollers hear it at once: as if the first had done only its first step."""
    old, new = polled(feeds, redis, OLD), polled(feeds, redis, NEW)
    redis.hset(keys.moved_feeds(), old, new)
    assert feeds.move(new, OLD, NOW) == new, "it has both addresses now"
    assert {feeds.id_of(OLD), feeds.id_of(NEW)} == {new}
    feeds.move(old, OLD, NOW)
    feeds.move(old, NEW, NOW)
    assert new in {each.id for each in feeds.all()}


@pytest.mark.parametrize("url", ["ftp://new.example/", "nonsense", "", "http://"])
def test_what_is_no_address_is_not_moved_to(feeds: Feeds, redis: Redis, url: str) -> None:
    feed = polled(feeds, redis, OLD)
    assert feeds.move(feed, url, NOW) == ""
    assert [each.url for each in feeds.all()] == [OLD]


def test_a_feed_that_was_removed_meanwhile_does_not_come_back(feeds: Feeds, redis: Redis) -> None:
    feed = polled(feeds, redis, OLD)
    feeds.remove(feed)
    feeds.move(feed, NEW, NOW)
    assert feeds.all() == []
    assert not redis.exists(keys.feed(feed))


def wipe(redis: Redis) -> None:
    """Leave nothing in this test's own database."""
    for key in list(redis.scan_iter()):
        redis.delete(key)


class Died(BaseException):
    """The process ends here."""


def dies_at(nth: int) -> Any:
    """What sends a command, or a pipeline of them, but for the n-th."""
    send: Any = AbstractConnection.send_packed_command
    left = iter(range(nth - 1, -1, -1))

    def sending(self: Any, *args: Any, **options: Any) -> Any:
        if not next(left, 1):
            raise Died
        return send(self, *args, **options)

    return sending


@contextmanager
def dying(redis_url: str, monkeypatch: pytest.MonkeyPatch, nth: int) -> Iterator[Feeds]:
    """The feeds as a process has them that ends before its n-th command, if it comes to that."""
    with connect(redis_url) as client:
        feeds = Feeds(client)
        client.ping()
        with monkeypatch.context() as patch, suppress(Died):
            patch.setattr(AbstractConnection, "send_packed_command", dies_at(nth))
            yield feeds


@pytest.mark.parametrize("joins", [False, True])
def test_a_move_that_ends_anywhere_is_finished_by_the_next_poll(
    redis_url: str, redis: Redis, monkeypatch: pytest.MonkeyPatch, joins: bool
) -> None:
    """The process ends before its n-th command, for every n: each time the feed is there, under either address, with
    all that it has seen; and moving it again finishes what was begun."""
    nth, moved = 0, False
    while not moved:
        nth += 1
        wipe(redis)
        feeds = Feeds(redis)
        old = polled(feeds, redis, OLD, "a", "b")
        stays = polled(feeds, redis, NEW, "c") if joins else old
        with dying(redis_url, monkeypatch, nth) as cut:
            moved = cut.move(old, NEW, NOW) == stays
        there = {each.id for each in feeds.all()}
        assert feeds.id_of(OLD) in there, nth
        assert feeds.id_of(NEW) in there | {feed_id(NEW)}, nth
        assert old in there or redis.hkeys(keys.seen(stays)) == [b"c", b"a", b"b"], nth
        if old in there:
            feeds.move(old, NEW, NOW)
        assert [(each.id, each.url) for each in feeds.all()] == [(stays, NEW)], nth
        assert {b"a", b"b"} <= set(redis.hkeys(keys.seen(stays))), nth
        left = {keys.feed(old), keys.fetches(old), keys.seen(old)} if joins else set()
        assert all(redis.ttl(key) != -1 for key in left), "nothing of it stays forever"
    assert nth > 4


@pytest.mark.parametrize("then", [THIRD, OLD])
def test_a_move_that_ends_anywhere_leaves_no_address_that_leads_to_where_it_does_not(
    redis_url: str, redis: Redis, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    """Of a feed that has moved before: whoever leases it next ends what was begun, also where its server has taken the
    redirect back, so that it is not told of it again."""
    nth, moved = 0, False
    while not moved:
        nth += 1
        wipe(redis)
        feeds = Feeds(redis)
        feed = polled(feeds, redis, OLD)
        feeds.move(feed, NEW, NOW)
        with dying(redis_url, monkeypatch, nth) as cut:
            moved = cut.move(feed, then, NOW) == feed
        [leased] = feeds.lease_due(NOW + 900, 60, 10)
        has = leased.url
        assert has in (NEW, then), nth
        leads = {url: feeds.id_of(url) for url in (NEW, THIRD)}
        assert leads == {url: feed if url == has else feed_id(url) for url in leads}, nth
        assert feeds.move(feed, then, NOW) == (feed if has == NEW else ""), nth
        assert {url: feeds.id_of(url) for url in (OLD, NEW, then)} == {OLD: feed, NEW: feed_id(NEW), then: feed}
        assert set(redis.hkeys(keys.feed(feed))) == {b"address", b"polls"}, nth
    assert nth > 6


def test_feeds_of_a_server_that_lost_all_are_where_they_moved_to(feeds: Feeds, redis: Redis) -> None:
    """With their ids, folders and pauses: a poller that knows them adds them again."""
    moved = polled(feeds, redis, OLD)
    feeds.move(moved, NEW, NOW)
    paused, _ = feeds.add(THIRD, "Third", NOW, folder="World", pages="off")
    feeds.pause(paused)
    started = Feeds(redis)
    assert started.lease_due(NOW, 60, 10) == []
    wipe(redis)
    assert [each.id for each in started.lease_due(NOW + 1, 60, 10)] == [moved]
    assert {(each.id, each.url, each.folder, each.pages, each.held) for each in feeds.all()} == {
        (moved, NEW, "", "auto", False),
        (paused, THIRD, "World", "off", True),
    }
    assert feeds.id_of(NEW) == moved != feed_id(NEW)

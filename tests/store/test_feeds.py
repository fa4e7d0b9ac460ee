"""The feeds and their schedule: leases, removals, lists."""

import threading

import pytest
from redis import Redis

from worker.connect import connect
from worker.errors import BadInput
from worker.schedule import PAUSED, PollState
from worker.store import keys
from worker.store.feeds import Feeds, Offered

NOW = 1_750_000_000.0
A, B, C = "https://a.example/feed", "https://b.example/feed", "https://c.example/feed"


def test_a_feed_is_added_once_and_due_at_once(feeds: Feeds) -> None:
    """Two spellings of one address are one feed; a title given later replaces the first, none leaves it."""
    feed, is_new = feeds.add("HTTPS://A.example/feed#x", "First", NOW)
    assert is_new
    assert feeds.add(A, "Second", NOW + 5) == (feed, False)
    feeds.add(A, "", NOW + 6)
    [found] = feeds.all()
    assert (found.id, found.url, found.title, found.added, found.due) == (feed, A, "Second", NOW, NOW)
    assert (found.polls, found.paused) == (PollState(), False)
    assert feeds.get(feed) == found
    assert feeds.count() == 1


@pytest.mark.parametrize("url", ["ftp://a.example/", "nonsense"])
def test_what_is_no_address_is_not_added(feeds: Feeds, url: str) -> None:
    with pytest.raises(BadInput):
        feeds.add(url, "", NOW)
    with pytest.raises(BadInput):
        feeds.offer([(A, ""), (url, "")], NOW)
    assert feeds.empty()


def test_a_list_adds_what_was_never_known(feeds: Feeds) -> None:
    """Known feeds keep their name and their place in the schedule; what a person removed stays removed."""
    known, _ = feeds.add(A, "Mine", NOW)
    removed, _ = feeds.add(B, "", NOW)
    assert feeds.remove(removed)
    assert feeds.offer([(A, "Theirs"), (B, "B"), (C, "C"), (C, "again")], NOW + 5) == Offered(
        added=1, known=1, removed=1
    )
    assert {feed.url: feed.title for feed in feeds.all()} == {A: "Mine", C: "again"}
    assert feeds.offer([(B, "B")], NOW) == Offered(0, 0, 1)
    found = feeds.get(known)
    assert found is not None
    assert found.due == NOW


def test_a_person_brings_a_removed_feed_back(feeds: Feeds) -> None:
    """It starts afresh; and if it is then lost from the list, a list may add it again."""
    feed, _ = feeds.add(A, "Old", NOW)
    feeds.remove(feed)
    assert feeds.add(A, "", NOW + 9) == (feed, True)
    found = feeds.get(feed)
    assert found is not None
    assert (found.title, found.added) == ("", NOW + 9)
    assert feeds.offer([(A, "")], NOW) == Offered(0, 1, 0)


def left_of(feed: str) -> set[bytes]:
    """The keys that stay when a feed is removed."""
    return {keys.removed_feeds().encode(), keys.seen(feed).encode()}


def test_a_removed_feed_leaves_its_removal_and_for_a_while_its_seen_marks(feeds: Feeds, redis: Redis) -> None:
    feed, _ = feeds.add(A, "", NOW)
    redis.hset(keys.seen(feed), "entry", "mark")
    assert feeds.remove(feed)
    assert not feeds.remove(feed)
    assert set(redis.scan_iter()) == left_of(feed)
    assert 13 * 86400 < redis.ttl(keys.seen(feed)) <= 14 * 86400
    assert feeds.offer([(A, "")], NOW).removed == 1, "removing it twice does not bring it back"


def test_a_feed_that_is_added_again_goes_on_with_its_seen_marks(feeds: Feeds, redis: Redis) -> None:
    """Revisions of its articles count on: the store has these articles, and drops revisions that it had."""
    feed, _ = feeds.add(A, "", NOW)
    redis.hset(keys.seen(feed), "entry", "mark")
    feeds.remove(feed)
    feeds.add(A, "", NOW + 9)
    assert redis.hgetall(keys.seen(feed)) == {b"entry": b"mark"}
    assert redis.ttl(keys.seen(feed)) == -1, "they do not expire under a feed that is polled"


def test_removing_what_was_never_there_is_nothing(feeds: Feeds) -> None:
    assert not feeds.remove("0123456789ab")
    assert feeds.empty()


def test_a_store_whose_feeds_were_removed_is_not_empty(feeds: Feeds) -> None:
    """The default list is for a store that never knew a feed."""
    assert feeds.empty()
    feed, _ = feeds.add(A, "", NOW)
    feeds.remove(feed)
    assert (feeds.empty(), feeds.count()) == (False, 0)


def test_thousands_of_feeds_are_added_and_listed(feeds: Feeds) -> None:
    urls = [(f"https://example.org/{number}", str(number)) for number in range(1_200)]
    assert feeds.offer(urls, NOW) == Offered(1_200, 0, 0)
    assert feeds.offer(urls, NOW) == Offered(0, 1_200, 0)
    assert len(feeds.all()) == 1_200


def test_due_feeds_are_leased_the_longest_due_first(feeds: Feeds) -> None:
    for due, url in enumerate([A, B, C]):
        feeds.add(url, "", NOW + due)
    assert feeds.lease_due(NOW - 1, 60, 10) == []
    assert [feed.url for feed in feeds.lease_due(NOW + 1, 60, 1)] == [A]
    assert [feed.url for feed in feeds.lease_due(NOW + 1, 60, 10)] == [B]
    assert feeds.lease_due(NOW + 1, 60, 10) == []
    assert [feed.url for feed in feeds.lease_due(NOW + 10, 60, 10, due_by=NOW + 1)] == [], (
        "what was due by then is leased"
    )


def test_a_lease_that_runs_out_makes_the_feed_due_again(feeds: Feeds) -> None:
    """Its poller died, or sleeps: when it comes back, what it found is not recorded over the other's."""
    feeds.add(A, "", NOW)
    [late] = feeds.lease_due(NOW, 60, 10)
    assert feeds.lease_due(NOW + 59, 60, 10) == []
    [other] = feeds.lease_due(NOW + 61, 60, 10)
    assert not feeds.record(late, PollState(etag="late", next_poll=NOW + 1000))
    feeds.give_back(late, NOW)
    assert feeds.lease_due(NOW + 62, 60, 10) == [], "the other one's lease holds"
    assert feeds.record(other, PollState(etag="other", next_poll=NOW + 500))
    found = feeds.get(other.id)
    assert found is not None
    assert (found.polls.etag, found.due) == ("other", NOW + 500)


def test_a_lease_is_renewed_only_by_who_holds_it(feeds: Feeds) -> None:
    feeds.add(A, "", NOW)
    [held] = feeds.lease_due(NOW, 60, 10)
    [renewed] = feeds.renew([held], NOW + 90)
    assert renewed is not None
    assert feeds.lease_due(NOW + 89, 60, 10) == [], "it lasts longer now"
    assert feeds.record(renewed, PollState(next_poll=NOW + 500)) and not feeds.record(held, PollState(next_poll=NOW))
    [other] = feeds.lease_due(NOW + 501, 60, 10)
    assert feeds.renew([renewed], NOW + 900) == [None], "it is another's by now"
    feeds.remove(other.id)
    assert feeds.renew([other], NOW + 900) == [None], "it was removed"


def test_a_lease_given_back_is_due_at_once(feeds: Feeds) -> None:
    feeds.add(A, "", NOW)
    [leased] = feeds.lease_due(NOW, 60, 10)
    feeds.give_back(leased, NOW + 1)
    assert [feed.id for feed in feeds.lease_due(NOW + 1, 60, 10)] == [leased.id]


def test_what_a_poll_found_is_kept(feeds: Feeds) -> None:
    """Every field, whatever is in it; and what a person sets meanwhile is not overwritten."""
    feeds.add(A, "", NOW)
    [leased] = feeds.lease_due(NOW, 60, 10)
    state = PollState(
        etag='W/"ü"', last_modified="x", body_hash=bytes(range(16)), polled=NOW + 0.1, succeeded=NOW, fetched=NOW,
        outcome="ok", trouble="t", errors=3, title="T", entries=9, ttl_s=60.5, next_poll=NOW + 0.3, reason="r",
    )  # fmt: skip
    feeds.add(A, "Named meanwhile", NOW)
    assert feeds.record(leased, state)
    [found] = feeds.all()
    assert (found.polls, found.title, found.due) == (state, "Named meanwhile", NOW + 0.3)


def test_a_paused_feed_is_never_due_until_a_person_adds_it_again(feeds: Feeds) -> None:
    feeds.add(A, "", NOW)
    [leased] = feeds.lease_due(NOW, 60, 10)
    feeds.record(leased, PollState(next_poll=PAUSED, outcome="gone"))
    assert feeds.lease_due(NOW + 1e9, 60, 10) == []
    assert [feed.paused for feed in feeds.all()] == [True]
    assert feeds.offer([(A, "")], NOW).known == 1
    assert feeds.lease_due(NOW + 1e9, 60, 10) == []
    assert feeds.add(A, "", NOW + 5) == (leased.id, False)
    assert [feed.id for feed in feeds.lease_due(NOW + 5, 60, 10)] == [leased.id]


def test_a_feed_removed_during_its_poll_stays_removed(feeds: Feeds, redis: Redis) -> None:
    feeds.add(A, "", NOW)
    [leased] = feeds.lease_due(NOW, 60, 10)
    feeds.remove(leased.id)
    redis.hset(keys.seen(leased.id), "entry", "mark")  # as the poll under way does
    assert not feeds.record(leased, PollState(next_poll=NOW + 5))
    assert set(redis.scan_iter()) == left_of(leased.id)
    assert redis.ttl(keys.seen(leased.id)) > 0, "nobody would remove them"
    assert feeds.all() == []


def test_pollers_at_once_lease_each_feed_once(redis_url: str) -> None:
    with connect(redis_url) as client:
        Feeds(client).offer([(f"https://example.org/{number}", "") for number in range(300)], NOW)
    leased: list[list[str]] = []
    start = threading.Barrier(4)

    def poller() -> None:
        with connect(redis_url) as client:
            feeds, mine = Feeds(client), list[str]()
            start.wait(10)
            while found := feeds.lease_due(NOW, 60, 7):
                mine += [feed.id for feed in found]
            leased.append(mine)

    pollers = [threading.Thread(target=poller) for _ in range(4)]
    for thread in pollers:
        thread.start()
    for thread in pollers:
        thread.join(30)
    ids = [feed for mine in leased for feed in mine]
    assert len(ids) == len(set(ids)) == 300

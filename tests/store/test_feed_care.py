"""What a person sets of a feed, and the history of its polls."""

import pytest
from redis import Redis

from worker.errors import BadInput
from worker.schedule import PAUSED, Fetch, PollState
from worker.store import keys
from worker.store.feeds import Feed, Feeds

NOW = 1_750_000_000.0
A, B, C = "https://a.example/feed", "https://b.example/feed", "https://c.example/feed"


def got(feeds: Feeds, feed: str) -> Feed:
    found = feeds.get(feed)
    assert found is not None
    return found


def test_folders_and_what_is_read_of_pages_are_kept(feeds: Feeds) -> None:
    """By add, by a list, and when anything else changes; what is not given is not taken away."""
    feed, _ = feeds.add(A, "A", NOW, folder="News", pages="on")
    feeds.add(A, "Again", NOW)
    found = got(feeds, feed)
    assert (found.title, found.folder, found.pages, found.added) == ("Again", "News", "on", NOW)
    assert feeds.change(feed, folder="", pages="off")
    found = got(feeds, feed)
    assert (found.title, found.folder, found.pages) == ("Again", "", "off")
    feeds.offer([(B, "B", "World/Europe"), (C, "C", "", "on", True)], NOW)
    listed = {each.url: (each.folder, each.pages, each.paused, each.held) for each in feeds.all()}
    assert listed == {
        A: ("", "off", False, False),
        B: ("World/Europe", "auto", False, False),
        C: ("", "on", True, True),
    }
    assert not feeds.change("0123456789ab", title="x")
    assert feeds.count() == 3


def test_what_there_is_not_cannot_be_set(feeds: Feeds) -> None:
    feed, _ = feeds.add(A, "", NOW)
    with pytest.raises(BadInput):
        feeds.change(feed, pages="perhaps")
    with pytest.raises(BadInput):
        feeds.add(B, "", NOW, pages="perhaps")
    with pytest.raises(TypeError):
        feeds.change(feed, url=B)
    assert (feeds.count(), got(feeds, feed).pages) == (1, "auto")


def test_a_paused_feed_is_resumed_and_due_at_once(feeds: Feeds) -> None:
    feed, _ = feeds.add(A, "A", NOW)
    [leased] = feeds.lease_due(NOW, 60, 10)
    feeds.record(leased, PollState(etag="e", next_poll=NOW + 900))
    assert feeds.pause(feed)
    found = got(feeds, feed)
    assert (found.paused, found.held, found.polls.etag, found.title) == (True, True, "e", "A")
    assert feeds.lease_due(NOW + 1e9, 60, 10) == []
    assert feeds.offer([(A, "")], NOW).known == 1
    assert got(feeds, feed).paused, "a list does not resume it"
    assert feeds.resume(feed, NOW + 5)
    found = got(feeds, feed)
    assert (found.paused, found.held, found.due, found.polls.etag) == (False, False, NOW + 5, "e")
    feeds.resume(feed, NOW + 9)
    assert got(feeds, feed).due == NOW + 5, "one that is not paused keeps its place"
    assert not feeds.pause("0123456789ab")
    assert not feeds.resume("0123456789ab", NOW)


def test_a_feed_that_its_server_gave_up_is_resumed_as_well(feeds: Feeds) -> None:
    feed, _ = feeds.add(A, "", NOW)
    [leased] = feeds.lease_due(NOW, 60, 10)
    feeds.record(leased, PollState(outcome="gone", next_poll=PAUSED))
    assert (got(feeds, feed).paused, got(feeds, feed).held) == (True, False)
    feeds.resume(feed, NOW)
    assert [each.id for each in feeds.lease_due(NOW, 60, 10)] == [feed]


def test_a_pause_during_a_poll_holds(feeds: Feeds) -> None:
    feed, _ = feeds.add(A, "", NOW)
    [leased] = feeds.lease_due(NOW, 60, 10)
    feeds.pause(feed)
    assert feeds.renew([leased], NOW + 90) == [None]
    assert not feeds.record(leased, PollState(next_poll=NOW + 900), Fetch(NOW))
    assert (got(feeds, feed).paused, feeds.fetches(feed)) == (True, [])


def test_the_last_thirty_polls_are_kept_the_newest_first(feeds: Feeds, redis: Redis) -> None:
    feed, _ = feeds.add(A, "", NOW)
    for number in range(35):
        [leased] = feeds.lease_due(NOW + number, 60, 10)
        line = Fetch(NOW + number, "ok", 200, 1.5, 10, 20, 3, 1, "", float("inf"), f"every {number}m")
        assert feeds.record(leased, PollState(next_poll=NOW + number + 1), line)
    found = feeds.fetches(feed)
    assert [each.at - NOW for each in found] == list(range(34, 4, -1))
    assert (found[0].reason, found[0].wait_s, found[0].new) == ("every 34m", float("inf"), 3)
    feeds.remove(feed)
    assert feeds.fetches(feed) == []
    assert not redis.exists(keys.fetches(feed))


def test_many_polls_are_recorded_at_once(feeds: Feeds) -> None:
    """Each by itself: one that was removed meanwhile, or is another poller's by now, does not hold back the others."""
    feeds.offer([(f"https://example.org/{number}", "") for number in range(1_100)], NOW)
    leased = feeds.lease_due(NOW, 60, 1_100)
    removed, late = leased[3], leased[700]
    feeds.remove(removed.id)
    feeds.give_back(late, NOW)
    records = [(feed, PollState(etag=feed.url, next_poll=NOW + 900), Fetch(NOW, "ok")) for feed in leased]
    done = feeds.record_all(records)
    assert [feed.id for feed, kept in zip(leased, done, strict=True) if not kept] == [removed.id, late.id]
    assert all(feed.polls.etag == feed.url and feed.due == NOW + 900 for feed in feeds.all() if feed.id != late.id)
    assert (len(feeds.fetches(leased[0].id)), len(feeds.fetches(removed.id)), len(feeds.fetches(late.id))) == (1, 0, 0)
    assert (got(feeds, late.id).due, feeds.get(removed.id)) == (NOW, None)
    assert feeds.record_all([]) == []
    again = feeds.record_all(records[:2])
    assert again == [True, True], "an answer may have been lost on the way"


def test_an_address_of_an_older_version_is_read_and_changed(feeds: Feeds, redis: Redis) -> None:
    """It ended with the third field."""
    feed, _ = feeds.add(A, "A", NOW)
    redis.hset(keys.feed(feed), "address", b"\x93\xb6https://a.example/feed\xa1A\xcbA\xda\x13\x7e\xc0\x00\x00\x00")
    assert (got(feeds, feed).pages, got(feeds, feed).title) == ("auto", "A")
    assert feeds.pause(feed)
    assert (got(feeds, feed).held, got(feeds, feed).url) == (True, A)

"""Subscriptions and pushes in the store: nothing of a change is lost, nothing that is pushed either, all is bounded."""

from typing import Any

import pytest
from msgspec.structs import replace

from worker.connect import Redis
from worker.feed.websub import Subscription
from worker.store import keys
from worker.store.hubs import MOST_PUSHES, Hubs

NOW = 1_750_000_000.0
KNOWN = Subscription("https://hub.example/", "https://news.example/feed", "https://us.example/websub/f", "token")
ACTIVE = replace(KNOWN, secret="s", since=NOW - 100, until=NOW + 86_400)


@pytest.fixture
def hubs(redis: Redis) -> Hubs:
    return Hubs(redis)


def taken(hubs: Hubs, feed: str = "f") -> list[bytes]:
    """The bodies that polls take, in order."""
    bodies = []
    while waiting := hubs.first([feed]).get(feed):
        bodies.append(waiting.push.body)
        hubs.done(feed, waiting, 0)
    return bodies


def test_of_two_changes_at_once_one_is_refused(hubs: Hubs) -> None:
    """A hub confirms while it is asked again: who comes second looks again."""
    assert hubs.put("f", None, KNOWN)
    assert not hubs.put("f", None, ACTIVE)
    assert hubs.put("f", KNOWN, ACTIVE)
    assert not hubs.put("f", KNOWN, None)
    assert hubs.get_all(["f", "g"]) == [ACTIVE, None]
    assert hubs.put("f", ACTIVE, None)
    assert hubs.get("f") is None


def test_pushes_are_taken_in_their_order_and_each_once(hubs: Hubs) -> None:
    """The same body again takes no room, whether its first answer was lost or not."""
    for number, body in enumerate((b"one", b"two", b"one", b"three")):
        assert hubs.keep("f", body, "text/xml", NOW + number)
    waiting = hubs.first(["f", "g"])["f"]
    assert (waiting.push.received, waiting.push.content_type, waiting.more) == (NOW, "text/xml", True)
    assert hubs.first(["f"])["f"] == waiting, "it stays until it is done"
    assert taken(hubs) == [b"one", b"two", b"three"]


def test_of_several_bodies_only_the_first_is_read(hubs: Hubs, redis: Any) -> None:
    """Each may have 5 MB."""
    for number in range(MOST_PUSHES):
        hubs.keep("f", b"%d" % number * 100_000, "", NOW - number)
    before = redis.info("stats")["total_net_output_bytes"]
    assert hubs.first(["f"])["f"].push.body == b"2" * 100_000
    assert redis.info("stats")["total_net_output_bytes"] - before < 150_000


def test_a_body_that_an_earlier_version_kept_is_taken_first(hubs: Hubs, redis: Any) -> None:
    """Its name has no time."""
    assert hubs.keep("f", b"old", "text/xml", NOW - 1)
    [(name, packed)] = redis.hgetall(keys.pushes("f")).items()
    redis.delete(keys.pushes("f"))
    redis.hset(keys.pushes("f"), name[-12:], packed)
    assert hubs.keep("f", b"old", "text/xml", NOW)
    assert hubs.keep("f", b"new", "text/xml", NOW)
    assert taken(hubs) == [b"old", b"new"]


@pytest.mark.parametrize("body", [b"beyond", None])
def test_what_cannot_be_kept_is_to_be_fetched(hubs: Hubs, body: bytes | None) -> None:
    for number in range(MOST_PUSHES):
        assert hubs.keep("f", b"%d" % number, "", NOW + number)
    assert not hubs.keep("f", body, "", NOW + 9)
    for number in range(MOST_PUSHES):
        waiting = hubs.first(["f"])["f"]
        assert waiting.more, "the last one is followed by a fetch"
        hubs.done("f", waiting, 0)
        assert waiting.push.body == b"%d" % number
    assert hubs.first(["f"]) == {}, "the feed is fetched now"
    assert hubs.keep("f", b"new", "", NOW + 10)
    assert not hubs.first(["f"])["f"].more, "and that is over"


def test_a_subscription_is_looked_at_by_one_at_a_time(hubs: Hubs) -> None:
    hubs.add(["f", "g"], NOW)
    hubs.add(["f"], NOW + 50)
    assert sorted(hubs.lease(NOW, 60, 10)) == ["f", "g"]
    assert hubs.lease(NOW + 59, 60, 10) == []
    hubs.plan("g", NOW + 1000)
    assert hubs.lease(NOW + 61, 60, 10) == ["f"]
    hubs.hasten("g", NOW + 70)
    hubs.hasten("g", NOW + 80)
    assert hubs.lease(NOW + 70, 60, 10) == ["g"]
    hubs.forget("f")
    hubs.plan("f", NOW)
    assert hubs.known() == ["g"], "what is forgotten is not brought back by a plan"


@pytest.mark.parametrize(
    ("known", "new", "before", "missed"),
    [
        (ACTIVE, 0, NOW - 10, 0),
        (ACTIVE, 2, NOW - 10, 1),
        (ACTIVE, 2, NOW - 200, 0),  # it may have come before the hub had confirmed
        (replace(ACTIVE, until=NOW - 1), 2, NOW - 10, 0),
        (None, 2, NOW - 10, 0),
    ],
)
def test_what_a_poll_finds_speaks_against_a_hub_that_should_have_brought_it(
    hubs: Hubs, known: Subscription | None, new: int, before: float, missed: int
) -> None:
    if known is not None:
        hubs.put("f", None, known)
    hubs.beat()
    hubs.keep("f", b"body", "", NOW)
    hubs.done("f", hubs.first(["f"])["f"], 1)
    trusted = hubs.judge("f", new, before, NOW)
    assert (hubs.counts("f").misses, hubs.counts("f").proofs) == (missed, 0 if missed else 1)
    assert trusted is (known is ACTIVE and not missed)


def test_no_hub_is_trusted_while_nobody_listens(hubs: Hubs) -> None:
    hubs.put("f", None, ACTIVE)
    hubs.keep("f", b"body", "", NOW)
    hubs.done("f", hubs.first(["f"])["f"], 1)
    assert not hubs.judge("f", 0, NOW, NOW)
    assert not hubs.beat(), "nobody did"
    assert hubs.beat()
    assert hubs.judge("f", 0, NOW, NOW)


def test_all_of_it_ends_by_itself(hubs: Hubs, redis: Any) -> None:
    """Where nobody looks after it any more: the process that listens was never started again."""
    hubs.put("f", None, ACTIVE)
    hubs.keep("f", b"body", "", NOW)
    hubs.ignored("f")
    hubs.beat()
    for key in (keys.subscription("f"), keys.pushes("f"), keys.listeners()):
        assert redis.ttl(key) > 0, key
    hubs.forget("f")
    assert redis.exists(keys.subscription("f"), keys.pushes("f")) == 0

"""The quarantine against real servers: an article is there or in the outbox, never in both, never in neither."""

from typing import Any

import pytest

from worker.connect import Redis
from worker.model import Article, Ref
from worker.store import keys
from worker.store.outbox import Outbox
from worker.store.quarantine import LONGEST_REASON, LONGEST_TRACEBACK, Put, Quarantine

NOW = 1_800_000_000.0


@pytest.fixture
def quarantine(redis: Redis) -> Quarantine:
    return Quarantine(redis)


def publish(outbox: Outbox, name: str, feed: str = "f", revision: int = 1) -> tuple[Ref, bytes]:
    """An article in the outbox, and its payload."""
    article = Article(id=f"{feed}.{name}", revision=revision, title=f"Title {name}", lang="en", received=NOW)
    (ref,) = outbox.publish(feed, [article], {}, NOW)
    payload = outbox.payload(ref)
    assert payload is not None
    return ref, payload


def put(quarantine: Quarantine, ref: Ref, payload: bytes, now: float = NOW) -> Put:
    return quarantine.put(ref, payload, "ValueError: bad", "Traceback", now)


def ids(quarantine: Quarantine) -> list[str]:
    return sorted(kept.article for kept in quarantine.everything())


def test_what_is_put_there_leaves_the_outbox_and_comes_back_as_it_was(outbox: Outbox, quarantine: Quarantine) -> None:
    ref, payload = publish(outbox, "a")
    other, _ = publish(outbox, "b")
    assert put(quarantine, ref, payload) is Put.KEPT
    assert ([found for found, _ in outbox.load([ref, other])], outbox.depth()) == ([other], 1)
    (kept,) = quarantine.find("f.a")
    assert (kept.ref, kept.payload, kept.reason, kept.traceback, kept.at) == (
        ref, payload, "ValueError: bad", "Traceback", NOW,
    )  # fmt: skip
    assert kept.content is not None and kept.content.title == "Title a"
    assert quarantine.release([kept], NOW + 1) == [ref]
    assert (outbox.payload(ref), quarantine.depth(), outbox.depth()) == (payload, 0, 2)
    assert outbox.stale(NOW + 1.5, NOW + 2, 10) == [other, ref], "the sweeper finds it, should nobody queue it"


def test_another_revision_that_waits_by_now_is_left_alone(outbox: Outbox, quarantine: Quarantine) -> None:
    ref, old = publish(outbox, "a")
    _, new = publish(outbox, "a", revision=2)
    assert put(quarantine, ref, old) is Put.GONE
    assert (outbox.payload(ref), quarantine.depth()) == (new, 0)


def test_what_is_settled_is_not_put_there(outbox: Outbox, quarantine: Quarantine) -> None:
    ref, payload = publish(outbox, "a")
    outbox.settle([(ref, 1)])
    assert put(quarantine, ref, payload) is Put.GONE
    assert quarantine.depth() == 0


def test_what_is_given_back_never_takes_the_place_of_a_newer_revision(outbox: Outbox, quarantine: Quarantine) -> None:
    ref, payload = publish(outbox, "a")
    put(quarantine, ref, payload)
    kept = quarantine.find("f.a")
    _, new = publish(outbox, "a", revision=2)
    assert quarantine.release(kept, NOW) == [ref]
    assert (outbox.payload(ref), quarantine.depth()) == (new, 0)
    assert quarantine.release(kept, NOW) == [], "giving back twice is nothing"


@pytest.mark.parametrize(("settled", "left"), [(1, ["f.a"]), (2, []), (300, [])])
def test_a_revision_that_is_settled_supersedes_what_is_not_newer(
    outbox: Outbox, quarantine: Quarantine, settled: int, left: list[str]
) -> None:
    ref, payload = publish(outbox, "a", revision=2)
    put(quarantine, ref, payload)
    other, unsettled = publish(outbox, "b")
    put(quarantine, other, unsettled)
    outbox.settle([(ref, settled)])
    assert ids(quarantine) == [*left, "f.b"]


@pytest.mark.parametrize("record", [b"", b"\0\0"])
def test_a_record_too_short_for_a_revision_keeps_no_other_article_from_being_settled(
    outbox: Outbox, quarantine: Quarantine, redis: Redis, record: bytes
) -> None:
    (a, _), (b, _) = publish(outbox, "a"), publish(outbox, "b")
    redis.hset(keys.quarantine("f"), a.article, record)
    outbox.settle([(a, 1), (b, 1)])
    assert (outbox.depth(), redis.hlen(keys.quarantine("f"))) == (0, 0)


def test_a_feed_has_room_for_so_many_and_one_that_is_there_may_come_again(
    outbox: Outbox, quarantine: Quarantine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.store.quarantine.PER_FEED", 2)
    (a, first), (b, second), (c, third) = (publish(outbox, name) for name in "abc")
    assert [put(quarantine, a, first), put(quarantine, b, second), put(quarantine, c, third)] == [
        Put.KEPT, Put.KEPT, Put.FULL,
    ]  # fmt: skip
    assert (outbox.payload(c), outbox.depth()) == (third, 1)
    _, newer = publish(outbox, "a", revision=2)
    assert put(quarantine, a, newer) is Put.KEPT
    assert ids(quarantine) == ["f.a", "f.b"]
    assert put(quarantine, *publish(outbox, "a", feed="g")) is Put.KEPT, "another feed has room"


def test_all_feeds_together_have_room_for_so_many(
    outbox: Outbox, quarantine: Quarantine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.store.quarantine.IN_ALL", 2)
    got = [put(quarantine, *publish(outbox, "a", feed=feed)) for feed in "fgh"]
    assert got == [Put.KEPT, Put.KEPT, Put.FULL]
    assert (quarantine.depth(), outbox.depth()) == (2, 1)


def test_an_id_that_two_feeds_have_is_found_in_both(outbox: Outbox, quarantine: Quarantine) -> None:
    for feed in ("file-1", "file-2"):
        (ref,) = outbox.publish(feed, [Article(id="x", received=NOW)], {}, NOW)
        put(quarantine, ref, outbox.payload(ref) or b"")
    assert sorted(kept.feed for kept in quarantine.find("x")) == ["file-1", "file-2"]
    assert quarantine.find("y") == []


def test_what_is_dropped_is_gone(outbox: Outbox, quarantine: Quarantine) -> None:
    (a, first), (b, second) = publish(outbox, "a"), publish(outbox, "b")
    put(quarantine, a, first)
    put(quarantine, b, second)
    assert quarantine.drop([a, Ref("f", "f.x")], NOW) == 1
    assert (ids(quarantine), outbox.depth()) == (["f.b"], 0)


def test_feeds_with_nothing_there_are_taken_off_the_list_in_the_end(
    outbox: Outbox, quarantine: Quarantine, redis: Any
) -> None:
    """Not within the minute in which another worker may be about to put something there."""
    ref, payload = publish(outbox, "a")
    put(quarantine, ref, payload)
    quarantine.drop([ref], NOW + 1)
    assert redis.zcard(keys.quarantines()) == 1
    quarantine.drop([], NOW + 61)
    assert redis.zcard(keys.quarantines()) == 0
    assert redis.exists(keys.quarantine("f")) == 0


def test_reasons_and_tracebacks_of_any_length_and_kind_are_kept_in_part(outbox: Outbox, quarantine: Quarantine) -> None:
    ref, payload = publish(outbox, "a")
    assert quarantine.put(ref, payload, "\udcff" * 1_000, "x" * 20_000 + "the end", NOW) is Put.KEPT
    (kept,) = quarantine.everything()
    assert (len(kept.reason), len(kept.traceback)) == (LONGEST_REASON, LONGEST_TRACEBACK)
    assert kept.traceback.endswith("the end")


@pytest.mark.parametrize("payload", [b"", b"\0", b"\0\0\0\1", b"\0\0\0\1\xff", b"\xff" * 50])
def test_a_payload_that_cannot_be_read_moves_like_any_other(
    outbox: Outbox, quarantine: Quarantine, redis: Redis, payload: bytes
) -> None:
    """And a revision that is published over it in the outbox takes its place where its own can be told."""
    ref, _ = publish(outbox, "a")
    redis.hset(keys.payloads("f"), ref.article, payload)
    assert put(quarantine, ref, payload) is Put.KEPT
    (kept,) = quarantine.find("f.a")
    assert (kept.payload, kept.content) == (payload, None)
    assert quarantine.release([kept], NOW) == [ref]
    assert outbox.payload(ref) == payload
    if payload[:1] != b"\xff":
        _, new = publish(outbox, "a", revision=2)
        assert outbox.payload(ref) == new

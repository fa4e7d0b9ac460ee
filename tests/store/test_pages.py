"""Articles that wait for their pages, against a real server: held back, leased, given back, never lost."""

import pytest

from worker.connect import connect
from worker.model import AWAITED, Article, Ref
from worker.store import keys
from worker.store import pages as pages_module
from worker.store.backlog import NO_ROOM
from worker.store.outbox import Outbox, pack
from worker.store.pages import Awaited, Pages

NOW = 1_750_000_000.0


class Desk:
    """An outbox and the schedule of pages on one server."""

    def __init__(self, url: str) -> None:
        self.redis = connect(url)
        self.outbox, self.pages = Outbox(self.redis), Pages(self.redis)

    def publish(self, count: int, feed: str = "f") -> list[Ref]:
        """So many articles, published now and waiting for their pages."""
        articles = [Article(id=f"{feed}.{n} x", text="short", received=NOW, page=AWAITED) for n in range(count)]
        return self.outbox.publish(feed, articles, {}, NOW)

    def stale(self, now: float) -> list[Ref]:
        """What the sweeper would queue then."""
        return self.outbox.stale(now - 12.0, now, 100)


@pytest.fixture
def desk(redis_url: str) -> Desk:
    return Desk(redis_url)


def test_the_sweeper_leaves_what_waits_until_its_time_is_over(desk: Desk) -> None:
    """Whether any process reads pages or not; what does not wait is queued after 12 s as ever."""
    waiting, plain = desk.publish(2), desk.publish(1, "g")
    assert desk.pages.add(waiting, NOW, 120.0) == []
    assert desk.stale(NOW + 20) == plain
    assert desk.stale(NOW + 119) == plain
    assert sorted(desk.stale(NOW + 121)) == waiting
    assert desk.stale(NOW + 122) == [], "once is enough for a while"
    assert sorted(desk.stale(NOW + 140)) == [*waiting, *plain]


def test_what_waits_counts_as_waiting_and_not_as_without_room(desk: Desk) -> None:
    refs = desk.publish(3)
    desk.pages.add(refs, NOW, 120.0)
    desk.redis.zadd(keys.pending("f"), {refs[0].article: NO_ROOM + NOW + 60})
    assert (desk.outbox.depth(), desk.outbox.without_room(), desk.outbox.oldest_age_s(NOW)) == (3, 1, 0.0)
    assert desk.stale(NOW + 61) == [refs[0]]


def test_a_clock_that_was_set_back_keeps_nothing_waiting(desk: Desk) -> None:
    """Held back by a clock that was a day ahead: seen from now that is no wait of ours."""
    refs = desk.publish(1)
    desk.pages.add(refs, NOW + 86400.0, 120.0)
    assert desk.stale(NOW) == refs


def test_pages_are_leased_by_one_the_last_entry_first(desk: Desk) -> None:
    refs = desk.publish(4)
    desk.pages.add(refs, NOW, 120.0)
    first, rest = desk.pages.lease(NOW + 1, 15.0, 3), desk.pages.lease(NOW + 1, 15.0, 3)
    assert [each.ref for each in [*first, *rest]] == refs[::-1], "a feed shows the newest at the top"
    assert {each.until for each in first} == {NOW + 120.0}
    assert desk.pages.lease(NOW + 15, 15.0, 10) == []
    desk.pages.renew(first, NOW + 40.0)
    assert desk.pages.lease(NOW + 17, 15.0, 10) == rest, "a lease that nobody renews runs out"
    desk.pages.put_back(first[0], NOW + 18.0)
    assert desk.pages.lease(NOW + 18, 15.0, 10) == [first[0]]
    for each in first:
        desk.pages.done(each)
    desk.pages.renew(first, NOW)
    assert desk.pages.depth() == 1, "what is done is not brought back"


def test_what_was_read_takes_the_place_of_what_it_was_read_for(desk: Desk) -> None:
    (ref,) = desk.publish(1)
    desk.pages.add([ref], NOW, 120.0)
    payload = desk.outbox.payload(ref)
    assert payload is not None
    full = Article(id=ref.article, text="the full text", received=NOW, page="read")
    assert desk.pages.replace(ref, payload, full, NOW + 3)
    assert desk.outbox.load([ref]) == [(ref, full)]
    assert desk.stale(NOW + 10) == [], "it is as if it had been queued just now"
    assert desk.stale(NOW + 16) == [ref]
    assert not desk.pages.replace(ref, payload, full, NOW + 4), "another payload waits"
    desk.outbox.settle([(ref, 1)])
    assert not desk.pages.replace(ref, pack(full), full, NOW + 5), "none waits"
    assert desk.outbox.depth() == 0


def test_what_is_settled_is_not_held_back_again(desk: Desk) -> None:
    (ref,) = desk.publish(1)
    desk.outbox.settle([(ref, 1)])
    desk.pages.add([ref], NOW, 120.0)
    assert desk.outbox.depth() == 0


def test_what_has_no_room_is_handed_back_the_oldest_entries(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages_module, "MOST", 3)
    refs = desk.publish(5)
    assert desk.pages.add(refs, NOW, 120.0) == refs[:2]
    assert desk.pages.depth() == 3
    assert desk.pages.add(refs, NOW, 120.0) == refs
    assert sorted(desk.stale(NOW + 20)) == refs[:2]


def test_nobody_waits_for_longer_than_six_hours(desk: Desk) -> None:
    (ref,) = desk.publish(1)
    desk.pages.add([ref], NOW, 30 * 86400.0)
    assert desk.stale(NOW + 6 * 3600.0 + 1) == [ref]


def test_forgotten_articles_leave_nothing_behind(desk: Desk) -> None:
    refs = desk.publish(3)
    desk.pages.add(refs, NOW, 120.0)
    desk.pages.drop(refs[:2])
    assert [each.ref for each in desk.pages.lease(NOW + 1, 15.0, 10)] == refs[2:]


def test_readers_say_that_they_live(desk: Desk) -> None:
    assert not desk.pages.alive()
    desk.pages.beat()
    assert desk.pages.alive()
    assert 0 < desk.redis.ttl(keys.page_readers()) <= pages_module.TTL_S


def test_an_id_may_hold_anything() -> None:
    awaited = Awaited(Ref("f", "f.with spaces and 12 {braces}"), NOW)
    assert pages_module._awaited(awaited.member) == awaited

"""A batch from the outbox into stories, against real servers."""

from collections.abc import Iterator
from typing import cast

import pytest

from tests.unit.articles import CUP, CUP_TITLE, DAM, DAM_TITLE
from worker import config
from worker.clock import ManualClock
from worker.cluster import View
from worker.connect import Redis, connect
from worker.errors import LeaseLost
from worker.ingest import Ingest
from worker.model import Article, Ref
from worker.store import keys
from worker.store.commits import Commits, Committing, Lease
from worker.store.outbox import Outbox
from worker.store.stories import Stories

NOW = 1_767_600_000.0
DAY = 86_400.0


class Bench:
    """An Ingest with its parts, on one server and a clock that stands still."""

    def __init__(self, redis: Redis, commits: Commits | None = None) -> None:
        self.redis = redis
        self.clock = ManualClock(NOW)
        self.outbox, self.stories = Outbox(redis), Stories(redis)
        self.ingest = Ingest(self.outbox, self.stories, commits or Commits(redis), config.load({}), self.clock)

    def publish(self, *articles: Article) -> list[Ref]:
        return self.outbox.publish("feed", articles, {}, self.clock.now())

    def story_of(self, article_id: str) -> int:
        found = self.stories.article(article_id)
        assert found is not None, f"{article_id} is nowhere"
        story = self.stories.find(found[0], found[1].story)
        assert story is not None
        return story.number


def article(article_id: str, title: str = DAM_TITLE, text: str = DAM, **fields: object) -> Article:
    return Article(**{"id": article_id, "title": title, "text": text, "lang": "en", "received": NOW, **fields})  # type: ignore[arg-type]


@pytest.fixture
def bench(redis_url: str) -> Iterator[Bench]:
    client = connect(redis_url)
    yield Bench(client)
    client.close()


def test_what_waits_without_a_payload_waits_no_more(bench: Bench) -> None:
    """Somebody deleted it: it would be queued again for ever."""
    refs = bench.publish(article("a"), article("b"))
    bench.redis.hdel(keys.payloads("feed"), "a")
    assert bench.ingest.run(refs).counts == {"new": 1}
    assert bench.outbox.depth() == 0
    newer = bench.publish(article("b", revision=2))
    bench.outbox.forget_missing(newer, ())
    assert bench.ingest.run(newer).counts == {"revised": 1}, "what came meanwhile is not forgotten"


def test_a_batch_is_placed_and_leaves_the_outbox(bench: Bench) -> None:
    result = bench.ingest.run(bench.publish(article("a"), article("b"), article("c", CUP_TITLE, CUP)))
    assert result.counts == {"new": 2, "joined": 1}
    assert bench.story_of("a") == bench.story_of("b") != bench.story_of("c")
    assert bench.outbox.depth() == 0
    assert not bench.redis.exists(keys.lease("en"))


def test_a_batch_that_comes_again_finds_nothing_to_do(bench: Bench) -> None:
    refs = bench.publish(article("a"))
    bench.ingest.run(refs)
    assert bench.ingest.run(refs).articles == 0
    bench.publish(article("a"))
    assert bench.ingest.run(refs).counts == {"repeated": 1}
    assert bench.stories.counts() == {"articles": 1, "stories": 1}


def test_a_revision_that_arrives_while_the_old_one_is_placed_waits_for_its_turn(bench: Bench) -> None:
    refs = bench.publish(article("a"))
    waiting = bench.outbox.load(refs)
    bench.publish(article("a", "Corrected", revision=2))
    bench.outbox.settle([(ref, old.revision) for ref, old in waiting])
    assert bench.outbox.depth() == 1
    assert bench.ingest.run(refs).counts == {"new": 1}
    found = bench.stories.article("a")
    assert found is not None
    assert (found[1].title, found[1].revision) == ("Corrected", 2)


def test_each_language_has_its_own_stories(bench: Bench) -> None:
    bench.ingest.run(bench.publish(article("a"), article("b", lang="de")))
    assert bench.stories.languages() == ["de", "en"]
    assert bench.stories.counts()["stories"] == 2


@pytest.mark.parametrize(
    ("published", "time"),
    [
        (NOW - DAY, NOW - DAY),
        (NOW + 300, NOW + 300),
        (NOW + 3600, NOW),
        (4_070_908_800.0, NOW),
        (0.0, NOW),
        (NOW - 8 * DAY, NOW),
        (None, NOW),
    ],
)
def test_a_date_that_cannot_be_believed_is_shown_but_not_used(
    bench: Bench, published: float | None, time: float
) -> None:
    bench.ingest.run(bench.publish(article("a", published=published)))
    found = bench.stories.article("a")
    assert found is not None
    assert (found[1].time, found[1].published) == (time, published)


def test_a_story_ends_when_it_was_quiet_for_longer_than_the_retention(bench: Bench) -> None:
    bench.ingest.run(bench.publish(article("a"), article("c", CUP_TITLE, CUP)))
    bench.clock.advance(6 * DAY)
    bench.ingest.run(bench.publish(article("b", "Vellmark dam gives way", received=bench.clock.now())))
    bench.clock.advance(1.5 * DAY)
    assert bench.ingest.expire() == 1
    assert bench.stories.article("c") is None
    assert bench.story_of("a") == bench.story_of("b")
    bench.clock.advance(8 * DAY)
    assert bench.ingest.expire() == 2
    assert bench.ingest.expire() == 0
    assert bench.stories.counts() == {"articles": 0, "stories": 0}


class Overtaken(Commits):
    """Commits whose first one comes too late: in between another worker took the lease and committed."""

    def __init__(self, redis: Redis, rival: Bench, refs: list[Ref]) -> None:
        super().__init__(redis)
        self._rival: tuple[Bench, list[Ref]] | None = (rival, refs)

    def commit(self, lease: Lease, view: View, committing: Committing | None = None) -> None:
        if self._rival:
            (rival, refs), self._rival = self._rival, None
            rival.redis.delete(keys.lease(lease.lang))
            rival.ingest.run(refs)
        super().commit(lease, view, committing)


def test_a_worker_that_was_overtaken_starts_over_and_places_nothing_twice(bench: Bench) -> None:
    both = bench.publish(article("a"), article("b"))
    late = Bench(bench.redis, Overtaken(bench.redis, bench, both[:1]))
    result = late.ingest.run(both)
    assert result.counts == {"repeated": 1, "joined": 1}
    assert bench.stories.counts() == {"articles": 2, "stories": 1}


def test_a_lease_that_never_comes_free_leaves_the_batch_in_the_outbox(bench: Bench) -> None:
    class Impatient(Commits):
        def lease(self, lang: str, wait_s: float = 0.01) -> object:  # type: ignore[override]
            return super().lease(lang, wait_s)

    refs = bench.publish(article("a"))
    with Commits(bench.redis).lease("en"), pytest.raises(LeaseLost, match="not free"):
        Bench(bench.redis, cast(Commits, Impatient(bench.redis))).ingest.run(refs)
    assert bench.outbox.depth() == 1

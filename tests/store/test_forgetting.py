"""Forgetting against real servers: nothing of it is left in any key, and nothing brings it back."""

import zlib
from base64 import b64decode
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from rq.results import Result

from tests.store.test_ingest import DAY, NOW, Bench, article
from tests.unit.articles import CUP, CUP_TITLE, DAM_REWRITE, DAM_REWRITE_TITLE
from worker.connect import Redis, connect, connect_plain
from worker.editing import Editing
from worker.errors import BadInput, ServerUnavailable
from worker.forgetting import Forgetting, Removed, What
from worker.jobs import Jobs
from worker.model import Article, Ref, story_id
from worker.store import keys
from worker.store.commits import Commits
from worker.store.feeds import Feeds
from worker.store.forgotten import KEPT_S
from worker.store.outbox import Outbox
from worker.store.pages import Pages
from worker.store.quarantine import Put, Quarantine, Quarantined

WORD = "quaxolotl"
"""A word that nothing else holds."""
URL = f"https://news.example/{WORD}/story"
SECRET = (
    f"The {WORD} of Vellmark was seen at the old mill on Sunday, and the {WORD} keepers said that it had eaten well."
)


class Desk(Bench):
    """A bench with an editor, feeds and a queue."""

    def __init__(self, redis: Redis, jobs: Jobs) -> None:
        super().__init__(redis)
        self.jobs = jobs
        self.feeds = Feeds(redis)
        self.commits = Commits(redis)
        self.editing = Editing(self.stories, self.commits, self.clock)
        self.quarantine = Quarantine(redis)
        self.forgetting = Forgetting(
            self.stories, self.outbox, self.quarantine, self.feeds, self.commits, jobs, self.clock, Pages(redis)
        )

    def send(self, *articles: Article, feed: str = "feed") -> list[Ref]:
        """Publish and cluster."""
        refs = self.outbox.publish(feed, articles, {}, self.clock.now())
        self.ingest.run(refs)
        return refs

    def forget(self, name: str) -> Removed:
        return self.forgetting.forget(self.forgetting.find(name).target)

    def ids(self) -> list[str]:
        return sorted(member.id for _, _, member in self.stories.everything())


@pytest.fixture
def desk(redis_url: str) -> Iterator[Desk]:
    client, plain = connect(redis_url), connect_plain(redis_url)
    yield Desk(client, Jobs(plain, batch=10, url=redis_url))
    plain.close()
    client.close()


def everything(redis: Any) -> Iterator[tuple[bytes, bytes]]:
    """Every key with all that can be read of it, as the server's types give it and as it would be saved."""
    redis.config_set("rdbcompression", "no")
    for key in redis.scan_iter():
        kind = redis.type(key)
        read = {
            b"string": lambda key: [redis.get(key)],
            b"hash": lambda key: [part for pair in redis.hgetall(key).items() for part in pair],
            b"zset": lambda key: redis.zrange(key, 0, -1),
            b"set": redis.smembers,
            b"list": lambda key: redis.lrange(key, 0, -1),
            b"stream": lambda key: [part for _, fields in redis.xrange(key) for part in fields.values()],
        }[kind](key)
        for part in (*read, redis.dump(key) or b""):
            yield key, part
            yield key, _inflated(part)


def _inflated(part: bytes) -> bytes:
    """RQ compresses what a job carries, and writes what it failed of in base64 besides."""
    try:
        return zlib.decompress(part if part[:1] == b"x" else b64decode(part, validate=True))
    except (zlib.error, ValueError):
        return b""


def holding(redis: Any, *words: str) -> list[str]:
    """The keys whose name or content has one of these words."""
    found = {
        key.decode("utf-8", "replace")
        for key, part in everything(redis)
        for word in words
        if word.encode() in key.lower() or word.encode() in part.lower()
    }
    return sorted(found)


def secret(article_id: str = f"import/{WORD}", **fields: object) -> Article:
    return article(article_id, f"A {WORD} at the mill", SECRET, url=URL, source="Wire", **fields)


def fail_a_job(desk: Desk, refs: Sequence[Ref]) -> None:
    """A job of these articles that has failed, with what it failed of."""
    desk.jobs.enqueue(refs)
    (job_id,) = desk.jobs.queue.get_job_ids()
    job = desk.jobs.queue.fetch_job(job_id)
    assert job is not None
    desk.jobs.queue.remove(job_id)
    failure = f"no such thing: {secret().id}"
    desk.jobs.queue.failed_job_registry.add(job, ttl=60, exc_string=failure)
    Result.create_failure(job, 60, failure)


def test_no_key_of_the_server_holds_anything_of_a_forgotten_article(desk: Desk) -> None:
    """In a story with others, named in corrections, waiting as a revision, in jobs that wait and that failed."""
    refs = desk.send(article("dam-1"), secret(), article("cup-1", CUP_TITLE, CUP))
    desk.editing.pin(refs[1].article, story_id("en", desk.story_of("dam-1")))
    desk.editing.split(story_id("en", desk.story_of("dam-1")), ["dam-1"])
    fail_a_job(desk, refs)
    desk.outbox.publish("feed", [secret(revision=2)], {}, NOW)
    desk.outbox.publish("other", [article("other.1", f"{WORD} again", SECRET, url=URL)], {}, NOW)
    desk.jobs.enqueue([*refs, Ref("other", "other.1")])
    before = holding(desk.redis, WORD)
    kinds = {key.split(":")[0] + ":" + key.split(":")[-2] for key in before}
    assert {"sw:a", "sw:t", "sw:s", "rq:job", "rq:results"} <= kinds, f"the scan is blind: {before}"
    assert any("corrections" in key for key in before)
    assert any("payloads" in key for key in before)

    done = desk.forget(URL)
    assert holding(desk.redis, WORD) == []
    assert (done.count, len(done.waiting)) == (1, 2)
    assert desk.ids() == ["cup-1", "dam-1"]
    assert desk.outbox.depth() == 0
    assert desk.stories.counts()["articles"] == 2
    queued = [Ref(*ref) for job_id in desk.jobs.queue.get_job_ids() for ref in _args(desk, job_id)]
    assert queued == [refs[0], refs[2]], "the others of its jobs are still to be done"


def test_nothing_of_it_is_left_in_the_quarantine(desk: Desk) -> None:
    """Readable or not, and whatever it failed with quotes of it; another feed's article stays."""
    (whole,) = desk.outbox.publish("feed", [secret()], {}, NOW)
    (broken,) = desk.outbox.publish("feed", [secret("cut")], {}, NOW)
    desk.redis.hset(keys.payloads("feed"), "cut", f"\0\0\0\1?{URL}")
    (other,) = desk.outbox.publish("other", [article("other.1")], {}, NOW)
    for ref in (whole, broken, other):
        payload = desk.outbox.payload(ref)
        assert payload is not None
        quoted = f"ValueError: {WORD}" if ref is not other else "ValueError"
        assert desk.quarantine.put(ref, payload, quoted, quoted, NOW) is Put.KEPT
    assert any("quarantine" in key for key in holding(desk.redis, WORD))
    assert len(desk.forget(URL).quarantined) == 2
    assert holding(desk.redis, WORD) == []
    assert [kept.ref for kept in desk.quarantine.everything()] == [other]


def _args(desk: Desk, job_id: str) -> list[list[str]]:
    job = desk.jobs.queue.fetch_job(job_id)
    assert job is not None
    refs: list[list[str]] = job.args[0]
    return refs


def test_nothing_brings_a_forgotten_article_back(desk: Desk) -> None:
    """Not a redelivery, a revision, an import of its id, nor another article with the address that was forgotten."""
    desk.send(secret(), article("dam-1"))
    desk.forget(URL)
    for again in (secret(), secret(revision=2), secret(lang="de"), secret("another-id")):
        desk.send(again, feed="file-1")
    assert desk.ids() == ["dam-1"]
    assert desk.outbox.depth() == 0, "what is kept out does not wait for ever either"
    assert holding(desk.redis, WORD) == []


def test_an_article_forgotten_by_its_id_leaves_others_of_its_address(desk: Desk) -> None:
    desk.send(secret("one"), secret("two"))
    assert desk.forget("one").changed == {"en-1"}
    desk.send(secret("one", revision=2))
    assert desk.ids() == ["two"]


def test_a_batch_that_was_loaded_before_is_kept_out_all_the_same(desk: Desk) -> None:
    """The worker has read the article's text, and a person forgets it before the worker has the lease."""

    class Slow(Outbox):
        def load(self, refs: Sequence[Ref]) -> list[tuple[Ref, Article]]:
            waiting = super().load(refs)
            desk.forget(URL)
            return waiting

    refs = desk.outbox.publish("feed", [secret(), article("dam-1")], {}, NOW)
    slow = Bench(desk.redis)
    slow.ingest._outbox = Slow(desk.redis)
    assert slow.ingest.run(refs).counts == {"forgotten": 1, "new": 1}
    assert holding(desk.redis, WORD) == []


def test_a_story_that_is_emptied_ends_and_answers_so(desk: Desk) -> None:
    desk.send(secret(), article("cup-1", CUP_TITLE, CUP))
    story = story_id("en", desk.story_of(secret().id))
    done = desk.forget(secret().id)
    assert (done.ended, done.changed) == ({story}, set())
    with pytest.raises(BadInput, match=f"{story}' is no story of the store, or has ended"):
        desk.editing.pin("cup-1", story)
    assert desk.stories.counts() == {"articles": 1, "stories": 1}


def test_what_is_kept_out_is_let_in_ninety_days_after_it_last_came(desk: Desk) -> None:
    desk.send(secret())
    desk.forget(URL)
    desk.clock.advance(KEPT_S - DAY)
    desk.send(secret(received=desk.clock.now()))
    desk.clock.advance(KEPT_S - DAY)
    desk.send(secret(received=desk.clock.now()))
    assert desk.ids() == []
    desk.clock.advance(KEPT_S + DAY)
    desk.send(secret(received=desk.clock.now()))
    assert desk.ids() == [secret().id]


def test_a_feed_goes_with_its_articles_and_what_waits_of_it(desk: Desk) -> None:
    feed, _ = desk.feeds.add(f"http://{WORD}.example/feed", f"The {WORD} Times", NOW)
    kept, _ = desk.feeds.add("http://other.example/feed", "Other", NOW)
    desk.send(secret(f"{feed}.1"), secret(f"{feed}.2", lang="de"), feed=feed)
    desk.send(article(f"{kept}.1", DAM_REWRITE_TITLE, DAM_REWRITE), feed=kept)
    desk.outbox.publish(feed, [secret(f"{feed}.3")], {"3": (b"", b"mark")}, NOW)
    done = desk.forget(f"http://{WORD}.example/feed")
    assert (done.target.what, done.count, len(done.waiting)) == (What.FEED, 2, 1)
    assert desk.ids() == [f"{kept}.1"]
    assert [each.id for each in desk.feeds.all()] == [kept]
    assert holding(desk.redis, WORD) == []
    desk.send(secret(f"{feed}.9"), feed=feed)
    assert desk.ids() == [f"{kept}.1"], "a poll that was under way publishes in vain"


def test_a_forgotten_feed_that_is_added_again_publishes_without_what_was_forgotten(desk: Desk) -> None:
    feed, _ = desk.feeds.add("http://one.example/feed", "One", NOW)
    desk.send(secret(f"{feed}.1"), feed=feed)
    desk.forget(feed)
    desk.feeds.add("http://one.example/feed", "One", NOW)
    desk.send(secret(f"{feed}.1", revision=2), article(f"{feed}.2"), feed=feed)
    assert desk.ids() == [f"{feed}.2"]


def test_a_feed_that_was_only_removed_can_be_forgotten_later(desk: Desk) -> None:
    feed, _ = desk.feeds.add("http://one.example/feed", "One", NOW)
    desk.send(secret(f"{feed}.1"), feed=feed)
    desk.feeds.remove(feed)
    assert desk.forget("http://one.example/feed").count == 1
    assert desk.ids() == []


def test_a_feed_that_moved_is_forgotten_by_either_address(desk: Desk) -> None:
    feed, _ = desk.feeds.add("http://one.example/feed", "One", NOW)
    desk.send(secret(f"{feed}.1"), feed=feed)
    assert desk.feeds.move(feed, "http://two.example/feed", NOW) == feed
    assert desk.forget("http://two.example/feed").count == 1
    assert desk.feeds.get(feed) is None
    assert desk.ids() == []


def test_what_nobody_knows_is_refused(desk: Desk) -> None:
    desk.send(article("dam-1"))
    for name in ("nothing", "https://nowhere.example/", "x" * 300):
        with pytest.raises(BadInput, match="is no article, address or feed of the store"):
            desk.forgetting.find(name)


def test_the_hashes_are_all_that_stays_and_expire(desk: Desk) -> None:
    desk.send(secret())
    desk.forget(URL)
    server: Any = desk.redis
    assert {len(each) for each in server.zrange(keys.forgotten(), 0, -1)} == {8}
    desk.commits.forgotten.add([b"12345678"], NOW + KEPT_S + 1)
    assert server.zrange(keys.forgotten(), 0, -1) == [b"12345678"]


def test_who_is_interrupted_says_it_again_and_the_rest_goes(desk: Desk) -> None:
    """What was told is kept out from the first time on."""

    class Ended(Commits):
        def decide(self, lang: str, steps: Any) -> Any:
            if lang == "en":
                raise ServerUnavailable("the server has gone")
            return super().decide(lang, steps)

    desk.send(secret("one"), secret("two", lang="de"))
    ended = Ended(desk.redis)
    parts = desk.stories, desk.outbox, desk.quarantine, desk.feeds
    half = Forgetting(*parts, ended, desk.jobs, desk.clock, Pages(desk.redis))
    with pytest.raises(ServerUnavailable):
        half.forget(half.find(URL).target)
    desk.send(secret("three"), secret("one", revision=2))
    assert desk.ids() == ["one"]
    assert desk.forget(URL).count == 1
    assert holding(desk.redis, WORD) == []


@pytest.mark.parametrize("moment", ["between two readings", "before it is dropped"])
def test_what_is_given_back_by_the_quarantine_meanwhile_is_forgotten_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    (ref,) = desk.outbox.publish("feed", [secret()], {}, NOW)
    assert desk.quarantine.put(ref, desk.outbox.payload(ref) or b"", WORD, "", NOW) is Put.KEPT
    read, drop = desk.quarantine.everything, desk.outbox.drop

    def read_late() -> Iterator[Quarantined]:
        desk.quarantine.release(list(read()), NOW)
        return read()

    def drop_late(refs: Sequence[Ref]) -> None:
        assert desk.quarantine.release(list(read()), NOW) == [ref]
        drop(refs)

    if moment == "between two readings":
        monkeypatch.setattr(desk.quarantine, "everything", read_late)
        found = desk.forgetting.find(ref.article)
        assert (found.waiting, found.quarantined) == ([ref], [])
    else:
        monkeypatch.setattr(desk.outbox, "drop", drop_late)
    desk.forget(ref.article)
    assert holding(desk.redis, WORD) == []

"""The outbox: what is published once, waits until it is settled, and is never lost."""

import threading

from redis import Redis

from worker.connect import connect
from worker.model import Article, Ref
from worker.store import keys
from worker.store.outbox import Outbox

NOW = 1_750_000_000.0


def article(entry: str, revision: int = 1, feed: str = "f1", title: str = "Zwölf Männer — 十二人") -> Article:
    return Article(
        id=f"{feed}.{entry}", revision=revision, title=title, text="A text.", received=NOW, published=4070908800.0
    )


def test_what_is_published_is_loaded_as_it_was(outbox: Outbox) -> None:
    """Every field of an article survives the outbox, and the order of the refs is kept."""
    first, second = article("a"), article("b", revision=7)
    refs = outbox.publish("f1", [first, second], {"a": (b"", b"1"), "b": (b"", b"1")}, NOW)
    assert refs == [Ref("f1", "f1.a"), Ref("f1", "f1.b")]
    assert outbox.load(list(reversed(refs))) == [(refs[1], second), (refs[0], first)]


def test_publishing_twice_publishes_once(outbox: Outbox) -> None:
    """The second publication expects a mark that is no longer there: it is left out, and its seen mark too."""
    assert outbox.publish("f1", [article("a")], {"a": (b"", b"mark 1")}, NOW)
    assert outbox.publish("f1", [article("a", title="Other")], {"a": (b"", b"mark 2")}, NOW) == []
    assert outbox.marks("f1") == {"a": b"mark 1"}
    [(_, loaded)] = outbox.load([Ref("f1", "f1.a")])
    assert loaded.title == "Zwölf Männer — 十二人"


def test_one_entry_seen_does_not_keep_back_the_others(outbox: Outbox) -> None:
    outbox.publish("f1", [article("a")], {"a": (b"", b"1")}, NOW)
    both = {"a": (b"", b"1"), "b": (b"", b"1")}
    assert outbox.publish("f1", [article("a"), article("b")], both, NOW) == [Ref("f1", "f1.b")]


def test_a_revision_replaces_what_waits(outbox: Outbox) -> None:
    """An article waits once, in its newest revision."""
    outbox.publish("f1", [article("a")], {"a": (b"", b"1")}, NOW)
    outbox.publish("f1", [article("a", revision=2, title="New")], {"a": (b"1", b"2")}, NOW)
    [(_, loaded)] = outbox.load([Ref("f1", "f1.a")])
    assert (loaded.revision, loaded.title, outbox.depth()) == (2, "New", 1)


def test_an_older_revision_does_not_replace_what_waits(outbox: Outbox) -> None:
    """300 is greater than 7, as numbers and as they are packed; an equal one replaces, as when a file is sent again."""
    for revision, title in ((7, "Seventh"), (300, "Newest"), (8, "Eighth")):
        assert outbox.publish("f1", [article("a", revision, title=title)], {}, NOW)
    assert [(found.revision, found.title) for _, found in outbox.load([Ref("f1", "f1.a")])] == [(300, "Newest")]
    outbox.publish("f1", [article("a", 300, title="Again")], {}, NOW)
    assert [found.title for _, found in outbox.load([Ref("f1", "f1.a")])] == ["Again"]


def test_marks_alone_can_be_changed_and_forgotten(outbox: Outbox) -> None:
    """A mark without an article publishes nothing; a new mark of nothing forgets the entry if it is as expected."""
    outbox.publish("f1", [], {"a": (b"", b"1"), "b": (b"", b"1")}, NOW)
    assert outbox.publish("f1", [], {"a": (b"1", b""), "b": (b"0", b"")}, NOW) == []
    assert outbox.marks("f1") == {"b": b"1"}
    assert outbox.depth() == 0


def test_an_import_needs_no_marks(outbox: Outbox) -> None:
    """Articles without marks are published every time, thousands in one call, and leave no seen marks behind."""
    articles = [Article(id=f"line {number}", received=NOW) for number in range(1234)]
    refs = outbox.publish("import", articles, {}, NOW)
    assert [ref.article for ref in refs] == [f"line {number}" for number in range(1234)]
    assert len(outbox.publish("import", articles[:3], {}, NOW)) == 3
    assert (outbox.depth(), outbox.marks("import")) == (1234, {})


def test_settled_articles_are_gone(outbox: Outbox, redis: Redis) -> None:
    """Settling removes payload and pending mark and keeps the seen mark; settling twice is nothing."""
    refs = outbox.publish("f1", [article("a"), article("b")], {"a": (b"", b"1"), "b": (b"", b"1")}, NOW)
    outbox.settle([(refs[0], 1), (Ref("f9", "f9.x"), 3)])
    outbox.settle([(refs[0], 1)])
    assert [ref for ref, _ in outbox.load(refs)] == [refs[1]]
    assert outbox.depth() == 1
    outbox.settle([(refs[1], 1)])
    assert redis.exists(keys.payloads("f1"), keys.pending("f1")) == 0
    assert set(outbox.marks("f1")) == {"a", "b"}


def test_a_newer_revision_survives_the_settling_of_the_older(outbox: Outbox) -> None:
    """A worker that took revision 1 while revision 2 was published must not remove revision 2."""
    refs = outbox.publish("f1", [article("a")], {"a": (b"", b"1")}, NOW)
    outbox.publish("f1", [article("a", revision=300)], {"a": (b"1", b"2")}, NOW)
    outbox.settle([(refs[0], 1)])
    [(_, loaded)] = outbox.load(refs)
    assert loaded.revision == 300
    assert outbox.depth() == 1
    outbox.settle([(refs[0], 301)])
    assert outbox.load(refs) == []


def test_stale_articles_are_handed_out_once(outbox: Outbox) -> None:
    """What waits since before the limit is handed out, oldest first, and then not again until it is stale again."""
    for second, feed in enumerate(["f1", "f2", "f1", "f3"]):
        outbox.publish(feed, [article(f"e{second}", feed=feed)], {}, NOW + second)
    now = NOW + 63
    found = outbox.stale(now - 60, now, 100)
    assert sorted(found) == [("f1", "f1.e0"), ("f1", "f1.e2"), ("f2", "f2.e1")]
    assert outbox.stale(now - 60, now, 100) == []
    assert len(outbox.stale(now + 1, now + 61, 100)) == 4


def test_stale_keeps_to_its_limit_and_goes_on_where_it_stopped(outbox: Outbox) -> None:
    for feed in ("f1", "f2", "f3"):
        outbox.publish(feed, [article(f"e{number}", feed=feed) for number in range(4)], {}, NOW)
    found = [outbox.stale(NOW + 1, NOW + 60, 5) for _ in range(4)]
    assert [len(refs) for refs in found] == [5, 5, 2, 0]
    assert len({ref for refs in found for ref in refs}) == 12


def test_settled_feeds_leave_the_list_of_outboxes(outbox: Outbox, redis: Redis) -> None:
    """A feed with nothing pending is taken off, but not one listed since: its publisher may be about to write."""
    for feed in ("old", "new", "full"):
        outbox.publish(feed, [article("a", feed=feed)], {}, NOW)
    outbox.settle([(Ref("old", "old.a"), 1), (Ref("new", "new.a"), 1)])
    redis.zadd(keys.outboxes(), {"new": NOW + 100})  # as a publisher does just before its script
    outbox.stale(NOW + 50, NOW + 110, 100)
    assert set(redis.zrange(keys.outboxes(), 0, -1)) == {b"new", b"full"}
    outbox.publish("new", [article("b", feed="new")], {}, NOW + 100)
    assert Ref("new", "new.b") in outbox.stale(NOW + 200, NOW + 300, 100)


def test_two_pollers_at_once_publish_each_entry_once(redis_url: str) -> None:
    """Two pollers that read the same marks and publish the same new entries: every entry belongs to one of them."""
    entries = [str(number) for number in range(400)]
    results: list[list[Ref]] = []
    start = threading.Barrier(4)

    def poll() -> None:
        with connect(redis_url) as client:
            outbox = Outbox(client)
            start.wait(10)
            mine: list[Ref] = []
            for first in range(0, 400, 20):
                part = entries[first : first + 20]
                mine += outbox.publish("f1", [article(e) for e in part], dict.fromkeys(part, (b"", b"1")), NOW)
            results.append(mine)

    pollers = [threading.Thread(target=poll) for _ in range(4)]
    for poller in pollers:
        poller.start()
    for poller in pollers:
        poller.join(30)
    assert sorted(ref.article for refs in results for ref in refs) == sorted(f"f1.{entry}" for entry in entries)
    with connect(redis_url) as client:
        assert Outbox(client).depth() == 400


def test_all_keys_of_a_script_share_the_feeds_hash_tag() -> None:
    """On a cluster the three keys of a feed must lie in one slot."""
    tags = {key[key.index("{") : key.index("}")] for key in (keys.payloads("x"), keys.pending("x"), keys.seen("x"))}
    assert tags == {"{f.x"}

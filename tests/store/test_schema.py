"""A store of the previous version is carried over whole, beside processes of that version that still run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from pytest import MonkeyPatch
from rq.queue import Queue
from rq.serializers import JSONSerializer

from docs.generate import key_functions
from tests.store.recording import BRIDGE, LEDGER, NOW, PILOT, restore
from worker import connect as connect_module
from worker.clock import ManualClock
from worker.config import load
from worker.errors import LeaseLost, Permanent
from worker.feed.address import feed_id
from worker.jobs.job import QUEUE
from worker.model import Article, Ref, Story
from worker.runtime import Runtime, open_runtime
from worker.store import keys, schema
from worker.store.carrying import Carrying
from worker.store.commits import Commits
from worker.store.feeds import Feeds
from worker.store.keys import naming
from worker.store.outbox import Outbox
from worker.text import LANGUAGES

RECORDED = Path(__file__).with_name("schema_2.jsonl")
OLD, OURS = 2, schema.OURS
LATER = NOW + 30 * 3600
LEDGER_ID, PILOT_ID = feed_id(LEDGER), feed_id(PILOT)
HOLDS_BACK = {f"sw:{OLD}:{{{lang}}}:lease" for lang in ("und", *LANGUAGES)} | {f"sw:{OLD}:removed-feeds"}
"""What stays of the previous version, so that its processes do no harm."""

WAITING = [Ref(LEDGER_ID, f"{LEDGER_ID}.strike"), Ref(PILOT_ID, f"{PILOT_ID}.cracks")]


@contextmanager
def opened(url: str, *, carry_over: bool = True, at: float = LATER) -> Iterator[Runtime]:
    settings = load({"STORYWIRE_REDIS_URL": url})
    with open_runtime(settings, ManualClock(at), carry_over=carry_over) as runtime:
        yield runtime


@pytest.fixture
def server(redis_url: str) -> Iterator[Any]:
    """A server that holds what schema 2 wrote, without a line that says so: that version wrote none."""
    client = connect_module.connect(redis_url)
    assert restore(client, RECORDED) > 100
    yield client
    client.close()


@pytest.fixture
def as_old(monkeypatch: MonkeyPatch) -> Any:
    """Whatever runs inside is a process of the previous version: the same code, with its keys."""

    @contextmanager
    def old() -> Iterator[None]:
        with monkeypatch.context() as patched:
            patched.setattr(naming, "SCHEMA", OLD)
            yield

    return old


def story_of(runtime: Runtime, article: str) -> Story:
    found = runtime.stories.article(article)
    assert found is not None, f"{article} is in no story"
    story = runtime.stories.find(found[0], found[1].story)
    assert story is not None
    return story


def left_of(server: Any, version: int) -> set[str]:
    return {key.decode() for key in server.scan_iter(f"sw:{version}:*")}


def test_feeds_come_along_with_their_polls_and_seen_marks(server: Any, redis_url: str) -> None:
    """Address, name, poll state, place in the schedule, seen marks; and a removed feed stays removed."""
    with opened(redis_url) as runtime:
        ledger, pilot = runtime.feeds.get(LEDGER_ID), runtime.feeds.get(PILOT_ID)
        assert ledger is not None and (ledger.url, ledger.title, ledger.due) == (LEDGER, "The Ledger", NOW + 1800)
        assert pilot is not None and (pilot.polls.etag, pilot.polls.title, pilot.due) == ('"v7"', "Pilot", NOW + 900)
        assert set(runtime.outbox.marks(LEDGER_ID)) == {"bridge", "ferry", "bruecke", "strike"}
        assert set(runtime.outbox.marks(PILOT_ID)) == {"bridge", "cracks", "budget", "secret"}
        assert runtime.feeds.offer([("http://gone.example/feed", "")], LATER).removed == 1


def test_what_waits_is_clustered_once(server: Any, redis_url: str) -> None:
    """A new article and a revision wait; both are swept up and placed, and nothing else changes its story."""
    with opened(redis_url) as runtime:
        before = dict(runtime.stories.assignments())
        assert sorted(runtime.outbox.stale(LATER - 60, LATER, 10)) == sorted(WAITING)
        assert runtime.ingest.run(WAITING).counts == {"new": 1, "revised": 1}
        assert runtime.outbox.depth() == 0
        after = dict(runtime.stories.assignments())
        assert before.items() <= after.items() and set(after) - set(before) == {f"{LEDGER_ID}.strike"}


def test_stories_keep_their_numbers_and_go_on(server: Any, redis_url: str) -> None:
    """What is alike joins a story of before, a merged number still leads to its story, and the series of events goes
    on where a follower left it."""
    with opened(redis_url) as runtime:
        assert runtime.stories.counts() == {"articles": 6, "stories": 3}
        bridge = story_of(runtime, f"{LEDGER_ID}.bridge")
        assert (bridge.number, bridge.articles, bridge.copies) == (1, 3, 1)
        merged = runtime.stories.find("en", 3)
        assert merged is not None and merged.number == 2
        seen = runtime.stories.end()
        copy = Article(id="f.copy", title="Bridge", text=BRIDGE, lang="en", published=NOW + 7 * 3600, received=LATER)
        refs = runtime.outbox.publish("f", [copy], {}, LATER)
        assert runtime.ingest.run(refs).counts == {"joined": 1}
        assert story_of(runtime, "f.copy").number == 1
        assert [(event.kind, event.story) for event in runtime.stories.events(seen, 10)] == [("grew", 1)]


def test_corrections_and_what_was_forgotten_hold(server: Any, redis_url: str) -> None:
    with opened(redis_url) as runtime:
        assert [named.correction.kind for named in runtime.editing.corrections()] == ["merge", "pin"]
        secret = Article(
            id=f"{PILOT_ID}.secret", revision=2, title="Back again", text=BRIDGE, lang="en", received=LATER
        )
        refs = runtime.outbox.publish(PILOT_ID, [secret], {}, LATER)
        assert runtime.ingest.run(refs).counts == {"forgotten": 1}
        assert runtime.stories.article(secret.id) is None
        assert runtime.editing.undo("en.1").lifted.correction.kind == "merge"


def test_old_stories_end_and_leave_nothing_behind(server: Any, redis_url: str) -> None:
    """What came along is removed like anything else: no posting, band, article or list stays."""
    with opened(redis_url) as runtime:
        runtime.ingest.run(WAITING)
    with opened(redis_url, at=LATER + 400 * 86_400) as runtime:
        while runtime.ingest.expire():
            pass
        kept = {key.partition("}:")[2] or key for key in left_of(server, OURS) if "{f." not in key}
        heads = {name.partition(":")[0] for name in kept}
        assert not heads & {"a", "m", "t", "b", "active", "latest"}, kept


def test_every_key_comes_along_or_belongs_to_a_process(server: Any, redis_url: str) -> None:
    """A key that store/keys/ gains later is carried over, or its author says here why not."""
    of_processes = {keys.lease, keys.fence, keys.trials, keys.lags, keys.pollers, keys.poller, keys.schema}
    of_processes |= {keys.webs, keys.web, keys.readers, keys.reader}
    of_processes |= {keys.page_readers, keys.page_reads, keys.page_trouble, keys.listeners}
    of_processes |= {keys.gate, keys.visitors, keys.turns}
    # without these all goes on: a page is read in time or not, a hub is asked again, a page is claimed anew
    hints = {keys.pages, keys.subscriptions, keys.subscription, keys.pushes, keys.claim}
    # of this schema itself: that of before had no alerts, so that there is nothing to carry over to it
    new = {
        keys.identity,
        keys.alerts,
        keys.alerts_holder,
        keys.alerts_told,
        keys.alerts_queue,
        keys.alerts_waiting,
        keys.alerts_dead,
        keys.alerts_trouble,
    }
    written = {}
    for key in (each for each in key_functions() if each not in of_processes | hints | new):
        given = {
            "lang": "en",
            "uid": b"12345678",
            "number": 99,
            "term": "t",
            "index": 1,
            "value": b"v",
            "feed": LEDGER_ID,
        }
        name = key(*(given[argument] for argument in signature(key).parameters))
        old = name.replace(f"sw:{OURS}:", f"sw:{OLD}:")
        put(server, (key.__doc__ or "").split()[0].strip(",:"), old)
        written[old] = name
    with opened(redis_url):
        pass
    assert {name for name in written.values() if not server.exists(name)} == set()
    # what old processes still look at stays, and is looked at again
    assert {old for old in written if server.exists(old)} == {f"sw:{OLD}:outboxes", f"sw:{OLD}:removed-feeds"}


def put(server: Any, kind: str, key: str) -> None:
    """Something into a key of this type, which may hold something already."""
    if kind == "string":
        server.set(key, b"packed")
    elif kind == "hash":
        server.hset(key, "field", b"packed")
    elif kind == "set":
        server.sadd(key, "en")
    elif kind == "zset":
        server.zadd(key, {LEDGER_ID: LATER})
    else:
        server.xadd(key, {"e": b"packed"})


def test_nothing_of_the_previous_version_is_left_but_what_holds_it_back(server: Any, redis_url: str) -> None:
    with opened(redis_url) as runtime:
        assert schema.state(runtime.redis) == schema.State(OURS, OURS, left=False)
    assert left_of(server, OLD) == HOLDS_BACK
    with opened(redis_url) as runtime:  # and again: there is nothing to do
        assert runtime.stories.counts() == {"articles": 6, "stories": 3}


def test_the_queue_of_the_previous_version_goes_and_this_one_s_stays(server: Any, redis_url: str) -> None:
    """What its jobs name is swept up here. Its workers would find nothing to do in ours: each version has its own."""
    previous = Queue("storywire", connection=server, serializer=JSONSerializer)
    previous.enqueue("worker.tasks.ingest_batch", [list(ref) for ref in WAITING])
    with opened(redis_url) as runtime:
        assert not [key for key in server.scan_iter("rq:*") if b"rq:job:" in key or key == b"rq:queue:storywire"]
        runtime.jobs.enqueue(WAITING)
        assert server.exists(f"rq:queue:{QUEUE}") and f"{OURS}" in QUEUE
    with opened(redis_url) as runtime:
        assert runtime.jobs.depth() == 1


def test_an_upgrade_that_dies_on_the_way_is_finished_by_the_next_process(
    valkey_url: str, monkeypatch: MonkeyPatch
) -> None:
    """Killed before the n-th round trip, for every n: whoever starts next ends up with the same store."""
    server: Any = connect_module.connect(valkey_url)
    for nth in count(1):
        for key in list(server.scan_iter("*")):
            server.delete(key)
        restore(server, RECORDED)
        died = dies_at(nth, valkey_url, monkeypatch)
        for lang in ("en", "de"):  # they run out by themselves
            server.delete(keys.lease(lang))
        with opened(valkey_url) as runtime:
            assert runtime.feeds.count() == 2 and runtime.outbox.depth() == 2, nth
            assert runtime.stories.counts() == {"articles": 6, "stories": 3}, nth
            assert len(runtime.outbox.marks(LEDGER_ID)) == 4, nth
            if nth % 7 == 0:
                assert runtime.ingest.run(WAITING).counts == {"new": 1, "revised": 1}, nth
        assert left_of(server, OLD) == HOLDS_BACK, nth
        if not died:
            break
    server.close()
    assert nth > 30


def dies_at(nth: int, url: str, monkeypatch: MonkeyPatch) -> bool:
    """Whether a process that sends nothing from the n-th round trip on has died of it."""
    left = nth

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def send(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left <= 0:
                raise KeyboardInterrupt
            return real(*arguments, **options)

        return send

    with monkeypatch.context() as patched:
        patched.setattr(connect_module.Redis, "execute_command", dying(connect_module.Redis.execute_command))
        patched.setattr(connect_module.Pipeline, "execute", dying(connect_module.Pipeline.execute))
        try:
            with opened(url):
                return False
        except KeyboardInterrupt:
            return True


# --- beside processes of the previous version ---------------------------------------------------------------------


def test_a_batch_of_the_previous_version_is_refused_and_its_articles_are_clustered_here(
    server: Any, redis_url: str, as_old: Any
) -> None:
    """It was decided before the upgrade and comes after it: nothing is written twice, nothing is lost."""
    commits = Commits(server)
    with as_old():
        lease = commits._acquire("en", 1)
    with opened(redis_url) as runtime:
        with as_old():
            with pytest.raises(LeaseLost):
                commits.commit(lease, lease.view())
            with pytest.raises(LeaseLost, match="not free"), commits.lease("en", wait_s=0.05):
                pass
            Outbox(server).settle([(ref, 2) for ref in WAITING])  # it believes that it had placed them
        assert runtime.ingest.run(WAITING).counts == {"new": 1, "revised": 1}


def test_a_batch_that_was_committed_but_not_settled_is_not_placed_twice(
    server: Any, redis_url: str, as_old: Any
) -> None:
    with as_old(), opened_old(redis_url) as old:
        loaded = old.outbox.load(WAITING)
        old.ingest.run(WAITING)
        old.outbox.publish(LEDGER_ID, [loaded[0][1]], {}, LATER)
    with opened(redis_url) as runtime:
        assert runtime.ingest.run(WAITING).counts == {"repeated": 1}
        assert runtime.stories.counts()["articles"] == 7


def test_a_poll_of_the_previous_version_that_ends_after_the_upgrade_loses_nothing(
    server: Any, redis_url: str, as_old: Any
) -> None:
    """What it publishes is carried over by the next process of this version, and its feed is polled here in full, as
    what it learned of the feed was not recorded."""
    late = Article(id=f"{LEDGER_ID}.late", title="Late", text=BRIDGE, lang="en", received=LATER)
    with as_old():
        feeds, outbox = Feeds(server), Outbox(server)
        (leased,) = [feed for feed in feeds.lease_due(LATER, 60, 10) if feed.id == LEDGER_ID]
    with opened(redis_url) as runtime:
        with as_old():
            outbox.publish(LEDGER_ID, [late], {"late": (b"", b"m"), "bridge": (b"", b"m")}, LATER)
            assert not feeds.record(leased, replace(leased.polls, etag='"v8"'))
            assert feeds.all() == [] and not feeds.empty(), "it would poll the default feeds"
        kept = runtime.feeds.get(LEDGER_ID)
        assert kept is not None and kept.polls.etag == "" and kept.url == LEDGER
    with opened(redis_url) as runtime:
        assert {"late", "bridge", "strike"} <= set(runtime.outbox.marks(LEDGER_ID))
        assert runtime.outbox.marks(LEDGER_ID)["bridge"] != b"m", "what is known here does not give way"
        assert runtime.ingest.run([Ref(LEDGER_ID, late.id)]).counts == {"joined": 1}
        assert runtime.feeds.count() == 2


def test_an_older_revision_does_not_take_the_place_of_a_newer_one(server: Any, redis_url: str, as_old: Any) -> None:
    def revision(number: int) -> Article:
        return Article(id="f.a", revision=number, title=f"Revision {number}", text=BRIDGE, lang="en", received=LATER)

    with opened(redis_url) as runtime:
        runtime.outbox.publish("f", [revision(2)], {}, LATER)
        runtime.outbox.publish("g", [replace(revision(1), id="g.a")], {}, LATER)
        with as_old():
            Outbox(server).publish("f", [revision(1)], {}, LATER)
            Outbox(server).publish("g", [replace(revision(3), id="g.a")], {}, LATER)
    with opened(redis_url) as runtime:
        waiting = runtime.outbox.load([Ref("f", "f.a"), Ref("g", "g.a")])
        assert [article.revision for _, article in waiting] == [2, 3]


def test_a_damaged_payload_in_both_outboxes_stops_no_start(server: Any, redis_url: str, as_old: Any) -> None:
    """A start that fails on it would fail for ever. Of two the one that can be read is kept."""
    with as_old():
        old_payloads = keys.payloads("f")
    old, ours = {"a": b"x", "b": b"", "c": b"\0\0\0\1new"}, {"a": b"", "b": b"\0\0\0\1", "c": b"\0\0"}
    server.hset(old_payloads, mapping=old)
    server.hset(keys.payloads("f"), mapping=ours)
    server.zadd(f"sw:{OLD}:outboxes", {"f": LATER})
    with opened(redis_url):
        pass
    assert server.hgetall(keys.payloads("f")) == {b"a": b"", b"b": b"\0\0\0\1", b"c": b"\0\0\0\1new"}


def test_a_language_that_the_previous_version_had_not_met_cannot_begin_there(
    server: Any, redis_url: str, as_old: Any
) -> None:
    """Its stories would have to give way to this version's own of that language, though their articles were settled."""
    article = Article(id="f.a", title="Le pont", text="Le pont est fermé.", lang="fr", received=LATER)
    commits = Commits(server)
    with as_old():
        before = commits._acquire("it", 1)  # it has not said yet that there is such a language
    with opened(redis_url):
        pass
    with as_old(), opened_old(redis_url) as old:
        with pytest.raises(LeaseLost, match="not free"), commits.lease("fr", wait_s=0.05):
            pass
        with pytest.raises(LeaseLost):
            commits.commit(before, before.view())
        refs = old.outbox.publish("f", [article], {}, LATER)
    with opened(redis_url) as runtime:
        assert runtime.ingest.run(refs).counts == {"new": 1}


def test_a_process_that_slept_at_the_end_of_an_upgrade_sets_no_counter_back(
    server: Any, redis_url: str, monkeypatch: MonkeyPatch
) -> None:
    """Its lease has run out, another one has ended the upgrade, and a worker has committed since."""
    sleeper: Any = Carrying(server, OLD)
    finish = sleeper._finish

    def wakes_up_late(**arguments: Any) -> Any:
        monkeypatch.setattr(sleeper, "_finish", finish)
        for lang in ("en", "de"):  # which is what their TTL does
            server.delete(keys.lease(lang))
        with opened(redis_url) as runtime:
            runtime.ingest.run(WAITING)
        counted.update({lang: server.hgetall(keys.counters(lang)) for lang in ("de", "en")})
        return finish(**arguments)

    counted: dict[str, Any] = {}
    monkeypatch.setattr(sleeper, "_finish", wakes_up_late)
    with pytest.raises(LeaseLost, match="another process carries"):
        sleeper.run(LATER)
    for lang, before in counted.items():
        after = server.hgetall(keys.counters(lang))
        assert [after[name] for name in (b"seq", b"story")] == [before[name] for name in (b"seq", b"story")]
    assert counted["en"][b"seq"] > counted["de"][b"seq"]


def test_stories_of_this_version_stay_where_old_processes_began_the_same_language(
    server: Any, redis_url: str, as_old: Any
) -> None:
    """On a server on which this version had worked and found nothing to carry over; how many keys gave way is told."""
    german = {key: server.dump(key) for key in server.scan_iter(f"sw:{OLD}:{{de}}:*")}
    with opened(redis_url) as runtime:
        counted = server.hgetall(keys.counters("de"))
        for key, packed in german.items():
            server.restore(key, 0, packed, replace=True)
        server.sadd(f"sw:{OLD}:languages", "de")
        server.hset(f"sw:{OLD}:{{de}}:counters", mapping={"seq": 99, "story": 77})
        carried = Carrying(server, OLD).run(LATER)
        assert carried.dropped == len(german) - len({key for key in german if key.endswith((b"fence", b"counters"))})
        after = server.hgetall(keys.counters("de"))
        assert [after[name] for name in (b"seq", b"story")] == [counted[name] for name in (b"seq", b"story")]
        assert runtime.stories.counts() == {"articles": 6, "stories": 3}
    assert left_of(server, OLD) == HOLDS_BACK


@contextmanager
def opened_old(url: str) -> Iterator[Runtime]:
    """A runtime of the previous version, which asked for no version."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Runtime, "enter_store", lambda self, *, carry_over: None)
        with opened(url) as runtime:
            yield runtime


# --- which version is it? ---------------------------------------------------------------------------------------------


def test_a_newer_store_is_refused_with_what_to_do(redis_url: str) -> None:
    with opened(redis_url) as runtime:
        server: Any = runtime.redis
        server.set(keys.schema(), OURS + 1)
        for carry_over in (False, True):
            with (
                pytest.raises(Permanent, match=rf"schema {OURS + 1}, .* up to {OURS}: install the newer version"),
                opened(redis_url, carry_over=carry_over),
            ):
                pass
        with pytest.raises(Permanent, match="install the newer"):
            schema.ensure(server, "the server")
        assert server.get(keys.schema()) == str(OURS + 1).encode()


def test_a_command_that_only_looks_does_not_upgrade(server: Any, redis_url: str) -> None:
    before = left_of(server, OLD)
    with pytest.raises(Permanent, match=r"schema 2, .* start `storywire up`"), opened(redis_url, carry_over=False):
        pass
    assert left_of(server, OLD) == before and not server.exists(keys.schema())


def test_a_store_that_is_too_old_is_left_alone(redis_url: str, as_old: Any, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "OLDEST", OURS)
    with as_old(), opened_old(redis_url) as old:
        old.feeds.add(LEDGER, "", NOW)
    with pytest.raises(Permanent, match=rf"schema {OLD}, .* carries over {OURS} only"), opened(redis_url):
        pass


def test_an_empty_server_and_one_of_this_version_are_taken_as_they_are(redis_url: str) -> None:
    with opened(redis_url, carry_over=False) as runtime:
        assert schema.state(runtime.redis) == schema.State(OURS, OURS)
        runtime.feeds.add(LEDGER, "", NOW)
        server: Any = runtime.redis
        server.delete(keys.schema())
        assert schema.state(runtime.redis) == schema.State(OURS, OURS, written=False)

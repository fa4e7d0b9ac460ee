"""The server restarts, is replaced by an empty one, has no memory or no disk left, or its clock is set back: nothing of
what waits is lost, nothing is counted twice, and the work goes on."""

import asyncio
import itertools
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import NewServer
from tests.e2e import polling
from tests.e2e.feed_server import FeedServer, page
from tests.e2e.polling import poller, rss
from tests.fault.scene import BATCH, EARLIER, HOUR, Desk, article, check_replay, check_store, dump
from tests.fault.wire import Fault, Wire
from tests.servers import KINDS, Server
from tests.waiting import eventually
from worker.clock import ManualClock
from worker.errors import ServerUnavailable, Transient
from worker.model import Ref
from worker.store import keys
from worker.store.feeds import Feeds

BATCH_REFS = [Ref("feed", each.id) for each in BATCH]
ALL = {each.id for each in EARLIER + BATCH}


def patiently(run: Callable[[], object]) -> None:
    """As a worker does: again while the server is away or loading."""

    def done() -> bool:
        try:
            run()
        except Transient:
            return False
        return True

    eventually(done, 30, "the batch is done")


# --- restarts -----------------------------------------------------------------------------------------------------


def prepares(wire: Wire) -> Callable[[Fault | None], Desk]:
    """What makes desks with a batch that waits, each on a database of its own; the fault comes when the batch runs."""
    databases = itertools.count()

    def prepared(fault: Fault | None) -> Desk:
        desk = Desk(wire.url(next(databases)))
        desk.ingest.run(desk.publish(*EARLIER))
        desk.publish(*BATCH)
        wire.arm(fault)
        return desk

    return prepared


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_is_killed_at_any_command_of_a_batch_goes_on_from_its_log(
    new_server: NewServer, kind: str
) -> None:
    """kill -9 before a command reaches it, then a start from the AOF: the same store as if nothing had been, and once
    more after another restart, which shows that the AOF has it all."""
    server: Server = new_server(kind, persistent=True)
    wire = Wire(server.socket)
    prepared = prepares(wire)

    def restart() -> None:
        server.kill()
        server.start()

    try:
        clean = prepared(None)
        clean.ingest.run(BATCH_REFS)
        last = len(wire.commands)
        desks = []
        for at in range(1, last + 1, 1 if kind == "valkey" else 4):
            desk = prepared(Fault(at, hook=restart))
            patiently(lambda desk=desk: desk.ingest.run(BATCH_REFS))  # type: ignore[misc]
            assert wire.broke
            assert dump(desk.redis) == dump(clean.redis)
            desks.append(desk)
        restart()
        for desk in desks:
            assert dump(desk.redis) == dump(clean.redis)
            assert desk.outbox.depth() == 0
            desk.close()
        check_store(clean)
        clean.close()
    finally:
        wire.close()


def test_what_the_last_fsync_lacked_is_polled_again(new_server: NewServer, tmp_path: Path) -> None:
    """The server comes back from an older log: stories and seen marks went together, so the feeds, which still show
    the entries, bring them back."""
    server: Server = new_server(persistent=True)
    with FeedServer() as site:
        site.routes["/feed"] = page(rss(*items(3)), content_type="application/rss+xml")
        url = site.url("/feed")
        desk = Desk(server.url(0), ManualClock(polling.NOW))
        Feeds(desk.redis).add(url, "", desk.clock.now())
        poll_and_cluster(desk, url)
        log = next((server.folder / "appendonlydir").glob("*.incr.aof"))
        older = log.read_bytes()
        site.routes["/feed"] = page(rss(*items(5)), content_type="application/rss+xml")
        poll_and_cluster(desk, url)
        assert len(desk.assigned()) == 5
        before = desk.stories.counts()
        server.kill()
        log.write_bytes(older[:-7])  # the last write is torn, too
        server.start()
        assert len(desk.assigned()) <= 3
        poll_and_cluster(desk, url)
        poll_and_cluster(desk, url)
        assert len(desk.assigned()) == 5
        assert desk.stories.counts() == before
        check_store(desk)
        desk.close()


def items(count: int) -> list[tuple[str, str, str]]:
    """Entries of a feed that have nothing in common."""
    words = ["harbour", "election", "orchestra", "glacier", "satellite", "bakery"]
    return [
        (
            f"guid{n}",
            f"The {word} of number {n}",
            f"All about a {word}. Nothing but the {word} matters to {word}s here.",
        )
        for n, word in enumerate(words[:count])
    ]


def poll_and_cluster(desk: Desk, *urls: str) -> None:
    """Let a day pass, poll these feeds, and cluster what was queued or is found to wait."""
    bench = polling.Bench(Feeds(desk.redis), desk.outbox, desk.clock)

    async def turn() -> None:
        async with poller(bench):
            await bench.turn(*urls)

    desk.clock.advance(1000)
    asyncio.run(turn())
    now = desk.clock.now()
    patiently(lambda: desk.ingest.run([*bench.refs, *desk.outbox.stale(now - 60, now, 1000)]))


def test_an_empty_server_is_filled_again_from_the_feeds(new_server: NewServer) -> None:
    """Failover to a server that has nothing: the running poller adds its feeds to it and polls them, the workers find
    their scripts gone and load them, and every entry that the feeds still show is in a story once."""
    server: Server = new_server()
    with FeedServer() as site:
        site.routes["/feed"] = page(rss(*items(4)), content_type="application/rss+xml")
        url = site.url("/feed")
        desk = Desk(server.url(0), ManualClock(polling.NOW))
        feed, _ = Feeds(desk.redis).add(url, "My name for it", desk.clock.now())
        bench = polling.Bench(Feeds(desk.redis), desk.outbox, desk.clock)

        async def over() -> None:
            async with poller(bench):
                await bench.polled(url)
                desk.ingest.run(bench.refs)
                before = desk.assigned()
                server.kill()
                server.start()
                assert desk.redis.dbsize() == 0
                bench.queued.clear()
                await polling.eventually(lambda: bool(bench.feeds.get(feed)), lambda: "the feed is not back")
                await bench.polled(url)
                await polling.eventually(lambda: len(bench.refs) == 4, lambda: f"queued: {bench.refs}")
                desk.ingest.run(bench.refs)
                assert desk.assigned() == before
                found = bench.feeds.get(feed)
                assert found is not None and found.title == "My name for it"

        asyncio.run(over())
        check_store(desk)
        desk.close()


# --- memory and disk ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_memory_loses_nothing_and_the_work_goes_on_when_there_is_room(new_server: NewServer, kind: str) -> None:
    """Full before, in the middle of and after a batch: one clear line, no torn story, and the same end as without."""
    server: Server = new_server(kind)
    wire = Wire(server.socket)
    prepared, plain = prepares(wire), Desk(server.url(1000))

    try:
        clean = prepared(None)
        clean.ingest.run(BATCH_REFS)
        refused = 0
        for at in range(1, len(wire.commands) + 1):
            desk = prepared(Fault(at, hook=lambda: plain.redis.config_set("maxmemory", "1"), cut=False))
            try:
                desk.ingest.run(BATCH_REFS)
            except ServerUnavailable as error:
                refused += 1
                assert "is full (maxmemory is reached)" in str(error) and "STORYWIRE_RETENTION" in str(error)
                assert desk.outbox.depth() > 0
            check_store(desk)
            plain.redis.config_set("maxmemory", "0")
            desk.ingest.run(BATCH_REFS)
            assert dump(desk.redis) == dump(clean.redis)
            desk.close()
        assert refused, "the server was never full"
        clean.close()
    finally:
        plain.close()
        wire.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_server_still_lets_old_stories_end(new_server: NewServer, kind: str) -> None:
    """Or nothing would ever make room: the lease and a commit that only removes are written though memory is full."""
    desk = Desk(new_server(kind).url())
    desk.ingest.run(desk.publish(*EARLIER, *BATCH))
    desk.clock.advance(30 * 24 * HOUR)
    desk.redis.config_set("maxmemory", "1")
    with pytest.raises(ServerUnavailable):
        desk.publish(article("later"))
    assert desk.ingest.expire() == len(ALL)
    assert desk.stories.counts() == {"articles": 0, "stories": 0}
    desk.redis.config_set("maxmemory", "0")
    check_store(desk)
    desk.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_loses_nothing_and_the_work_goes_on_when_there_is_room(
    new_server: NewServer, kind: str, tmp_path: Path
) -> None:
    """The AOF cannot grow (a limit on the size of its files, which is met like the end of a disk): a clear line, the
    articles wait; with room again the batch is done, and the log has all of it."""
    server: Server = new_server(kind, persistent=True)
    ignoring = tmp_path / "server"
    ignoring.write_text(f"#!/bin/sh\ntrap '' XFSZ\nexec {server.program} \"$@\"\n")
    ignoring.chmod(0o700)
    server.kill()
    server.program = ignoring
    server.start()
    desk = Desk(server.url(0))
    desk.ingest.run(desk.publish(*EARLIER))
    desk.publish(*BATCH)
    size = max(path.stat().st_size for path in (server.folder / "appendonlydir").iterdir())
    unlimited = resource.RLIM_INFINITY
    resource.prlimit(server.process_id, resource.RLIMIT_FSIZE, (size + 100, unlimited))

    def refusal() -> str:
        try:
            desk.redis.set("filler", "x" * 200)
            desk.ingest.run(BATCH_REFS)
        except ServerUnavailable as error:
            return str(error)
        return ""

    said = eventually(refusal, 10, "the disk is full")
    assert "cannot write to its disk: free space there" in said
    check_store(desk)
    resource.prlimit(server.process_id, resource.RLIMIT_FSIZE, (unlimited, unlimited))
    patiently(lambda: desk.ingest.run(BATCH_REFS))
    assert set(desk.assigned()) == ALL
    check_store(desk)
    stored = dump(desk.redis)
    eventually(lambda: desk.redis.info("persistence")["aof_last_write_status"] == "ok", 10, "the log is written")
    server.kill()
    server.start()
    assert dump(desk.redis) == stored
    desk.close()


# --- the clock ----------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(redis_url: str) -> Iterator[Desk]:
    desk = Desk(redis_url)
    yield desk
    desk.close()


def test_articles_are_placed_once_and_in_the_same_order_though_the_clock_goes_back(desk: Desk) -> None:
    """Event times are the articles' own; one that claims to be from the future, now that it is earlier, counts as
    received. Every commit keeps its place."""
    desk.ingest.run(desk.publish(*EARLIER))
    desk.clock.advance(-HOUR)
    desk.ingest.run(desk.publish(*(each for each in BATCH if each.revision == 1)))
    check_store(desk)
    check_replay(desk, EARLIER + [each for each in BATCH if each.revision == 1])
    desk.clock.advance(9 * 24 * HOUR)
    desk.ingest.expire()
    assert desk.stories.counts() == {"articles": 0, "stories": 0}


def test_what_waits_is_queued_again_though_it_was_queued_in_the_future(desk: Desk) -> None:
    """Its job was lost, then the clock went back an hour: a worker's sweeper does not wait for that hour to pass."""
    refs = sorted(desk.publish(*EARLIER))
    desk.clock.advance(-HOUR)
    now = desk.clock.now()
    assert desk.outbox.stale(now - 60, now, 2) == refs[:2]
    assert desk.outbox.stale(now - 60, now, 100) == refs[2:]
    assert desk.outbox.stale(now - 60, now, 100) == [], "once"
    ahead = desk.outbox.publish("other", [article("x")], {}, now + 30)
    assert ahead and desk.outbox.stale(now - 60, now, 100) == [], "another machine's clock may be a little ahead"


def test_feeds_are_polled_on_though_the_clock_goes_back(new_server: NewServer) -> None:
    """What was planned for the next ten minutes is polled within them, by the poller that runs and by a new one."""
    server: Server = new_server()
    with FeedServer() as site:
        site.routes["/a"] = page(rss(*items(1)), content_type="application/rss+xml")
        site.routes["/b"] = page(rss(*items(2)), content_type="application/rss+xml")
        a, b = site.url("/a"), site.url("/b")
        desk = Desk(server.url(0), ManualClock(polling.NOW))
        for url in (a, b):
            Feeds(desk.redis).add(url, "", desk.clock.now())
        bench = polling.Bench(Feeds(desk.redis), desk.outbox, desk.clock)

        async def back() -> None:
            async with poller(bench):
                await bench.polled(a, b)
                desk.clock.advance(-HOUR)
                await polling.eventually(
                    lambda: all(bench.feed(url).due < desk.clock.now() + 700 for url in (a, b)), lambda: "still late"
                )
                await bench.turn(a, b, after_s=700)

        asyncio.run(back())
        Feeds(desk.redis).lease_due(desk.clock.now() + 700, 300, 10)  # by a poller that was killed
        desk.clock.advance(-HOUR)
        started = Feeds(desk.redis)
        started.lease_due(desk.clock.now(), 300, 10)
        assert len(started.lease_due(desk.clock.now() + 700, 300, 10)) == 2
        desk.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_lease_left_behind_before_the_servers_clock_went_back_is_taken_over(new_server: NewServer, kind: str) -> None:
    """Keys expire by the server's wall clock: a dead worker's lease would hold for an hour more. As the fence has
    moved on, its commit would be refused should it live after all."""
    desk = Desk(new_server(kind).url())
    refs = desk.publish(*EARLIER)
    with desk.commits.lease("en") as dead:
        desk.redis.pexpire(keys.lease("en"), 3_600_000 + 10_000)  # what an hour's step back makes of ten seconds
        desk.ingest.run(refs)
        with pytest.raises(Transient):
            desk.commits.commit(dead, dead.view())
    assert set(desk.assigned()) == {each.id for each in EARLIER}
    desk.close()

"""The connection breaks at the n-th command, for every n of a batch, of a correction, of an expiry and of a poll: the
end state is the one of a connection that held."""

import asyncio
import itertools
import signal
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import pytest
import redis.backoff
from structlog.testing import capture_logs

import worker.connect.single
from tests.e2e.feed_server import FeedServer, page
from tests.e2e.polling import rss
from tests.fault.scene import BATCH, EARLIER, HOUR, Desk, check_store, dump
from tests.fault.wire import Fault, Wire
from tests.servers import Server
from worker import config
from worker.clock import ManualClock
from worker.connect import connect_plain
from worker.editing import Editing
from worker.errors import Transient
from worker.feed.address import feed_id, normal_url
from worker.feed.parse import ParsedFeed, parse
from worker.jobs import Jobs
from worker.jobs.worker import BatchWorker
from worker.model import Ref, story_id
from worker.poller.loop import Poller
from worker.poller.parsers import Parsers
from worker.store import keys
from worker.store.feeds import Feeds
from worker.store.gates import Gates, Rule
from worker.store.pollers import Pollers

MODES = pytest.mark.parametrize(
    ("done", "lasting"),
    [(False, False), (True, False), (False, True), (True, True)],
    ids=["before it is sent", "after it was done", "before, until mended", "after, until mended"],
)


BATCH_REFS = [Ref("feed", article.id) for article in BATCH]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="module")
def databases() -> Iterator[int]:
    return itertools.count(1)


@pytest.fixture
def wire(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    quick = redis.backoff.ExponentialWithJitterBackoff(base=0.001, cap=0.002)
    monkeypatch.setattr(worker.connect.single, "ExponentialWithJitterBackoff", lambda **_: quick)
    wire = Wire(server.socket)
    yield wire
    wire.close()


def every_command(
    wire: Wire,
    databases: Iterator[int],
    prepare: Callable[[Desk], object],
    act: Callable[[Desk], object],
    faults: Callable[[int], Fault],
    step: int = 1,
    exact: bool = True,
) -> Iterator[tuple[Desk, Desk]]:
    """For each command that `act` sends: (a store on which all went well, one where a fault came at that command).

    Where the fault makes it fail, the wire is mended and it is done again, as a worker would. `step`: every how many
    commands; not `exact`: heartbeats come in between, and the last commands may not be reached.
    """

    wire.mend()
    prepared = Desk(wire.url(next(databases)))
    prepare(prepared)

    def fresh(fault: Fault | None) -> Desk:
        wire.mend()
        desk = Desk(wire.url(number := next(databases)), ManualClock(prepared.clock.now()))
        copies = prepared.redis.pipeline(transaction=False)
        for key in prepared.redis.scan_iter(count=1000):
            copies.copy(key, key, str(number))
        copies.execute()
        wire.arm(fault)
        return desk

    act(fresh(None))  # the scripts are known to the server from here on
    clean = fresh(None)
    act(clean)
    commands = list(wire.commands)
    assert len(commands) >= 5
    for n in range(1, len(commands) + 1, step):
        desk = fresh(faults(n))
        try:
            act(desk)
        except Transient as error:
            assert faults(n).lasting, f"one break at {commands[n - 1]} (command {n}) is not survived: {error}"
            wire.mend()
            act(desk)
        assert wire.broke or not exact, f"command {n} never came"
        yield clean, desk
        desk.close()
    clean.close()
    prepared.close()


def prepare_batch(desk: Desk) -> None:
    desk.ingest.run(desk.publish(*EARLIER))
    desk.publish(*BATCH)


def run_batch(desk: Desk) -> None:
    desk.ingest.run(BATCH_REFS)


@MODES
def test_a_batch_is_placed_once_wherever_the_connection_breaks(
    wire: Wire, databases: Iterator[int], done: bool, lasting: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bit for bit the store of a batch that was not disturbed, events and counters too. The lease that a lasting break
    leaves behind runs out: here after 50 ms."""
    monkeypatch.setattr("worker.store.commits.LEASE_S", 0.05 if lasting else 10.0)
    cases = every_command(wire, databases, prepare_batch, run_batch, lambda n: Fault(n, done=done, lasting=lasting))
    for clean, desk in cases:
        assert dump(desk.redis) == dump(clean.redis)
        check_store(desk)
        assert desk.outbox.depth() == 0
        assert set(desk.assigned()) == {article.id for article in EARLIER + BATCH}


@pytest.mark.parametrize("done", [False, True])
def test_the_end_of_a_story_is_counted_once(wire: Wire, databases: Iterator[int], done: bool) -> None:
    """Expiry has no place in the order of commits: its counter alone would tell of a commit that was done twice."""

    def prepare(desk: Desk) -> None:
        desk.ingest.run(desk.publish(*EARLIER))
        desk.clock.advance(8 * 24 * HOUR)
        desk.ingest.run(desk.publish(*(each for each in BATCH if each.lang == "de" or each.id == "feed.new")))

    for clean, desk in every_command(
        wire, databases, prepare, lambda desk: desk.ingest.expire(), lambda n: Fault(n, done=done)
    ):
        assert clean.stories.counts() == {"articles": 3, "stories": 3}, "two stories have ended"
        assert dump(desk.redis) == dump(clean.redis)
        check_store(desk)


@pytest.mark.parametrize("done", [False, True])
def test_a_correction_is_made_once(wire: Wire, databases: Iterator[int], done: bool) -> None:
    """One split, with one number and one event, though its answer was lost on the way back."""

    def prepare(desk: Desk) -> None:
        desk.ingest.run(desk.publish(*EARLIER, *BATCH))

    def act(desk: Desk) -> None:
        found = desk.stories.article("feed.b")
        assert found is not None
        story = desk.stories.find("en", found[1].story)
        assert story is not None and story.articles > 1
        Editing(desk.stories, desk.commits, desk.clock).split(story_id("en", story.number), ["feed.b"])

    for clean, desk in every_command(wire, databases, prepare, act, lambda n: Fault(n, done=done)):
        assert len(desk.commits.ties("en").all()) == 1
        assert dump(desk.redis) == dump(clean.redis)
        check_store(desk)


def test_the_server_may_forget_its_scripts_at_any_moment(wire: Wire, server: Server, databases: Iterator[int]) -> None:
    """SCRIPT FLUSH before every command of a batch, pipelines too: they are loaded again, and nothing shows."""
    plain = Desk(server.url(0))

    def flushed(n: int) -> Fault:
        return Fault(n, hook=plain.redis.script_flush, cut=False)

    for clean, desk in every_command(wire, databases, prepare_batch, run_batch, flushed):
        assert dump(desk.redis) == dump(clean.redis)
        assert desk.outbox.depth() == 0
    plain.close()


@pytest.fixture
def _signals() -> Iterator[None]:
    """A worker takes SIGTERM and SIGINT for itself."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_signals")
@pytest.mark.parametrize("done", [False, True])
def test_a_worker_s_job_is_done_wherever_its_connection_breaks(
    wire: Wire, databases: Iterator[int], done: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From taking the job to acknowledging it, RQ's own commands included, every seventh of them: the same store. A job
    that is lost on the way to the worker waits for the sweeper."""
    monkeypatch.setattr("worker.jobs.worker._RECONNECT_S", (0.01, 0.01, 0.01))

    def prepare(desk: Desk) -> None:
        prepare_batch(desk)
        Jobs(connect_plain(desk.url), len(BATCH)).enqueue(BATCH_REFS)

    def act(desk: Desk) -> None:
        client = connect_plain(desk.url)
        jobs = Jobs(client, len(BATCH))
        with capture_logs():
            for _ in range(3):
                BatchWorker(jobs, desk.ingest.run, lambda: None).run(burst=True)
                if not desk.outbox.depth():
                    break
                desk.clock.advance(100)
                found = desk.outbox.stale(desk.clock.now() - 60, desk.clock.now(), 100)
                jobs.enqueue(sorted(found, key=BATCH_REFS.index))
                desk.clock.advance(-100)  # the same order and time, so that stores can be compared
        client.close()

    cases = every_command(wire, databases, prepare, act, lambda n: Fault(n, done=done), step=7, exact=False)
    for clean, desk in cases:
        assert dump(desk.redis) == dump(clean.redis)
        assert desk.outbox.depth() == 0


class InProcess(Parsers):
    """Parses in this process: a poll a millisecond, not one a second."""

    async def __aenter__(self) -> "InProcess":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def parse(self, body: bytes, url: str, content_type: str) -> ParsedFeed:
        return parse(body, url, content_type)


ITEMS = [(f"item{n}", f"Headline {n} of the day", f"What happened there, number {n}.") for n in range(4)]


def poll(desk: Desk, url: str, queued: list[Ref]) -> None:
    """Poll what is due, once; `queued` takes what would be queued."""

    def enqueue(refs: Sequence[Ref]) -> int:
        queued.extend(refs)
        return 1

    poller = Poller(
        feeds=Feeds(desk.redis),
        outbox=desk.outbox,
        pollers=Pollers(desk.redis),
        gates=Gates(desk.redis, Rule(spacing_s=0.0), desk.clock),  # the clock stands still: no turn would come
        enqueue=enqueue,
        settings=config.load({"STORYWIRE_ALLOW_PRIVATE": "1"}),
        clock=desk.clock,
        parsers=InProcess(),
    )
    asyncio.run(poller.run(once=True))


@MODES
def test_a_poll_publishes_each_entry_once_wherever_the_connection_breaks(
    wire: Wire, databases: Iterator[int], done: bool, lasting: bool
) -> None:
    """Every entry waits in the outbox with its seen mark, and each is queued: at once after a break, by the sweeper
    after a lasting one. The feed is planned again, and was not forgotten."""
    with FeedServer() as feeds:
        feeds.routes["/feed"] = page(rss(*ITEMS), content_type="application/rss+xml")
        url = feeds.url("/feed")
        feed = feed_id(normal_url(url))
        everything = {f"{feed}.{entry}" for entry in reference_entries(wire, databases, url)}
        queues: dict[str, list[Ref]] = defaultdict(list)

        def act(desk: Desk) -> None:
            poll(desk, url, queues[desk.url])

        def prepare(desk: Desk) -> None:
            Feeds(desk.redis).add(url, "", desk.clock.now())

        cases = every_command(wire, databases, prepare, act, lambda n: Fault(n, done=done, lasting=lasting))
        for _, desk in cases:
            wire.mend()
            desk.clock.advance(1000)
            poll(desk, url, queued := queues[desk.url])
            swept = desk.outbox.stale(desk.clock.now() - 60, desk.clock.now(), 100)
            at_once = {ref.article for ref in queued}
            assert at_once | {ref.article for ref in swept} == everything
            assert lasting or at_once == everything, "only the sweeper would have found them"
            assert desk.outbox.depth() == len(ITEMS)
            assert set(desk.outbox.marks(feed)) == {name.removeprefix(f"{feed}.") for name in everything}
            found = Feeds(desk.redis).get(feed)
            assert found is not None and found.polls.succeeded and found.due == found.polls.next_poll
            assert len(desk.outbox.load([Ref(feed, name) for name in everything])) == len(ITEMS)


def reference_entries(wire: Wire, databases: Iterator[int], url: str) -> set[str]:
    """What an undisturbed poll marks as seen."""
    desk = Desk(wire.url(next(databases)))
    feed, _ = Feeds(desk.redis).add(url, "", desk.clock.now())
    poll(desk, url, [])
    entries = set(desk.outbox.marks(feed))
    assert len(entries) == len(ITEMS)
    assert desk.redis.zcard(keys.pending(feed)) == len(ITEMS)
    desk.close()
    return entries

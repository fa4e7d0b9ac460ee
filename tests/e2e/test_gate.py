"""Politeness as a server sees it: real pollers, real HTTP, and a server that watches its own gates."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import pytest

from tests import waiting as waiting_for
from tests.command import start_storywire, storywire
from tests.e2e.feed_server import Request, head, page
from tests.e2e.gate_server import GateServer
from tests.e2e.polling import NOW, Bench, eventually, poller, rss
from worker.connect import connect
from worker.store.feeds import Feeds

SPACING_S = 0.5
ITEM = ("a", "Dam breaks above the valley", "Two villages were cleared on Sunday night.")


@pytest.fixture
def server() -> Iterator[GateServer]:
    with GateServer(takes_s=0.02) as server:
        yield server


until = partial(waiting_for.eventually, within_s=40.0)
"""Whole processes take their time."""


def test_two_pollers_keep_every_gate_and_one_that_dies_inside_shuts_none(server: GateServer, valkey_url: str) -> None:
    """Two hosts of eight feeds each, polled as often as may be by two processes, one of which is killed while it asks:
    starts stay apart, no more than two are inside, and the other goes on with all feeds."""
    server.takes_s = 0.8
    with connect(valkey_url) as client, ExitStack() as closing:
        feeds, urls = Feeds(client), []
        for number in range(16):
            urls.append(server.address(1 + number % 2, f"/{number}"))
            server.serve(f"/{number}", page(rss(ITEM)))
            feeds.add(urls[-1], "", 0.0)
        often = {"poll_interval": "1s", "poll_min": "1s", "fetch_timeout": "2s", "log_level": "error"}
        polite = {"gate_spacing": f"{SPACING_S}s", "gate_parallel": 2}
        pollers = [start_storywire("poll", redis_url=valkey_url, **often, **polite) for _ in range(2)]
        for process in pollers:
            closing.enter_context(process)
            closing.callback(process.kill)
        until(lambda: len(server.requests) > 8 and any(seen.inside for seen in server.seen.values()), message="busy")
        os.kill(pollers[0].pid, signal.SIGKILL)
        asked = {path: len(server.asked(path)) for path in server.routes}
        until(
            lambda: all(len(server.asked(path)) > count for path, count in asked.items()),
            message=lambda: f"asked again: {[p for p, count in asked.items() if len(server.asked(p)) <= count]}",
        )
        assert server.kept(2, SPACING_S) == []


def test_a_second_poller_takes_load_off_the_first(server: GateServer, valkey_url: str) -> None:
    """Twenty hosts, polled as often as may be by one process that fetches two feeds at once, which is too few, and then
    by two of them: each does its part, and together they ask no host more often than one is allowed to."""
    server.takes_s = 0.2
    with connect(valkey_url) as client, ExitStack() as closing:
        feeds = Feeds(client)
        for number in range(20):
            server.serve(f"/{number}", page(rss(ITEM)))
            feeds.add(server.address(1 + number, f"/{number}"), "", 0.0)
        often = {"poll_interval": "1s", "poll_min": "1s", "poll_max": "1s", "log_level": "error"}

        def start(name: str) -> None:
            process = closing.enter_context(
                start_storywire(
                    "poll", redis_url=valkey_url, user_agent=name, gate_spacing="0.2s", fetch_parallel=2, **often
                )
            )
            closing.callback(process.kill)

        def share(since: int) -> dict[str, int]:
            return Counter(request.headers["user-agent"] for request in server.requests[since:])

        start("first")
        until(lambda: share(0)["first"] >= 20, message=lambda: f"polled: {share(0)}")
        start("second")
        until(lambda: share(0)["second"] >= 5, message=lambda: f"polled by the second: {share(0)}")
        since = len(server.requests)
        until(lambda: len(server.requests) >= since + 60, message=lambda: f"polled by both: {share(since)}")
        assert min(share(since)["first"], share(since)["second"]) >= 15, share(since)
        assert server.kept(2, 0.2) == []


def test_once_waits_for_its_turns(server: GateServer, valkey_url: str) -> None:
    """`poll --once` polls all that was due, though one host has seven of them."""
    with connect(valkey_url) as client:
        feeds = Feeds(client)
        for number in range(7):
            server.serve(f"/{number}", page(rss(ITEM)))
            feeds.add(server.address(1, f"/{number}"), "", 0.0)
        done = storywire("poll", "--once", redis_url=valkey_url, gate_spacing="0.5s", gate_parallel=2)
        assert done.returncode == 0, done.stderr
        told = {feed.url: (feed.polls.outcome, feed.polls.trouble, feed.polls.reason) for feed in feeds.all()}
        assert all(outcome == "ok" for outcome, _, _ in told.values()), f"{told}\n{done.stderr}"
    assert len(server.requests) == 7
    assert server.kept(2, 0.5) == []


async def test_feeds_of_one_host_are_planned_in_turn_and_say_so(server: GateServer, store: Bench) -> None:
    """Forty feeds of a host come due at once: each has a turn of its own in the schedule, and the reason in words."""
    for number in range(40):
        server.serve(f"/{number}", page(rss(ITEM)))
        store.feeds.add(server.address(1, f"/{number}"), "", NOW)
    async with poller(store, gate_spacing="10s", gate_parallel=2):
        await eventually(lambda: sum(feed.due == NOW for feed in store.feeds.all()) == 0, lambda: "still due")
        await eventually(partial(polled, store, 1), lambda: "the first was not asked")
        await eventually(lambda: waiting(store) == 39, lambda: f"{waiting(store)} wait for their turn")
        turns = [feed for feed in store.feeds.all() if feed.polls.reason.startswith("waits")]
        assert [round(feed.due - NOW, 3) for feed in turns] == [10.0 * n for n in range(1, 40)]
        assert {feed.polls.reason for feed in turns} == {"waits its turn: host 127.0.1.1 is asked at most every 10s"}
        for number in range(2, 6):
            store.clock.advance(10)
            await eventually(partial(polled, store, number), lambda: f"{len(server.requests)} asked")


def polled(store: Bench, count: int) -> bool:
    """Whether so many feeds have been polled."""
    return sum(bool(feed.polls.polled) for feed in store.feeds.all()) == count


def waiting(store: Bench) -> int:
    """How many feeds are to wait for their turn."""
    return sum(feed.polls.reason.startswith("waits its turn") for feed in store.feeds.all())


@pytest.mark.parametrize("status", [429, 503, 403])
async def test_retry_after_closes_the_hosts_gate(server: GateServer, store: Bench, status: int) -> None:
    """One feed is told to wait: the others of its host are not asked before that, those of another host are."""
    server.serve("/told", page("slow down", status=status, retry_after="1800"))
    server.serve("/other", page(rss(ITEM)))
    first, same, else_ = server.address(1, "/told"), server.address(1, "/other"), server.address(2, "/other")
    store.feeds.add(first, "", NOW)
    async with poller(store):
        await store.polled(first)
        await eventually(lambda: not server.seen["127.0.1.1"].inside, lambda: "still inside")
        store.clock.advance(60)
        store.feeds.add(same, "", store.clock.now())
        store.feeds.add(else_, "", store.clock.now())
        await store.polled(else_)
        await eventually(lambda: store.feed(same).polls.reason != "", lambda: "no reason for its waiting")
        reason = "waits until 15:37 UTC: host 127.0.1.1 asked to be left alone for a while (Retry-After)"
        assert (store.feed(same).polls.polled, store.feed(same).polls.reason) == (0.0, reason)
        assert len(server.seen["127.0.1.1"].starts) == 1
        store.clock.advance(1745)
        await store.polled(same)


async def test_a_redirect_passes_the_gate_of_where_it_leads(server: GateServer, store: Bench) -> None:
    """Five hosts redirect to one, which is asked in turn all the same: who is not let in comes again at its turn."""

    async def elsewhere(request: Request, writer: object) -> None:
        await head(writer, 302, {"Location": server.address(9, "/target"), "Content-Length": "0"})  # type: ignore[arg-type]

    server.serve("/moved", elsewhere)
    server.serve("/target", page(rss(ITEM)))
    urls = [server.address(host, "/moved") for host in range(1, 6)]
    for url in urls:
        store.feeds.add(url, "", NOW)
    async with poller(store, gate_spacing="20s"):
        await eventually(lambda: waiting(store) == 4, lambda: f"{waiting(store)} wait for their turn")
        await eventually(partial(polled, store, 1), lambda: "the first was not polled")
        reasons = {feed.polls.reason for feed in store.feeds.all() if feed.polls.reason.startswith("waits")}
        assert reasons == {"waits its turn: host 127.0.1.9 is asked at most every 20s"}
        target = server.seen["127.0.1.9"]
        for number in range(2, 6):
            store.clock.advance(20)
            await eventually(partial(polled, store, number), lambda: f"{len(target.starts)} asked")
    assert all(feed.polls.outcome == "ok" for feed in store.feeds.all())
    assert target.most == 1

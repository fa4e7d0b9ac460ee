"""Feeds and redirects that lead inside: nothing there is ever connected to, and the feed says why.

The victim is a listening socket on loopback: a connection would wait in its queue, even one without a request. Names
are answered by a function of the test's own, as a hostile name server would.
"""

import json
import re
import socket
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiohttp.abc import ResolveResult

from tests.command import here, start_storywire, storywire
from tests.e2e.feed_server import Answer, FeedServer, page
from tests.e2e.polling import rss
from tests.waiting import eventually
from worker.connect import connect
from worker.fetch import Failed, Fetched, Fetcher, Guard
from worker.fetch.guard import PrivateAddress, Resolve
from worker.store.feeds import Feeds

INSIDE = (
    "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://[::1]:{port}/", "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/", "http://0.0.0.0:{port}/", "http://[::]:{port}/", "https://127.0.0.1:{port}/",
    "http://me:secret@127.0.0.1:{port}/", "http://127.9.9.9:{port}/", "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/", "http://192.168.1.1/", "http://172.16.0.1/", "http://100.64.0.1/", "http://224.0.0.1/",
    "http://255.255.255.255/", "http://[fc00::1]/", "http://[fd00::1]/", "http://[fe80::1]/", "http://[ff02::1]/",
    "http://[64:ff9b::7f00:1]:{port}/", "http://[2002:7f00:1::1]:{port}/", "http://[2001:0:909:909::80ff:fffe]/",
)  # fmt: skip
ODD = ("http://0177.0.0.1:{port}/", "http://2130706433:{port}/", "http://0x7f.1:{port}/", "http://127.1:{port}/")
"""Numbers that the system's resolver takes for 127.0.0.1."""

RESOLVED = (
    "127.0.0.1", "0.0.0.0", "169.254.169.254", "10.0.0.1", "100.64.0.1", "224.0.0.1", "::1", "fc00::1", "fe80::1",
    "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
)  # fmt: skip

GOOD = page(rss(("g", "A good title", "A good text.")))


class Victim:
    """A service that trusts whoever can reach it."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.socket.setblocking(False)
        self.port: int = self.socket.getsockname()[1]

    def touched(self) -> bool:
        """Whether anything has connected."""
        try:
            self.socket.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@pytest.fixture
def victim() -> Iterator[Victim]:
    victim = Victim()
    yield victim
    victim.socket.close()


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


def found(address: str, port: int) -> ResolveResult:
    """One answer of a name server."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(hostname="name", host=address, port=port, family=family, proto=0, flags=0)


def answering(*addresses: str) -> Resolve:
    """A name server that knows one answer."""

    async def resolve(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        return [found(address, port) for address in addresses]

    return resolve


async def fetched(url: str, allowed: str = "0", resolve: Resolve | None = None) -> object:
    """What a fetch comes to, where `allowed` is the setting."""
    async with Fetcher(user_agent="test", timeout_s=5, guard=Guard(allowed), resolve=resolve) as fetcher:
        return await fetcher.fetch(url)


def assert_refused(answer: object, url: str) -> None:
    assert isinstance(answer, Failed), f"{url}: {answer}"
    assert answer.kind == "private", f"{url}: {answer}"
    assert re.search(r"set STORYWIRE_ALLOW_PRIVATE=\S+,|add \S+ to STORYWIRE_ALLOW_PRIVATE,", answer.reason), answer
    assert "secret" not in answer.reason
    assert "\n" not in answer.reason


async def test_no_address_inside_is_connected_to(victim: Victim) -> None:
    for url in INSIDE:
        assert_refused(await fetched(url.format(port=victim.port)), url)
    assert not victim.touched()


async def test_numbers_in_odd_notations_are_refused(victim: Victim) -> None:
    for url in ODD:
        answer = await fetched(url.format(port=victim.port))
        assert isinstance(answer, Failed), url
        assert "no plain IP address" in answer.reason or answer.kind == "private", f"{url}: {answer}"
    assert not victim.touched()


@pytest.mark.parametrize("address", RESOLVED)
async def test_names_that_resolve_inside_are_refused(victim: Victim, address: str) -> None:
    url = f"http://news.example:{victim.port}/"
    assert_refused(await fetched(url, resolve=answering(address)), address)
    assert_refused(await fetched(url, resolve=answering(address, "127.0.0.1", "::1")), address)
    assert not victim.touched()


async def test_redirects_inside_are_refused(victim: Victim, server: FeedServer) -> None:
    """From a server that may be reached: by literal address, by name, in odd notations, at once and at the third."""
    own = f"127.0.0.1:{server.port}"
    places = [url.format(port=victim.port) for url in (*INSIDE, *ODD)]
    for place in [*places, f"http://inside.example:{victim.port}/", f"//127.0.0.1:{victim.port}/"]:
        for status in (301, 302, 303, 307, 308):
            server.routes["/feed"] = redirect(place, status)
        server.routes |= {"/far": redirect("/farther"), "/farther": redirect(server.url("/feed"))}
        for path in ("/feed", "/far"):
            answer = await fetched(server.url(path), own, answering("10.0.0.7"))
            if place in places[len(INSIDE) :]:
                assert isinstance(answer, Failed), place
            else:
                assert_refused(answer, place)
    assert not victim.touched()


def redirect(place: str, status: int = 302) -> Answer:
    return page("", status=status, location=place)


async def test_a_name_that_changes_its_answer_reaches_nothing_inside() -> None:
    """127.0.0.2 stands for the public net: it alone is allowed. The name server answers now with it, now with
    127.0.0.1, where another server listens on the same port, now with both: whatever is connected to was checked."""
    calls = count()

    async def rebinding(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        answers = (["127.0.0.2"], ["127.0.0.1"], ["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "127.0.0.2"])
        return [found(address, port) for address in answers[next(calls) % len(answers)]]

    with FeedServer("127.0.0.2") as outside, FeedServer("127.0.0.1", outside.port) as inside:
        outside.routes["/feed"] = inside.routes["/feed"] = GOOD
        outside.routes["/again"] = redirect(f"http://other.example:{outside.port}/feed")
        guard = Guard(f"127.0.0.2:{outside.port}")
        outcomes = []
        for number in range(40):
            async with Fetcher(user_agent="test", timeout_s=5, guard=guard, resolve=rebinding) as fetcher:
                path = "/again" if number % 3 == 0 else "/feed"
                outcomes.append(await fetcher.fetch(f"http://news.example:{outside.port}{path}"))
        assert not inside.requests
        assert {type(outcome) for outcome in outcomes} == {Fetched, Failed}
        for outcome in outcomes:
            if isinstance(outcome, Failed):
                assert_refused(outcome, "rebinding")
        assert len(outside.asked("/feed")) == sum(isinstance(outcome, Fetched) for outcome in outcomes)


def test_the_socket_is_refused_for_what_no_resolver_saw() -> None:
    """The last word: even for addresses that come from elsewhere (a cache, a literal)."""
    with pytest.raises(PrivateAddress, match=r"\[::1\]:6379"):
        Guard().socket((socket.AF_INET6, socket.SOCK_STREAM, 0, "", ("::1", 6379, 0, 0)))


async def test_what_is_allowed_is_an_address_with_its_port_and_nothing_beside_it(
    victim: Victim, server: FeedServer
) -> None:
    server.routes["/feed"] = GOOD
    own = f"127.0.0.1:{server.port}"
    assert isinstance(await fetched(server.url("/feed"), own), Fetched)
    assert isinstance(await fetched(server.url("/feed"), f"[::1]:80, {own}"), Fetched)
    assert_refused(await fetched(f"http://127.0.0.1:{victim.port}/", own), "another port")
    assert_refused(await fetched(f"http://127.0.0.2:{server.port}/", own), "another address")
    assert not victim.touched()
    assert isinstance(await fetched(server.url("/feed"), "1"), Fetched)


def test_the_reason_is_kept_with_the_feed_and_goes_when_it_is_allowed(server: FeedServer, valkey_url: str) -> None:
    """As a person sees it: `feeds add` says it, `feeds list` has it, and with the setting the next start polls it."""
    server.routes["/feed"] = GOOD
    url = server.url("/feed")
    added = here("feeds", "add", "--no-fetch", url, redis_url=valkey_url, allow_private="0")
    assert added.returncode == 0, added.stderr
    assert "127.0.0.1 is an address of this machine" in added.stderr
    assert "STORYWIRE_ALLOW_PRIVATE=1" in added.stderr
    assert storywire("poll", "--once", redis_url=valkey_url, allow_private="0").returncode == 0
    [listed] = feeds_of(redis_url=valkey_url)
    remedy = f"set STORYWIRE_ALLOW_PRIVATE=127.0.0.1:{server.port}, or =1 for all such"
    assert listed["status"] == "failed"
    assert listed["trouble"] == f"leads to 127.0.0.1, an address of this machine: if it may be read, {remedy}"
    assert not server.requests
    again = storywire("poll", "--once", redis_url=valkey_url, allow_private=f"127.0.0.1:{server.port}")
    assert again.returncode == 0, again.stderr
    [listed] = feeds_of(redis_url=valkey_url)
    assert listed["status"] == "ok"
    assert not listed["trouble"]


def test_the_remedy_leaves_what_is_allowed_already_as_it_is() -> None:
    """Written as it is said, it would allow this address and forbid the others."""
    with pytest.raises(PrivateAddress, match=r"add 10\.0\.0\.7:80 to STORYWIRE_ALLOW_PRIVATE, or set it to 1 for all"):
        Guard("127.0.0.1:8000").check("10.0.0.7", 80)


def test_adding_localhost_names_the_remedy(valkey_url: str) -> None:
    run = here("feeds", "add", "--no-fetch", "http://localhost/feed", redis_url=valkey_url, allow_private="0")
    assert run.returncode == 0
    [line] = run.stderr.splitlines()
    assert "localhost is an address of this machine" in line
    assert "STORYWIRE_ALLOW_PRIVATE=1" in line
    allowed = here("feeds", "add", "--no-fetch", "http://localhost/feed", redis_url=valkey_url, allow_private="1")
    assert allowed.stderr == ""


def test_a_refused_feed_is_no_proof_of_a_network(valkey_url: str) -> None:
    """Without internet the others are told so, and are not taken for dead one by one."""
    with connect(valkey_url) as client:
        for number in range(3):
            Feeds(client).add(f"http://no-such-host-{number}.invalid/feed", "", 1.0)
        Feeds(client).add("http://10.0.0.1/feed", "", 0.5)
    run = storywire("poll", "--once", redis_url=valkey_url, allow_private="0")
    assert "no feed can be reached" in run.stderr, run.stderr


def test_a_demo_reaches_its_own_newsroom_and_nothing_else(server: FeedServer, data_dir: Path) -> None:
    """Whatever the person's own setting allows."""
    server.routes["/feed"] = GOOD
    with start_storywire("demo", "--data-dir", data_dir, data_dir=data_dir, allow_private="1") as demo:
        try:
            eventually((data_dir / "server.lock").exists, 30, "the demo has no store")
            eventually(lambda: len(feeds_of(data_dir=data_dir)) > 5, 30, "the demo has no feeds")
            assert here("feeds", "add", "--no-fetch", server.url("/feed"), data_dir=data_dir).returncode == 0
            eventually(lambda: own(data_dir, server)["trouble"], 30, "the feed was not polled")
            eventually(lambda: any(f["status"] in ("ok", "unchanged") for f in feeds_of(data_dir=data_dir)), 30)
        finally:
            demo.terminate()
            demo.communicate(timeout=30)
            demo.kill()
    assert "STORYWIRE_ALLOW_PRIVATE" in own(data_dir, server)["trouble"]
    assert not server.requests


def own(data_dir: Path, server: FeedServer) -> dict[str, str]:
    """The feed of the test's server, as the demo's store has it."""
    return next(feed for feed in feeds_of(data_dir=data_dir) if feed["url"] == server.url("/feed"))


def feeds_of(**settings: Any) -> list[dict[str, str]]:
    """What `feeds list` says."""
    run = here("feeds", "list", "--json", **settings)
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]

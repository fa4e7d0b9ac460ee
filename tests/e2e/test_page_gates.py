"""Readers of pages at gates, over real HTTP: what one site asks is kept there, and nobody waits for itself."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.e2e.feed_server import Answer, FeedServer, Request, page
from tests.e2e.gate_server import GateServer
from tests.e2e.test_pages import PAGE, Desk, reading
from worker.connect import connect
from worker.store.gates import Ask, Gates, Rule
from worker.store.outbox import Outbox
from worker.store.pages import Pages

HTML = page(PAGE, content_type="text/html")


@pytest.fixture
def server() -> Iterator[GateServer]:
    with GateServer(takes_s=0.0) as server:
        yield server


@pytest.fixture
def desk(valkey_url: str) -> Desk:
    client = connect(valkey_url)
    return Desk(Pages(client), Outbox(client), Gates(client, Rule(parallel=2, spacing_s=0.0)))


def by_host(**answers: str) -> Answer:
    """Another robots.txt for each host: the last number of its address -> its text."""

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        host = request.headers["host"].partition(":")[0].rpartition(".")[2]
        await page(answers[f"h{host}"])(request, writer)

    return answer


async def test_each_gate_hears_the_crawl_delay_of_its_own_site(server: GateServer, desk: Desk) -> None:
    """The first site wants 20 s between two pages and redirects to a second, which wants nothing: that one's other
    page is read at once, and the first's has to wait."""
    server.routes["/robots.txt"] = by_host(h1="User-agent: *\nCrawl-delay: 20\n", h2="User-agent: *\n")
    server.routes["/moved"] = page("", 302, location=server.address(2, "/shown"))
    server.routes["/shown"] = server.routes["/other"] = HTML
    async with reading(desk):
        await desk.settled(*desk.publish(server.address(1, "/moved")))
        first, second = (desk.gates.enter([Ask(server.address(n, "/"), "me", page=True)])[0] for n in (1, 2))
    assert (second.admitted, second.wait_s) == (True, 0.0)
    assert not first.admitted
    assert 10.0 < first.wait_s <= 20.0
    assert first.why == "waits its turn: host 127.0.1.1 wants its pages read slowly (Crawl-delay)"


async def test_a_redirect_to_another_port_of_a_host_that_is_asked_once_at_a_time(
    server: GateServer, desk: Desk
) -> None:
    """As http to https: another robots.txt, which is asked for while the page's visit holds the only place."""
    desk.gates.rule = Rule(parallel=1, spacing_s=0.0)
    with FeedServer("127.0.1.1") as other:
        other.routes["/shown"] = HTML
        server.routes["/moved"] = page("", 302, location=other.url("/shown"))
        async with reading(desk):
            (article,) = await desk.settled(*desk.publish(server.address(1, "/moved"), wait_s=6.0), within_s=12.0)
    assert article.page == "read"
    assert [request.path for request in other.requests] == ["/robots.txt", "/shown"]
    assert len(server.asked("/moved")) == 1


async def test_a_robots_txt_that_asks_to_be_left_alone_closes_the_gate_that_its_page_holds(
    server: GateServer, desk: Desk
) -> None:
    """It is asked for within the visit of the page that was redirected there: the whole host hears the answer."""
    with FeedServer("127.0.1.1") as other:
        other.routes["/robots.txt"] = page("slow down", 429, retry_after="900")
        server.routes["/robots.txt"] = page("User-agent: *\n")
        server.routes["/moved"] = page("", 302, location=other.url("/shown"))
        async with reading(desk):
            (article,) = await desk.settled(*desk.publish(server.address(1, "/moved")))
    assert article.page == "was left alone: the site's robots.txt cannot be had (status 429)"
    assert 880 < desk.gates.look("host 127.0.1.1").closed_s <= 900

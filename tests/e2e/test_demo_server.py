"""The newsroom's web server over real HTTP: validators, pages, a slow outlet and a broken one."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime

import aiohttp
import pytest

from worker.clock import ManualClock
from worker.demo.outlets import OUTLETS
from worker.demo.server import NewsroomServer, serving
from worker.feed.opml import read_opml

Get = Callable[..., Awaitable[tuple[int, Mapping[str, str], bytes]]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_767_600_000.0)


@pytest.fixture
async def get(clock: ManualClock) -> AsyncIterator[Get]:
    server = NewsroomServer(1, clock=clock, drip_s=0.001)
    site = await server.start()
    async with aiohttp.ClientSession() as session:

        async def fetch(path: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            async with session.get(site + path, headers=sent) as answer:
                return answer.status, answer.headers, await answer.read()  # headers by name in any case

        yield fetch
    await server.stop()


async def test_a_feed_that_has_not_changed_is_not_sent_again(get: Get, clock: ManualClock) -> None:
    status, headers, body = await get("/lantern/feed.xml")
    assert status == 200
    assert (await get("/lantern/feed.xml", If_None_Match=headers["ETag"]))[::2] == (304, b"")
    assert (await get("/lantern/feed.xml", If_None_Match=f'"x", W/{headers["ETag"]}'))[0] == 304
    assert (await get("/lantern/feed.xml", If_Modified_Since=headers["Last-Modified"]))[0] == 304
    since = headers["Last-Modified"]
    assert (await get("/lantern/feed.xml", If_None_Match='"x"', If_Modified_Since=since))[0] == 200
    assert (await get("/lantern/feed.xml", If_Modified_Since="yesterday"))[0] == 200
    clock.advance(60)
    status, changed, later = await get("/lantern/feed.xml", If_None_Match=headers["ETag"])
    assert status == 200
    assert later != body
    assert parsedate_to_datetime(changed["Last-Modified"]) > parsedate_to_datetime(since)


async def test_every_outlet_of_the_opml_serves_its_feed_and_the_pages_it_links_to(get: Get) -> None:
    outlines, _ = read_opml((await get("/feeds.opml"))[2], "feeds.opml")
    assert len(outlines) == len(OUTLETS)
    for outlet, outline in zip(OUTLETS, outlines, strict=True):
        path = "/" + outline.url.split("/", 3)[3]
        status, headers, body = await get(path)
        assert status == 200
        assert headers["Content-Type"].startswith("application/")
        link = body.decode().split(f"/{outlet.id}/{outlet.id}-")[1].split('"')[0].split("<")[0]
        status, _, page = await get(f"/{outlet.id}/{outlet.id}-{link}")
        assert status == 200
        assert b"<h1>" in page
    assert (await get("/"))[0] == 200


async def test_what_is_not_there_is_not_found(get: Get) -> None:
    for path in ("/nobody/feed.xml", "/lantern/lantern-99999999", "/lantern/../../etc/passwd"):
        assert (await get(path))[0] == 404


async def test_the_broken_outlet_fails_is_cut_short_and_recovers(get: Get) -> None:
    (name,) = [outlet.id for outlet in OUTLETS if outlet.manner == "broken"]
    answers = [await get(f"/{name}/feed.xml") for _ in range(10)]
    assert [status for status, _, _ in answers] == [200, 500, 200, 200, 200] * 2
    whole = [body.endswith(b"</rss>\n") for _, _, body in answers]
    assert whole == [True, False, True, True, False] * 2
    assert "ETag" in answers[3][1]
    assert "ETag" not in answers[4][1], "half a feed must not be taken for the current one"


async def test_the_slow_outlet_sends_all_of_its_feed_in_the_end(get: Get) -> None:
    (name,) = [outlet.id for outlet in OUTLETS if outlet.manner == "slow"]
    status, headers, body = await get(f"/{name}/feed.xml")
    assert status == 200
    assert int(headers["Content-Length"]) == len(body)
    assert body.endswith(b"</feed>\n")
    assert (await get(f"/{name}/feed.xml", If_None_Match=headers["ETag"]))[0] == 304


def test_a_port_that_is_taken_is_an_error_and_leaves_no_thread() -> None:
    with serving(NewsroomServer(1)) as site:
        port = int(site.rpartition(":")[2])
        with pytest.raises(OSError, match="address already in use"), serving(NewsroomServer(1, port=port)):
            pytest.fail("two servers on one port")

"""Feeds as bad as they come, polled by the real command: one clear line each, and the good ones get their turn."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.command import one_line, start_storywire, storywire
from tests.e2e.feed_server import Answer, FeedServer, Request, dashed, head, page
from tests.e2e.polling import rss
from tests.servers import free_port
from tests.waiting import eventually
from worker.clock import SystemClock
from worker.connect import connect
from worker.feed.address import feed_id
from worker.model import Article, Ref
from worker.store import keys
from worker.store.feeds import Feeds
from worker.store.outbox import Outbox

GOOD = rss(("g", "A good title", "A good text."))
UMLAUTS = rss(("u", "Zürcher Käse für Österreich", "Größe, Maß und Übermut"))
THREE = rss(("1", "One is whole", "x"), ("2", "Two is whole", "y"), ("3", "Three is cut", "z"))


def streamed(piece: bytes, **headers: str) -> Answer:
    """An answer without an end."""

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        await head(writer, 200, dashed(headers))
        while True:
            writer.write(piece)
            await writer.drain()

    return answer


async def drip(request: Request, writer: asyncio.StreamWriter) -> None:
    """A byte now and then: no read ever times out, the whole does."""
    await head(writer, 200, {})
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.1)


async def silent(request: Request, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def bomb(request: Request, writer: asyncio.StreamWriter) -> None:
    """A gigabyte of spaces, in a megabyte."""
    await head(writer, 200, {"Content-Encoding": "gzip"})
    packer = zlib.compressobj(9, wbits=31)
    for _ in range(1024):
        writer.write(packer.compress(b" " * 1_048_576))
        await writer.drain()
    writer.write(packer.flush())


async def broken_off(request: Request, writer: asyncio.StreamWriter) -> None:
    """Half of what was announced."""
    await head(writer, 200, {"Content-Length": "5000"})
    writer.write(GOOD.encode()[:200])


async def no_http(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")


def to(place: str, status: int = 302) -> Answer:
    return page("", status=status, location=place)


@dataclass
class Case:
    """A bad feed, and what must be said of it: outcome, and words of the line that names the trouble."""

    answer: Answer
    outcome: str
    says: str


CASES = {
    "empty": Case(page(""), "failed", "the answer is empty: check the address"),
    "blank": Case(page(" \n\n "), "failed", "the answer is empty"),
    "html": Case(
        page("<!DOCTYPE html><html><link rel='alternate' type='application/rss+xml' href='/rss?a=1&amp;b=2'></html>"),
        "failed",
        "/rss?a=1&b=2",
    ),
    "html-without": Case(page("<html><body>Hello</body></html>"), "failed", "look for its RSS address"),
    "json": Case(page('{"items": []}'), "failed", "JSON, not a feed"),
    "picture": Case(page(b"\x89PNG\r\n\x1a\n" + bytes(range(256))), "failed", "neither RSS nor Atom"),
    "no-entries": Case(page(rss()), "empty", "valid and has no entries yet"),
    "truncated": Case(page(THREE[: THREE.index("is cut") + 3]), "ok", "ends in the middle of an entry"),
    "50-mb": Case(page(b" " * 50_000_000), "failed", "is larger than 5 MB: remove the feed"),
    "endless": Case(streamed(b"<item>" * 10_000), "failed", "is larger than 5 MB"),
    "bomb": Case(bomb, "failed", "is larger than 5 MB"),
    "drip": Case(drip, "failed", "took longer than 2s: it is tried again later"),
    "silent": Case(silent, "failed", "took longer than 2s"),
    "broken-off": Case(broken_off, "failed", "broke off in the middle"),
    "half-gzip": Case(
        page(gzip.compress(GOOD.encode())[:-20], content_encoding="gzip"), "failed", "cannot be unpacked"
    ),
    "brotli": Case(page(b"\x0b\x02", content_encoding="br"), "failed", "compressed as 'br'"),
    "no-http": Case(no_http, "failed", "does not answer as a web server does"),
    "circle": Case(to("/circle"), "failed", "redirects in a circle"),
    "circle-a": Case(to("/circle-b"), "failed", "redirects in a circle"),
    "far": Case(to("/far1"), "failed", "redirects more than 5 times"),
    "to-file": Case(to("file:///etc/passwd"), "failed", "redirects to 'file:///etc/passwd', no http(s) address"),
    "to-nowhere": Case(to("http://"), "failed", "redirects to"),
    "404": Case(page("no", status=404), "failed", "status 404: there is no such page: look for the feed's new address"),
    "403": Case(page("no", status=403), "failed", "status 403: it does not let us in"),
    "500": Case(page("no", status=500), "failed", "status 500: it is tried again later"),
    "410": Case(page("no", status=410), "gone", "status 410: it is gone for good: remove it"),
    "429": Case(page("no", status=429, retry_after="7200"), "refused", "status 429: it was asked too often"),
    "503": Case(page("no", status=503), "refused", "status 503: it is overloaded"),
    "odd-304": Case(page("", status=304), "failed", "status 304"),
}

UNREACHABLE = {
    "https://127.0.0.1:{port}/": "failed",
    "http://127.0.0.1:{free}/": "unreachable",
    "http://no-such-host.invalid/feed": "unreachable",
}


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


def polled(url: str, **settings: Any) -> dict[str, dict[str, Any]]:
    """Run `storywire poll --once`; its line for each feed's URL."""
    run = storywire("poll", "--once", redis_url=url, log_format="json", **settings)
    assert run.returncode == 0, run.stderr
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    told = [line for line in lines if line["event"] == "polled"]
    assert len({line["url"] for line in told}) == len(told), "one line a feed"
    return {line["url"]: line for line in told}


def test_bad_feeds_say_what_is_wrong_and_the_others_get_their_turn(server: FeedServer, valkey_url: str) -> None:
    """All of them at once, and a good one before and after each."""
    server.routes = {f"/{name}": case.answer for name, case in CASES.items()}
    server.routes |= {"/circle-b": to("/circle-a")} | {f"/far{n}": to(f"/far{n + 1}") for n in range(1, 9)}
    urls = {server.url(f"/{name}"): case for name, case in CASES.items()}
    places = {"port": server.port, "free": free_port()}
    nowhere = {address.format(**places): outcome for address, outcome in UNREACHABLE.items()}
    with connect(valkey_url) as client:
        feeds, outbox = Feeds(client), Outbox(client)
        for number, url in enumerate([*urls, *nowhere]):
            server.routes[f"/good{number}"] = page(GOOD)
            feeds.add(url, "", number)
            feeds.add(server.url(f"/good{number}"), "", number + 0.5)
        told = polled(valkey_url, fetch_timeout="2s", fetch_parallel="12")
        for url, case in urls.items():
            line = told[url]
            assert (line["outcome"], case.says in line["trouble"]) == (case.outcome, True), f"{url}: {line}"
            assert "\n" not in line["trouble"]
        for url, outcome in nowhere.items():
            assert told[url]["outcome"] == outcome, told[url]
            assert told[url]["trouble"], f"{url} says what is wrong"
        good = {url: line for url, line in told.items() if "/good" in url}
        assert {line["outcome"] for line in good.values()} == {"ok"}
        assert len(good) == len(urls) + len(nowhere)
        assert outbox.depth() == len(good) + 2, "the good ones' articles, and the two whole ones of the cut document"
        gone = feeds.get(feed_id(server.url("/410")))
        assert gone is not None
        assert gone.paused, "410 is meant: the feed is not polled any more"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (UMLAUTS.encode("latin-1", "replace"), "application/rss+xml"),  # says UTF-8 and is Latin-1
        (UMLAUTS.replace("utf-8", "iso-8859-1").encode(), "text/xml; charset=iso-8859-1"),  # says Latin-1 and is UTF-8
        (UMLAUTS.replace("utf-8", "klingon").encode(), "text/xml"),
        (UMLAUTS.replace("utf-8", "utf-16").encode("utf-16"), "application/xml"),
        (UMLAUTS.replace('encoding="utf-8"', "").encode("latin-1"), "application/xml; charset=iso-8859-1"),
        (b"\xef\xbb\xbf" + UMLAUTS.encode(), "text/plain"),
        (gzip.compress(UMLAUTS.encode()), "gzip"),
        (zlib.compress(UMLAUTS.encode()), "deflate"),
        (zlib.compress(UMLAUTS.encode())[2:-4], "deflate"),
        (UMLAUTS.encode(), "gzip"),  # says gzip and is not
    ],
    ids=["latin-1", "mislabelled", "unknown", "utf-16", "header", "bom", "gzip", "deflate", "raw-deflate", "no-gzip"],
)
def test_encodings_are_read_whatever_is_said_of_them(
    server: FeedServer, valkey_url: str, body: bytes, content_type: str
) -> None:
    """The words come out as they were written."""
    kind: dict[str, Any] = {"content_type": content_type} if "/" in content_type else {"content_encoding": content_type}
    server.routes["/feed"] = page(body, **kind)
    [article] = _only_feed(server, valkey_url)
    assert (article.title, article.text) == ("Zürcher Käse für Österreich", "Größe, Maß und Übermut")


def test_entries_without_guids_or_dates_and_with_wild_dates_are_all_there(server: FeedServer, valkey_url: str) -> None:
    """No guid: the link, or the title, tells them apart. Dates stay as they are stated; what to believe comes later."""
    stated = {
        "none": "",
        "2099": "Thu, 01 Jan 2099 00:00:00 GMT",
        "1970": "Thu, 01 Jan 1970 00:00:00 GMT",
        "no": "soon",
    }
    items = "".join(
        f"<item><title>Date {name}</title><description>Text.</description><pubDate>{date}</pubDate></item>"
        for name, date in stated.items()
    )
    server.routes["/feed"] = page(f"<rss version='2.0'><channel><title>T</title>{items}<item/></channel></rss>")
    articles = _only_feed(server, valkey_url)
    assert {article.title: article.published for article in articles} == {
        "Date none": None,
        "Date 2099": 4070908800.0,
        "Date 1970": 0.0,
        "Date no": None,
        "": None,
    }
    assert len({article.id for article in articles}) == 5


def _only_feed(server: FeedServer, url: str) -> list[Article]:
    """The articles of /feed, polled by the command."""
    with connect(url) as client:
        feed, _ = Feeds(client).add(server.url("/feed"), "", 1.0)
        assert polled(url)[server.url("/feed")]["outcome"] == "ok"
        waiting = client.hkeys(keys.payloads(feed))
        return [article for _, article in Outbox(client).load([Ref(feed, name.decode()) for name in waiting])]


@pytest.mark.parametrize(
    "url",
    ["", "example", "ftp://example.org/feed", "file:///etc/passwd", "/etc/passwd", "javascript:alert(1)", "http://",
     "http:///feed", "http://exa mple.org/", "http://example.org:port/", "http://[::1/", "feed:ftp://example.org",
     "http://example.org/" + "a" * 3000],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_one_line(valkey_url: str, url: str) -> None:
    """`feeds add` names what was typed, says how to write it, fails, and adds nothing."""
    run = storywire("feeds", "add", "--", url, redis_url=valkey_url)
    assert run.returncode == 1
    said = one_line(run.stderr)
    assert "write it like https://example.org/feed.xml" in said
    assert url[:20] in said
    with connect(valkey_url) as client:
        assert Feeds(client).empty()


def test_without_a_network_one_line_says_so(valkey_url: str) -> None:
    """When of all feeds none can be reached, the demo is named, once."""
    with connect(valkey_url) as client:
        for number in range(3):
            Feeds(client).add(f"http://no-such-host-{number}.invalid/feed", "", 1.0)
    run = storywire("poll", "--once", redis_url=valkey_url)
    assert run.returncode == 0, run.stderr
    assert run.stderr.count("`storywire demo`") == 1
    assert "no feed can be reached" in run.stderr


def test_sigterm_ends_the_command_and_gives_leases_back(server: FeedServer, valkey_url: str) -> None:
    """The real process, while a feed hangs: it ends at once with status 0, and the feed is due again."""
    server.routes["/silent"] = silent
    with connect(valkey_url) as client:
        feed, _ = Feeds(client).add(server.url("/silent"), "", 1.0)
        process = start_storywire("poll", redis_url=valkey_url, fetch_timeout="60s")
        try:
            eventually(lambda: server.requests, 20, "the feed was not asked for")
            due = client.zscore(keys.schedule(), feed)
            process.terminate()
            _, errors = process.communicate(timeout=20)
        finally:
            process.kill()
            process.wait()
        assert process.returncode == 0, errors
        assert "Traceback" not in errors
        left = Feeds(client).get(feed)
        assert left is not None
        assert due is not None
        assert left.due <= SystemClock().now() < due, "the lease was given back"

"""Feeds as bad as they come, polled by the real command: one clear line each, and the good ones get their turn."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.command import here, one_line, start_storywire, storywire
from tests.e2e.feed_server import Answer, FeedServer, page
from tests.e2e.polling import rss
from tests.misbehaving.answering import bomb, endless, silent, to
from tests.servers import free_port
from tests.waiting import eventually
from worker.clock import SystemClock
from worker.connect import connect
from worker.feed.address import feed_id
from worker.store import keys
from worker.store.feeds import Feeds
from worker.store.outbox import Outbox

GOOD = rss(("g", "A good title", "A good text."))


@dataclass
class Case:
    """A bad feed, and what must be said of it: outcome, and words of the line that names the trouble."""

    answer: Answer
    outcome: str
    says: str


CASES = {
    "empty": Case(page(""), "failed", "the answer is empty: check the address"),
    "html": Case(page("<html><body>Hello</body></html>"), "failed", "look for its RSS address"),
    "no-entries": Case(page(rss()), "empty", "valid and has no entries yet"),
    "endless": Case(endless(b"<item>" * 10_000), "failed", "is larger than 5 MB"),
    "bomb": Case(bomb, "failed", "is larger than 5 MB"),
    "drip": Case(endless(b" ", 0.1), "failed", "took longer than 2s: it is tried again later"),
    "silent": Case(silent, "failed", "took longer than 2s"),
    "circle": Case(to("/circle"), "failed", "redirects in a circle"),
    "404": Case(page("no", status=404), "failed", "status 404: there is no such page: look for the feed's new address"),
    "410": Case(page("no", status=410), "gone", "status 410: it is gone for good: remove it"),
    "503": Case(page("no", status=503, retry_after="0"), "refused", "status 503: it is overloaded"),
}
"""A few of the table of tests/misbehaving, as a person meets them."""

UNREACHABLE = {
    "https://127.0.0.1:{port}/": "failed",
    "http://127.0.0.1:{free}/": "unreachable",
    "http://no-such-host.invalid/feed": "unreachable",
}


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
        assert outbox.depth() == len(good), "the good ones' articles"
        gone = feeds.get(feed_id(server.url("/410")))
        assert gone is not None
        assert gone.paused, "410 is meant: the feed is not polled any more"


@pytest.mark.parametrize(
    "url",
    ["", "example", "ftp://example.org/feed", "file:///etc/passwd", "/etc/passwd", "javascript:alert(1)", "http://",
     "http:///feed", "http://exa mple.org/", "http://example.org:port/", "http://[::1/", "feed:ftp://example.org",
     "http://example.org/" + "a" * 3000],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_one_line(valkey_url: str, url: str) -> None:
    """`feeds add` names what was typed, says how to write it, fails, and adds nothing."""
    run = here("feeds", "add", "--", url, redis_url=valkey_url)
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

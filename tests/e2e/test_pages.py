"""Pages of entries, over real HTTP and a real store: read politely, and where that fails the summary is clustered."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from tests.command import here, running, storywire
from tests.e2e.feed_server import Answer, FeedServer, Request, head, page
from tests.e2e.polling import eventually, rss
from tests.unit.page_layouts import PARAGRAPHS, SUMMARY, TITLE, classic, paywalled
from tests.waiting import eventually as until
from worker.clock import SystemClock
from worker.config import load
from worker.connect import connect
from worker.fingerprint import fingerprints
from worker.metrics import Metrics
from worker.model import AWAITED, Article, Member, Ref, story_id
from worker.pages.extractors import Extractors
from worker.pages.loop import Pager
from worker.runtime import Runtime, open_runtime
from worker.store.gates import Gates, Rule
from worker.store.outbox import Outbox
from worker.store.pages import Pages

PAGE = classic().body
FULL = "\n".join(PARAGRAPHS)


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with FeedServer() as server:
        server.routes["/robots.txt"] = page("", 404)
        yield server


@dataclass
class Desk:
    """A store, and what reads pages for it."""

    pages: Pages
    outbox: Outbox
    gates: Gates
    queued: list[Ref] = field(default_factory=list)

    def enqueue(self, refs: Sequence[Ref]) -> int:
        """Stands where the queue is."""
        self.queued += refs
        return 1

    def publish(self, *urls: str, wait_s: float = 30.0, **fields: object) -> list[Ref]:
        """Articles that carry a summary of these pages, waiting for them."""
        now = time.time()
        articles = [
            Article(id=f"feed.{n}", url=url, received=now, page=AWAITED, **(ENTRY | fields))  # type: ignore[arg-type]
            for n, url in enumerate(urls)
        ]
        refs = self.outbox.publish("feed", articles, {}, now)
        assert self.pages.add(refs, now, wait_s) == []
        return refs

    async def settled(self, *refs: Ref, within_s: float = 20.0) -> list[Article]:
        """The articles of these, once they are queued."""
        await eventually(
            lambda: set(refs) <= set(self.queued), lambda: f"queued: {self.queued} of {refs}", within_s=within_s
        )
        return [article for _, article in self.outbox.load(refs)]


ENTRY = {"title": "Bridge shut after ship hits it", "text": SUMMARY, "lang": "en", "source": "Courier"}


@pytest.fixture
def desk(valkey_url: str) -> Desk:
    client = connect(valkey_url)
    return Desk(Pages(client), Outbox(client), Gates(client, Rule(parallel=8, spacing_s=0.0)))


@asynccontextmanager
async def reading(
    desk: Desk,
    *,
    allow_private: str = "1",
    fetch_timeout: str = "5s",
    extractors: Extractors | None = None,
    metrics: Metrics | None = None,
) -> AsyncIterator[Pager]:
    """A reader of pages on the desk; stopped in the end."""
    settings = load(
        {
            "STORYWIRE_REDIS_URL": "unused",
            "STORYWIRE_ALLOW_PRIVATE": allow_private,
            "STORYWIRE_FETCH_TIMEOUT": fetch_timeout,
        }
    )
    pager = Pager(
        pages=desk.pages,
        outbox=desk.outbox,
        gates=desk.gates,
        enqueue=desk.enqueue,
        settings=settings,
        clock=SystemClock(),
        extractors=extractors,
        tick_s=0.02,
        metrics=metrics,
    )
    task = asyncio.create_task(pager.run())
    try:
        yield pager
    finally:
        pager.stop()
        async with asyncio.timeout(20):
            await task


async def test_the_full_text_takes_the_place_of_the_summary(server: FeedServer, desk: Desk) -> None:
    """Its feed's title, id, source and time stay; the address becomes the one that the page gives itself."""
    own = PAGE.replace(b"https://www.courier.example/news/bridge-closed", server.url("/news/1").encode())
    server.routes["/1"] = page(own, content_type="text/html; charset=utf-8")
    metrics = Metrics("pages")
    async with reading(desk, metrics=metrics):
        refs = desk.publish(server.url("/1"))
        (article,) = await desk.settled(*refs)
    assert article.page == "read"
    told = metrics.text().decode()
    assert 'storywire_pages_total{outcome="read"} 1.0' in told
    assert [stage for stage in ("wait", "fetch", "extract") if f'stage="{stage}"}} 1.0' not in told] == []
    assert [text for text in PARAGRAPHS if text not in article.text] == []
    assert (article.title, article.id, article.revision) == (ENTRY["title"], "feed.0", 1)
    assert article.url == server.url("/news/1")
    assert article.published == classic().published, "the feed had no date, the page has one"
    (asked,) = server.asked("/1")
    assert "Storywire" in asked.headers["user-agent"] and asked.headers["accept"].startswith("text/html")
    assert desk.pages.depth() == 0


class Missing(Extractors):
    """Extractors that count how often they were tried."""

    tries = 0

    async def prove(self) -> None:
        self.tries += 1
        await super().prove()


async def test_an_extractor_that_is_broken_is_told_of_once_and_is_no_page_s_fault(
    server: FeedServer, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """A package is missing: no site is asked for a page that nobody can read, and the articles wait for who can."""
    for path in ("/1", "/2"):
        server.routes[path] = page(PAGE, content_type="text/html")
    refs = desk.publish(server.url("/1"), server.url("/2"))
    missing = Missing(command=(sys.executable, "-c", "import storywire_has_no_such_package"))
    async with reading(desk, extractors=missing) as pager:
        await eventually(lambda: bool(desk.pages.trouble()), lambda: "nothing is said of it")
        pager._proof.try_at = 0.0
        await eventually(lambda: missing.tries == 2, lambda: "not tried again")
    told = desk.pages.trouble()
    assert "does not work (ModuleNotFoundError: No module named 'storywire_has_no_such_package'): install" in told
    assert capsys.readouterr().out.count("pages cannot be read") == 1
    assert (server.requests, desk.queued, desk.pages.recent()) == ([], [], [])
    async with reading(desk):
        assert [article.page for article in await desk.settled(*refs)] == ["read", "read"]
    assert desk.pages.recent() == ["", ""]


async def test_a_page_that_kills_its_extractor_fails_alone(server: FeedServer, desk: Desk) -> None:
    """Though it is the first one: a page of our own tells that the extractor works."""
    server.routes["/1"] = page(PAGE + b"<!-- deadly -->", content_type="text/html")
    server.routes["/2"] = page(PAGE, content_type="text/html")
    deadly = "import os, sys\nfrom worker.pages import extractor, extract\nreal = extractor.extract\n"
    deadly += "extractor.extract = lambda body, *rest: os._exit(1) if b'deadly' in body else real(body, *rest)\n"
    deadly += "extractor.answer_all(sys.stdin.buffer, sys.stdout.buffer)"
    async with reading(desk, extractors=Extractors(command=(sys.executable, "-c", deadly))):
        articles = await desk.settled(*desk.publish(server.url("/1"), server.url("/2")))
    assert [article.page for article in articles] == ["ended the process that read it", "read"]
    assert desk.pages.trouble() == ""


async def answers_slowly(request: Request, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def breaks_off(request: Request, writer: asyncio.StreamWriter) -> None:
    await head(writer, 200, {"Content-Type": "text/html", "Content-Length": "100000"})
    writer.write(PAGE[:400])


CONSENT = (
    "<html><body><main><h1>Before you continue</h1>"
    + "<p>Together with carefully selected advertisers this website would like your agreement for measuring audiences, "
    "developing products and personalising content across devices.</p>" * 8 + "</main></body></html>"
)
REFRESH = '<html><head><meta http-equiv="refresh" content="0; url=/elsewhere"></head><body></body></html>'

TROUBLES: dict[str, tuple[Answer, str]] = {
    "gone": (page("gone", 404), "answers with status 404"),
    "broken": (page("oops", 500), "answers with status 500"),
    "forbidden": (page("no", 403), "answers with status 403"),
    "slow": (answers_slowly, "took too long to come"),
    "huge": (page(b"<p>" + b"word " * 1_100_000, content_type="text/html"), "is larger than 5 MB"),
    "picture": (page(b"\x89PNG", content_type="image/png"), "is no HTML"),
    "cut-off": (breaks_off, "did not come as a whole"),
    "empty": (page("", content_type="text/html"), "is no web page that can be read"),
    "consent": (page(CONSENT, content_type="text/html"), "shows another text: a wall, or what stands where it was"),
    "refresh": (page(REFRESH, content_type="text/html"), "shows no article that can be told from the rest of the page"),
}
"""What pages come to, and what is kept of it."""


async def test_a_page_that_cannot_be_used_leaves_the_summary_and_its_reason(server: FeedServer, desk: Desk) -> None:
    server.routes |= {f"/{name}": answer for name, (answer, _) in TROUBLES.items()}
    async with reading(desk, fetch_timeout="2s"):
        articles = await desk.settled(*desk.publish(*(server.url(f"/{name}") for name in TROUBLES)))
    reasons = {article.url.rpartition("/")[2]: article.page for article in articles}
    assert reasons == {name: reason for name, (_, reason) in TROUBLES.items()}
    assert {article.text for article in articles} == {SUMMARY}


async def test_a_teaser_is_no_more_than_the_summary(server: FeedServer, desk: Desk) -> None:
    """What a paywall leaves over is not taken for the text."""
    server.routes["/1"] = page(paywalled().body, content_type="text/html")
    summary = SUMMARY + " " + PARAGRAPHS[1]
    async with reading(desk):
        (article,) = await desk.settled(*desk.publish(server.url("/1"), text=summary))
    assert (article.text, article.page) == (summary, "shows no more than the summary: the rest may be for subscribers")


async def test_robots_txt_is_asked_once_and_kept_to(server: FeedServer, desk: Desk) -> None:
    """Groups, wildcards, and the more specific rule: what is disallowed is never asked for."""
    ours = "Disallow: /*?print=\nDisallow: /private\nAllow: /private/1$\n"
    rules = f"User-agent: *\nDisallow: /\n\nUser-agent: storywire\n{ours}"
    server.routes["/robots.txt"] = page(rules, content_type="text/plain")
    paths = ["/ok", "/private/1", "/private/2", "/ok?print=1"]
    for path in paths:
        server.routes[path] = page(PAGE, content_type="text/html")
    async with reading(desk):
        articles = await desk.settled(*desk.publish(*(server.url(path) for path in paths)))
    disallowed = "is not for programs: the site's robots.txt disallows it"
    assert [article.page for article in articles] == ["read", "read", disallowed, disallowed]
    assert sorted(request.path for request in server.requests) == ["/ok", "/private/1", "/robots.txt"]


@pytest.mark.parametrize(
    ("answer", "came"),
    [
        (page("no", 404), "read"),
        (page("no", 403), "read"),
        (page("down", 503), "was left alone: the site's robots.txt cannot be had (status 503)"),
        (page("slow down", 429), "was left alone: the site's robots.txt cannot be had (status 429)"),
        (page("<html>not found</html>", content_type="text/html"), "read"),
    ],
    ids=["404", "403", "503", "429", "soft 404"],
)
async def test_a_missing_robots_txt_allows_all_and_a_broken_one_nothing(
    server: FeedServer, desk: Desk, answer: Answer, came: str
) -> None:
    """RFC 9309, 2.3.1."""
    server.routes |= {"/robots.txt": answer, "/1": page(PAGE, content_type="text/html")}
    async with reading(desk):
        (article,) = await desk.settled(*desk.publish(server.url("/1")))
    assert article.page == came
    assert len(server.asked("/1")) == (came == "read")


async def test_a_redirect_leads_to_no_page_that_robots_txt_disallows(server: FeedServer, desk: Desk) -> None:
    server.routes["/robots.txt"] = page("User-agent: *\nDisallow: /hidden\n")
    server.routes["/1"] = page("", 302, location="/hidden")
    server.routes["/2"] = page("", 302, location="/shown")
    server.routes["/hidden"] = server.routes["/shown"] = page(PAGE, content_type="text/html")
    async with reading(desk):
        articles = await desk.settled(*desk.publish(server.url("/1"), server.url("/2")))
    assert [article.page for article in articles] == ["is not for programs: the site's robots.txt disallows it", "read"]
    assert server.asked("/hidden") == []


async def test_a_private_address_is_not_asked(server: FeedServer, desk: Desk) -> None:
    """An entry's link is a stranger's input: neither its page nor its robots.txt is fetched."""
    async with reading(desk, allow_private="0"):
        (article,) = await desk.settled(*desk.publish(server.url("/1")))
    assert article.page == "is at a private address (STORYWIRE_ALLOW_PRIVATE)"
    assert server.requests == []


async def test_no_gate_is_passed_sooner_than_it_opens(server: FeedServer, desk: Desk) -> None:
    """Robots.txt counts as a request, and two readers share the gates."""
    times: list[float] = []

    async def note(request: Request, writer: asyncio.StreamWriter) -> None:
        times.append(time.monotonic())
        await page(PAGE, content_type="text/html")(request, writer)

    desk.gates.rule = Rule(parallel=2, spacing_s=0.4)
    server.routes |= {f"/{n}": note for n in range(4)} | {"/robots.txt": note}
    async with reading(desk), reading(desk):
        articles = await desk.settled(*desk.publish(*(server.url(f"/{n}") for n in range(4))))
    assert [article.page for article in articles] == ["read"] * 4
    gaps = [after - before for before, after in pairwise(times)]
    assert min(gaps) > 0.4 - 0.1, f"asked too soon: {gaps}"


async def test_a_host_that_asks_to_be_left_alone_is(server: FeedServer, desk: Desk) -> None:
    """429 with Retry-After: the other pages of the host have no time to wait for it, and say so."""
    desk.gates.rule = Rule(parallel=1, spacing_s=0.0)
    server.routes["/1"] = server.routes["/0"] = page("slow down", 429, retry_after="600")
    async with reading(desk):
        articles = await desk.settled(*desk.publish(server.url("/0"), server.url("/1")))
    reasons = sorted(article.page for article in articles)
    assert reasons[0] == "answers with status 429"
    assert reasons[1].startswith("was not read in time: waits") and "asked to be left alone" in reasons[1]
    assert len([request for request in server.requests if request.path != "/robots.txt"]) == 1


async def test_a_crawl_delay_is_kept(server: FeedServer, desk: Desk) -> None:
    server.routes["/robots.txt"] = page("User-agent: *\nCrawl-delay: 1\n")
    server.routes["/0"] = server.routes["/1"] = page(PAGE, content_type="text/html")
    desk.gates.rule = Rule(parallel=1, spacing_s=0.0)
    async with reading(desk):
        began = time.monotonic()
        await desk.settled(*desk.publish(server.url("/0"), server.url("/1")))
    assert time.monotonic() - began > 1.0


async def test_a_newer_revision_is_left_as_it_is(server: FeedServer, desk: Desk) -> None:
    """The feed edits its entry while the old revision's page is fetched: what was read of that is dropped."""
    asked, answer = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def slow(request: Request, writer: asyncio.StreamWriter) -> None:
        loop.call_soon_threadsafe(asked.set)
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(answer.wait(), loop))
        await page(PAGE, content_type="text/html")(request, writer)

    server.routes["/1"] = slow
    refs = desk.publish(server.url("/1"))
    async with reading(desk):
        await asked.wait()
        newer = Article(id="feed.0", revision=2, title="Edited", text="New summary.", received=1.0)
        desk.outbox.publish("feed", [newer], {}, time.time())
        answer.set()
        await eventually(lambda: desk.pages.depth() == 0, lambda: "it still waits")
    assert [article.revision for _, article in desk.outbox.load(refs)] == [2]
    assert desk.outbox.load(refs)[0][1].text == "New summary."
    assert desk.queued == []


async def test_a_stopped_reader_gives_back_what_it_reads(server: FeedServer, desk: Desk) -> None:
    server.routes["/1"] = answers_slowly
    refs = desk.publish(server.url("/1"))
    async with reading(desk, fetch_timeout="30s") as pager:
        await eventually(lambda: bool(server.asked("/1")), lambda: "not asked")
        pager.stop()
    server.routes["/1"] = page(PAGE, content_type="text/html")
    async with reading(desk):
        (article,) = await desk.settled(*refs, within_s=5)
    assert article.page == "read"


# --- whole processes ------------------------------------------------------------------------------------------------


@pytest.fixture
def runtime(valkey_url: str, data_dir: Path) -> Iterator[Runtime]:
    with open_runtime(load({}, redis_url=valkey_url, data_dir=str(data_dir))) as runtime:
        yield runtime


READ = {"pages": "auto", "log_format": "json"}
"""Settings of processes: pages are read, unlike in other tests."""


def feed_of(server: FeedServer, *paths: str) -> str:
    """A feed whose entries carry the summary and lead to these pages."""
    feed = rss(*((path, f"{TITLE} ({path})", SUMMARY) for path in paths))
    return feed.replace("https://example.org/", server.url("/"))


def members(runtime: Runtime) -> dict[str, Member]:
    """The clustered articles by their address."""
    found: dict[str, Member] = {}
    for lang in runtime.stories.languages():
        for story in runtime.stories.recent(lang, 0.0, 100):
            found |= {member.url: member for member in runtime.stories.members(lang, story.number)}
    return found


def clustered(runtime: Runtime, count: int) -> Callable[[], bool]:
    return lambda: runtime.stories.counts()["articles"] == count


def test_a_story_has_the_fingerprints_of_the_full_text(server: FeedServer, runtime: Runtime) -> None:
    """poll, pages and work as processes: one page is read, one is disallowed, one is not there."""
    server.routes["/robots.txt"] = page("User-agent: *\nDisallow: /closed\n")
    server.routes["/feed"] = page(feed_of(server, "open", "closed", "missing"), content_type="application/rss+xml")
    server.routes["/open"] = page(PAGE, content_type="text/html; charset=utf-8")
    runtime.feeds.add(server.url("/feed"), "", time.time())
    url = runtime.url
    with running("pages", **READ, redis_url=url):
        until(runtime.pages.alive, 20, "no reader of pages")
        with running("poll", **READ, redis_url=url), running("work", **READ, redis_url=url):
            until(clustered(runtime, 3), 40, lambda: f"{runtime.stories.counts()}, waiting: {runtime.pages.depth()}")
    found = members(runtime)
    full, closed, missing = (found[server.url(f"/{path}")] for path in ("open", "closed", "missing"))
    assert full.page == "read"
    whole = fingerprints(f"{TITLE} (open)", FULL, "en")
    assert full.prints.words > 2 * fingerprints(TITLE, SUMMARY, "en").words
    assert set(full.prints.terms) == set(whole.terms)
    assert closed.page == "is not for programs: the site's robots.txt disallows it"
    assert missing.page == "answers with status 404"
    (lang,) = runtime.stories.languages()
    shown = here("story", "show", story_id(lang, full.story), redis_url=url).stdout
    assert "full text from its page" in shown
    rows = here("report", "--members", "--json", redis_url=url).stdout
    assert '"page":"answers with status 404"' in rows.replace(": ", ":")


def test_without_a_reader_of_pages_summaries_are_clustered_at_once(server: FeedServer, runtime: Runtime) -> None:
    server.routes["/feed"] = page(feed_of(server, "open"), content_type="application/rss+xml")
    runtime.feeds.add(server.url("/feed"), "", time.time())
    assert storywire("poll", "--once", redis_url=runtime.url, pages="auto").returncode == 0
    assert storywire("work", "--burst", redis_url=runtime.url).returncode == 0
    (member,) = members(runtime).values()
    assert member.page == "was not read: no `storywire pages` was running"


def test_an_article_whose_reader_was_killed_is_clustered_all_the_same(server: FeedServer, runtime: Runtime) -> None:
    """kill -9 in the middle of a fetch, and no other reader: the sweeper queues the summary when its time is over."""
    server.routes["/feed"] = page(feed_of(server, "open"), content_type="application/rss+xml")
    server.routes["/open"] = answers_slowly
    runtime.feeds.add(server.url("/feed"), "", time.time())
    settings = {"redis_url": runtime.url, "pages_wait": "5s"}
    with running("pages", **READ, **settings) as reader:
        until(runtime.pages.alive, 20, "no reader of pages")
        with running("poll", **READ, **settings), running("work", **READ, **settings):
            until(lambda: bool(server.asked("/open")), 20, "the page was not asked for")
            reader.kill()
            until(clustered(runtime, 1), 60, "the article is lost")
    (member,) = members(runtime).values()
    assert member.page == "was not read in time"


def test_another_reader_goes_on_where_one_was_killed(server: FeedServer, runtime: Runtime) -> None:
    """Its lease runs out, well within the time that the article waits."""
    server.routes["/feed"] = page(feed_of(server, "open"), content_type="application/rss+xml")
    server.routes["/open"] = answers_slowly
    runtime.feeds.add(server.url("/feed"), "", time.time())
    url = runtime.url
    with running("pages", **READ, redis_url=url) as reader:
        until(runtime.pages.alive, 20, "no reader of pages")
        with running("poll", **READ, redis_url=url), running("work", **READ, redis_url=url):
            until(lambda: bool(server.asked("/open")), 20, "the page was not asked for")
            reader.kill()
            server.routes["/open"] = page(PAGE, content_type="text/html")
            with running("pages", **READ, redis_url=url):
                until(clustered(runtime, 1), 40, "nobody took it over")
    (member,) = members(runtime).values()
    assert member.page == "read"

"""The page of feeds over a real store: every state at a glance, found by words, paged, quick with ten thousand."""

import re
import time
from collections.abc import Iterator
from html import unescape
from statistics import median

import pytest

from tests.e2e.feed_health import add_polled, failed, ok, one_of_each
from tests.e2e.site import RunningSite, running_site, site_runtime
from tests.waiting import eventually
from worker.report.roster import Roster, State
from worker.runtime import Runtime
from worker.web.pages.feeds import ON_A_PAGE
from worker.web.pages.polls import STATES


@pytest.fixture
def runtime(valkey_url: str) -> Iterator[Runtime]:
    with site_runtime(valkey_url) as opened:
        yield opened


@pytest.fixture
def site(runtime: Runtime) -> Iterator[RunningSite]:
    with running_site(runtime) as running:
        yield running


def names(page: str) -> list[str]:
    """What the feeds of a list are called, in its order."""
    return [unescape(name) for name in re.findall(r'<th scope="row"><a href="[^"]*"><bdi>(.*?)</bdi>', page)]


def listed(site: RunningSite, query: str = "") -> str:
    answer = site.ask(f"/feeds{query}")
    assert answer.status == 200, answer.text
    return answer.text


def test_each_feed_stands_there_with_its_state_those_in_trouble_first(site: RunningSite) -> None:
    one_of_each(site.runtime)
    page = listed(site)
    assert names(page) == [
        "The Gazette", "Old Times", "Ledger", "Slow Monitor", "Fresh Air", "Harbour Courier", "National Wire",
        "Sunday Rest",
    ]  # fmt: skip
    assert re.findall(r'class="badge[^"]*">([^<]*)<', page) == [name for name, _ in STATES.values()]
    assert "8 feeds: 1 failing, 1 gone, 1 paused, 1 held back by its host, 1 not polled yet" in page
    assert "3 in a row" in page and "answers 500: the server has a fault" in page
    assert "its host asked to be left alone for a while" in page, "why its next poll is when it is"
    assert "breaks off in the middle" in page, "which could be read, and is not well"
    assert "paused by a person" in page and "is new: polled at once" in page


def test_a_feed_that_is_being_polled_says_so(site: RunningSite) -> None:
    """It stands in the schedule by the end of its lease, which its rhythm does not explain."""
    now = site.runtime.clock.now()
    add_polled(site.runtime, "https://ticker.example/f", "Ticker", ok(now - 60, wait_s=2.0, reason="every 2s"))
    assert site.runtime.feeds.lease_due(now, 15.0, 1)
    page = listed(site)
    assert "a poller has taken it, for so long at most" in page and "every 2s" not in page


def test_a_state_can_be_asked_for(runtime: Runtime) -> None:
    """And is told of each feed by one alone, so that the counts add up."""
    ids = one_of_each(runtime)
    roster = Roster(runtime.feeds.all(), runtime.clock.now(), {ids[State.PUSHED]})
    for state in State:
        assert [each.feed.id for each in roster.select(within=state).shown] == [ids[state]]
    assert sum(roster.select().counts.values()) == len(ids)


def test_words_are_looked_for_in_names_addresses_and_folders(site: RunningSite) -> None:
    one_of_each(site.runtime)
    site.runtime.feeds.add("https://tides.example/f", "Tides", time.time(), folder="World/Coast")
    assert names(listed(site, "?q=COAST")) == ["Tides"]
    assert names(listed(site, "?q=harbour+courier.example")) == ["Harbour Courier"]
    assert names(listed(site, "?q=example&status=paused")) == ["Sunday Rest"]
    assert "None of 9 feeds is like that" in listed(site, "?q=nowhere")


def test_what_cannot_be_asked_for_is_said(site: RunningSite) -> None:
    one_of_each(site.runtime)
    for query, said in (
        ("status=ill", "status: write one of failing,"),
        ("sort=x", "sort: write"),
        ("page=0", "page:"),
    ):
        answer = site.ask(f"/feeds?{query}", headers={"accept": "text/html"})
        assert answer.status == 400 and said in answer.text, answer.text
    assert site.ask("/feeds/000000000000").status == 404
    assert site.ask("/feeds/..%2fx").status == 404


def test_without_feeds_it_says_how_to_add_one(site: RunningSite) -> None:
    assert "storywire feeds add URL" in listed(site)


def test_a_feed_that_is_added_is_there_at_the_next_look(site: RunningSite) -> None:
    assert "No feeds yet" in listed(site)
    site.runtime.feeds.add("https://tides.example/f", "Tides", time.time())
    eventually(lambda: names(listed(site)) == ["Tides"], 3, "not within the time that a reading is kept")


def test_a_feed_has_its_last_polls_and_all_that_feeds_show_says(site: RunningSite) -> None:
    ids = one_of_each(site.runtime)
    page = site.ask(f"/feeds/{ids[State.FAILING]}").text
    assert "<bdi>The Gazette</bdi>" in page and "3 errors in a row" in page
    assert page.count("<tr><td") == 21, "a line a poll"
    assert page.count('<g class="poll') == 21, "a bar a poll"
    clocks = re.findall(r'<td class="when"><time[^>]*>(?:\d\d \w{3} )?(\d\d:\d\d:\d\d)<', page)
    assert len(set(clocks)) == 21, "each poll its time, however near they are"
    assert '<a href="/feeds" aria-current="true">' in page
    assert '<a href="https://gazette.example/rss" rel="noreferrer noopener nofollow">' in page
    pushed = site.ask(f"/feeds/{ids[State.PUSHED]}").text
    assert "https://hub.example/ (WebSub): subscribed for 24 h" in pushed
    assert "It was not polled yet" in site.ask(f"/feeds/{ids[State.NEW]}").text


def test_what_feeds_say_is_text(site: RunningSite) -> None:
    hostile = "<script>alert(1)</script>\u202e\x1b[31m"
    feed = add_polled(site.runtime, "https://evil.example/f", hostile, failed(time.time(), f"<img src=x>{hostile}"))
    for page in (listed(site), site.ask(f"/feeds/{feed}").text):
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "<script>alert" not in page and "<img" not in page and "\u202e" not in page and "\x1b" not in page


def test_ten_thousand_feeds_are_paged_and_quick(site: RunningSite) -> None:
    """Under 150 ms, by the median of twenty looks: a single one may fall on a machine that does something else."""
    runtime, now = site.runtime, site.runtime.clock.now()
    runtime.feeds.offer([(f"https://outlet{n}.example/feed", f"Outlet {n:05}") for n in range(10_000)], now)
    add_polled(runtime, "https://outlet77.example/feed", "Outlet 00077", ok(now))
    eventually(lambda: "10,000 feeds" in listed(site), 20)
    took_ms = []
    for page in range(1, 21):
        began = time.perf_counter()
        text = listed(site, f"?sort=name&page={page}")
        took_ms.append((time.perf_counter() - began) * 1000)
        first = (page - 1) * ON_A_PAGE
        assert names(text) == [f"Outlet {n:05}" for n in range(first, first + ON_A_PAGE)]
        assert len(text) < 200_000
    assert median(took_ms) < 150, took_ms
    assert "9,901 to 10,000 of 10,000 feeds" in listed(site, "?page=100")
    assert "Its last page" in listed(site, "?page=101")

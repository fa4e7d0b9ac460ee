"""The page of status over a real store: what `check` says, figures, who is alive, the quarantine; a server away."""

import os
import re
import time
from collections.abc import Iterator

import pytest

from tests.conftest import NewServer
from tests.e2e.site import RunningSite, article, fill, running_site, site_runtime
from tests.waiting import eventually
from worker.examinations import asked
from worker.model import Ref
from worker.names import this_host, this_version
from worker.runtime import Runtime
from worker.store.pollers import Sign

NAME = "desk.1234.5f"


@pytest.fixture
def runtime(valkey_url: str) -> Iterator[Runtime]:
    with site_runtime(valkey_url) as opened:
        yield opened


@pytest.fixture
def site(runtime: Runtime) -> Iterator[RunningSite]:
    with running_site(runtime) as running:
        yield running


def states(page: str) -> dict[str, str]:
    """The state of each line."""
    return dict(re.findall(r'<th scope="row">(\w+)</th><td class="state"><span class="badge \w+">(\w+)<', page))


def told(page: str, check: str) -> str:
    """What a line says, without its markup."""
    [said] = re.findall(rf'<th scope="row">{check}</th>.*?<td class="said">(.*?)</td>', page)
    return re.sub(r"<[^>]*>", "", said)


def shown(site: RunningSite, words: str) -> str:
    """The page, once it has these words: what was read is kept for two seconds."""
    asked: list[str] = []

    def has_them() -> bool:
        asked.append(site.ask("/status").text)
        return words in asked[-1]

    eventually(has_them, 10, lambda: asked[-1])
    return asked[-1]


def test_it_has_a_line_for_all_that_check_looks_at_with_state_and_remedy(site: RunningSite) -> None:
    page = site.ask("/status").text
    assert list(states(page)) == [check.capitalize() for check in asked(site.runtime.settings)]
    assert states(page)["Server"] == "ok" and states(page)["Queue"] == "broken"
    assert "start storywire work" in told(page, "Queue")
    assert "<code>storywire poll</code>" in page
    assert "<h1>" in page and "Broken: queue, pollers" in page
    assert "No worker and no poller: start" in page


def test_the_part_that_changes_can_be_asked_for_alone(site: RunningSite) -> None:
    part = site.ask("/status/now").text
    assert "<html" not in part and states(part)["Server"] == "ok"


def test_figures_and_who_is_alive(site: RunningSite) -> None:
    runtime = site.runtime
    fill(runtime, [article("herald/1", "Bridge closed", "The harbour bridge was closed on Monday after a collision.")])
    runtime.lags.note([0.4] * 50, time.time())
    runtime.lags.note([0.4] * 48 + [3.0, 7.0], time.time())
    runtime.pollers.beat(NAME, Sign("the server's memory is full", time.time()))
    page = shown(site, "<td>desk</td>")
    assert re.search(r"Fetch to story</dt><dd>0.40 s<small>[^<]*99 % within 3.0 s", page), page
    assert re.search(r"Articles a minute</dt><dd>10<small>100 articles", page)
    assert re.search(r"Stories</a></dt><dd>1<small>of 1 article, 1 language", page)
    assert '<td>poller</td><td>desk</td><td class="number">1234</td>' in page
    assert f'<td>web</td><td>{this_host()}</td><td class="number">{os.getpid()}</td><td>{this_version()}</td>' in page
    assert "<td>serves at " in page
    assert "holds back" in page and states(page)["Pollers"] == "look"


def test_a_web_process_that_ends_is_gone_at_once(runtime: Runtime) -> None:
    with running_site(runtime):
        eventually(lambda: len(runtime.webs.alive()) == 1, 10, "it gives no sign of life")
    assert not runtime.webs.alive()


def test_what_is_in_quarantine_is_told_with_the_way_back(site: RunningSite) -> None:
    runtime = site.runtime
    articles = [article(f"herald/{n}", "Title", "Text") for n in range(8)]
    runtime.outbox.publish("feed", articles, {}, time.time())
    for n, each in enumerate(articles):
        ref = Ref("feed", each.id)
        runtime.quarantine.put(ref, runtime.outbox.payload(ref) or b"", f"<b>raised {n}</b>", "", time.time() - 60 + n)
    page = shown(site, "raised")
    assert re.findall(r"&lt;b&gt;raised (\d)", page) == ["7", "6", "5", "4", "3"], "the newest first"
    assert "In quarantine: 8" in page and "storywire quarantine retry ARTICLE" in page
    assert states(page)["Quarantine"] == "look"


def test_a_server_that_is_away_is_said_and_nothing_else_made_up(new_server: NewServer) -> None:
    server = new_server()
    with site_runtime(server.url(0)) as runtime, running_site(runtime) as site:
        assert states(site.ask("/status").text)["Server"] == "ok"
        server.stop()
        page = shown(site, "Broken: server")
        assert states(page) == {"Server": "broken"}
        assert "Fetch to story" not in page

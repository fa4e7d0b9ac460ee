"""Every case of the table of misbehaving servers, against real servers and the real poller.

All feeds are polled together, in four rounds of one poller: what one does must cost only that one.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from time import monotonic

import pytest

from tests.e2e.feed_server import FeedServer, Request
from tests.e2e.polling import Bench, bench, poller
from tests.misbehaving import DOCUMENTED, Case, Places, groups
from tests.misbehaving.case import RESTS_H
from tests.misbehaving.certificates import certificates
from tests.misbehaving.lengths import TIMEOUT_S
from tests.servers import free_port
from worker.fetch import Fetcher, Guard
from worker.model import Article, Ref
from worker.schedule import PollState

CASES = [case for cases in groups(DOCUMENTED).values() for case in cases]
NAMES = [
    pytest.param(case.name, marks=pytest.mark.xfail(reason=case.owed) if case.owed else (), id=case.name)
    for case in CASES
]

WITHIN_S = 90.0
"""A round takes as long as the slowest case, and as parsing them all on a busy machine."""


@dataclass
class Result:
    """What came of a case: its feed after its last poll, all that it queued, all that its server was asked."""

    case: Case
    polls: PollState
    refs: list[Ref]
    articles: list[Article]
    asked: list[Request] = field(default_factory=list)


class Table:
    """All servers and cases of the table, polled on a bench."""

    def __init__(self, servers: dict[str, FeedServer], store: Bench) -> None:
        self.servers, self.store = servers, store
        closed = {"nowhere": f"http://127.0.0.1:{free_port()}"}
        self.places = Places(**{name: server.url("") for name, server in servers.items()}, **closed)
        self.cases = [case for cases in groups(self.places).values() for case in cases]
        self.results: dict[str, Result] = {}

    def url(self, case: Case) -> str:
        """The address of a case's feed."""
        return f"{case.path or getattr(self.places, case.at)}/{case.name}"

    async def run(self, fetcher: Fetcher) -> None:
        """Poll every case as often as it has answers; a gate for each, or one that is refused would hold up all."""
        async with poller(self.store, fetcher=fetcher, gate="feed", parallel=48):
            for number, rest_h in enumerate(RESTS_H):
                due = [case for case in self.cases if number < len(case.answers)]
                await self._round(due, number, rest_h * 3600.0)
                for case in due:
                    if number + 1 == len(case.answers):
                        self._finish(case)

    async def _round(self, due: list[Case], number: int, rest_s: float) -> None:
        for case in due:
            if server := self.servers.get(case.at):
                server.routes |= {f"/{case.name}": case.answers[number]} | case.more
        urls = [self.url(case) for case in due]
        if number == 0:
            for url in urls:
                self.store.feeds.add(url, "", self.store.clock.now())
        else:
            self.store.pass_time(rest_s, *urls)
        await self._polled(urls)

    async def _polled(self, urls: list[str]) -> None:
        """Wait for all of them, asking the store now and then: the poller shares this loop."""
        until, now = monotonic() + WITHIN_S, self.store.clock.now()
        while urls := [url for url in urls if self.store.feed(url).polls.polled != now]:
            assert monotonic() < until, f"not polled within {WITHIN_S} s: {urls}"
            await asyncio.sleep(0.2)

    def _finish(self, case: Case) -> None:
        feed, server = self.store.feed(self.url(case)), self.servers.get(case.at)
        refs = [ref for ref in self.store.refs if ref.feed == feed.id]
        articles = [article for _, article in self.store.outbox.load(refs)]
        asked = server.asked(f"/{case.name}") if server else []
        self.results[case.name] = Result(case, feed.polls, refs, articles, asked)
        self.store.feeds.remove(feed.id)


@pytest.fixture(scope="module")
def results(server_pool: object) -> Iterator[dict[str, Result]]:
    """What came of every case."""
    with ExitStack() as closing:
        made = certificates()

        def serving(host: str = "127.0.0.1", **how: object) -> FeedServer:
            return closing.enter_context(FeedServer(host, **how))  # type: ignore[arg-type]

        servers = {"plain": serving(), "numbered": serving("::1"), "kept": serving(keep=True)}
        servers |= {
            name: serving(tls=getattr(made, name))
            for name in ("trusted", "self_signed", "expired", "other_name", "stranger")
        }
        table = Table(servers, bench(server_pool.url("valkey")))  # type: ignore[attr-defined]
        own = ",".join(f"{f'[{s.host}]' if ':' in s.host else s.host}:{s.port}" for s in servers.values())
        down = table.places.nowhere.partition("//")[2]
        fetcher = Fetcher(user_agent="test", timeout_s=TIMEOUT_S, guard=Guard(f"{own},{down}"), tls=made.trusting)
        asyncio.run(table.run(fetcher))
        yield table.results


def test_no_two_cases_have_one_name() -> None:
    """A name is a path of the server, and what a failing test is known by."""
    assert len({case.name for case in CASES}) == len(CASES) > 100
    assert all(len(case.answers) <= len(RESTS_H) for case in CASES)
    others = [path for case in CASES for path in case.more]
    assert len(set(others)) == len(others)
    assert not {f"/{case.name}" for case in CASES} & set(others)


@pytest.mark.parametrize("name", NAMES)
def test_a_misbehaving_server(results: dict[str, Result], name: str) -> None:
    """What the table says of it is what comes of it, to the letter."""
    result = results[name]
    case, polls = result.case, result.polls
    assert (polls.outcome, polls.trouble) == (case.outcome, case.told)
    assert sorted(article.title for article in result.articles) == sorted(case.titles)
    assert len(result.refs) == case.revisions, "each revision is queued once"
    if case.waits_h is not None:
        least, most = case.waits_h
        wait_h = (polls.next_poll - polls.polled) / 3600
        assert least <= wait_h <= most, f"{wait_h:.2f} h: {polls.reason}"
    if case.sent is not None:
        assert case.sent(result.asked), [request.headers for request in result.asked]
    if case.brought is not None:
        assert case.brought(result.articles), result.articles

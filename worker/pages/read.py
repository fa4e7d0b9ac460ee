"""One page: its site's robots.txt, its gate, the fetch, what is on it, and the article that follows.

Invariant: a page is asked for only where its site lets programs in, and no host before its gate said so; the answer is
an article, with its page's text or with the reason why not.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from worker.clock import Clock
from worker.fetch import Failed, Fetched, Fetcher
from worker.model import Article
from worker.pages.choose import failed, with_page, without_page
from worker.pages.extractors import Extractors
from worker.pages.robots import Policies, Policy, address, policy
from worker.store.gates import Gates, Turn
from worker.visit import Answer, NotYet, Visit

_SOON_S = 0.2
"""When who needs a robots.txt that another is fetching looks again."""


class Disallowed(Exception):
    """A site does not want this page fetched; the text says why, in words that follow "its page"."""


@dataclass
class Told:
    """What the canonical log line says of a page: milliseconds a stage, and sizes."""

    facts: dict[str, Any] = field(default_factory=dict)
    _since: float = field(default_factory=time.perf_counter)

    def stage(self, name: str, **facts: Any) -> None:
        """A stage has ended."""
        now = time.perf_counter()
        self.facts |= facts | {f"{name}_ms": round((now - self._since) * 1000, 1)}
        self._since = now


@dataclass
class Reading:
    """Reads pages with these parts. `agent`: who we are to robots.txt, the User-Agent as it is sent."""

    fetcher: Fetcher
    robots_fetcher: Fetcher
    extractors: Extractors
    gates: Gates
    aside: Callable[..., Awaitable[Any]]
    clock: Clock
    agent: str
    _policies: Policies = field(default_factory=Policies)
    _asking: set[str] = field(default_factory=set)

    async def read(self, article: Article, told: Told) -> Article:
        """The article with its page, or with the reason. May be cancelled; raises NotYet and StorywireError."""
        visit = Visit(article.id, self.gates, self.aside, self.clock, page=True)
        answer: Answer | None = None
        try:
            await self._enter(visit, article.url)
            told.stage("wait")
            answer = await self.fetcher.fetch(article.url, before_redirect=lambda url: self._enter(visit, url))
        except Disallowed as error:
            return without_page(article, str(error))
        finally:
            await self._leave(visit, answer)
        told.stage("fetch")
        if not isinstance(answer, Fetched):
            return without_page(article, failed(answer) if isinstance(answer, Failed) else "has not come")
        page = await self.extractors.extract(answer.body, answer.url, answer.content_type)
        told.stage("extract", bytes=len(answer.body), chars=len(page.text))
        return with_page(article, page, answer.url)

    async def _enter(self, visit: Visit, url: str) -> None:
        """Return when this address of a page may be asked, the first or one that a redirect leads to."""
        site = await self._permitted(visit, url)
        await visit.enter(url, site.delay_s(self.agent))

    async def _permitted(self, visit: Visit, url: str) -> Policy:
        """What the site of this page asks. Raises Disallowed for a page that is not for programs, and NotYet."""
        try:
            robots = address(url)
        except ValueError:
            raise Disallowed("has an address that cannot be used") from None
        site = self._policies.find(robots, self.clock.now()) or await self._ask(robots, visit)
        if reason := site.why_not(url, self.agent):
            raise Disallowed(reason)
        return site

    async def _ask(self, robots: str, within: Visit) -> Policy:
        """The policy at this address: fetched once, however many pages wait for it, and by the visit of the page where
        that is at its gate already."""
        if robots in self._asking:
            raise NotYet(Turn("", False, _SOON_S, "waits for the site's robots.txt"))
        self._asking.add(robots)
        visit = Visit(robots, self.gates, self.aside, self.clock, page=True, within=within)
        answer: Answer | None = None
        try:
            await visit.enter(robots)
            answer = await self.robots_fetcher.fetch(robots, before_redirect=visit.enter)
            found: Policy = await self.aside(policy, answer, self.clock.now(), self.agent)
            return self._policies.keep(robots, found)
        finally:
            self._asking.discard(robots)
            await self._leave(visit, answer)

    async def _leave(self, visit: Visit, answer: Answer | None) -> None:
        if ended := visit.end(answer):
            await self.aside(self.gates.leave, ended)

"""The use case of forgetting: an article, an address or a feed out of every key of the store, for good.

Invariant: what must not come back is written down first, as hashes; so whatever is under way meanwhile ends at the
lease, and what is there is found after it.
"""

from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from msgspec import MsgspecError

from worker.clock import Clock
from worker.cluster import Need, View, forget
from worker.errors import BadInput
from worker.jobs import Jobs
from worker.model import Member, Ref, story_id, uid
from worker.store.commits import Commits
from worker.store.feeds import Feeds
from worker.store.forgotten import of_article, of_feed, of_url
from worker.store.outbox import Outbox, decode
from worker.store.pages import Pages
from worker.store.quarantine import Quarantine
from worker.store.stories import Stories

AT_ONCE = 20
"""Articles that one commit removes: new ones wait for the lease no longer than a batch takes."""


class What(StrEnum):
    """What a name stands for."""

    ARTICLE = "article"
    URL = "address"
    FEED = "feed"


class Target(NamedTuple):
    """What is to be forgotten: an article's id, an address, or a feed's id."""

    what: What
    name: str

    def covers(self, article_id: str, url: str, feed: str = "") -> bool:
        """Whether an article, which came or waits in a feed's outbox, is meant."""
        if self.what is What.FEED:
            return feed == self.name or article_id.startswith(f"{self.name}.")
        return article_id == self.name or (self.what is What.URL and url == self.name)

    @property
    def mark(self) -> bytes:
        """The hash that keeps it out."""
        return {What.ARTICLE: of_article, What.URL: of_url, What.FEED: of_feed}[self.what](self.name)


@dataclass
class Removed:
    """What is to be removed, or was: articles by language, each with its story's number, what waits in outboxes, what
    stands in the quarantine, and what became of the stories."""

    target: Target
    articles: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    waiting: list[Ref] = field(default_factory=list)
    quarantined: list[Ref] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)

    @property
    def count(self) -> int:
        """How many clustered articles."""
        return sum(map(len, self.articles.values()))

    @property
    def names(self) -> list[str]:
        """The ids of all articles, clustered, waiting or in quarantine."""
        clustered = [name for articles in self.articles.values() for _, name in articles]
        return clustered + [ref.article for ref in (*self.waiting, *self.quarantined)]


class Forgetting:
    """Finds and removes. Raises BadInput for what nobody knows, and what the server's client raises."""

    def __init__(
        self,
        stories: Stories,
        outbox: Outbox,
        quarantine: Quarantine,
        feeds: Feeds,
        commits: Commits,
        jobs: Jobs,
        clock: Clock,
        pages: Pages,
    ) -> None:
        self._stories = stories
        self._outbox = outbox
        self._quarantine = quarantine
        self._feeds = feeds
        self._commits = commits
        self._jobs = jobs
        self._clock = clock
        self._pages = pages

    def find(self, name: str) -> Removed:
        """What forgetting this article, address or feed would remove."""
        feed = self._feed(name)
        what = What.FEED if feed else What.URL if "://" in name else What.ARTICLE
        found = self._look(Target(what, feed or name))
        if not feed and not found.names:
            raise BadInput(
                f"{name!r} is no article, address or feed of the store: `storywire report --members` lists the "
                "articles, `storywire feeds list` the feeds"
            )
        return found

    def forget(self, target: Target) -> Removed:
        """Remove it, and keep it out for 90 days after it last came again."""
        found = self._look(target)
        self._keep_out(found)
        if target.what is What.FEED:
            self._feeds.remove(target.name)
        for lang in self._stories.languages():
            with self._commits.lease(lang):
                pass  # a batch that did not know of it yet has been committed now
        found = self._look(target)
        self._keep_out(found)
        there = [*found.waiting, *found.quarantined]
        self._outbox.drop(there)  # out of the quarantine too: what has moved since it was found is met in either
        self._quarantine.drop(there, self._clock.now())
        self._pages.drop(there)
        self._jobs.forget({*found.names, target.name})  # before the articles: who is interrupted finds them again
        for lang, articles in found.articles.items():
            rest = iter(sorted(articles))
            while chunk := [uid(name) for _, name in islice(rest, AT_ONCE)]:
                self._note(found, lang, self._commits.decide(lang, _forgetting(chunk)))
        return found

    def _keep_out(self, found: Removed) -> None:
        marks = [of_article(name) for name in found.names]
        self._commits.forgotten.add([found.target.mark, *marks], self._clock.now())

    def _look(self, target: Target) -> Removed:
        found = Removed(target)
        for lang, member in self._clustered(target):
            found.articles[lang].append((member.story, member.id))
        waiting = self._waiting(target)
        quarantined = {
            kept.ref: None for kept in self._quarantine.everything() if _is_meant(target, kept.ref, kept.payload)
        }
        waiting |= self._waiting(target)  # again: what was given back out of the quarantine between the two readings
        found.waiting = [ref for ref in waiting if ref not in quarantined]
        found.quarantined = list(quarantined)
        return found

    def _waiting(self, target: Target) -> dict[Ref, None]:
        return {ref: None for ref, payload in self._outbox.everything() if _is_meant(target, ref, payload)}

    def _clustered(self, target: Target) -> Iterator[tuple[str, Member]]:
        if target.what is What.ARTICLE:
            there = self._stories.article(target.name)
            yield from [there] if there else []
            return
        for lang, _, member in self._stories.everything():
            if target.covers(member.id, member.url):
                yield lang, member

    def _feed(self, name: str) -> str:
        """The id of a feed, known or removed, by its id or its address; "" where there is none."""
        try:
            by_address = self._feeds.id_of(name)
        except BadInput:
            by_address = ""
        for feed in filter(None, (name, by_address)):
            if self._feeds.get(feed) or self._feeds.removed(feed):
                return feed
        return ""

    @staticmethod
    def _note(found: Removed, lang: str, left: dict[int, int]) -> None:
        for number, articles in left.items():
            (found.changed if articles else found.ended).add(story_id(lang, number))
        found.changed -= found.ended


def _is_meant(target: Target, ref: Ref, payload: bytes) -> bool:
    """Whether what waits is meant; where its payload cannot be read, whether the name occurs in it."""
    try:
        article = decode(payload)
    except MsgspecError:
        named = target.what is What.URL and target.name.encode("utf-8", "surrogatepass") in payload
        return named or target.covers(ref.article, "", ref.feed)
    return target.covers(ref.article, article.url, ref.feed)


def _forgetting(articles: Sequence[bytes]) -> Callable[[View], Generator[Need, None, dict[int, int]]]:
    """One commit's worth: story number -> how many articles are left of it."""

    def steps(view: View) -> Generator[Need, None, dict[int, int]]:
        left: dict[int, int] = {}
        for article in articles:
            story = yield from forget(view, article)
            if story is not None:
                left[story.number] = story.articles
        return left

    return steps

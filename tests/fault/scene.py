"""A small newsroom for the tests of faults: articles that join, repeat, correct and begin stories, in two languages.

Invariant: `dump` is all that a store holds but for what leases leave behind, so equal dumps are equal stores.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.invariants import check
from tests.memory import Memory
from tests.unit.articles import CUP, CUP_TITLE, DAM, DAM_REPORT, DAM_REPORT_TITLE, DAM_REWRITE, DAM_REWRITE_TITLE
from tests.unit.articles import DAM_TITLE as TITLE
from worker import config
from worker.clock import ManualClock
from worker.cluster import View, event_time
from worker.connect import Redis, connect
from worker.fingerprint import fingerprints
from worker.ingest import Ingest
from worker.model import Article, Event, Member, Ref, uid
from worker.store import keys
from worker.store.commits import Commits
from worker.store.outbox import Outbox
from worker.store.stories import Stories

NOW = 1_767_600_000.0
HOUR = 3600.0
WEEK = 7 * 86_400.0
FEED = "feed"


def article(
    name: str, title: str = TITLE, text: str = DAM, revision: int = 1, hour: float = 0.0, lang: str = "en"
) -> Article:
    """An article of the feed."""
    at = NOW + hour * HOUR
    return Article(
        id=f"{FEED}.{name}", revision=revision, title=title, text=text, lang=lang, published=at, received=at,
        source=f"Outlet {name}",
    )  # fmt: skip


EARLIER = [article("a"), article("cup", CUP_TITLE, CUP, hour=1), article("b", DAM_REPORT_TITLE, DAM_REPORT, hour=2)]
"""What is clustered before anything goes wrong."""

BATCH = [
    article("c", DAM_REWRITE_TITLE, DAM_REWRITE, hour=3),
    article("de", lang="de", hour=3),
    article("cup", "Brenholm win the cup", CUP.replace("38,000", "37,000"), revision=2, hour=1),
    article("copy", CUP_TITLE, CUP, hour=4),
    article("new", "Ferry runs aground off Hallen", "A ferry with ninety people on board ran aground off Hallen."),
    article("de2", CUP_TITLE, CUP, lang="de", hour=4),
]
"""A rewrite, a revision, a copy, new stories; in two languages."""


@dataclass
class Desk:
    """One worker's view of a store: a client, and what works with it."""

    url: str
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW + 5 * HOUR))

    def __post_init__(self) -> None:
        self.redis: Redis = connect(self.url)
        self.outbox, self.stories, self.commits = Outbox(self.redis), Stories(self.redis), Commits(self.redis)
        self.ingest = Ingest(self.outbox, self.stories, self.commits, config.load({}), self.clock)

    def publish(self, *articles: Article) -> list[Ref]:
        """Put articles into the outbox, as a file would."""
        return self.outbox.publish(FEED, articles, {}, self.clock.now())

    def assigned(self) -> dict[str, int]:
        """Article id -> revision, of all that are in a story."""
        return {member.id: member.revision for _, _, member in self.stories.everything()}

    def close(self) -> None:
        self.redis.close()


def dump(redis: Redis) -> dict[str, object]:
    """Everything stored, comparable."""
    found: dict[str, object] = {}
    for key in sorted(redis.scan_iter(f"sw:{keys.SCHEMA}:*")):
        name, kind = key.decode(), redis.type(key)
        value: Any
        if kind == b"string":
            value = redis.get(key)
        elif kind == b"zset":
            value = redis.zrange(key, 0, -1, withscores=True)
        elif kind == b"hash":
            value = {k: v for k, v in redis.hgetall(key).items() if k not in (b"taker", b"commit")}
        elif kind == b"stream":
            value = redis.xrange(key)
        elif kind == b"list":
            value = redis.lrange(key, 0, -1)
        else:
            value = redis.smembers(key)
        if not name.endswith((":lease", ":fence", ":outboxes")):
            found[name] = value
    return found


def load_view(desk: Desk, lang: str) -> View:
    """A language's whole shard as a view, read key by key: what the invariants are checked on."""
    redis: Any = desk.redis
    prefix = keys.story(lang, 0).removesuffix("s:0")
    view = View(lang, ties=desk.commits.ties(lang))
    names = [key.decode().removeprefix(prefix) for key in redis.scan_iter(f"{prefix}*")]
    for need in view.want(
        members=[bytes.fromhex(name[2:]) for name in names if name.startswith("a:")],
        terms=[name[2:] for name in names if name.startswith("t:")],
        bands=[(int(i), bytes.fromhex(v)) for n in names if n.startswith("b:") for i, v in [n[2:].split(":")]],
        stories=[int(name[2:]) for name in names if name.startswith("s:")],
        rolls=[int(name[2:]) for name in names if name.startswith("m:")],
    ):
        desk.commits.load(view, need)
    return view


def check_store(desk: Desk) -> None:
    """The invariants of every shard; and the counters tell the truth."""
    articles = 0
    for lang in desk.stories.languages():
        view = load_view(desk, lang)
        check(view)
        articles += sum(member is not None for member in view.members.values())
    assert desk.stories.counts()["articles"] == articles == len(desk.assigned())


def as_member(article: Article) -> Member:
    """The article as `Ingest` hands it to the decision."""
    time = event_time(article.published, article.received, WEEK)
    prints = fingerprints(article.title, article.text, article.lang)
    return Member(
        article.id, article.revision, article.title, article.url, article.source, article.published, time,
        article.received, article.backfill, prints,
    )  # fmt: skip


def placements(desk: Desk) -> list[Event]:
    """The events of commits that placed an article for the first time, language by language, in order."""
    return [event for event in desk.stories.events({}, 100_000) if event.kind in ("new", "grew")]


def check_replay(desk: Desk, articles: list[Article]) -> None:
    """The commit order, sent through the pure decision, gives the stored assignments; each article has one commit."""
    by_uid = {uid(each.id): each for each in articles}
    order = [event.uid for event in placements(desk)]
    assert sorted(order) == sorted(by_uid), "each article is placed by one commit"
    shards: dict[str, Memory] = {}
    for each in (by_uid[name] for name in order):
        shards.setdefault(each.lang, Memory(each.lang)).place(as_member(each), desk.clock.now())
    replayed = {name: story for memory in shards.values() for name, story in memory.assignments().items()}
    assert replayed == dict(desk.stories.assignments())

"""Four workers at once, every article sent twice: one total order of commits, and the pure decision agrees with it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.memory import Memory
from tests.scoring import bcubed
from tests.waiting import eventually
from worker import config, supervisor
from worker.clock import SystemClock
from worker.cluster import event_time
from worker.demo.newsroom import Newsroom
from worker.fingerprint import fingerprints
from worker.model import Article, Event, Member, uid
from worker.runtime import Runtime, open_runtime

ARTICLES = 2_000
WORKERS = 4


def newsroom_articles(count: int) -> list[Article]:
    """Articles of the generated newsroom, each once, in order of time."""
    published = (p for p in Newsroom(seed=7).articles(count * 2) if p.revision == 1)
    return [
        Article(
            id=p.id, title=p.title, text=p.text, url=p.url, source=p.outlet, lang=p.lang,
            published=p.published, received=p.published,
        )
        for p, _ in zip(published, range(count), strict=False)
    ]  # fmt: skip


def as_member(article: Article) -> Member:
    """The article as `Ingest` hands it to the decision."""
    time = event_time(article.published, article.received, config.duration("7d"))
    prints = fingerprints(article.title, article.text, article.lang)
    return Member(
        article.id, article.revision, article.title, article.url, article.source, article.published, time,
        article.received, article.backfill, prints,
    )  # fmt: skip


def in_memory(articles: Iterable[tuple[str, Member]]) -> dict[str, str]:
    """What the pure decision assigns, article by article in this order; each with its language."""
    shards: dict[str, Memory] = {}
    for lang, article in articles:
        shards.setdefault(lang, Memory(lang)).place(article)
    return {article: story for memory in shards.values() for article, story in memory.assignments().items()}


def cluster_twice(runtime: Runtime, articles: Sequence[Article]) -> None:
    """Send every article through two outboxes to four workers, and wait until nothing waits."""
    for feed in ("one", "two"):
        for start in range(0, len(articles), 500):
            refs = runtime.outbox.publish(feed, articles[start : start + 500], {}, runtime.clock.now())
            runtime.jobs.enqueue(refs)
    with supervisor.workers(runtime.settings, runtime.url, WORKERS):
        eventually(lambda: not runtime.outbox.depth(), 120, lambda: f"{runtime.outbox.depth()} articles wait")


def commit_order(runtime: Runtime) -> list[Event]:
    """The commits that placed an article, each language's in its order."""
    return [event for event in runtime.stories.events({}, 10 * ARTICLES) if event.kind in ("new", "grew")]


def test_four_workers_place_each_article_once_and_their_order_replays_bit_for_bit(data_dir: Path) -> None:
    articles = newsroom_articles(ARTICLES)
    by_uid = {uid(article.id): (article.lang, as_member(article)) for article in articles}
    settings = config.load({"STORYWIRE_BATCH": "20"}, data_dir=str(data_dir))
    with open_runtime(settings, SystemClock()) as runtime:
        cluster_twice(runtime, articles)
        order = commit_order(runtime)
        stored = dict(runtime.stories.assignments())
        counts = runtime.stories.counts()
    assert sorted(event.uid for event in order) == sorted(by_uid), "each article is placed by one commit"
    assert counts["articles"] == len(stored) == ARTICLES
    assert in_memory([by_uid[event.uid] for event in order]) == stored

    alone = in_memory(by_uid.values())
    ids = sorted(alone)
    # another order of arrival divides a story in fifty elsewhere: .977 to .982 were seen
    assert bcubed([alone[i] for i in ids], [stored[i] for i in ids]).f1 >= 0.97

"""Batches that come twice, at once, late or in any order: each article is in a story once, and the order of the commits
replays."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from tests.e2e.test_concurrency import newsroom_articles
from tests.fault.scene import Desk, check_replay, check_store
from worker.clock import ManualClock
from worker.model import Article, Ref

COUNT = 120
BATCH = 12

Jobs = list[list[Ref]]


def published(url: str) -> tuple[Desk, list[Article], Jobs]:
    """A desk, the articles in its outbox, and the jobs that carry them."""
    articles = newsroom_articles(COUNT)
    desk = Desk(url, ManualClock(articles[-1].received + 60))
    refs = desk.publish(*articles)
    return desk, articles, [refs[start : start + BATCH] for start in range(0, COUNT, BATCH)]


def at_once(url: str, clock: ManualClock, queues: Sequence[Jobs]) -> Counter[str]:
    """One worker for each of the queues, all starting at one moment; what became of the articles, together."""
    start, counts, failures = threading.Barrier(len(queues)), Counter[str](), list[BaseException]()

    def work(jobs: Jobs) -> None:
        desk = Desk(url, clock)
        try:
            start.wait(10)
            for refs in jobs:
                counts.update(desk.ingest.run(refs).counts)
        except BaseException as error:
            failures.append(error)
        finally:
            desk.close()

    threads = [threading.Thread(target=work, args=(jobs,)) for jobs in queues]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures, failures
    return counts


def check_all(desk: Desk, articles: list[Article]) -> None:
    """Nothing waits; every article is in one story; the invariants hold; the commits replay."""
    assert desk.outbox.depth() == 0
    assert set(desk.assigned()) == {article.id for article in articles}
    check_store(desk)
    check_replay(desk, articles)
    desk.close()


def test_a_batch_that_two_workers_run_at_once_is_placed_once(redis_url: str) -> None:
    """Both have loaded the same articles before either commits: the second one's are `repeated`, or gone."""
    desk, articles, jobs = published(redis_url)
    counts = at_once(redis_url, desk.clock, [jobs, jobs])
    assert counts["new"] + counts["joined"] == COUNT
    check_all(desk, articles)


ORDERS: dict[str, Callable[[Jobs], Jobs]] = {
    "twice in a row": lambda jobs: [refs for refs in jobs for _ in range(2)],
    "twice, the second time late": lambda jobs: jobs + jobs,
    "in reverse": lambda jobs: [refs[::-1] for refs in jobs[::-1]],
    "shuffled, some twice": lambda jobs: random.Random(5).sample(jobs * 2, len(jobs) * 2),
    "in other batches the second time": lambda jobs: jobs + [[refs[n] for refs in jobs] for n in range(BATCH)],
}


@pytest.mark.parametrize("order", ORDERS)
def test_jobs_in_any_order_and_number_place_each_article_once(valkey_url: str, order: str) -> None:
    desk, articles, jobs = published(valkey_url)
    counts = Counter[str]()
    for refs in ORDERS[order](jobs):
        counts.update(desk.ingest.run(refs).counts)
    assert counts["new"] + counts["joined"] == COUNT
    check_all(desk, articles)


def test_three_workers_with_every_job_twice_in_their_own_orders(valkey_url: str) -> None:
    """The queue at its worst: deliveries overlap, and no two workers see one order."""
    desk, articles, jobs = published(valkey_url)
    orders = [jobs + jobs, [*reversed(jobs), *jobs], random.Random(7).sample(jobs * 2, len(jobs) * 2)]
    counts = at_once(valkey_url, desk.clock, orders)
    assert counts["new"] + counts["joined"] == COUNT
    check_all(desk, articles)


def test_a_feed_published_again_after_its_marks_were_lost_changes_nothing(valkey_url: str) -> None:
    """The outbox gets the same entries once more, as after a server that came back without its last second."""
    desk, articles, jobs = published(valkey_url)
    for refs in jobs:
        desk.ingest.run(refs)
    before = dict(desk.stories.assignments())
    again = desk.publish(*articles)
    assert desk.ingest.run(again).counts == {"repeated": COUNT}
    assert dict(desk.stories.assignments()) == before
    check_all(desk, articles)

"""The queue and its worker against real servers: nothing but batches is run, and none is lost."""

import json
import pickle
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from redis import Redis
from rq.job import Job, JobStatus
from rq.queue import Queue
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer
from structlog.testing import capture_logs

from tests.servers import Server
from tests.waiting import eventually
from worker.connect import connect_plain
from worker.errors import LeaseLost, MachineFailed, ServerUnavailable
from worker.jobs import Jobs
from worker.jobs.heartbeat import BEAT_S, HEARTBEAT_TTL_S
from worker.jobs.job import FUNCTION, KEPT_S, QUEUE, RETRIES
from worker.jobs.worker import BatchWorker, End
from worker.model import Ref

pytestmark = pytest.mark.usefixtures("signals_given_back")


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    client = connect_plain(redis_url)
    yield client
    client.close()


@pytest.fixture
def jobs(redis: Redis, redis_url: str) -> Jobs:
    return Jobs(redis, batch=2, url=redis_url)


def refs(count: int, feed: str = "f") -> list[Ref]:
    return [Ref(feed, f"{feed}.{number}") for number in range(count)]


def work(jobs: Jobs, run: Callable[[list[Ref]], object], max_jobs: int | None = None) -> End:
    return BatchWorker(jobs, run, lambda: None).run(burst=True, max_jobs=max_jobs)


def collected(jobs: Jobs) -> list[list[Ref]]:
    batches: list[list[Ref]] = []
    with capture_logs():  # drawing the traceback of a job that fails takes a second
        work(jobs, batches.append)
    return batches


def job_ids(redis: Any) -> list[str]:
    return [key.decode() for key in redis.lrange(f"rq:queue:{QUEUE}", 0, -1)]


def test_articles_are_queued_in_batches_in_their_order(jobs: Jobs) -> None:
    assert jobs.enqueue(refs(5)) == 3
    assert jobs.depth() == 3
    assert collected(jobs) == [refs(5)[0:2], refs(5)[2:4], refs(5)[4:5]]


def test_nothing_to_queue_makes_no_job(jobs: Jobs, redis: Redis) -> None:
    assert jobs.enqueue([]) == 0
    assert redis.dbsize() == 0


def test_a_job_carries_ids_as_json_and_every_key_of_it_expires(jobs: Jobs, redis: Any) -> None:
    jobs.enqueue(refs(2))
    (job_id,) = job_ids(redis)
    stored = redis.hgetall(f"rq:job:{job_id}")
    assert json.loads(zlib.decompress(stored[b"data"])) == [
        FUNCTION,
        None,
        [[["f", "f.0"], ["f", "f.1"]]],
        {},
    ]
    assert stored[b"description"] == b"2 articles from f.0"
    assert 0 < redis.ttl(f"rq:job:{job_id}") <= KEPT_S


def test_a_finished_job_leaves_nothing_behind_that_stays(jobs: Jobs, redis: Any) -> None:
    jobs.enqueue(refs(4))
    collected(jobs)
    lasting = sorted(key for key in redis.keys("*") if redis.ttl(key) == -1)
    assert lasting == [b"rq:queues"]


def test_the_oldest_job_tells_how_long_it_has_waited(jobs: Jobs) -> None:
    now = time.time()
    assert jobs.oldest_age_s(now) is None
    jobs.enqueue(refs(1))
    age_s = jobs.oldest_age_s(now + 100)
    assert age_s is not None and 95 < age_s <= 100
    assert jobs.oldest_age_s(now - 100) == 0.0, "a clock that is behind gives no negative age"


def test_a_job_that_has_expired_is_passed_over(jobs: Jobs, redis: Any) -> None:
    jobs.enqueue(refs(4))
    first, _ = job_ids(redis)
    redis.delete(f"rq:job:{first}")
    assert jobs.oldest_age_s(time.time()) is not None
    assert collected(jobs) == [refs(4)[2:4]]


@pytest.mark.parametrize("expired", [49, 50, 51, 120])
def test_the_oldest_job_is_found_behind_any_number_that_have_expired(jobs: Jobs, redis: Any, expired: int) -> None:
    """Or a long queue would count as empty, and be queued a second time."""
    jobs.enqueue(refs(2 * expired))
    redis.delete(*(f"rq:job:{name}" for name in job_ids(redis)))
    assert jobs.oldest_age_s(time.time()) is None
    jobs.enqueue(refs(1))
    age_s = jobs.oldest_age_s(time.time() + 100)
    assert age_s is not None and age_s > 95


@pytest.mark.parametrize("name", ["os.system", "worker.tasks.work", "builtins.eval"])
def test_a_job_that_names_any_other_function_is_not_run(jobs: Jobs, redis: Redis, name: str) -> None:
    Queue(QUEUE, connection=redis, serializer=JSONSerializer).enqueue(name, "touch x", description="hostile")
    jobs.enqueue(refs(1))
    assert collected(jobs) == [refs(1)]
    assert len(FailedJobRegistry(QUEUE, redis, serializer=JSONSerializer)) == 1


def test_a_pickled_job_is_never_unpickled(jobs: Jobs, redis: Any) -> None:
    jobs.enqueue(refs(1))
    (job_id,) = job_ids(redis)
    redis.hset(f"rq:job:{job_id}", "data", zlib.compress(pickle.dumps((_Boom(), None, (), {}))))
    jobs.enqueue(refs(1, "good"))
    assert collected(jobs) == [refs(1, "good")]


class _Boom:
    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("a job was unpickled",))


@pytest.mark.parametrize("argument", [None, 7, "text", [1, 2], [["only one"]], {"a": 1}])
def test_a_job_with_any_other_argument_fails_alone(jobs: Jobs, redis: Redis, argument: object) -> None:
    Queue(QUEUE, connection=redis, serializer=JSONSerializer).enqueue(FUNCTION, argument, description="odd")
    jobs.enqueue(refs(1, "good"))
    assert collected(jobs) == [refs(1, "good")]


@pytest.mark.parametrize("error", [MemoryError(), MachineFailed("no more files")])
def test_a_process_that_lacks_memory_or_files_gives_the_batch_back_and_ends_to_start_afresh(
    jobs: Jobs, error: Exception
) -> None:
    def fail(batch: list[Ref]) -> None:
        raise error

    jobs.enqueue(refs(4))
    with capture_logs():
        assert work(jobs, fail) is End.WORN
    assert sorted(collected(jobs)) == [refs(4)[:2], refs(4)[2:]]


def test_a_batch_that_fails_is_tried_again_a_few_times_and_holds_up_no_other(jobs: Jobs, redis: Any) -> None:
    tried: list[Ref] = []

    def run(batch: list[Ref]) -> None:
        tried.extend(batch)
        if batch[0].feed == "bad":
            raise LeaseLost("another worker holds it")

    jobs.enqueue(refs(1, "bad"))
    jobs.enqueue(refs(1, "good"))
    work(jobs, run)
    assert tried.count(Ref("bad", "bad.0")) == 1 + RETRIES
    assert tried.count(Ref("good", "good.0")) == 1
    (failed,) = redis.zrange(f"rq:failed:{QUEUE}", 0, -1)
    assert 0 < redis.ttl(b"rq:job:" + failed) <= KEPT_S


def test_a_worker_ends_after_its_number_of_jobs_and_leaves_the_rest(jobs: Jobs) -> None:
    jobs.enqueue(refs(6))
    assert work(jobs, lambda batch: None, max_jobs=2) is End.WORN
    assert jobs.depth() == 1


def test_a_worker_that_was_heard_of_lately_lives(jobs: Jobs, redis: Any) -> None:
    """The others are dead, or suspended: what they had in hand may be held against it."""
    seen: list[set[str]] = []

    def run(batch: list[Ref]) -> None:
        (key,) = jobs.listening()
        seen.append(jobs.beating(HEARTBEAT_TTL_S))
        redis.pexpire(key, 20_000 - 9_500)
        seen.append(jobs.beating(HEARTBEAT_TTL_S))
        redis.pexpire(key, 20_000 - 10_500)
        seen.append(jobs.beating(HEARTBEAT_TTL_S))

    jobs.enqueue(refs(1))
    BatchWorker(jobs, run, lambda: None, name="here.1.a").run(burst=True)
    assert seen == [{"here.1.a"}, {"here.1.a"}, set()]
    assert jobs.beating(HEARTBEAT_TTL_S) == set()


def test_an_empty_queue_ends_a_burst(jobs: Jobs) -> None:
    assert work(jobs, lambda batch: None) is End.DRAINED


def test_a_worker_is_listed_while_it_works_and_not_after(jobs: Jobs) -> None:
    seen: list[set[str]] = []
    jobs.enqueue(refs(1))
    work(jobs, lambda batch: seen.append(jobs.listening()))
    assert [len(names) for names in seen] == [1]
    assert jobs.listening() == set()


def test_worker_execution_and_job_are_renewed_while_a_job_runs(jobs: Jobs, redis: Any) -> None:
    def run(batch: list[Ref]) -> None:
        (worker,) = jobs.listening()
        (execution,) = redis.keys("rq:execution:*")
        before = redis.hget(execution, "last_heartbeat"), redis.hget(worker, "last_heartbeat")

        def renewed() -> bool:
            now = redis.hget(execution, "last_heartbeat"), redis.hget(worker, "last_heartbeat")
            return bool(now[0] != before[0] and now[1] != before[1])

        eventually(renewed, 3 * BEAT_S, "no heartbeat during a job")
        due = redis.zrange(f"rq:wip:{QUEUE}", 0, -1, withscores=True)[0][1] - time.time()
        assert HEARTBEAT_TTL_S - BEAT_S - 1 < due <= HEARTBEAT_TTL_S, (
            "another worker would wait too long, or not at all"
        )

    jobs.enqueue(refs(1))
    work(jobs, run)
    assert redis.zcard(f"rq:failed:{QUEUE}") == 0


def test_a_job_whose_first_worker_died_can_be_finished(jobs: Jobs, redis: Any) -> None:
    """RQ 3.0 fails it: the dead worker's execution is still listed for the job, but its record has expired."""
    jobs.enqueue(refs(1))
    (job_id,) = job_ids(redis)
    redis.zadd(f"rq:executions:{job_id}", {"dead": time.time() + 60})
    assert collected(jobs) == [refs(1)]
    assert redis.zcard(f"rq:failed:{QUEUE}") == 0
    assert not redis.exists(f"rq:job:{job_id}")


def test_the_job_of_a_dead_worker_is_run_by_the_next(jobs: Jobs, redis: Any) -> None:
    abandon(jobs, redis)
    redis.zadd(f"rq:wip:{QUEUE}", {member: time.time() - 1 for member in redis.zrange(f"rq:wip:{QUEUE}", 0, -1)})
    assert collected(jobs) == [refs(1)]
    assert redis.zcard(f"rq:wip:{QUEUE}") == 0


def abandon(jobs: Jobs, redis: Any) -> None:
    """Leave a job as a worker leaves it that is killed while it runs it."""
    jobs.enqueue(refs(1))
    worker = BatchWorker(jobs, lambda batch: None, lambda: None)
    (job_id,) = job_ids(redis)
    redis.lpop(f"rq:queue:{QUEUE}")
    job = worker.job_class.fetch(job_id, connection=redis, serializer=JSONSerializer)
    worker.prepare_execution(job)
    worker.prepare_job_execution(job)
    assert Job.fetch(job_id, redis, JSONSerializer).get_status() is JobStatus.STARTED


def test_a_job_stuck_on_its_way_to_a_worker_is_run_after_ten_seconds(jobs: Jobs, redis: Any) -> None:
    jobs.enqueue(refs(1))
    (job_id,) = job_ids(redis)
    redis.lmove(f"rq:queue:{QUEUE}", f"rq:queue:{QUEUE}:intermediate")
    assert collected(jobs) == [], "it may be on its way still"
    first_seen = f"rq:queue:{QUEUE}:intermediate:first_seen:{job_id}"
    assert redis.exists(first_seen)
    redis.set(first_seen, time.time() - 11)
    assert collected(jobs) == [refs(1)]
    assert not redis.exists(first_seen), "the job keeps its id: it would count as stuck the next time at once"


def test_a_worker_killed_while_it_cleans_does_not_keep_others_from_it_for_long(jobs: Jobs, redis: Any) -> None:
    assert jobs.queue.acquire_maintenance_lock()
    assert not jobs.queue.acquire_maintenance_lock()
    assert 0 < redis.ttl(jobs.queue.registry_cleaning_key) <= 30


def test_between_two_jobs_what_is_due_is_done(jobs: Jobs) -> None:
    order: list[str] = []
    jobs.enqueue(refs(4))
    BatchWorker(jobs, lambda batch: order.append("job"), lambda: order.append("between")).run(burst=True)
    assert order == ["between", "job", "between", "job", "between"]


def test_a_server_that_is_away_is_an_error_that_names_it(new_server: Callable[..., Server]) -> None:
    server = new_server()
    url = server.url()
    jobs = Jobs(connect_plain(url), 50, url=url)
    server.kill()
    calls: Sequence[Callable[[], object]] = (
        lambda: jobs.enqueue(refs(1)),
        jobs.depth,
        jobs.listening,
        lambda: jobs.oldest_age_s(0.0),
    )
    for call in calls:
        with pytest.raises(ServerUnavailable, match=str(server.socket)):
            call()


def test_a_worker_waits_for_a_server_that_goes_away_and_goes_on(new_server: Callable[..., Server]) -> None:
    server = new_server(persistent=True)
    url = server.url()
    jobs, ran = Jobs(connect_plain(url), 50, url=url), list[list[Ref]]()
    jobs.enqueue(refs(1, "before"))

    def run(batch: list[Ref]) -> None:
        ran.append(batch)
        if batch[0].feed == "before":
            server.kill()
            threading.Thread(target=back).start()

    def back() -> None:
        server.start()
        Jobs(connect_plain(url), 50, url=url).enqueue(refs(1, "after"))

    worker = BatchWorker(jobs, run, lambda: None)
    for _ in range(200):
        worker.run(burst=True)
        if refs(1, "after") in ran:
            break
    assert (ran[0], ran[-1]) == (refs(1, "before"), refs(1, "after"))


def test_a_worker_that_starts_on_a_full_server_makes_room_and_goes_on(new_server: Callable[..., Server]) -> None:
    """Or nobody would, where all workers were started again meanwhile."""
    url = new_server().url()
    client: Any = connect_plain(url)
    jobs, ran, turns = Jobs(client, 50, url=url), list[list[Ref]](), list[str]()
    jobs.enqueue(refs(1))
    client.config_set("maxmemory", "1")

    def between() -> None:
        turns.append("between")
        if len(turns) == 2:
            client.config_set("maxmemory", "0")

    with capture_logs() as told:
        assert BatchWorker(jobs, ran.append, between).run(burst=True) is End.DRAINED
    assert ran == [refs(1)]
    assert [line["event"] for line in told][:3] == ["waiting for the server", "listening", "the server is back"]

"""A worker killed before each single command of a batch: of RQ's dequeue, of the work, of the acknowledgement.

Before the (n+1)-th is after the n-th: so this is also the kill between BLMOVE and the start mark, and the one between
the commit and the acknowledgement. Invariant: another worker ends with the same store, whatever n was.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.command import ROOT
from tests.fault.dying import DIED
from tests.fault.held import stored_view
from tests.invariants import check
from tests.servers import Server
from tests.waiting import eventually
from worker.config import load
from worker.model import Article
from worker.runtime import Runtime, open_runtime

MOST = 120
ARTICLES = 3
RECOVERY_S = 30.0
WORDS = "A cargo ship hit a pier of the harbour bridge on Monday, and the city closed it to all traffic. "


def publish(runtime: Runtime) -> None:
    """A job of three articles."""
    now = time.time()
    articles = [
        Article(id=f"f.{n}", title=f"Harbour bridge closed {n}", text=WORDS * 5 + str(n), lang="en", received=now)
        for n in range(ARTICLES)
    ]
    runtime.jobs.enqueue(runtime.outbox.publish("f", articles, {}, now))


def command(mode: str, urls: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "tests.fault.dying", mode, *urls]


@contextmanager
def recovering(urls: Sequence[str]) -> Iterator[None]:
    """A worker on each of these, ended in order."""
    process = subprocess.Popen(command("recover", urls), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        process.stdout.close()


def test_a_worker_killed_before_any_command_of_a_batch_is_made_good(
    new_server: Callable[..., Server], data_dir: Path
) -> None:
    server = new_server()
    urls = [server.url() for _ in range(MOST)]
    with ExitStack() as stack:
        runtimes = [stack.enter_context(open_runtime(load({}, redis_url=url))) for url in urls]
        for runtime in runtimes:
            publish(runtime)
        done = subprocess.run(
            command("die", urls), cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=120, check=True
        )
        ends = [int(line) for line in done.stdout.split()]
        kills = ends.index(0) if 0 in ends else 0
        assert set(ends[:kills]) == {DIED} and set(ends[kills:]) == {0}, f"it has other ends, or over {MOST}: {ends}"
        assert kills > 20, "so few commands cannot be a batch"
        waiting = [runtime for runtime in runtimes[:kills] if not settled(runtime)]
        assert waiting, "no kill left anything to do"
        with recovering([runtime.url for runtime in waiting]):
            began = time.monotonic()
            for runtime in waiting:
                eventually(lambda r=runtime: settled(r), RECOVERY_S, lambda r=runtime: state(r, urls))  # type: ignore[misc]
            took = time.monotonic() - began
        told = f"{kills} kills, {len(waiting)} left work to do; the last was made good {took:.1f} s after another came"
        print(f"  {told}")  # noqa: T201
        for runtime in runtimes[:kills]:
            assert sorted(article for article, _ in runtime.stories.assignments()) == ["f.0", "f.1", "f.2"]
            assert runtime.stories.counts()["articles"] == ARTICLES, state(runtime, urls)
            assert runtime.quarantine.depth() == 0, "an innocent is in quarantine"
            check(stored_view(runtime, "en"))


def settled(runtime: Runtime) -> bool:
    """Nothing waits, and no job is anywhere on its way."""
    queue = runtime.jobs.queue
    registries = (queue.started_job_registry, queue.failed_job_registry)
    on_the_way = sum(len(registry.get_job_ids(cleanup=False)) for registry in registries)
    return not (runtime.outbox.depth() or runtime.jobs.depth() or on_the_way or queue.intermediate_queue.get_job_ids())


def state(runtime: Runtime, urls: Sequence[str]) -> str:
    """What is left where."""
    queue = runtime.jobs.queue
    return (
        f"killed before command {urls.index(runtime.url) + 1}: {runtime.outbox.depth()} articles wait, "
        f"{runtime.jobs.depth()} jobs, started {queue.started_job_registry.get_job_ids(cleanup=False)}, "
        f"failed {queue.failed_job_registry.get_job_ids(cleanup=False)}, "
        f"in transit {queue.intermediate_queue.get_job_ids()}"
    )

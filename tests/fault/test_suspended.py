"""A worker that is stopped while it holds the lease, with its batch decided, and wakes up when another has done it."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.command import ROOT, environment, start_storywire
from tests.fault.held import stored_view
from tests.fault.test_dequeue import ARTICLES, publish
from tests.invariants import check
from tests.servers import Server
from tests.users import as_user
from tests.waiting import eventually
from worker.config import load
from worker.runtime import open_runtime
from worker.store.commits import LEASE_S

SLEEPER = """
import os, signal, sys
from worker.errors import LeaseLost
from worker.store.commits import Commits
commit, slept = Commits.commit, []
def stopped_before(self, lease, view):
    if not slept:
        slept.append(lease.fence)
        os.kill(os.getpid(), signal.SIGSTOP)
        try:
            commit(self, lease, view)
        except LeaseLost as error:
            print(f'{{"event": "refused", "fence": {lease.fence}}}', file=sys.stderr)
            raise
        raise SystemExit("the commit of a lease that had run out was taken")
    commit(self, lease, view)
Commits.commit = stopped_before
from worker.cli import main
main()
"""


def test_the_commit_of_a_worker_that_slept_over_its_lease_is_refused_and_its_batch_done_once(
    new_server: Callable[..., Server], data_dir: Path
) -> None:
    server = new_server()
    url = server.url()
    settings = environment({"redis_url": as_user(url, "work"), "log_format": "json"})
    sleeper = subprocess.Popen(
        [sys.executable, "-c", SLEEPER, "work"], env=settings, cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    with open_runtime(load({}, redis_url=url)) as runtime:
        publish(runtime)
        eventually(
            lambda: psutil.Process(sleeper.pid).status() == psutil.STATUS_STOPPED, 30, "it does not get to commit"
        )
        stopped = time.monotonic()
        other = start_storywire("work", redis_url=url, log_format="json")
        try:
            eventually(lambda: runtime.outbox.depth() == 0, 30, "the other worker does not take the batch over")
            took = time.monotonic() - stopped
            assert took > LEASE_S - 2, "it took the lease before that had run out"
            before, order = dict(runtime.stories.assignments()), runtime.stories.events({}, 100)
            sleeper.send_signal(signal.SIGCONT)
            eventually(lambda: not runtime.jobs.queue.started_job_registry.get_job_ids(), 20, "the job does not end")
        finally:
            for process in (sleeper, other):
                process.send_signal(signal.SIGCONT)
                process.terminate()
            said = [json.loads(line) for line in sleeper.communicate(timeout=20)[1].splitlines()]
            other.communicate(timeout=20)
        assert sleeper.returncode == 0, said
        assert [line["fence"] for line in said if line["event"] == "refused"] == [1]
        assert next(line for line in said if line["event"] == "batch")["articles"] == ARTICLES
        assert not any({"new", "joined"} & line.keys() for line in said), "it placed something after all"
        assert dict(runtime.stories.assignments()) == before and len(before) == ARTICLES
        assert runtime.stories.events({}, 100) == order and len(order) == ARTICLES
        check(stored_view(runtime, "en"))
    print(f"  stopped while it held the lease: the batch was another's after {took:.1f} s")  # noqa: T201

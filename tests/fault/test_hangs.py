"""An article that never returns from C code, in real time: the others of its batch go on within half a minute."""

import signal
import subprocess
import sys
import time

import pytest

from tests.command import ROOT, environment
from tests.conftest import NewServer
from tests.users import as_user
from tests.waiting import eventually
from worker.config import load
from worker.model import Article
from worker.runtime import Runtime, open_runtime

WORKER = """
import collections, itertools
import worker.ingest
real = worker.ingest.fingerprints
def fingerprints(title, text, lang):
    if "poison" in title:
        collections.deque(itertools.repeat(1), maxlen=0)
    return real(title, text, lang)
worker.ingest.fingerprints = fingerprints
from worker.cli import main
main()
"""


class Restarted:
    """A worker with that hook, started again when it dies, as `up` does."""

    def __init__(self, url: str) -> None:
        self.ends: list[int] = []
        self._settings = environment({"redis_url": as_user(url, "work"), "log_format": "json"})
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER, "work"], cwd=ROOT, env=self._settings, stderr=subprocess.DEVNULL
        )

    def look(self) -> bool:
        """Start it again if it has died; always true."""
        if (end := self._process.poll()) is not None:
            self.ends.append(end)
            self._start()
        return True

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(120)


def publish(runtime: Runtime, poison: int) -> None:
    now = time.time()
    titles = [f"Bridge {number} {'poison' if number == poison else 'closed'}" for number in range(50)]
    articles = [Article(id=f"f.{n}", title=title, lang="en", received=now) for n, title in enumerate(titles)]
    runtime.jobs.enqueue(runtime.outbox.publish("f", articles, {}, now))


@pytest.mark.slow
def test_the_rest_of_a_batch_goes_on_within_half_a_minute_and_one_death_is_enough(new_server: NewServer) -> None:
    """One that hangs first, so that all others wait for it; alone it has 10 s of computing until it is given up."""
    url = new_server().url()
    with open_runtime(load({}, redis_url=url, batch="50")) as runtime:
        worker = Restarted(url)
        try:
            eventually(runtime.jobs.listening, 30, "the worker listens")
            began = time.monotonic()
            publish(runtime, poison=0)
            eventually(lambda: worker.look() and runtime.stories.counts()["articles"] == 49, 60, "the others wait")
            rest_s = time.monotonic() - began
            eventually(lambda: worker.look() and runtime.quarantine.depth() == 1, 180, "it is not in quarantine")
            known_s = time.monotonic() - began
        finally:
            worker.close()
        assert worker.ends == [-signal.SIGVTALRM], "one round tells"
        assert runtime.outbox.depth() == 0
    print(f"  the rest is clustered after {rest_s:.1f} s, what hangs in quarantine after {known_s:.1f} s")  # noqa: T201
    assert rest_s < 30

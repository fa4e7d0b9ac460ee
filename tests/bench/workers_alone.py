"""What an article costs inside the lease and outside of it: counted, so that other load on the machine matters little.

Method: one process does what a worker does with its batches, on a server of its own with AOF everysec, and nothing else
asks that server. Stage by stage, the processor time of this process and of the server are read, and what is sent is
counted. Under the lease a worker asks and waits for the answer, so the sum of both is how long an idle machine would
hold the lease, but for waking up (and, between machines, for the way there and back, which the count is for).

Invariant: what a stage cost stands in that stage; all of `shared` happens under the lease, or takes or returns it.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray
from redis.connection import AbstractConnection

from tests.bench.deciding import Change, changed
from tests.bench.stream import batches
from tests.servers import Server
from worker import config, ingest
from worker.clock import SystemClock
from worker.model import Article
from worker.runtime import Runtime, open_runtime

BATCH = 50
LANGUAGES = tuple(f"qa{letter}" for letter in "abcdefghijklmnop")
"""Sixteen codes that ISO 639-2 leaves for private use: none has a word list, so their fingerprints cost the same."""
_APART = ("load", "fingerprint", "settle")
"""Stages outside of the lease."""
_CPUCLOCK_SCHED = 2


class Cost(Struct, frozen=True):
    """Of an article: milliseconds of processor time of the worker and of the server, and times something was sent."""

    worker_ms: float
    server_ms: float
    sent: float

    @property
    def ms(self) -> float:
        """Worker and server together: one waits for the other."""
        return self.worker_ms + self.server_ms


class Alone(Struct, frozen=True):
    """What an article cost in each stage, where a job's articles were of so many languages."""

    languages: int
    batch: int
    stages: dict[str, Cost]

    def _sum(self, stages: Sequence[str]) -> Cost:
        parts = [self.stages[stage] for stage in stages]
        return Cost(*(sum(getattr(p, name) for p in parts) for name in Cost.__struct_fields__))

    @property
    def shared(self) -> Cost:
        """Under the lease: only one worker of a language does it at a time."""
        return self._sum([stage for stage in self.stages if stage not in _APART])

    @property
    def apart(self) -> Cost:
        """What workers do side by side."""
        return self._sum(_APART)

    def limit(self, way_ms: float = 0.0) -> float:
        """Articles a second of one language, were the lease never idle; `way_ms`: to the server and back."""
        return 1000 / (self.shared.ms + self.shared.sent * way_ms)


class _Meter:
    """Seconds of this process, seconds of the server, times that something was sent to it: all at once."""

    def __init__(self, server: Server) -> None:
        self._server = ~server.process_id << 3 | _CPUCLOCK_SCHED  # Linux: the clock of another process's processor time
        self.sent = 0

    def read(self) -> NDArray[np.float64]:
        return np.array([time.process_time(), time.clock_gettime(self._server), self.sent])

    def changes(self) -> list[Change]:
        """The stages of a batch are told by this meter instead of the clock, and what is sent is counted."""
        send: Any = AbstractConnection.send_packed_command

        def counting(connection: Any, *arguments: Any, **options: Any) -> Any:
            self.sent += 1
            return send(connection, *arguments, **options)

        clock = SimpleNamespace(perf_counter=self.read)
        return [(ingest, "time", clock), (AbstractConnection, "send_packed_command", counting)]


def spoken(articles: Sequence[Article], languages: int) -> list[Article]:
    """The articles, by turns of so many languages."""
    return [replace(a, lang=LANGUAGES[place % languages]) for place, a in enumerate(articles)]


def measure(
    articles: Sequence[Article],
    warm: int,
    languages: int = 1,
    batch: int = BATCH,
    before: Callable[[Runtime, Sequence[Article]], object] = lambda _runtime, _articles: None,
) -> Alone:
    """What an article costs after the first `warm` ones, in jobs whose articles are of so many languages; `before` is
    called before each measured job, with its articles."""
    spent: defaultdict[str, Any] = defaultdict(lambda: np.zeros(3))
    with _pipeline() as (runtime, meter):
        for number, part in enumerate(batches(articles, batch)):
            if number * batch >= warm:
                before(runtime, part)
            refs = runtime.outbox.publish("alone", part, {}, runtime.clock.now())
            began = meter.read()
            result = runtime.ingest.run(refs)
            if number * batch < warm:
                continue
            stages: dict[str, Any] = {k: v / 1000 for k, v in result.stages_ms.items() if k != "wait"}
            stages["lease"] = meter.read() - began - sum(stages.values())
            for stage, cost in stages.items():
                spent[stage] += cost
    count = len(articles) - warm
    return Alone(languages, batch, {stage: _cost(total / count) for stage, total in spent.items()})


def _cost(each: NDArray[np.float64]) -> Cost:
    return Cost(1000 * float(each[0]), 1000 * float(each[1]), float(each[2]))


@contextmanager
def _pipeline() -> Iterator[tuple[Runtime, _Meter]]:
    server = Server("valkey", persistent=True)
    try:
        meter = _Meter(server)
        settings = config.load({"STORYWIRE_REDIS_URL": server.url(0)})
        with open_runtime(settings, SystemClock()) as runtime, changed(meter.changes()):
            yield runtime, meter
    finally:
        server.close()

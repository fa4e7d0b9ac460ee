"""What a job on the queue is: the one function that it may name, and articles by their ids.

Invariant: nothing that a job names is imported or unpickled, or whoever reaches the queue's server could have any
function called; every key of a job expires.
"""

import json
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress

from rq.exceptions import DeserializationError
from rq.executions import Execution, ExecutionRegistry
from rq.job import Job, Retry
from rq.queue import EnqueueData, Queue

from worker.errors import BadInput
from worker.model import SCHEMA, Ref

QUEUE = f"storywire.{SCHEMA}"
"""The only queue: a worker on a single queue takes its jobs with BLMOVE, so that none is lost on the way. Each version
has its own, or the workers of another version, which find nothing to do in them, would eat up its jobs."""

FUNCTION = "worker.tasks.ingest_batch"
"""The one function that a job may name; its argument is `[[feed, article id], ...]`."""

TIMEOUT_S = 120
"""The longest a batch may run: 50 articles take about 0.2 s, a server that saves to disk may stall for seconds."""

KEPT_S = 86_400
"""A job waits, and a failed one is kept to be looked at, for a day; the sweeper queues again what it carried."""

RETRIES = 8
"""How often a job is started again whose worker died; after that the sweeper asks for its articles anew. An article
that kills is known by the fifth start, two of them in one batch by the eighth (see batches/suspects.py)."""


def prepared(refs: Sequence[Ref]) -> EnqueueData:
    """A job that carries these, ready to be queued."""
    return Queue.prepare_data(
        FUNCTION,
        args=([list(ref) for ref in refs],),
        timeout=TIMEOUT_S,
        result_ttl=0,
        ttl=KEPT_S,
        failure_ttl=KEPT_S,
        description=f"{len(refs)} articles from {refs[0].article}",
        retry=Retry(max=RETRIES),
    )


def rewritten(refs: Sequence[Ref]) -> dict[str, str | bytes]:
    """The fields of a job's hash that say what it carries, for these."""
    data = zlib.compress(json.dumps((FUNCTION, None, [[list(ref) for ref in refs]], {})).encode())
    return {"data": data, "description": f"{len(refs)} articles"}


def carried(job: Job) -> list[Ref]:
    """The articles of a job; none where it is not one of ours."""
    try:
        return [Ref(*ref) for ref in job.args[0]] if job.func_name == FUNCTION else []
    except (DeserializationError, LookupError, TypeError):
        return []


def running(run: Callable[[list[Ref]], object]) -> type[Job]:
    """A class of jobs whose function is `run`: what a job names is compared, never imported."""

    class Batch(Job):
        @property
        def func(self) -> Callable[[object], object]:
            if self.func_name != FUNCTION:
                raise BadInput(f"a job on the queue {QUEUE!r} names {self.func_name!r}: only {FUNCTION} is run")
            return lambda refs: run(_refs(refs))

        @property
        def execution_registry(self) -> ExecutionRegistry:
            return _Executions(self.id, self.connection)

    return Batch


class _Executions(ExecutionRegistry):
    """RQ 3.0 raises for an execution that has expired, so a job whose first worker died could never be finished."""

    def get_executions(self, start: int = 0, end: int = -1) -> list[Execution]:
        found = []
        for execution_id in self.get_execution_ids(start, end):
            with suppress(ValueError):
                found.append(Execution.fetch(execution_id, self.job_id, self.connection))
        return found


def _refs(argument: object) -> list[Ref]:
    try:
        return [Ref(*(str(part) for part in pair)) for pair in argument]  # type: ignore[attr-defined]
    except TypeError:
        raise BadInput(f"a job on the queue {QUEUE!r} carries no list of articles: {argument!r:.80}") from None

"""Who is alive, and where: every process that the servers have heard of within the last seconds.

Invariant: a process whose sign has run out is not there, and one of the version before is, until it has ended.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from worker.errors import StorywireError
from worker.examinations.scene import Scene
from worker.health import Process
from worker.model import SCHEMA
from worker.names import parsed

if TYPE_CHECKING:
    from worker.jobs.roll import Working
    from worker.store.pollers import Heard, Pollers


def processes(scene: Scene) -> list[Process]:
    """Pollers, readers of pages, web processes and workers, host by host. Raises StorywireError where the server of the
    stories is away; where only the queue's is, workers are left out, and the line `queue` says why."""
    runtime = scene.runtime
    signs: dict[str, Pollers] = {"poller": runtime.pollers, "pages": runtime.readers, "web": runtime.webs}
    found = [_signed(role, heard) for role, store in signs.items() for heard in _counted(scene, store)]
    with suppress(StorywireError):
        workers = {each.name: each for each in runtime.jobs.workers()}
        found += [_worker(workers[name]) for name in scene.alive(workers)]
    return sorted(found, key=lambda each: (each.host, each.role, each.pid))


def _counted(scene: Scene, store: Pollers) -> list[Heard]:
    heard = store.heard()
    counted = set(scene.alive([each.name for each in heard]))
    return [each for each in heard if each.name in counted]


def _signed(role: str, heard: Heard) -> Process:
    place, sign = parsed(heard.name), heard.sign
    return Process(
        role=role, host=place.host, pid=place.pid, version=sign.version, schema=heard.schema, started=sign.started,
        heard_s=heard.ago_s, held=sign.held, since=sign.since if sign.held else 0.0, doing=sign.doing,
    )  # fmt: skip


def _worker(worker: Working) -> Process:
    place = parsed(worker.name)
    return Process(
        role="worker", host=place.host, pid=place.pid, version=worker.version, heard_s=worker.ago_s,
        schema=SCHEMA if worker.queue.endswith(f".{SCHEMA}") else SCHEMA - 1, started=worker.started,
        since=worker.since, doing=worker.batch or "waits for work", queue=worker.queue,
    )  # fmt: skip

"""Workers that die at their n-th command: `python -m tests.fault.dying die|recover URL...`, one worker to a URL.

`die`: the worker on the i-th URL (from 0) ends, as by kill -9, before it sends its (i+1)-th command; prints its exit
status a line, DIED or that of a worker that had fewer commands. `recover`: workers until SIGTERM.

Invariant: all are forks of one process that has imported everything, so that a hundred cost what one costs.
"""

import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

from redis.connection import AbstractConnection

from worker import log, tasks
from worker.config import load
from worker.fingerprint import fingerprints
from worker.runtime import open_runtime

DIED = 79


def die_at(nth: int) -> None:
    """Have this process end before the main thread sends its n-th command, or pipeline of commands."""
    sent = 0
    send = AbstractConnection.send_packed_command

    def counted(self: Any, command: Any, *args: Any, **options: Any) -> Any:
        nonlocal sent
        if threading.current_thread() is threading.main_thread():
            sent += 1
            if sent == nth:
                os._exit(DIED)
        return send(self, command, *args, **options)  # type: ignore[no-untyped-call]

    AbstractConnection.send_packed_command = counted  # type: ignore[method-assign]


def worker(url: str, nth: int, burst: bool) -> int:
    """A worker in a process of its own; its id."""
    if pid := os.fork():
        return pid
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if nth:
            die_at(nth)
        with open_runtime(load({}, redis_url=url)) as runtime:
            tasks.work(runtime, burst=burst)
    except BaseException:
        os._exit(1)
    os._exit(0)


def main(mode: str, urls: Sequence[str]) -> None:
    log.configure("worker", "error", "json")
    fingerprints("Warm", "The words are looked up once, before the forks.", "en")
    if mode == "die":
        for at, url in enumerate(urls):
            _, status = os.waitpid(worker(url, at + 1, burst=True), 0)
            print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201
        return
    children = [worker(url, 0, burst=False) for url in urls]

    def end(number: int, frame: object) -> None:
        for child in children:
            os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
    print("ready", flush=True)  # noqa: T201
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

"""Starts the other processes, keeps them running and ends them: what `up`, `demo`, `replay` and `import` stand on.

Invariant: one Ctrl-C ends everything, in order: the report, the page, the poller, the workers, and last, with the
runtime, the embedded server.
"""

import fcntl
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

import structlog

from worker.config import Settings
from worker.connect import connect, connect_plain, identify
from worker.errors import Permanent, StorywireError, Transient
from worker.jobs import Jobs
from worker.listening import url_of
from worker.runtime import Runtime
from worker.supervisor.child import Child
from worker.supervisor.journal import Journal
from worker.supervisor.processes import Processes
from worker.supervisor.silence import Silence, pids_here
from worker.watchdog import Watchdog

__all__ = ["Processes", "alone", "run", "workers"]

_LOOK_S = 2.0
_READY_S = 30.0

log = structlog.get_logger()


def run(
    runtime: Runtime,
    say: Callable[[str], None],
    page: socket.socket | None = None,
    report: Sequence[str] = ("report", "--follow"),
    watchdog: Watchdog | None = None,
) -> None:
    """Workers, poller, page reader, the page and the report in this terminal, until Ctrl-C, SIGTERM, SIGHUP or SIGQUIT.

    say: prints a line for the person who watches; page: where the page is served, on a socket that listens already, so
    that its address holds from the moment it is said; None: nowhere; watchdog: who is told that all of it runs.
    Raises Transient if a process that is needed cannot be kept running; call inside `alone`.
    """
    with _signals_unwind(), closing(Journal(runtime.settings.data_dir, say)) as journal:
        try:
            with Processes(runtime.settings, journal) as processes:
                count = runtime.settings.workers
                working = processes.start("worker", "work", count=count)
                if reading := runtime.settings.pages != "off":
                    runtime.pages.beat()  # the first polls may be over before it has started
                working += processes.start("poller", "poll")
                if page is not None:
                    _start_page(processes, page, say)
                silence = Silence(working)
                say(f"Polling; {count} worker{'s' * (count > 1)}; log in {journal.path}. Ctrl-C ends all.")
                if reading:
                    processes.start("pages", "pages")
                if page is not None:
                    say(f"The page: {url_of(page)}")
                processes.start("report", *report, on_terminal=True)
                _keep_up(runtime, processes, silence, watchdog or Watchdog({}))
        except KeyboardInterrupt:
            say("Ended.")


def _start_page(processes: Processes, page: socket.socket, say: Callable[[str], None]) -> None:
    """Serve on the socket; where that cannot be, say so, let who opens it be refused, and go on without."""

    def give_up(reason: str) -> None:
        page.close()
        say(f"The page is not served: {reason}")

    processes.start("web", "serve", "--fd", str(page.fileno()), hands=[page.fileno()], instead=give_up)


@contextmanager
def workers(settings: Settings, url: str, count: int) -> Iterator[Processes]:
    """So many worker processes on the store at `url` while the block lasts; it begins when all of them listen.

    Raises ServerUnavailable if a server goes away before, and Transient if a worker ends before for another reason, or
    does not listen within half a minute; all of them have ended then.
    """
    queue_url = settings.queue_url or url
    with (
        closing(Journal(settings.data_dir)) as journal,
        connect(url) as store,
        closing(connect_plain(queue_url)) as queue,
        Processes(settings, journal) as processes,
    ):
        jobs = Jobs(queue, settings.batch, url=queue_url)

        def heard() -> set[int]:
            identify(store, url)
            return pids_here(jobs.listening())

        heard()  # without a server none is started in vain
        _until_they_listen(heard, processes.start("worker", "work", count=count), processes)
        yield processes


def _until_they_listen(heard: Callable[[], set[int]], children: Sequence[Child], processes: Processes) -> None:
    """heard: asks the servers for the process ids that listen."""
    until = time.monotonic() + _READY_S
    while True:
        pids, died = heard(), processes.worst_death
        if all(child.pid in pids for child in children):
            return
        if died is not None and died.row > 1:  # once: of a server that was away for a moment, and is back
            raise Transient(processes.reason(died))
        if time.monotonic() > until:
            raise Transient(f"the workers do not listen after {_READY_S:g} s: see {processes.log_path}")
        processes.wait(0.02)


def _keep_up(runtime: Runtime, processes: Processes, silence: Silence, watchdog: Watchdog) -> NoReturn:
    """Look after all of them, until something is raised; then the service manager hears that we end."""
    try:
        while True:
            watchdog.turn(f"Looking after poller, page and workers: {runtime.settings.workers}")
            processes.wait(_LOOK_S)
            _look_after(runtime, silence)
    finally:
        watchdog.end()


def _look_after(runtime: Runtime, silence: Silence) -> None:
    """Start the embedded server again if it has died, and end children that only look alive; a server of somebody
    else's is waited for by each child."""
    try:
        if runtime.keep_server():
            log.warning("the embedded server had ended: started again", data_dir=str(runtime.settings.data_dir))
            silence.start_anew()
        silence.look(pids_here([*runtime.jobs.listening(), *runtime.pollers.alive()]))
    except StorywireError as error:
        silence.start_anew()
        log.warning("no server", reason=str(error))


@contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """Only one `up` or `demo` to a data directory; raises Permanent where one runs already."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(data_dir / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        trouble = "is a file" if data_dir.is_file() else f"cannot be written ({error.strerror})"
        raise Permanent(
            f"the data directory {data_dir} {trouble}: give another with STORYWIRE_DATA_DIR or --data-dir"
        ) from error
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(fd, 20).decode("ascii", "replace").strip()
            raise Permanent(
                f"Storywire runs in {data_dir} already (process {pid}): watch it with `storywire report --follow "
                f"--data-dir {data_dir}`, or give another --data-dir"
            ) from None
        os.truncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(fd)


@contextmanager
def _signals_unwind() -> Iterator[None]:
    """SIGTERM, SIGHUP and SIGQUIT end the block like Ctrl-C does, so that children are ended in order."""
    before = {number: signal.signal(number, _end) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)

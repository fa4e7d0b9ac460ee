"""A group of child processes: `storywire ...` with the same settings, ended in order.

Invariant: children never outlive the process that started them, however it ends: they hold one end of a pipe, the
lifeline, and end themselves when the other end is gone.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Self

import structlog

from worker.config import Settings, environment
from worker.errors import Transient
from worker.supervisor.child import Child, Died
from worker.supervisor.journal import Journal

GIVE_UP = 5
"""A child that never worked and ended so often will not do better the next time. One that has worked is started again
for ever: what ends it (its server is away, a batch that kills) passes."""

_DEADLINE_S = 12.0
"""How long children that were asked to end may take: a batch in hand, a fetch under way."""

_OURS_ALONE = frozenset(
    {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}
)
"""What a service manager said to this process: a child that read it would speak in its name."""

log = structlog.get_logger()


class Processes:
    """Starts children, keeps them running, and ends them when the block ends: what was started last is ended first."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self._journal = journal
        self._environment = {
            **{name: value for name, value in os.environ.items() if name not in _OURS_ALONE},
            **environment(settings),
            "STORYWIRE_LOG_FORMAT": "json",  # the journal reads it
            "PYTHONUNBUFFERED": "1",
        }
        self._groups: list[list[Child]] = []
        self._lifeline, self._held = os.pipe()
        self._instead: dict[str, Callable[[str], None]] = {}
        self._failed: Died | None = None
        self.worst_death: Died | None = None
        self.log_path = journal.path
        self._news = threading.Event()

    def start(
        self,
        name: str,
        *arguments: str,
        count: int = 1,
        on_terminal: bool = False,
        hands: Collection[int] = (),
        instead: Callable[[str], None] | None = None,
    ) -> list[Child]:
        """Start `storywire ARGUMENTS` so many times; with `on_terminal` its output goes where this process's goes.

        hands: file descriptors that it inherits. instead: what is called, from another thread, with the reason when it
        is hopeless, and the others go on without it.
        """
        if instead is not None:
            self._instead[name] = instead
        # -P: `worker` is a common name, and the folder that a person happens to be in may hold another.
        command = [sys.executable, "-P", "-m", "worker", *arguments]
        children = [
            Child(
                name,
                command=command,
                environment=self._environment,
                lifeline=self._lifeline,
                hear=self._journal.hear,
                mourn=self._mourn,
                on_terminal=on_terminal,
                hands=hands,
            )
            for _ in range(count)
        ]
        self._groups.append(children)
        return children

    def wait(self, seconds: float) -> None:
        """Sleep; raises Transient, and at once, when a child that never worked has ended so often as to be hopeless."""
        self._news.wait(seconds)
        self._news.clear()
        if self._failed is not None:
            raise Transient(self.reason(self._failed))

    def reason(self, died: Died) -> str:
        """One line on a child's end, with what it said last."""
        said = self._journal.last(died.name)
        return f"the {died.name} {died}{f' ({said})' if said else ''}: see {self.log_path}"

    def stop(self) -> None:
        """End all, group by group; whoever interrupts that, ends all at once."""
        try:
            for group in reversed(self._groups):
                for child in group:
                    child.end()
                until = time.monotonic() + _DEADLINE_S
                for child in group:
                    if not child.wait(until):
                        log.warning("killed: it did not end when asked", process=child.name, within_s=_DEADLINE_S)
                        child.kill()
        finally:
            self._kill_the_rest()

    def _kill_the_rest(self) -> None:
        children = [child for group in self._groups for child in group]
        for child in children:
            child.kill()
        for child in children:
            child.wait(time.monotonic() + 2.0)
        self._groups.clear()

    def _mourn(self, died: Died) -> None:
        if self.worst_death is None or died.row >= self.worst_death.row:
            self.worst_death = died
        if died.row >= GIVE_UP and not died.worked:
            if died.name in self._instead:
                self._go_on_without(died)
            else:
                self._failed = died
                self._news.set()
        else:
            log.warning("started again", process=died.name, after=str(died), pause_s=died.pause_s)

    def _go_on_without(self, died: Died) -> None:
        for child in [child for group in self._groups for child in group if child.name == died.name]:
            child.end()
        self._instead[died.name](self.reason(died))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            os.close(self._held)
            os.close(self._lifeline)

"""One child process: started, heard, started again when it dies unasked, ended when asked.

Invariant: nothing of a child outlives its end: not the process, not what it started, not the thread that keeps it.
"""

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

_PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0)
"""How long after each unexpected end in a row the next start waits: work goes on within 30 s of what ended it."""

_SETTLED_S = 10.0
"""A child that lived so long works, and begins that row anew: one that cannot start has ended by then."""

_LOOK_S = 0.2
_LONGEST_LINE = 1_000_000
"""Bytes; a child that writes more without a line's end is heard in pieces."""


@dataclass(frozen=True)
class Died:
    """A child's unexpected end. `status`: as of subprocess, a signal negative; `row`: how many in a row; `worked`:
    whether it ever lived long enough to work."""

    name: str
    status: int
    row: int
    pause_s: float
    worked: bool = False

    def __str__(self) -> str:
        if self.status < 0:
            with suppress(ValueError):
                return f"killed by {signal.Signals(-self.status).name}"
        return f"ended with status {self.status}"


class Child:
    """A process kept alive by a thread of its own.

    `hear(name, line)` is called with each line of its standard error (and output, unless it has the terminal's);
    `mourn(died)` with each unexpected end. hands: file descriptors that it inherits.
    """

    def __init__(
        self,
        name: str,
        *,
        command: Sequence[str],
        environment: Mapping[str, str],
        lifeline: int,
        hear: Callable[[str, str], None],
        mourn: Callable[[Died], None],
        on_terminal: bool = False,
        hands: Collection[int] = (),
    ) -> None:
        self.name = name
        self._hands = (lifeline, *hands)
        self._command, self._environment, self._lifeline = list(command), dict(environment), lifeline
        self._hear, self._mourn, self._on_terminal = hear, mourn, on_terminal
        self._process: subprocess.Popen[bytes] | None = None
        self._ending, self._ended = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        threading.Thread(target=self._keep, name=f"keep {name}", daemon=True).start()

    @property
    def pid(self) -> int | None:
        """The process that runs now."""
        process = self._process
        return process.pid if process and process.poll() is None else None

    def end(self) -> None:
        """Ask it to end: SIGTERM, once; returns at once."""
        with self._lock:
            if not self._ending.is_set():
                self._ending.set()
                self._send(signal.SIGTERM)

    def wait(self, until: float) -> bool:
        """Whether it has ended by the time `until` (of time.monotonic)."""
        # Not Thread.join: a Ctrl-C inside it makes Python 3.11 take the thread for ended (bpo-45274).
        return self._ended.wait(max(0.0, until - time.monotonic()))

    def kill(self) -> None:
        """End it now, and whatever it has started."""
        with self._lock:
            self._ending.set()
            self._send(signal.SIGKILL, group=True)

    def strike(self, pid: int) -> None:
        """Kill this process of it, and whatever that has started; it is started again."""
        with self._lock:
            if self.pid == pid:
                self._send(signal.SIGKILL, group=True)

    def _keep(self) -> None:
        try:
            self._run()
        finally:
            self._ended.set()

    def _run(self) -> None:
        row, worked = 0, False
        while (process := self._start()) is not None:
            began = time.monotonic()
            self._listen(process)
            status = process.wait()
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)  # a pool's workers do not notice that their parent was killed
            if self._ending.is_set():
                return
            settled = time.monotonic() - began > _SETTLED_S
            row, worked = 1 if settled else row + 1, worked or settled
            pause_s = _PAUSES_S[min(row, len(_PAUSES_S)) - 1]
            self._mourn(Died(self.name, status, row, pause_s, worked))
            self._ending.wait(pause_s)

    def _start(self) -> "subprocess.Popen[bytes] | None":
        with self._lock:
            if self._ending.is_set():
                return None
            self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
                self._command,
                env=self._environment | {"STORYWIRE_LIFELINE": str(self._lifeline)},
                stdin=subprocess.DEVNULL,
                stdout=None if self._on_terminal else subprocess.PIPE,
                stderr=subprocess.PIPE if self._on_terminal else subprocess.STDOUT,
                pass_fds=self._hands,
                process_group=0,  # the terminal's Ctrl-C is the parent's: children are ended in order
            )
            return self._process

    def _listen(self, process: "subprocess.Popen[bytes]") -> None:
        """Until the process has ended; what it started may hold the pipe open for longer."""
        pipe = process.stderr if self._on_terminal else process.stdout
        assert pipe is not None
        with pipe:
            kept = b""
            while True:
                ready = select.select([pipe], [], [], _LOOK_S)[0]
                if not ready:
                    if process.poll() is not None:
                        break
                    continue
                piece = os.read(pipe.fileno(), 65536)
                if not piece:
                    break
                *lines, kept = (kept + piece).split(b"\n")
                if len(kept) > _LONGEST_LINE:
                    lines, kept = [*lines, kept], b""
                for line in lines:
                    self._hear(self.name, line.decode("utf-8", "replace"))
            if kept:
                self._hear(self.name, kept.decode("utf-8", "replace"))

    def _send(self, number: signal.Signals, group: bool = False) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        with suppress(ProcessLookupError, PermissionError):
            if group:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)

"""Tells systemd how this process does (sd_notify): that it works, that it still does, what it does, that it ends.

Invariant: it speaks only when the loop that must not hang calls it, so a loop that hangs is silent; and it never blocks
or fails, whoever listens, or does not.
"""

import os
import socket
import time
from collections.abc import Callable, Mapping

_EVERY_S = 10.0
"""How often it is said what the process does where nobody watches for silence."""

_OF_LIMIT = 4
"""So often within the limit (WatchdogSec=) a sign of life is given: sd_watchdog_enabled(3) asks for two."""

_LONGEST = 200
"""Characters of what `systemctl status` shows in its one line."""


class Watchdog:
    """One process and the service manager that started it; without one (`Watchdog({})`) it does nothing.

    environment: NOTIFY_SOCKET, a path or `@` and an abstract name; WATCHDOG_USEC and WATCHDOG_PID, as sd_notify(3) and
    sd_watchdog_enabled(3) have them. now: seconds of a clock that only goes forward.
    """

    def __init__(self, environment: Mapping[str, str], now: Callable[[], float] = time.monotonic) -> None:
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        limit_s = _limit_s(environment)
        self._beat = "WATCHDOG=1" if limit_s else ""
        self.every_s = min(_EVERY_S, limit_s / _OF_LIMIT) if limit_s else _EVERY_S
        self._now, self._due = now, 0.0
        self._ready = self._ending = False

    def turn(self, status: str = "") -> None:
        """Of each turn of the loop, once it works: the first says that the process is ready, the others, as often as
        is due, that it lives. status: what it does now, one line."""
        if not self._address or self._ending or (self._ready and self._now() < self._due):
            return
        said = " ".join(status.split())[:_LONGEST]
        if self._say("" if self._ready else "READY=1", self._beat, f"STATUS={said}" if said else ""):
            self._ready, self._due = True, self._now() + self.every_s

    def end(self) -> None:
        """Say, once, that the process ends as it was asked to; then nothing more."""
        if self._address and not self._ending:
            self._ending = True
            self._say("STOPPING=1", "STATUS=Ending")

    def _say(self, *lines: str) -> bool:
        """Whether it could be said: where not, the next turn tries again."""
        message = "\n".join(filter(None, lines)).encode()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
                sending.sendto(message, socket.MSG_DONTWAIT, self._address)
        except OSError:
            return False
        return True


def _address(given: str) -> str:
    """The address as the kernel takes it; empty where there is none, or of a kind that we do not speak (vsock)."""
    return "\0" + given[1:] if given.startswith("@") else given if given.startswith("/") else ""


def _limit_s(environment: Mapping[str, str]) -> float:
    """After how long a silence this process is ended; 0.0 where nobody does, or another process is meant."""
    given, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if process not in ("", str(os.getpid())) or not given.isdecimal():
        return 0.0
    return int(given) / 1e6

"""The inside of the process that speaks to services through Apprise: one message a request.

Invariant: nothing of an address, which holds secrets, is written anywhere; what is not public is connected to only
where STORYWIRE_ALLOW_PRIVATE says so.
"""

import json
import logging
import socket
import sys
from collections.abc import Mapping
from time import monotonic
from typing import Any

from worker.contained.serve import serve
from worker.fetch.guard import Guard, PrivateAddress

_REFUSED: list[str] = []


def guard_sockets(guard: Guard) -> None:
    """Have every connection of this process asked of the guard: the address is the one that is connected to."""

    class Guarded(socket.socket):
        def connect(self, address: Any) -> None:
            self._check(address)
            super().connect(address)

        def connect_ex(self, address: Any) -> int:
            self._check(address)
            return super().connect_ex(address)

        def _check(self, address: Any) -> None:
            if self.family not in (socket.AF_INET, socket.AF_INET6):
                return
            try:
                guard.check(address[0], address[1])
            except PrivateAddress as error:
                _REFUSED.append(str(error))
                raise

    socket.socket = Guarded  # type: ignore[misc]


def answer(request: bytes) -> bytes:
    """Send a message (JSON: `address`, `title`, `text`); JSON: the `trouble` in words, "" where it was taken, and the
    seconds that it `took_s`."""
    import apprise  # noqa: F401, PLC0415  # half a second and 60 MB: for who has such a target

    began = monotonic()
    trouble = _trouble(json.loads(request))
    return json.dumps({"trouble": trouble, "took_s": monotonic() - began}).encode()


def _trouble(message: Mapping[str, str]) -> str:
    import apprise  # noqa: PLC0415

    _REFUSED.clear()
    service = apprise.Apprise.instantiate(message["address"], suppress_exceptions=True)
    if service is None:
        return "is no address that Apprise knows: see `storywire alerts check`"
    try:
        taken = service.notify(body=message["text"], title=message["title"], body_format=apprise.NotifyFormat.TEXT)
    except Exception as error:  # of any of a hundred services; its text may hold the address
        return f"failed with {type(error).__name__}"
    if taken:
        return ""
    return _REFUSED[0] if _REFUSED else "was not taken: is its address right, is it up?"


def main() -> None:
    """Serve standard input. The first argument is STORYWIRE_ALLOW_PRIVATE as it is set."""
    logging.disable(logging.CRITICAL)
    guard_sockets(Guard(sys.argv[1] if len(sys.argv) > 1 else "0"))
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a service's code prints is no answer
    serve(requests, answers, answer)


if __name__ == "__main__":
    main()

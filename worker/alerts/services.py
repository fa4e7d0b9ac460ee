"""Speaks to services through Apprise, in processes apart, where one that is slow has no turns of the others.

Invariant: three processes at most, each started when it is first needed; an attempt ends in time, whatever its service
does, and one that was slow at the last attempt is waited for by other slow ones alone.
"""

import json
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from worker.contained.pool import Busy, Died, Hung, Pool

COMMAND = (sys.executable, "-P", "-m", "worker.alerts.messenger")
TIMEOUT_S = 30.0
WAIT_S = 60.0
"""For a process that is free."""

_QUICK = 2
_SLOW_S = 3.0
"""Apprise gives most services four seconds to answer; whoever takes as long as this is slow."""


class Services:
    """Two processes for services that answer, one for those that are slow. Use it as an async context manager."""

    def __init__(self, command: Sequence[str], timeout_s: float = TIMEOUT_S) -> None:
        self._quick = Pool(command, timeout_s=timeout_s, size=_QUICK)
        self._slow = Pool(command, timeout_s=timeout_s, size=1)
        self._lagging = set[str]()
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for pool in (self._quick, self._slow):
                await stack.enter_async_context(pool)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def send(self, address: str, title: str, text: str) -> str:
        """Make one attempt; the trouble in words, "" where it was taken."""
        request = json.dumps({"address": address, "title": title, "text": text}).encode()
        pool = self._slow if address in self._lagging else self._quick
        try:
            answer = json.loads(await pool.ask(request, WAIT_S))
        except Busy:
            return "was not its turn: others took long"
        except Hung:
            self._lagging.add(address)
            return f"did not take it within {self._timeout_s:g} s"
        except Died:
            self._lagging.add(address)
            return "ended the process that spoke to it"
        (self._lagging.add if answer["took_s"] >= _SLOW_S else self._lagging.discard)(address)
        return str(answer["trouble"])

"""uvicorn with the bounds that it lacks, and without its handlers of signals.

Invariant: whoever sends slowly, or does not read what it is sent, is let go of.
"""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

_HEAD_S = 10.0
"""How long the head of a request may take: who sends a byte a minute holds no connection."""

_UNREAD_MS = 30_000
"""How long a client may leave unread what it was sent, before its connection is ended."""

_KEEP_ALIVE_S = 15
_MOST_HEAD = 32_768
_MOST_AT_ONCE = 1_000


class _Patient(H11Protocol):
    """uvicorn waits for ever for the head of a request; this does not."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._late = self.loop.call_later(_HEAD_S, self._give_up)

    def data_received(self, data: bytes) -> None:
        if self._late is None and (self.cycle is None or self.cycle.response_complete):
            self._late = self.loop.call_later(_HEAD_S, self._give_up)
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._be_patient()

    def connection_lost(self, exc: Exception | None) -> None:
        self._be_patient()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        self._late = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()

    def _be_patient(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class Server(uvicorn.Server):
    """Leaves signals to whoever runs it: uvicorn's own would end the process by the signal it got."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """None are."""
        yield


def server_of(app: ASGIApp, stop_s: float) -> Server:
    """A server of this application, which ends within so long."""
    return Server(
        uvicorn.Config(
            app,
            http=_Patient,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=int(stop_s),
            limit_concurrency=_MOST_AT_ONCE,
            h11_max_incomplete_event_size=_MOST_HEAD,
        )
    )


def hurry(listening: socket.socket) -> None:
    """Set what every connection takes over from the socket that it came by.

    asyncio sets TCP_NODELAY only where a socket names TCP (these say 0): an answer in two parts then waits 40 ms for
    the client's delayed acknowledgement.
    """
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MS)

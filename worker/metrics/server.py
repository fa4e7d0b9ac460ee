"""A small server for `/metrics`, in a thread of the process that is measured.

Invariant: it answers one path and nothing else, holds no connection for long, and never keeps a process from its work.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EADDRINUSE
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any

import structlog

from worker.errors import Permanent
from worker.metrics.recorder import CONTENT_TYPE, Metrics

PORTS = 32
"""Processes of one machine with the same setting: each takes the next free port."""

_TIMEOUT_S = 5.0
_STOP_S = 0.1
"""How long a process that ends waits for this server at most."""

_MOST_AT_ONCE = 8
"""Connections; who comes beyond that is turned away."""

_PATH = "/metrics"

log = structlog.get_logger()


@contextmanager
def exposed(metrics: Metrics, place: tuple[str, int] | None, token: str = "") -> Iterator[Metrics]:
    """Answer `/metrics` at this address while the block lasts; None for nowhere.

    Where the port is taken, the next free one of PORTS; without a free one nobody is answered, and the log says so.
    Port 0: any. token: what has to be shown ("Authorization: Bearer TOKEN"), "" for nothing. Raises Permanent where the
    address is none of this machine's, or may not be used.
    """
    server = None if place is None else _listening(metrics, place, token)
    if server is None:
        yield metrics
        return
    log.info("metrics", address="{}:{}".format(*server.server_address[:2]), path=_PATH)
    thread = threading.Thread(target=server.serve_forever, args=(_STOP_S,), name="metrics", daemon=True)
    thread.start()
    try:
        yield metrics
    finally:
        server.shutdown()
        server.server_close()
        thread.join(_TIMEOUT_S)


def _listening(metrics: Metrics, place: tuple[str, int], token: str) -> "_Server | None":
    host, first = place
    ports = range(first, min(first + PORTS, 65_536)) if first else range(1)
    for port in ports:
        try:
            return _Server(host, port, metrics, token)
        except OSError as error:
            if error.errno != EADDRINUSE:
                why = (error.strerror or "no reason given").lower()
                raise Permanent(f"STORYWIRE_METRICS={host}:{first}: {why}: give another address or port") from None
    log.warning("no metrics", trouble=f"ports {ports[0]} to {ports[-1]} are taken", remedy="set STORYWIRE_METRICS")
    return None


class _Server(ThreadingTCPServer):
    """Not HTTPServer, which looks up this machine's name first."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, metrics: Metrics, token: str) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.metrics, self.token = metrics, token
        self._room = threading.BoundedSemaphore(_MOST_AT_ONCE)
        super().__init__((host, port), _Answer)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        late = threading.Timer(_TIMEOUT_S, _break_off, [request])
        late.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            late.cancel()
            self._room.release()

    def handle_error(self, _request: Any, client_address: Any) -> None:
        """Who breaks off is no news."""
        log.debug("metrics not told", client=str(client_address[0]), exc_info=True)


def _break_off(request: socket.socket) -> None:
    with suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)


class _Answer(BaseHTTPRequestHandler):
    """One connection, one request."""

    server: _Server
    server_version, sys_version = "storywire", ""

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != _PATH:
            self._say(404, b"metrics are at /metrics\n")
        elif not self._may_read():
            self._say(401, b"show the token of STORYWIRE_TOKEN\n", **{"WWW-Authenticate": "Bearer"})
        else:
            self._say(200, self.server.metrics.text(), **{"Content-Type": CONTENT_TYPE})

    def log_message(self, format: str, *args: Any) -> None:
        """A scrape is no news."""

    def _may_read(self) -> bool:
        token = self.server.token
        shown = self.headers.get("Authorization", "").removeprefix("Bearer ")
        return not token or compare_digest(shown.encode(), token.encode())

    def _say(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "text/plain; charset=utf-8"} | headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

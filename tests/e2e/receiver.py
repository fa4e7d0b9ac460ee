"""A receiver of webhooks on loopback: notes what it gets, and answers as a test wants it.

Invariant: what it refuses it refuses as Express does, with the path that was asked for.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from msgspec import json


class Got(NamedTuple):
    """A request."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body as JSON."""
        return json.decode(self.body)


@dataclass
class Receiver:
    """`answers`: statuses with headers for the next requests, 200 when there are none left; `before`: is called before
    each answer."""

    port: int = 0
    got: list[Got] = field(default_factory=list)
    answers: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)
    before: Callable[[], object] = lambda: None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/hook"


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A running receiver."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            receiver.got.append(Got({k.lower(): v for k, v in self.headers.items()}, body))
            receiver.before()
            status, headers = receiver.answers.pop(0) if receiver.answers else (200, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            said = f"<pre>Cannot POST {self.path}</pre>".encode() if status >= 400 else b""
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128  # connections that wait to be accepted: beyond, each comes a second later

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Who asked may be dead by now: a test kills it."""

    server = Server(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)

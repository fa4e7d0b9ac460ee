"""A small HTTP server on loopback that can be as bad as the net: what it answers is decided byte by byte.

It runs in a thread of its own, so that whole processes can be tested against it.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.e2e.in_thread import InThread


@dataclass
class Request:
    """A request as it came: header names in lower case, values byte for byte."""

    path: str
    headers: dict[str, str] = field(default_factory=dict)


Answer = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


def page(body: bytes | str, status: int = 200, **headers: str) -> Answer:
    """An answer with this body; `content_type="text/xml"` becomes a header."""
    content = body.encode() if isinstance(body, str) else body

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        await head(writer, status, {"Content-Length": str(len(content)), **dashed(headers)})
        writer.write(content)
        await writer.drain()

    return answer


def versioned(body: bytes | str, etag: str, last_modified: str = "") -> Answer:
    """The body with an ETag; 304 to who sends it back."""
    full = page(body, etag=etag, last_modified=last_modified) if last_modified else page(body, etag=etag)

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.headers.get("if-none-match") == etag:
            await head(writer, 304, {"ETag": etag})
        else:
            await full(request, writer)

    return answer


async def head(writer: asyncio.StreamWriter, status: int, headers: dict[str, str]) -> None:
    """Write a status line and headers; every connection is closed after its answer."""
    lines = [f"HTTP/1.1 {status} X", "Connection: close", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("utf-8"))
    await writer.drain()


def dashed(headers: dict[str, str]) -> dict[str, str]:
    """`content_type` as `Content-Type`."""
    return {name.replace("_", "-").title(): value for name, value in headers.items()}


_TLS = b"\x16"
"""What a TLS connection begins with: at a plain port, servers answer it so."""


class FeedServer(InThread):
    """Serves `routes` (path -> Answer), which may change at any time; `requests` is what it was asked, over so many
    `connections`.

    tls: serves https with this; keep: leaves connections open for more requests, where answers do not forbid it.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, *, tls: ssl.SSLContext | None = None, keep: bool = False
    ) -> None:
        super().__init__()
        self.host, self.port = host, port
        self._tls, self._keep = tls, keep
        self.routes: dict[str, Answer] = {}
        self.requests: list[Request] = []
        self.connections = 0

    def url(self, path: str) -> str:
        """The address of a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{path}"

    def asked(self, path: str) -> list[Request]:
        """The requests for a path, in order."""
        return [request for request in list(self.requests) if request.path == path]

    async def _run(self) -> None:
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connected, self.host, self.port, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            await self._serve_one(reader, writer)
            while self._keep:
                await self._serve_one(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has had enough, or the test is over
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readexactly(1)
        if first == _TLS:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            raise ConnectionAbortedError
        request = await self._read(first, reader)
        self.requests.append(request)
        await self.routes.get(request.path, page("not here", status=404))(request, writer)

    async def _read(self, first: bytes, reader: asyncio.StreamReader) -> Request:
        lines = (first + await reader.readuntil(b"\r\n\r\n")).decode("utf-8").split("\r\n")
        headers = (line.partition(": ") for line in lines[1:] if line)
        return Request(lines[0].split(" ")[1], {name.lower(): value for name, _, value in headers})

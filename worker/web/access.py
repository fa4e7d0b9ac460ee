"""What stands around the application: a line for each request, a bound for each body, a bound for each request's time.

Invariant: no log line holds the secret end of a callback's address, and a body that is too big is never held whole.
"""

import asyncio
import time
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 5_000_000
REQUEST_S = 30.0
"""How long a request may take, its body's way to us included."""

_QUIET = ("/healthz",)
_CALLBACKS = "/websub/"
_MAX_PATH = 200

log = structlog.get_logger()


class TooBig(Exception):
    """A body is larger than MAX_BODY."""


class Access:
    """Logs, and ends what takes too long."""

    def __init__(self, app: ASGIApp, request_s: float = REQUEST_S) -> None:
        self._app, self._request_s = app, request_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        began, sent = time.perf_counter(), {"status": 0, "bytes": 0}

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent["status"] = message["status"]
                headers = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]
                message["headers"] = [*message.get("headers", ()), *headers]
            sent["bytes"] += len(message.get("body", b""))
            await send(message)

        try:
            async with asyncio.timeout(self._request_s):
                await self._app(scope, receive, sending)
        except TimeoutError:
            await _refuse(sending, sent, 408, b"too slow\n")
        finally:
            _told(scope, sent, began)


def _told(scope: Scope, sent: dict[str, int], began: float) -> None:
    facts: dict[str, Any] = {
        "method": scope["method"],
        "path": shown_path(scope["path"]),
        "status": sent["status"] or 500,  # it failed, and is answered so by whoever is told of that
        "bytes": sent["bytes"],
        "took_ms": round((time.perf_counter() - began) * 1000, 1),
        "client": (scope.get("client") or ("",))[0],
    }
    write = log.debug if scope["path"] in _QUIET and sent["status"] < 400 else log.info
    write("served", **facts)


def shown_path(path: str) -> str:
    """A path as logs show it: without what makes a callback's address secret."""
    before, callback, after = path[:_MAX_PATH].partition(_CALLBACKS)
    feed, more, _ = after.partition("/")
    return f"{before}{callback}{feed}{more}{'...' if more else ''}"


async def _refuse(send: Send, sent: dict[str, int], status: int, said: bytes) -> None:
    if sent["status"]:
        return
    headers = [(b"content-length", str(len(said)).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": said})


async def body_of(receive: Receive, announced: str) -> bytes:
    """The body of a request; raises TooBig as soon as that is known, and ConnectionError where it breaks off."""
    if announced.isdecimal() and int(announced) > MAX_BODY:
        raise TooBig
    parts, size = list[bytes](), 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionAbortedError
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            raise TooBig
        if not message.get("more_body", False):
            return b"".join(parts)

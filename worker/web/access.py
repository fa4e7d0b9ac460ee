"""What stands around the application: a line for each request, a bound for each body, a bound for each request's time.

Invariant: no log line holds the secret end of a callback's address, and a body that is too big is never held whole.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.web.headers import guarded

MAX_BODY = 5_000_000
REQUEST_S = 30.0
"""How long a request may take, its body's way to us included."""

_QUIET = ("/healthz",)
_CALLBACKS = "/websub/"
_MAX_PATH = 200

log = structlog.get_logger()


class TooBig(Exception):
    """A body is larger than it may be."""


def _line(_request: Request, status: int) -> Response:
    return PlainTextResponse(f"{HTTPStatus(status).phrase.lower()}\n", status)


class Access:
    """Logs, ends what takes too long, and answers with `answer` where the application did not.

    A stream of events may last: it is bounded by whoever sends it.
    """

    def __init__(
        self, app: ASGIApp, answer: Callable[[Request, int], Response] = _line, request_s: float = REQUEST_S
    ) -> None:
        self._app, self._answer, self._request_s = app, answer, request_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        began, sent = time.perf_counter(), {"status": 0, "bytes": 0}
        limit = asyncio.timeout(self._request_s)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent["status"] = message["status"]
                message["headers"] = guarded(message.get("headers", ()))
                if _is_stream(message["headers"]):
                    limit.reschedule(None)
            sent["bytes"] += len(message.get("body", b""))
            await send(message)

        try:
            async with limit:
                await self._app(scope, receive, sending)
        except TimeoutError:
            await self._answer_instead(408, scope, receive, sending, begun=bool(sent["status"]))
        except Exception:  # a fault of ours: seen, and told to whoever asked
            log.exception("not served", path=shown_path(scope["path"]))
            await self._answer_instead(500, scope, receive, sending, begun=bool(sent["status"]))
        finally:
            _told(scope, sent, began)

    async def _answer_instead(self, status: int, scope: Scope, receive: Receive, send: Send, *, begun: bool) -> None:
        """Answer for the application, unless it had begun to."""
        if not begun:
            response = self._answer(Request(scope), status)
            response.headers["connection"] = "close"
            await response(scope, receive, send)


def _is_stream(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in headers)


def _told(scope: Scope, sent: dict[str, int], began: float) -> None:
    facts: dict[str, Any] = {
        "method": scope["method"],
        "path": shown_path(scope["path"]),
        "status": sent["status"] or 500,  # broken off
        "bytes": sent["bytes"],
        "took_ms": round((time.perf_counter() - began) * 1000, 1),
        "client": (scope.get("client") or ("",))[0],
    }
    quiet = scope["path"] in _QUIET or "/static/" in scope["path"]
    write = log.debug if quiet and sent["status"] < 400 else log.info
    write("served", **facts)


def shown_path(path: str) -> str:
    """A path as logs show it: without what makes a callback's address secret."""
    before, callback, after = path[:_MAX_PATH].partition(_CALLBACKS)
    feed, more, _ = after.partition("/")
    return f"{before}{callback}{feed}{more}{'...' if more else ''}"


async def body_of(receive: Receive, announced: str, most: int = MAX_BODY) -> bytes:
    """The body of a request; raises TooBig as soon as that is known, and ConnectionError where it breaks off."""
    if announced.isdecimal() and int(announced) > most:
        raise TooBig
    parts, size = list[bytes](), 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionAbortedError
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise TooBig
        if not message.get("more_body", False):
            return b"".join(parts)

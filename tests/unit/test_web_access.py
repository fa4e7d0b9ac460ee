"""What stands around every request: its log line never holds a secret, its time and its body are bounded."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from worker.web.access import MAX_BODY, Access, TooBig, body_of, shown_path

SCOPE: Scope = {"type": "http", "method": "POST", "path": "/websub/feed/secret", "client": ("192.0.2.1", 1)}


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/websub/feed/secret", "/websub/feed/..."),
        ("/wire/websub/feed/secret", "/wire/websub/feed/..."),
        ("/websub/feed/secret/more", "/websub/feed/..."),
        ("/websub/feed", "/websub/feed"),
        ("/healthz", "/healthz"),
        ("/" + "x" * 999, "/" + "x" * 199),
    ],
)
def test_a_path_is_shown_without_what_makes_it_secret(path: str, shown: str) -> None:
    assert shown_path(path) == shown


def coming(*parts: bytes, ends: bool = True) -> Receive:
    """A body that comes in these parts, and then ends, or never does."""
    left = list(parts)

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        part = left.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(left) or not ends}

    return receive


async def test_a_body_comes_whole_or_not_at_all() -> None:
    assert await body_of(coming(b"one", b"two"), "") == b"onetwo"
    assert await body_of(coming(b"", b""), "6") == b""

    async def broken_off() -> Message:
        return {"type": "http.disconnect"}

    with pytest.raises(ConnectionError):
        await body_of(broken_off, "6")


async def test_a_body_that_is_too_big_is_known_as_soon_as_it_is() -> None:
    """By what it announces, or by what has come: the rest is not waited for."""
    with pytest.raises(TooBig):
        await body_of(coming(ends=False), str(MAX_BODY + 1))
    with pytest.raises(TooBig):
        await body_of(coming(b"x" * MAX_BODY, b"x", ends=False), "")


async def test_who_sends_too_slowly_is_told_so() -> None:
    sent: list[dict[str, Any]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await body_of(receive, "")

    async def send(message: Message) -> None:
        sent.append(dict(message))

    async with asyncio.timeout(10):
        await Access(app, request_s=0.05)(SCOPE, coming(b"x", ends=False), send)
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]

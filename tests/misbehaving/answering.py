"""Answers that the table is written with, beside those of tests/e2e/feed_server.py.

Invariant: each is a function of the request alone.
"""

import asyncio
import zlib

from tests.e2e.feed_server import Answer, Request, head, page

RSS = "application/rss+xml"


def feed(body: bytes | str, status: int = 200, **headers: str) -> Answer:
    """A feed as a decent server sends it, but for these headers."""
    return page(body, status, **{"content_type": RSS, **headers})


def to(place: str, status: int = 302, **headers: str) -> Answer:
    """A redirect."""
    return page("", status=status, location=place, **headers)


def raw(*pieces: bytes, then: float = 0.0) -> Answer:
    """These bytes and the end of the connection; `then` seconds after each piece."""

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(then)

    return answer


def headed(headers: bytes, body: bytes | str) -> Answer:
    """An answer whose headers are given byte for byte."""
    content = body.encode() if isinstance(body, str) else body
    start = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n" % len(content)
    return raw(start + headers + b"\r\n\r\n" + content)


def kept(*bodies: str) -> Answer:
    """As many answers to one request, over a connection that stays open."""
    contents = [body.encode() for body in bodies]
    return raw(b"".join(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(each) + each for each in contents))


def announcing(length: int, body: bytes | str) -> Answer:
    """A body of another length than is announced."""
    content = body.encode() if isinstance(body, str) else body
    return raw(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % length + content)


def chunked(body: bytes | str, end: bytes) -> Answer:
    """A body in chunks; a moment later what stands for the last one."""
    content = body.encode() if isinstance(body, str) else body
    start = b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    return raw(start + b"%x\r\n" % len(content) + content + b"\r\n", end, then=0.3)


def always_not_modified(body: str, etag: str) -> Answer:
    """304 to whoever sends any validator, the body to others."""

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.headers.keys() & {"if-none-match", "if-modified-since"}:
            await head(writer, 304, {"ETag": etag})
        else:
            await feed(body, etag=etag)(request, writer)

    return answer


def with_cookie(cookie: str, then: Answer, otherwise: Answer) -> Answer:
    """One answer to whoever sends this cookie, another to others."""

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        sent = cookie in request.headers.get("cookie", "").split("; ")
        await (then if sent else otherwise)(request, writer)

    return answer


async def counting_cookies(request: Request, writer: asyncio.StreamWriter) -> None:
    """To itself, with one cookie more each time than it was given."""
    visit = request.headers.get("cookie", "").count("visit")
    await to(request.path, set_cookie=f"visit{visit}=1; Path=/")(request, writer)


def endless(piece: bytes, pause_s: float = 0.0, headers: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> Answer:
    """The same piece again and again, without an end."""

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(headers)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return answer


async def silent(request: Request, writer: asyncio.StreamWriter) -> None:
    """No answer, and no end of the connection."""
    await asyncio.Event().wait()


async def bomb(request: Request, writer: asyncio.StreamWriter) -> None:
    """A gigabyte of spaces, in a megabyte."""
    await head(writer, 200, {"Content-Encoding": "gzip"})
    packer = zlib.compressobj(9, wbits=31)
    for _ in range(1024):
        writer.write(packer.compress(b" " * 1_048_576))
        await writer.drain()
    writer.write(packer.flush())

"""One conditional GET, capped in time, size and redirects.

Invariant: the answer is a value, whatever the net or the server does.
"""

import asyncio
import ssl
import zlib
from collections.abc import Awaitable, Callable, Container
from types import TracebackType
from typing import Self

import aiohttp

from worker.fetch import answers
from worker.fetch.answers import Failed, Fetched, NotModified
from worker.fetch.body import WINDOW_BITS, TooBig, Unpacked
from worker.fetch.guard import Guard, GuardedResolver, Resolve
from worker.fetch.trail import REDIRECTS, Trail

MAX_BYTES = 5_000_000
"""Of a body after decompression: the largest of the real feeds that were looked at has 0.4 MB."""

_MAX_VALIDATOR = 1_000
_ACCEPT = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
_UNKNOWN_ENCODINGS = frozenset({"br", "zstd", "compress", "x-compress"})
"""Compressed by ways that were not asked for. Any other name, such as `utf-8` or `none`, is no compression at all."""

BeforeRedirect = Callable[[str], Awaitable[None]]
"""Is given each address that a redirect leads to, and returns when that may be asked."""


class Fetcher:
    """Fetches feeds over shared connections. Use it as an async context manager; it keeps no cookies.

    guard: what may be connected to, by default public addresses alone; resolve: looks names up, by default the system;
    tls: what certificates are trusted, by default those of the system; types: the media types that are read, by default
    any.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        timeout_s: float,
        max_bytes: int = MAX_BYTES,
        guard: Guard | None = None,
        resolve: Resolve | None = None,
        accept: str = _ACCEPT,
        tls: ssl.SSLContext | None = None,
        types: Container[str] = (),
    ) -> None:
        self._guard, self._resolve, self._tls = guard or Guard(), resolve, tls
        self._headers = {"User-Agent": user_agent, "Accept": accept, "Accept-Encoding": "gzip, deflate"}
        self._timeout_s = timeout_s
        self._max_bytes, self._types = max_bytes, types

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=self._connector(),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(),  # one clock for all of a fetch: the one in fetch()
            auto_decompress=False,  # a chunk of a gzip bomb would be unpacked whole
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()

    async def fetch(
        self, url: str, etag: str = "", last_modified: str = "", *, before_redirect: BeforeRedirect | None = None
    ) -> Fetched | NotModified | Failed:
        """GET a feed; the validators of the last fetch are sent back byte for byte.

        The time that `before_redirect` waits does not count; what it raises is passed on.
        """
        try:
            trail = Trail(url)
        except ValueError:
            return answers.BAD_URL
        conditions = _conditions(etag, last_modified)
        left_s, clock = self._timeout_s, asyncio.get_running_loop().time
        while True:
            began = clock()
            answer = await self._answer(trail, conditions, left_s)
            if isinstance(answer, Failed):
                return trail.in_words(answer)
            if answer is not None:
                return answer
            left_s -= clock() - began
            if before_redirect is not None:
                await before_redirect(str(trail.url))

    async def _answer(
        self, trail: Trail, conditions: dict[str, str], left_s: float
    ) -> Fetched | NotModified | Failed | None:
        """What one request of a fetch comes to; None for a redirect, which the trail has followed."""
        try:
            async with asyncio.timeout(left_s):
                return await self._get(trail, conditions)
        except TimeoutError:
            return answers.too_slow(self._timeout_s)
        except TooBig:
            return answers.too_big(self._max_bytes)
        except zlib.error:
            return answers.NOT_UNPACKABLE
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return answers.failure(error)

    async def _get(self, trail: Trail, conditions: dict[str, str]) -> Fetched | NotModified | Failed | None:
        sent = conditions | {"Cookie": trail.cookies} if trail.cookies else conditions
        async with self._session.get(trail.url, headers=sent, allow_redirects=False) as response:
            headers = response.headers
            if response.status in REDIRECTS:
                return trail.follow(response.status, headers.get("Location", ""), headers.getall("Set-Cookie", ()))
            etag, last_modified = _validator(headers.get("ETag", "")), _validator(headers.get("Last-Modified", ""))
            freshness = headers.get("Cache-Control", ""), headers.get("Expires", ""), trail.moved
            age = headers.get("Age", "")
            if response.status == 304 and conditions:
                return NotModified(etag, last_modified, *freshness, age)
            if not 200 <= response.status < 300:
                return answers.refusal(response.status, headers.get("Retry-After", ""))
            if self._types and "Content-Type" in headers and response.content_type not in self._types:
                return answers.of_type(response.content_type)
            encoding = headers.get("Content-Encoding", "").strip().lower()
            if encoding in _UNKNOWN_ENCODINGS:
                return answers.compressed_as(encoding)
            body = await self._read(response, Unpacked(encoding if encoding in WINDOW_BITS else "", self._max_bytes))
            content_type = headers.get("Content-Type", "")
            found = str(response.url)
            link = ", ".join(headers.getall("Link", ()))
            return Fetched(body, found, content_type, etag, last_modified, *freshness, trail.redirects > 0, link, age)

    def _connector(self) -> aiohttp.BaseConnector:
        """The one place where connections are made."""
        return aiohttp.TCPConnector(
            limit=0,
            ttl_dns_cache=300,
            resolver=GuardedResolver(self._guard, self._resolve),
            socket_factory=self._guard.socket,
            ssl=self._tls or True,
        )

    async def _read(self, response: aiohttp.ClientResponse, unpacked: Unpacked) -> bytes:
        if (response.content_length or 0) > self._max_bytes:
            raise TooBig
        try:
            async for chunk in response.content.iter_any():
                unpacked.feed(chunk)
        except aiohttp.ClientPayloadError:
            if not unpacked.whole():  # many announce more than they send, and have sent it all
                raise
        return unpacked.finish()


def _conditions(etag: str, last_modified: str) -> dict[str, str]:
    return {name: value for name, value in (("If-None-Match", etag), ("If-Modified-Since", last_modified)) if value}


def _validator(header: str) -> str:
    """A validator that can be sent back as it came; one with bytes that are no UTF-8, or an endless one, cannot."""
    try:
        header.encode("utf-8")
    except UnicodeEncodeError:
        return ""
    return header if len(header) <= _MAX_VALIDATOR else ""

"""One conditional GET, capped in time, size and redirects.

Invariant: the answer is a value, whatever the net or the server does.
"""

import asyncio
import zlib
from types import TracebackType
from typing import Self

import aiohttp

from worker.fetch import answers
from worker.fetch.answers import Failed, Fetched, NotModified
from worker.fetch.body import WINDOW_BITS, TooBig, Unpacked
from worker.fetch.guard import Guard, GuardedResolver, Resolve

MAX_BYTES = 5_000_000
"""Of a body after decompression: the largest of the real feeds that were looked at has 0.4 MB."""

MAX_REDIRECTS = 5
_MAX_VALIDATOR = 1_000
_ACCEPT = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"


class Fetcher:
    """Fetches feeds over shared connections. Use it as an async context manager; it keeps no cookies.

    guard: what may be connected to, by default public addresses alone; resolve: looks names up, by default the system.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        timeout_s: float,
        max_bytes: int = MAX_BYTES,
        guard: Guard | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self._guard, self._resolve = guard or Guard(), resolve
        self._headers = {"User-Agent": user_agent, "Accept": _ACCEPT, "Accept-Encoding": "gzip, deflate"}
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes

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

    async def fetch(self, url: str, etag: str = "", last_modified: str = "") -> Fetched | NotModified | Failed:
        """GET a feed; the validators of the last fetch are sent back byte for byte."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._get(url, _conditions(etag, last_modified))
        except TimeoutError:
            return answers.too_slow(self._timeout_s)
        except TooBig:
            return answers.too_big(self._max_bytes)
        except zlib.error:
            return answers.NOT_UNPACKABLE
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return answers.failure(error)

    async def _get(self, url: str, conditions: dict[str, str]) -> Fetched | NotModified | Failed:
        # aiohttp gives up at the redirect of this number instead of following it
        async with self._session.get(url, headers=conditions, max_redirects=MAX_REDIRECTS + 1) as response:
            headers = response.headers
            etag, last_modified = _validator(headers.get("ETag", "")), _validator(headers.get("Last-Modified", ""))
            cache_control = headers.get("Cache-Control", "")
            if response.status == 304 and conditions:
                return NotModified(etag, last_modified, cache_control)
            if not 200 <= response.status < 300:
                return answers.refusal(response.status, headers.get("Retry-After", ""))
            encoding = headers.get("Content-Encoding", "").strip().lower()
            if encoding not in WINDOW_BITS:
                return Failed("broken", f"is compressed as {encoding[:40]!r}, which was not asked for")
            body = await self._read(response, Unpacked(encoding, self._max_bytes))
            content_type = headers.get("Content-Type", "")
            return Fetched(body, str(response.url), content_type, etag, last_modified, cache_control)

    def _connector(self) -> aiohttp.BaseConnector:
        """The one place where connections are made."""
        resolver = GuardedResolver(self._guard, self._resolve)
        return aiohttp.TCPConnector(limit=0, ttl_dns_cache=300, resolver=resolver, socket_factory=self._guard.socket)

    async def _read(self, response: aiohttp.ClientResponse, unpacked: Unpacked) -> bytes:
        if (response.content_length or 0) > self._max_bytes:
            raise TooBig
        async for chunk in response.content.iter_any():
            unpacked.feed(chunk)
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

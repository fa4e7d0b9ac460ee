"""A form or a body sent to an address that others wrote, behind the same guard as every fetch.

Invariant: the answer is a value, whatever the net or the server does; no cookies, no body read beyond a line; what is
sent goes to the address that was given, and nowhere else.
"""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import NamedTuple, Self

import aiohttp
from yarl import URL

from worker.fetch import answers
from worker.fetch.guard import Guard, GuardedResolver, Resolve
from worker.fetch.trail import REDIRECTS

_SAID = 300


class Posted(NamedTuple):
    """What a server answered: its status (0: none), the trouble in words of ours or "", and how a refusal begins in its
    own (`said`), which may repeat what it was sent and the address: servers name the path that they do not know."""

    status: int
    trouble: str = ""
    retry_after: str = ""
    said: str = ""

    @property
    def taken(self) -> bool:
        """Whether the form was accepted."""
        return 200 <= self.status < 300

    @property
    def quoted(self) -> str:
        """The trouble with what the server said of it: for who cuts out what is secret."""
        return f"{self.trouble}: {self.said}" if self.said else self.trouble


class Poster:
    """Sends forms over shared connections. Use it as an async context manager."""

    def __init__(
        self, *, user_agent: str, timeout_s: float, guard: Guard | None = None, resolve: Resolve | None = None
    ) -> None:
        self._user_agent, self._timeout_s = user_agent, timeout_s
        self._guard, self._resolve = guard or Guard(), resolve

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, resolver=GuardedResolver(self._guard, self._resolve), socket_factory=self._guard.socket
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self._user_agent},
            timeout=aiohttp.ClientTimeout(),
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()

    async def post(self, url: str, form: Mapping[str, str]) -> Posted:
        """POST a form. No redirect is followed: the form holds secrets, and the visit was let in for this host."""
        return await self._in_time(url, dict(form), {})

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        """POST a body with these headers; no redirect is followed either."""
        return await self._in_time(url, body, headers)

    async def _in_time(self, url: str, data: dict[str, str] | bytes, headers: Mapping[str, str]) -> Posted:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._post(url, data, headers)
        except TimeoutError:
            return Posted(0, f"did not answer within {self._timeout_s:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Posted(0, answers.failure(error).reason)

    async def _post(self, url: str, data: dict[str, str] | bytes, headers: Mapping[str, str]) -> Posted:
        async with self._session.post(URL(url), data=data, headers=headers, allow_redirects=False) as response:
            status = response.status
            if 200 <= status < 300:
                return Posted(status)
            if status in REDIRECTS:
                return Posted(status, f"answers {status}, a redirect, which is not followed with a secret")
            said = " ".join((await response.content.read(_SAID)).decode("utf-8", "replace").split())
            return Posted(status, f"answers {status}", response.headers.get("Retry-After", ""), said)

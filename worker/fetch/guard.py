"""Keeps fetches from addresses of no public network: feeds and redirects are written by others (SSRF, CWE-918).

Invariant: the address that is checked is the one that the socket is then connected to, so a name that changes its
answer in between gains nothing; a literal address and every redirect go the same way.
"""

import socket
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from worker.config import endpoints
from worker.feed.private import why_private

Resolve = Callable[[str, int, socket.AddressFamily], Awaitable[list[ResolveResult]]]
"""Looks up a name: host, port, family -> addresses."""

ALLOWED_BY = "STORYWIRE_ALLOW_PRIVATE"
"""Named in every refusal, which is known by it afterwards."""


class PrivateAddress(OSError):
    """An address that must not be fetched from; its text says where, what that is and how to allow it."""

    def __init__(self, host: str, port: int, why: str, *, others: bool = False) -> None:
        """others: whether other places are allowed already, which have to stay."""
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        remedy = f"add {place} to {ALLOWED_BY}, or set it to 1" if others else f"set {ALLOWED_BY}={place}, or =1"
        super().__init__(f"leads to {host}, {why}: if it may be read, {remedy} for all such")


class Guard:
    """Says which addresses may be connected to. `allowed`: as of the setting `allow_private`."""

    def __init__(self, allowed: str = "0") -> None:
        self._all = allowed == "1"
        self._places = frozenset() if allowed in ("0", "1") else frozenset(endpoints(allowed))

    def check(self, host: str, port: int) -> None:
        """Raises PrivateAddress for an IP address (not a name) that must not be connected to."""
        if self._all or (host.partition("%")[0], port) in self._places:
            return
        if why := why_private(host):
            raise PrivateAddress(host, port, why, others=bool(self._places))

    def socket(self, address: tuple[Any, ...]) -> socket.socket:
        """The socket for an address of `getaddrinfo`, made right before it is connected there: the last word."""
        family, kind, protocol, _, place = address
        self.check(place[0], place[1])
        return socket.socket(family, kind, protocol)


class GuardedResolver(AbstractResolver):
    """Looks names up and keeps only what may be connected to; raises PrivateAddress where nothing is left."""

    def __init__(self, guard: Guard, resolve: Resolve | None = None) -> None:
        self._guard = guard
        self._threaded = ThreadedResolver()
        self._resolve = resolve or self._threaded.resolve

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The public addresses of a name."""
        kept, refused = list[ResolveResult](), None
        for found in await self._resolve(host, port, family):
            try:
                self._guard.check(found["host"], port)
            except PrivateAddress as error:
                refused = refused or error
            else:
                kept.append(found)
        if refused is not None and not kept:
            raise refused
        return kept

    async def close(self) -> None:
        """Nothing is held."""
        await self._threaded.close()

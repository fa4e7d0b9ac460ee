"""What a fetch comes to: a body, a 304, or a failure in words.

Invariant: every failure says in one line what is wrong and what to do about it, and holds no password.
"""

import os
import socket
import ssl
from typing import Any, NamedTuple

import aiohttp

from worker.feed.address import shown_url
from worker.fetch.guard import PrivateAddress


class Fetched(NamedTuple):
    """A body. `url` is where it was found after redirects; validators are "" where the server gives none.

    `expires`: the header, or ""; `moved`: where permanent redirects (301, 308) alone led from the address, or "".
    """

    body: bytes
    url: str
    content_type: str
    etag: str
    last_modified: str
    cache_control: str
    expires: str = ""
    moved: str = ""


class NotModified(NamedTuple):
    """A 304. Its validators replace the old ones, where it gives any."""

    etag: str
    last_modified: str
    cache_control: str
    expires: str = ""
    moved: str = ""


class Failed(NamedTuple):
    """No body. `kind` is one of dns, connect, tls, timeout, http, gone, refused, redirects, too-big, broken, bad-url,
    private.

    `reason`: what the feed does, in words, with the remedy; `retry_after`: the header, or ""; `status`: of HTTP, or 0.
    """

    kind: str
    reason: str
    retry_after: str = ""
    status: int = 0


_REMEDIES = {
    401: "it wants a password: write it into the address as https://USER:PASSWORD@HOST/...",
    403: "it does not let us in: ask its owner, or remove the feed",
    404: "there is no such page: look for the feed's new address",
    410: "it is gone for good: remove it, or add its new address",
    429: "it was asked too often and is left alone for a while",
    503: "it is overloaded and is left alone for a while",
}
_KINDS = {410: "gone", 429: "refused", 503: "refused"}

BROKEN_OFF = Failed("broken", "broke off in the middle of its answer: it is tried again later")
NOT_UNPACKABLE = Failed("broken", "says that it is compressed and cannot be unpacked: it is tried again later")
BAD_URL = Failed("bad-url", "has an address that cannot be used: write it like https://example.org/feed.xml")
ODD_NUMBER = Failed(
    "bad-url", "has a number for a host that is no plain IP address: write it like 192.0.2.1, or a name"
)
UNTRUSTED = Failed("tls", "has a certificate that cannot be trusted: open it in a browser to see why")
NO_TLS = Failed("tls", "does not speak TLS as we do: see whether its address begins with http:// instead")


def too_slow(timeout_s: float) -> Failed:
    """The answer was not complete in time."""
    return Failed("timeout", f"took longer than {timeout_s:.4g}s: it is tried again later")


def too_big(max_bytes: int) -> Failed:
    """The body is, or would unpack to, more than the cap."""
    size = f"{max_bytes / 1_000_000:.3g} MB"
    return Failed("too-big", f"is larger than {size}: remove the feed, or find a shorter one of this site")


def refusal(status: int, retry_after: str) -> Failed:
    """An answer with a status other than 2xx, or a 304 that nobody asked for."""
    remedy = _REMEDIES.get(status, "it is tried again later")
    return Failed(_KINDS.get(status, "http"), f"answers with status {status}: {remedy}", retry_after)


def failure(error: Exception) -> Failed:
    """What an error of aiohttp, or of the system below it, means in words."""
    cause = getattr(error, "os_error", error)
    if isinstance(cause, PrivateAddress):
        return Failed("private", str(cause))
    return next((answer(error) for kinds, answer in _MEANINGS if isinstance(error, kinds)), None) or Failed(
        "broken", f"does not answer as a web server does ({type(error).__name__}): check the address"
    )


def redirected_to(target: str) -> Failed:
    """A redirect to something that is no http(s) address."""
    return Failed("redirects", f"redirects to {shown_url(target)[:100]!r}, no http(s) address: look for its new one")


def _redirects(error: Any) -> Failed:
    places = [shown_url(str(response.url)) for response in error.history]
    if len(set(places)) < len(places):
        return Failed("redirects", f"redirects in a circle, through {places[-1][:200]}: look for its new address")
    return Failed("redirects", f"redirects more than {len(places) - 1} times: look for its new address")


def _unknown_host(error: Any) -> Failed:
    host = getattr(error, "host", "")
    return Failed("dns", f"no server is known by the name {host!r}: check the address, and the network")


def _unreachable(error: Any) -> Failed:
    number = error.os_error.errno
    what = os.strerror(number).lower() if number and number > 0 else "no connection"
    return Failed("connect", f"cannot be reached at {error.host}:{error.port} ({what}): is the server up?")


_MEANINGS: tuple[tuple[tuple[type[Exception], ...], Any], ...] = (
    ((aiohttp.TooManyRedirects,), _redirects),
    ((aiohttp.RedirectClientError,), lambda error: redirected_to(str(error.args[0] if error.args else ""))),
    ((aiohttp.InvalidURL,), lambda error: ODD_NUMBER if "canonical IPv4" in str(error) else BAD_URL),
    ((aiohttp.ClientConnectorDNSError, socket.gaierror), _unknown_host),
    ((aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError), lambda _: UNTRUSTED),
    ((aiohttp.ClientSSLError, ssl.SSLError), lambda _: NO_TLS),
    ((aiohttp.ClientConnectorError,), _unreachable),
    ((aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, ConnectionError), lambda _: BROKEN_OFF),
    ((ValueError,), lambda _: BAD_URL),
)
"""Errors of aiohttp with what each means; the first that fits counts, so the narrower ones stand first."""

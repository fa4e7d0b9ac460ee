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

    `expires`: the header, or ""; `moved`: where permanent redirects (301, 308) alone led from the address, or "";
    `redirected`: whether any redirect did; `link`: the Link headers (RFC 8288), joined, or ""; `age`: the header.
    """

    body: bytes
    url: str
    content_type: str
    etag: str
    last_modified: str
    cache_control: str
    expires: str = ""
    moved: str = ""
    redirected: bool = False
    link: str = ""
    age: str = ""


class NotModified(NamedTuple):
    """A 304. Its validators replace the old ones, where it gives any."""

    etag: str
    last_modified: str
    cache_control: str
    expires: str = ""
    moved: str = ""
    age: str = ""


class Failed(NamedTuple):
    """No body. `kind` is one of dns, connect, tls, timeout, http, gone, refused, redirects, too-big, broken, bad-url,
    private, type.

    `reason`: what the feed does, in words, with the remedy; `retry_after`: the header, or ""; `status`: of HTTP, or 0.
    """

    kind: str
    reason: str
    retry_after: str = ""
    status: int = 0


_REMEDIES = {
    401: "it wants a password: write it into the address as https://USER:PASSWORD@HOST/...",
    304: "nothing has changed, it says, since a visit that it was not told of: it is tried again later",
    403: "it does not let us in: ask its owner, or remove the feed",
    404: "there is no such page: look for the feed's new address",
    406: "it has no feed for us: look for another address of it",
    410: "it is gone for good: remove it, or add its new address",
    418: "it does not serve programs such as this one: ask its owner, or remove the feed",
    429: "it was asked too often and is left alone for a while",
    451: "it may not be read for reasons of law: remove the feed",
    503: "it is overloaded and is left alone for a while",
}
_KINDS = {410: "gone", 429: "refused", 503: "refused"}

BROKEN_OFF = Failed("broken", "broke off in the middle of its answer: it is tried again later")
NO_ANSWER = Failed("broken", "closed the connection without an answer: see whether its address begins with https://")
NOT_UNPACKABLE = Failed("broken", "says that it is compressed and cannot be unpacked: it is tried again later")
NO_HTTP = Failed("broken", "does not answer as a web server does: check the address")
BAD_URL = Failed("bad-url", "has an address that cannot be used: write it like https://example.org/feed.xml")
ODD_NUMBER = Failed(
    "bad-url", "has a number for a host that is no plain IP address: write it like 192.0.2.1, or a name"
)
EXPIRED = Failed("tls", "has a certificate that has expired: its owner has to renew it, and it is tried again later")
SELF_SIGNED = Failed("tls", "has a certificate that it signed itself: trust it by SSL_CERT_FILE, or remove the feed")
WRONG_NAME = Failed("tls", "has a certificate for another name: check the address")
UNTRUSTED = Failed("tls", "has a certificate that cannot be trusted: open it in a browser to see why")
NO_TLS = Failed("tls", "does not speak TLS as we do: see whether its address begins with http:// instead")


def too_slow(timeout_s: float) -> Failed:
    """The answer was not complete in time."""
    return Failed("timeout", f"took longer than {timeout_s:.4g}s: it is tried again later")


def too_big(max_bytes: int) -> Failed:
    """The body is, or would unpack to, more than the cap."""
    size = f"{max_bytes / 1_000_000:.3g} MB"
    return Failed("too-big", f"is larger than {size}: remove the feed, or find a shorter one of this site")


def of_type(content_type: str) -> Failed:
    """The answer is none of the media types that were asked for."""
    return Failed("type", f"is of the type {content_type[:60]!r}, which is not read")


def refusal(status: int, retry_after: str) -> Failed:
    """An answer with a status other than 2xx, or a 304 that nobody asked for. A 403 for now is as a 429."""
    remedy, kind = _REMEDIES.get(status, "it is tried again later"), _KINDS.get(status, "http")
    if status == 403 and retry_after:
        remedy, kind = "it does not let us in for now and is left alone for a while", "refused"
    return Failed(kind, f"answers with status {status}: {remedy}", retry_after, status)


def compressed_as(encoding: str) -> Failed:
    """A body in an encoding that we said we cannot read."""
    return Failed(
        "broken", f"is compressed as {encoding!r}, which was not asked for: ask its owner, or remove the feed"
    )


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


def _unknown_host(error: Any) -> Failed:
    host = getattr(error, "host", "")
    return Failed("dns", f"no server is known by the name {host!r}: check the address, and the network")


def _unreachable(error: Any) -> Failed:
    number = error.os_error.errno
    what = os.strerror(number).lower() if number and number > 0 else "no connection"
    return Failed("connect", f"cannot be reached at {error.host}:{error.port} ({what}): is the server up?")


_CERTIFICATES = {10: EXPIRED, 18: SELF_SIGNED, 62: WRONG_NAME, 64: WRONG_NAME}
"""X509_V_ERR_* of OpenSSL with what each means; the last is of an address that is a number."""


def _untrusted(error: Any) -> Failed:
    cause = getattr(error, "certificate_error", error)
    return _CERTIFICATES.get(getattr(cause, "verify_code", 0), UNTRUSTED)


_MEANINGS: tuple[tuple[tuple[type[Exception], ...], Any], ...] = (
    ((aiohttp.InvalidURL,), lambda error: ODD_NUMBER if "canonical IPv4" in str(error) else BAD_URL),
    ((aiohttp.ClientConnectorDNSError, socket.gaierror), _unknown_host),
    ((aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError), _untrusted),
    ((aiohttp.ClientSSLError, ssl.SSLError), lambda _: NO_TLS),
    ((aiohttp.ClientConnectorError,), _unreachable),
    ((aiohttp.ClientResponseError,), lambda _: NO_HTTP),
    ((aiohttp.ServerDisconnectedError,), lambda _: NO_ANSWER),
    ((aiohttp.ClientPayloadError, ConnectionError), lambda _: BROKEN_OFF),
    ((ValueError,), lambda _: BAD_URL),
)
"""Errors of aiohttp with what each means; the first that fits counts, so the narrower ones stand first."""

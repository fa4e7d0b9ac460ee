"""Requests that no browser sends: whatever stands in their heads and bodies, the answer is no fault of ours."""

import os
import random
import socket
from collections import Counter
from urllib.parse import quote_from_bytes, urlsplit

import pytest

from tests.e2e.site import RunningSite, running_site, site_runtime

TOKEN = "a-token-of-the-tests-4711"
COUNT = int(os.environ.get("HOSTILE_REQUESTS", "150"))
METHODS = (b"GET", b"GET", b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS")
PATHS = (
    b"/ /rows /stories/en-1 /stories/%ff%00 /feeds /feeds/x%0d%0a /status /api /login /logout /api/v1/stories /metrics "
    b"/api/v1/similar /api/v1/search /api/v1/feeds /stories.atom /stories.json /static/%2e%2e/app.py /static/style.css "
    b"/wire /wire/ //evil /wire//evil /% /api/v1/articles/%ed%a0%80 /websub/%00/%ff"
).split()
NAMES = b"q lang outlet outlets since sort after limit next key ids updates text url".split()
HEADERS = (
    b"Origin Authorization Cookie X-Forwarded-For Sec-Fetch-Site Accept Accept-Encoding Content-Type Last-Event-ID "
    b"If-None-Match If-Modified-Since Host"
).split()
VALUES = (
    b"", b"null", b"http://", b"http://[", b"[::1", b"127.0.0.1:99999999", b"Bearer", b"Bearer \xff", b"Basic eDp5",
    b"storywire_session=", b"storywire_session=..", b"storywire_session=9999999999.x.y", b"storywire_session=\xb2.1.x",
    b",,,", b"text/html", b"application/x-www-form-urlencoded", b"application/json", b"\xff\xfe", b"W/\"", b"gzip;q=x",
)  # fmt: skip
BODIES = (b"", b"token=x", b"csrf=%ff&a", b"{}", b"[", b'{"text": 1}', b'{"text": "\xff"}', b"a=" + b"&" * 500)


def made(of: random.Random, token: str) -> bytes:
    """A request; half of them by somebody who has the token."""

    def junk(most: int) -> bytes:
        return bytes(of.choice((of.randrange(33, 127), of.randrange(128, 256))) for _ in range(of.randrange(most)))

    method, body = of.choice(METHODS), b""
    query = b"&".join(of.choice(NAMES) + b"=" + quote_from_bytes(junk(12)).encode() for _ in range(of.randrange(3)))
    heads = {b"Host": b"127.0.0.1", b"Accept": b"text/html"}
    if of.random() < 0.5:
        heads[b"Authorization"] = b"Bearer " + token.encode()
    for name in of.sample(HEADERS, of.randrange(4)):
        heads[name] = of.choice(VALUES) if of.random() < 0.7 else junk(30)
    if method == b"POST":
        body = of.choice((*BODIES, junk(200)))
        heads[b"Content-Length"] = str(len(body)).encode()
    lines = [method + b" " + of.choice(PATHS) + (b"?" + query if query else b"") + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in heads.items()]
    return b"\r\n".join([*lines, b"Connection: close", b"", body])


def answer(site: RunningSite, request: bytes) -> bytes:
    """The head of what is answered."""
    place = urlsplit(site.url)
    with socket.create_connection((place.hostname, place.port), timeout=20) as connection:
        connection.sendall(request)
        head = b""
        while b"\r\n\r\n" not in head and (more := connection.recv(8_000)):
            head += more
    return head.partition(b"\r\n\r\n")[0].lower()


@pytest.mark.parametrize("public_url", ["", "https://news.example.org/wire"])
def test_no_request_is_answered_with_a_fault_or_without_the_policy(valkey_url: str, public_url: str) -> None:
    of, seen = random.Random(20), Counter[bytes]()
    settings = {"token": TOKEN, "public_url": public_url}
    with site_runtime(valkey_url, None, **settings) as runtime, running_site(runtime) as site:
        for _ in range(COUNT):
            request = made(of, TOKEN)
            head = answer(site, request)
            status = head.split(b" ", 2)[1] if b" " in head else b"none"
            seen[status] += 1
            assert status not in (b"none", b"500"), request
            ours = b"content-security-policy" in head
            assert ours or status == b"400", f"no policy: {request!r}: {head!r}"  # a head that is none is uvicorn's
    assert {b"200", b"404", b"421", b"403"} <= seen.keys(), seen

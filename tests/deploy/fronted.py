"""A real `storywire serve` behind a real proxy with a certificate, and what a browser asks of the two.

Invariant: everything is on loopback, in folders of its own, and ended with its block.
"""

import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme

from tests.e2e.site import Answer, article, fill, site_runtime
from tests.e2e.test_serve import running
from tests.waiting import eventually
from worker.runtime import Runtime

DEPLOY = Path(__file__).parents[2] / "deploy"
NAME = "news.example.org"
TOKEN = "a-token-of-the-tests-4711"
BEARER = {"authorization": f"Bearer {TOKEN}"}
TEXT = "The harbour bridge of Port Vell was closed on Monday after engineers found cracks in pillar number {}."


class _Connection(http.client.HTTPSConnection):
    """To a proxy on loopback that is called by its name."""

    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self.port), self.timeout)
        self.sock = self._context.wrap_socket(plain, server_hostname=NAME)  # type: ignore[attr-defined]


@dataclass
class Front:
    """A proxy in front of `serve`. `base`: the path of STORYWIRE_PUBLIC_URL; `trust`: what its certificate is of."""

    port: int
    base: str
    runtime: Runtime
    trust: ssl.SSLContext
    web: list["subprocess.Popen[str]"]
    settings: Mapping[str, Any]

    _stack: ExitStack

    def end(self) -> None:
        """End `serve`, in order."""
        for process in self.web:
            process.send_signal(signal.SIGTERM)
            process.wait(20)

    def start(self) -> None:
        """Another one in its place."""
        self.web = self._stack.enter_context(running("serve", **self.settings))

    def connection(self) -> _Connection:
        """A connection of its own."""
        return _Connection(NAME, self.port, timeout=20, context=self.trust)

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask for a path under the base; the names of headers are in small letters."""
        connection = self.connection()
        try:
            connection.request(method, self.base + path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def protocol(self) -> str | None:
        """What it agrees to with a browser that speaks HTTP/2."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2", "http/1.1"])
        with (
            socket.create_connection(("127.0.0.1", self.port), 10) as plain,
            context.wrap_socket(plain, server_hostname=NAME) as secured,
        ):
            return secured.selected_alpn_protocol()

    def publish(self, number: int) -> None:
        """One more article is clustered."""
        fill(self.runtime, [article(f"herald/{number}", f"Report {number}", TEXT.format(number) + f" {number}" * 40)])


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    made = Path(tempfile.mkdtemp(prefix="sw-front-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def certificate(place: Path) -> ssl.SSLContext:
    """Writes server.pem and server.key there; what trusts them."""
    issuer = trustme.CA()
    leaf = issuer.issue_cert(NAME)
    (place / "server.pem").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    (place / "server.key").write_bytes(leaf.private_key_pem.bytes())
    trust = ssl.create_default_context()
    issuer.configure_trust(trust)
    return trust


@contextmanager
def proxy(command: list[str], port: int, log: Path, **environment: str) -> Iterator[None]:
    """This proxy as a process until the block ends; it listens when the block begins."""
    with log.open("w") as out:
        process = subprocess.Popen(
            command, env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
    try:
        eventually(lambda: process.poll() is not None or _listens(port), 20, log.read_text)
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.terminate()
        process.wait(15)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def served(url: str, web_port: int, port: int, base: str, trust: ssl.SSLContext) -> Iterator[Front]:
    """`serve` on this store at `web_port`, as the deploy files have it set, and what is asked through `port`."""
    settings: dict[str, Any] = {
        "redis_url": url, "listen": f"127.0.0.1:{web_port}", "public_url": f"https://{NAME}{base}", "token": TOKEN,
        "proxies": "1",
    }  # fmt: skip
    with ExitStack() as stack:
        runtime = stack.enter_context(site_runtime(url))
        web = stack.enter_context(running("serve", **settings))
        front = Front(port, base, runtime, trust, web, settings, stack)
        eventually(lambda: front.ask("/healthz").status == 200, 30, "serve behind the proxy")
        yield front


def event_within(front: Front, number: int, within_s: float) -> None:
    """Follow the stream, publish an article, and wait so long at most for its event."""
    connection = front.connection()
    try:
        connection.request("GET", f"{front.base}/api/v1/stream", headers=BEARER)
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("content-type", "").partition(";")[0]) == (200, "text/event-stream")
        while not answer.readline().startswith(b"id:"):
            pass  # `retry` comes before the stories have been read, and what is read then is no event
        front.publish(number)
        began = time.monotonic()
        while not answer.readline().startswith(b"event: story"):
            assert time.monotonic() - began < within_s, f"no event within {within_s} s"
    finally:
        connection.close()

"""Servers that speak TLS, with certificates made for them.

Invariant: what is made here trusts nobody but the issuer made with it.
"""

import shutil
import socket
import ssl
import tempfile
import threading
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import trustme

from tests.servers import Server, free_port

HOST = "127.0.0.1"


def write_certificates(folder: Path, name: str = HOST) -> None:
    """ca.pem; server.pem and server.key for a server of this name; client.pem and client.key; stranger.pem, the
    issuer of none of them."""
    issuer = trustme.CA()
    _write(folder / "ca.pem", issuer.cert_pem)
    _write(folder / "stranger.pem", trustme.CA().cert_pem)
    for who, leaf in (("server", issuer.issue_cert(name)), ("client", issuer.issue_cert("worker.example"))):
        _write(folder / f"{who}.pem", *leaf.cert_chain_pems)
        _write(folder / f"{who}.key", leaf.private_key_pem)


def _write(file: Path, *blobs: trustme.Blob) -> None:
    file.write_bytes(b"".join(blob.bytes() for blob in blobs))


def tls_files(folder: Path) -> dict[str, str]:
    """The options of a server, or of a Sentinel, that show these certificates."""
    files = {"cert-file": "server.pem", "key-file": "server.key", "ca-cert-file": "ca.pem"}
    return {f"tls-{option}": str(folder / file) for option, file in files.items()}


class TlsServer(ExitStack):
    """A server that speaks TLS at `port` and asks clients for a certificate of its issuer's, if `demanding`.

    Debian's Redis does it itself. The embedded Valkey is built without TLS: before that stands a forwarder.
    `folder` has the certificates.
    """

    def __init__(self, kind: str, *, demanding: bool = False, name: str = HOST) -> None:
        super().__init__()
        try:
            self.folder = Path(tempfile.mkdtemp(prefix="sw-tls-"))
            self.callback(shutil.rmtree, self.folder, ignore_errors=True)
            write_certificates(self.folder, name)
            self.port = free_port()
            options = self._options(demanding) if kind == "redis" else {}
            self.server = Server(kind, **options)
            self.callback(self.server.close)
            if kind != "redis":
                self.callback(Forwarder(self.port, self._context(demanding), self.server.socket).close)
        except BaseException:
            self.close()
            raise

    def _options(self, demanding: bool) -> dict[str, Any]:
        tls = {"tls-port": str(self.port), "tls-auth-clients": "yes" if demanding else "no"}
        return {**tls, **tls_files(self.folder)}

    def _context(self, demanding: bool) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        context.load_verify_locations(self.folder / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED if demanding else ssl.CERT_NONE
        return context

    def url(self, user: str = "", options: str = "", ca: str = "ca.pem") -> str:
        """Its address: `user` as "NAME:PASSWORD@"."""
        return f"rediss://{user}{HOST}:{self.port}/0?ssl_ca_certs={self.folder / ca}{options}"

    @property
    def certificate(self) -> str:
        """The options of an address that show the client's certificate."""
        return f"&ssl_certfile={self.folder / 'client.pem'}&ssl_keyfile={self.folder / 'client.key'}"


class Forwarder:
    """TLS at a port of loopback, the same bytes at a Unix socket, as stunnel does it."""

    def __init__(self, port: int, context: ssl.SSLContext, to: Path) -> None:
        self._context, self._to = context, to
        self._listener = socket.create_server((HOST, port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                plain, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with (
            suppress(OSError),
            closing(plain),
            socket.socket(socket.AF_UNIX) as server,
            self._context.wrap_socket(plain, server_side=True) as secured,
        ):
            server.connect(str(self._to))
            back = threading.Thread(target=_pass_on, args=(server, secured), daemon=True)
            back.start()
            _pass_on(secured, server)
            server.shutdown(socket.SHUT_RDWR)
            back.join(5)


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)

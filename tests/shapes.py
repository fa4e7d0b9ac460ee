"""Redis in the shapes that an address can name: a primary with replicas and Sentinels, TLS with client certificates.

Invariant: when one of these is there it is whole: replicas are in step, Sentinels know each other and the primary.
"""

import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis
import trustme

from tests.servers import Server, free_port, program
from tests.waiting import eventually
from worker.embedded.process import Pulse, pulse

SERVICE = "news"
HOST = "127.0.0.1"


class Closing:
    """What is ended with everything that belongs to it."""

    def __init__(self) -> None:
        self._closing = ExitStack()

    def close(self) -> None:
        """End all of it, and remove what it wrote."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Sentinel:
    """One Sentinel process; `lines` are more of its configuration, which it keeps itself over `kill` and `start`."""

    def __init__(self, kind: str, port: int, lines: list[str]) -> None:
        self.program, self.port = program(kind), port
        self.folder = Path(tempfile.mkdtemp(prefix="sw-sentinel-"))
        self.socket = self.folder / "s"
        base = [f"port {port}", f"bind {HOST}", f"dir {self.folder}", f"unixsocket {self.socket}"]
        self._file = self.folder / "sentinel.conf"
        self._file.write_text("\n".join([*base, f"logfile {self.folder}/log", *lines]) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, again after `kill`, and wait until it answers."""
        self._process = subprocess.Popen(
            [str(self.program), str(self._file), "--sentinel"],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        eventually(lambda: pulse(self.socket) is Pulse.UP, 10, self.said)

    def said(self) -> str:
        """The end of its log."""
        log = self.folder / "log"
        return log.read_text(errors="replace")[-2000:] if log.exists() else "no log"

    def pause(self) -> None:
        """Let it hang."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait(10)
            self._process = None
        self.socket.unlink(missing_ok=True)

    def close(self) -> None:
        """End it, and remove what it wrote."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Sentinels(Closing):
    """A primary, its replicas and three Sentinels that agree by two; a primary is down after `down_after_ms`.

    `servers`: all of them, the first primary first; `options` are the servers' own, `lines` those of each Sentinel.
    `tls`: a folder with `write_certificates`; then all of them speak nothing else.
    """

    def __init__(
        self, kind: str = "valkey", replicas: int = 1, down_after_ms: int = 1000, lines: Sequence[str] = (),
        tls: Path | None = None, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kind, self._down_after_ms, self._tls = kind, down_after_ms, tls
        self._lines = [*lines, *(f"{name} {value}" for name, value in self._tls_options().items())]
        try:
            options = {"repl-diskless-sync-delay": "0", **options}
            self.servers = [self._server(options) for _ in range(1 + replicas)]
            for replica in self.servers[1:]:
                ask(replica, "REPLICAOF", HOST, self.servers[0].port)
            eventually(lambda: _tried(self.in_step), 60, "the replicas are not in step")
            self.sentinels = self._watching()
            self.await_whole()
        except BaseException:
            self.close()
            raise

    def _tls_options(self) -> dict[str, str]:
        return {"tls-replication": "yes", "tls-auth-clients": "no", **tls_files(self._tls)} if self._tls else {}

    def _server(self, options: dict[str, Any]) -> Server:
        if self._tls:
            port = str(free_port())
            server = Server(self.kind, **{"tls-port": port, **self._tls_options(), **options})
            server.port, server.options["port"] = int(port), "0"  # what others are told, and what it has of it
        else:
            server = Server(self.kind, port=free_port(), **options)
        self._closing.callback(server.close)
        return server

    def _watching(self) -> list[Sentinel]:
        """The Sentinels, who know each other and the replicas from the start: to find out takes them seconds."""
        ports, names = [free_port() for _ in range(3)], [digit * 40 for digit in "abc"]
        about = [f"sentinel monitor {SERVICE} {HOST} {self.servers[0].port} 2"]
        about += [f"sentinel down-after-milliseconds {SERVICE} {self._down_after_ms}"]
        about += [f"sentinel failover-timeout {SERVICE} 2000", f"sentinel parallel-syncs {SERVICE} 1"]
        about += [f"sentinel known-replica {SERVICE} {HOST} {each.port}" for each in self.servers[1:]]
        made = []
        for port, name in zip(ports, names, strict=True):
            others = [(p, n) for p, n in zip(ports, names, strict=True) if p != port]
            known = [f"sentinel known-sentinel {SERVICE} {HOST} {p} {n}" for p, n in others]
            ports_of_tls = ["port 0", f"tls-port {port}"] if self._tls else []
            lines = [*ports_of_tls, *self._lines, f"sentinel myid {name}", *about, *known]
            made.append(Sentinel(self.kind, port, lines))
            self._closing.callback(made[-1].close)
            made[-1].start()
            # not "ping": a replica of which nothing was heard for five of them is not promoted
            for what, period_ms in (("info", 300), ("publish", 300), ("ask", 300)):
                ask(made[-1], "SENTINEL", "DEBUG", f"{what}-period", period_ms)
        return made

    @property
    def url(self) -> str:
        """Its address, as a setting has it; database 0."""
        hosts = ",".join(f"{HOST}:{each.port}" for each in self.sentinels)
        if self._tls:
            return f"rediss+sentinel://{hosts}/{SERVICE}/0?ssl_ca_certs={self._tls / 'ca.pem'}"
        return f"redis+sentinel://{hosts}/{SERVICE}/0"

    def state(self, sentinel: Sentinel) -> dict[str, str]:
        """What a Sentinel knows of the primary."""
        flat = ask(sentinel, "SENTINEL", "MASTER", SERVICE)
        return dict(flat) if isinstance(flat, dict) else dict(zip(flat[::2], flat[1::2], strict=True))

    def primary(self) -> Server:
        """Whom all Sentinels call the primary; fails while they differ."""
        [port] = {int(self.state(each)["port"]) for each in self.sentinels}
        return next(server for server in self.servers if server.port == port)

    def in_step(self) -> bool:
        """Whether every server but one is a replica that has all that was written there when this was asked."""
        roles = {server: ask(server, "ROLE")[0] for server in self.servers}
        [primary] = [server for server, role in roles.items() if role == "master"]
        written = ask(primary, "INFO", "replication")["master_repl_offset"]
        replicas = [ask(server, "INFO", "replication") for server in self.servers if server is not primary]
        return all(
            told["role"] == "slave" and told["master_link_status"] == "up" and told["slave_repl_offset"] >= written
            for told in replicas
        )

    def await_whole(self, within_s: float = 60.0) -> None:
        """Until a failover would succeed: all Sentinels see one primary, each other, and replicas in step."""

        def whole() -> bool:
            for each in self.sentinels:
                state = self.state(each)
                assert state["flags"] == "master", state
                assert (state["num-other-sentinels"], state["num-slaves"]) == ("2", str(len(self.servers) - 1)), state
                ask(each, "SENTINEL", "CKQUORUM", SERVICE)
            assert ask(self.primary(), "ROLE")[0] == "master"
            return self.in_step()

        eventually(lambda: _tried(whole), within_s, lambda: f"not whole: {self.sentinels[0].said()}")

    def await_failover(self, from_: Server, within_s: float = 60.0) -> Server:
        """Until every Sentinel calls another the primary, which it is; that one."""

        def moved() -> Server | None:
            primary = self.primary()
            took_over = primary is not from_ and ask(primary, "ROLE")[0] == "master"
            return primary if took_over else None

        eventually(lambda: _tried(moved), within_s, lambda: f"no failover: {self.sentinels[0].said()}")
        return self.primary()


def _tried(look: Any) -> Any:
    """What it finds; a server that is away, or Sentinels that differ, are an AssertionError."""
    try:
        return look()
    except (redis.RedisError, ValueError) as error:
        raise AssertionError(str(error)) from error


def ask(node: Server | Sentinel, *command: object) -> Any:
    """One command to one server or Sentinel, by its socket."""
    with redis.Redis(unix_socket_path=str(node.socket), protocol=2, decode_responses=True) as client:
        return client.execute_command(*command)


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


class TlsServer(Closing):
    """A server that speaks TLS at `port` and asks clients for a certificate of its issuer's, if `demanding`.

    Debian's Redis does it itself. The embedded Valkey is built without TLS: before that stands a forwarder.
    `folder` has the certificates.
    """

    def __init__(self, kind: str, *, demanding: bool = False, name: str = HOST) -> None:
        super().__init__()
        try:
            self.folder = Path(tempfile.mkdtemp(prefix="sw-tls-"))
            self._closing.callback(shutil.rmtree, self.folder, ignore_errors=True)
            write_certificates(self.folder, name)
            self.port = free_port()
            options = self._options(demanding) if kind == "redis" else {}
            self.server = Server(kind, **options)
            self._closing.callback(self.server.close)
            if kind != "redis":
                self._closing.callback(Forwarder(self.port, self._context(demanding), self.server.socket).close)
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

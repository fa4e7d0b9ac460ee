"""Redis as Sentinels lead to it: a primary, its replicas, and three that watch them, in TLS too.

Invariant: when one of these is there it is whole: replicas are in step, Sentinels know each other and the primary.
"""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import redis

from tests.certified import tls_files
from tests.servers import LOOPBACK, Place, Server, free_port, program
from tests.waiting import eventually
from worker.embedded.process import Pulse, pulse

SERVICE = "news"


class Sentinel:
    """One Sentinel process; `lines` are more of its configuration, which it keeps itself over `kill` and `start`."""

    def __init__(self, kind: str, port: int, lines: list[str], place: Place) -> None:
        self.program, self.port, self.place = program(kind), port, place
        self.folder = Path(tempfile.mkdtemp(prefix="sw-sentinel-"))
        self.socket = self.folder / "s"
        base = [f"port {port}", f"bind {place.address}", "protected-mode no"]
        base += [f"dir {self.folder}", f"unixsocket {self.socket}", f"logfile {self.folder}/log"]
        self._file = self.folder / "sentinel.conf"
        self._file.write_text("\n".join([*base, *lines]) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, again after `kill`, and wait until it answers."""
        with self.place.inside():
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


class Sentinels(ExitStack):
    """A primary, its replicas and three Sentinels that agree by two; a primary is down after `down_after_ms`.

    `servers`: all of them, the first primary first; `options` are the servers' own, `lines` those of each Sentinel.
    `tls`: a folder with `write_certificates`; then all of them speak nothing else. `places`: where the servers are, one
    after the other, and the Sentinels likewise.
    """

    def __init__(
        self, kind: str = "valkey", replicas: int = 1, down_after_ms: int = 1000, lines: Sequence[str] = (),
        tls: Path | None = None, places: Sequence[Place] = (LOOPBACK,), **options: Any,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kind, self._down_after_ms, self._tls, self._places = kind, down_after_ms, tls, places
        self._lines = [*lines, *(f"{name} {value}" for name, value in self._tls_options().items())]
        try:
            options = {"repl-diskless-sync-delay": "0", **options}
            self.servers = [self._server(options, self._place(number)) for number in range(1 + replicas)]
            for replica in self.servers[1:]:
                ask(replica, "REPLICAOF", self.servers[0].place.address, self.servers[0].port)
            eventually(lambda: _tried(self.in_step), 60, "the replicas are not in step")
            self.sentinels = self._watching()
            self.await_whole()
        except BaseException:
            self.close()
            raise

    def _place(self, number: int) -> Place:
        return self._places[number % len(self._places)]

    def _tls_options(self) -> dict[str, str]:
        return {"tls-replication": "yes", "tls-auth-clients": "no", **tls_files(self._tls)} if self._tls else {}

    def _server(self, options: dict[str, Any], place: Place) -> Server:
        if self._tls:
            port = str(free_port())
            server = Server(self.kind, place=place, **{"tls-port": port, **self._tls_options(), **options})
            server.port, server.options["port"] = int(port), "0"  # what others are told, and what it has of it
        else:
            server = Server(self.kind, port=free_port(), place=place, **options)
        self.callback(server.close)
        return server

    def _watching(self) -> list[Sentinel]:
        """The Sentinels, who know each other and the replicas from the start: to find out takes them seconds."""
        three = [(self._place(number), free_port(), digit * 40) for number, digit in enumerate("abc")]
        first = self.servers[0]
        about = [f"sentinel monitor {SERVICE} {first.place.address} {first.port} 2"]
        about += [f"sentinel down-after-milliseconds {SERVICE} {self._down_after_ms}"]
        about += [f"sentinel failover-timeout {SERVICE} 2000", f"sentinel parallel-syncs {SERVICE} 1"]
        about += [f"sentinel known-replica {SERVICE} {each.place.address} {each.port}" for each in self.servers[1:]]
        made: list[Sentinel] = []
        for place, port, name in three:
            known = [f"sentinel known-sentinel {SERVICE} {at.address} {p} {n}" for at, p, n in three if p != port]
            ports_of_tls = ["port 0", f"tls-port {port}"] if self._tls else []
            lines = [*ports_of_tls, *self._lines, f"sentinel myid {name}", *about, *known]
            made.append(Sentinel(self.kind, port, lines, place))
            self.callback(made[-1].close)
            made[-1].start()
            # not "ping": a replica of which nothing was heard for five of them is not promoted
            for what, period_ms in (("info", 300), ("publish", 300), ("ask", 300)):
                ask(made[-1], "SENTINEL", "DEBUG", f"{what}-period", period_ms)
        return made

    @property
    def url(self) -> str:
        """Its address, as a setting has it; database 0."""
        hosts = ",".join(f"{each.place.address}:{each.port}" for each in self.sentinels)
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

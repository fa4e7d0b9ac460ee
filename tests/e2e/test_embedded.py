"""The embedded server: one to a data directory, whoever starts, leaves, is signalled or killed, and in what order."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from tests.command import ROOT, environment
from tests.conftest import is_locked
from tests.waiting import eventually
from worker import embedded
from worker.connect import connect
from worker.embedded import EmbeddedServer, open_server
from worker.errors import Permanent, ServerUnavailable

USER = """
import os, sys
from pathlib import Path
from worker.connect import connect
from worker.embedded import EmbeddedServer, open_server

def serve(server):
    client = connect(server.url)
    print(int(server.owned), client.info("server")["process_id"], server.url, flush=True)
    for line in sys.stdin:
        command, _, rest = line.strip().partition(" ")
        if command == "add":
            print(client.rpush("list", rest), flush=True)
        elif command == "length":
            print(client.llen("list"), flush=True)
        elif command == "fork":
            child = os.fork()
            if child == 0:
                sys.exit(0)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        elif command == "raise":
            raise ValueError("a bug")
        elif command == "exit":
            sys.exit(3)
        elif command == "leave":
            return
    client.close()

if sys.argv[2:] == ["atexit"]:
    server = EmbeddedServer(Path(sys.argv[1]))
    server.open()
    serve(server)
else:
    with open_server(Path(sys.argv[1])) as server:
        serve(server)
"""


class User:
    """A process that uses the embedded server of a data directory, and does as it is told."""

    def __init__(self, data_dir: Path, *arguments: str, **environ: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(data_dir), *arguments],
            env=environment({"data_dir": data_dir}) | environ,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def ready(self) -> "User":
        """Wait until it uses the server; then `owned`, `server` (process id) and `url` are known."""
        assert self.process.stdout is not None
        owned, server, self.url = self.process.stdout.readline().split()
        self.owned, self.server = owned == "1", int(server)
        return self

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, line: str) -> int:
        assert self.process.stdout is not None
        self.say(line)
        return int(self.process.stdout.readline())

    def end(self) -> int:
        """Let it leave; its exit status."""
        if self.process.poll() is None:
            self.say("leave")
        return self.process.wait(20)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(20)

    def close(self) -> None:
        self.kill()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()


StartUser = Callable[..., User]


@pytest.fixture
def start_user(data_dir: Path) -> Iterator[StartUser]:
    with ExitStack() as closing:

        def start(*arguments: str, folder: Path = data_dir, **environ: str) -> User:
            user = User(folder, *arguments, **environ)
            closing.callback(user.close)
            return user

        yield start


def servers_of(data_dir: Path) -> list[int]:
    """The processes, by id, that run as servers of this directory: from the system's list, not from our files."""
    found = []
    for process in psutil.process_iter(["pid", "name", "cwd", "status"]):
        seen = process.info
        alive = seen["name"] == "valkey-server" and seen["status"] != psutil.STATUS_ZOMBIE
        if alive and seen["cwd"] == str(data_dir.resolve()):
            found.append(seen["pid"])
    return found


def running(data_dir: Path) -> bool:
    lock = data_dir / "server.lock"
    return lock.exists() and is_locked(lock)


def test_it_keeps_what_was_written_and_listens_on_its_socket_only(data_dir: Path) -> None:
    """Another start finds the data; nobody else can read the directory or connect; nothing is ever evicted."""
    for times in (1, 2):
        with open_server(data_dir) as server:
            client = connect(server.url)
            assert client.incr("starts") == times
            assert server.owned
            wanted = {"port": "0", "appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}
            config = client.config_get(*wanted)
            client.close()
            assert {str(name): str(value) for name, value in config.items()} == wanted
            assert psutil.Process(servers_of(data_dir)[0]).net_connections("inet") == []
            assert data_dir.stat().st_mode & 0o777 == 0o700
            assert Path(server.url.removeprefix("unix://")).stat().st_mode & 0o777 == 0o700
        assert not running(data_dir)
        assert servers_of(data_dir) == []


def test_a_second_process_joins(data_dir: Path, start_user: StartUser) -> None:
    """The one that comes later uses the server that runs, and leaves it running when it ends."""
    first = start_user().ready()
    second = start_user().ready()
    assert (first.owned, second.owned, second.server) == (True, False, first.server)
    assert first.ask("add a") == 1
    assert second.ask("add b") == 2
    assert second.end() == 0
    assert first.ask("length") == 2
    assert first.end() == 0
    assert servers_of(data_dir) == []


def test_ten_processes_at_once_start_one_server(data_dir: Path, start_user: StartUser) -> None:
    """One starts it, nine join, and when all have left it is gone; three times, on the data of the last."""
    for times in (1, 2, 3):
        users = [start_user() for _ in range(10)]
        for user in users:
            user.ready()
        assert sum(user.owned for user in users) == 1
        assert {user.server for user in users} == set(servers_of(data_dir))
        assert len(servers_of(data_dir)) == 1
        assert sorted(user.ask("add x") for user in users) == list(range(10 * times - 9, 10 * times + 1))
        for user in users:
            user.say("leave")
        assert [user.process.wait(20) for user in users] == [0] * 10
        assert not running(data_dir)


def test_never_two_servers_while_processes_are_killed(data_dir: Path, start_user: StartUser) -> None:
    """Starters killed at any instant: a watcher of the process list never sees two servers, no write is lost."""
    most, over = [0], threading.Event()

    def watch() -> None:
        while not over.is_set():
            most[0] = max(most[0], len(servers_of(data_dir)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for step in range(6):
            users = [start_user() for _ in range(3)]
            eventually(lambda: running(data_dir), 20, "somebody starts it")
            users[step % 3].kill()
            if step % 2:
                users[(step + 1) % 3].kill()
            survivor = users[(step + 2) % 3].ready()
            assert survivor.ask("add x") == step + 1
            for user in users:
                user.kill()
    finally:
        over.set()
        watcher.join()
    assert most[0] == 1
    last = start_user().ready()
    assert last.ask("length") == 6
    assert last.end() == 0
    assert servers_of(data_dir) == []


@pytest.mark.parametrize(
    ("how", "way", "status"),
    [
        ("with", "leave", 0),
        ("with", "raise", 1),
        ("with", "exit", 3),
        ("with", "TERM", 143),
        ("with", "HUP", 129),
        ("with", "QUIT", 131),
        ("with", "INT", -2),
        ("atexit", "leave", 0),
        ("atexit", "raise", 1),
        ("atexit", "exit", 3),
        ("atexit", "INT", -2),
    ],
)
def test_it_is_stopped_on_every_way_out(data_dir: Path, start_user: StartUser, how: str, way: str, status: int) -> None:
    """An end, a bug, an exit, a signal: no server is left, and what was written a moment before is kept.

    Without the block nobody handles SIGTERM: as after a kill, the next one finds the orphan.
    """
    user = start_user(*([how] if how == "atexit" else [])).ready()
    assert user.ask("add a") == 1
    if way in ("TERM", "HUP", "QUIT", "INT"):
        user.process.send_signal(signal.Signals[f"SIG{way}"])
    else:
        user.say(way)
    assert user.process.wait(20) == status
    assert not running(data_dir)
    assert servers_of(data_dir) == []
    again = start_user().ready()
    assert again.ask("length") == 1
    assert again.end() == 0


def test_it_outlives_its_starter_while_others_use_it(data_dir: Path, start_user: StartUser) -> None:
    """A short command may start it: it then serves those that joined, and the last of them stops it."""
    starter = start_user().ready()
    others = [start_user().ready(), start_user().ready()]
    assert starter.end() == 0
    assert [other.ask("add a") for other in others] == [1, 2]
    assert others[0].end() == 0
    assert others[1].ask("length") == 2
    assert running(data_dir)
    assert others[1].end() == 0
    assert servers_of(data_dir) == []


def test_an_orphan_is_joined_and_then_stopped(data_dir: Path, start_user: StartUser) -> None:
    """After kill -9 of its only user the server runs on; the next one finds it with its data, and stops it."""
    first = start_user().ready()
    assert first.ask("add a") == 1
    first.kill()
    assert servers_of(data_dir) == [first.server]
    second = start_user().ready()
    assert (second.owned, second.server) == (False, first.server)
    assert second.ask("length") == 1
    assert second.end() == 0
    assert servers_of(data_dir) == []


def test_a_killed_server_is_missed_in_one_line_and_started_anew(data_dir: Path, start_user: StartUser) -> None:
    """Who used it learns that it is gone; the next start has everything up to the last second."""
    with open_server(data_dir) as server:
        client = connect(server.url)
        client.rpush("list", "a")
        client.execute_command("WAITAOF", 1, 0, 5000)
        os.kill(int(client.info("server")["process_id"]), signal.SIGKILL)
        with pytest.raises(ServerUnavailable, match="the embedded server is gone"):
            client.rpush("list", "b")
        another = start_user().ready()
        assert another.owned
        assert another.ask("length") == 1
        assert client.rpush("list", "c") == 2, "the old client finds the new server at the same address"
        client.close()
        assert another.end() == 0
        assert running(data_dir), "the one that is left still uses it"
    assert not running(data_dir)


def test_a_torn_last_write_is_forgotten_and_a_damaged_file_is_refused(data_dir: Path) -> None:
    """A power cut costs the write it interrupted; damage in the middle is named, with what can be done."""
    with open_server(data_dir) as server:
        client = connect(server.url)
        client.rpush("list", "a", "b")
        client.rpush("list", "c")
        client.close()
    [written] = (data_dir / "appendonlydir").glob("*.incr.aof")
    whole = written.read_bytes()
    written.write_bytes(whole[:-5])
    with open_server(data_dir) as server:
        client = connect(server.url)
        assert client.lrange("list", 0, -1) == [b"a", b"b"]
        client.close()
    written.write_bytes(whole.replace(b"RPUSH", b"\x00\x01nonsense"))
    with pytest.raises(Permanent, match=r"cannot read its data .* move .*appendonlydir away"):
        EmbeddedServer(data_dir).open()
    assert not running(data_dir)


def test_a_long_path_has_its_socket_elsewhere(data_dir: Path, start_user: StartUser, tmp_path: Path) -> None:
    """A socket's path has 107 bytes at most; others find the short one though their TMPDIR is another."""
    folder = data_dir / ('a folder\'s "name" ' + "x" * 60) / ("ü" * 40)
    first = start_user(folder=folder).ready()
    second = start_user(folder=folder, TMPDIR=str(tmp_path), XDG_RUNTIME_DIR="/nowhere").ready()
    assert (second.url, second.server) == (first.url, first.server)
    socket = Path(first.url.removeprefix("unix://"))
    assert len(os.fsencode(socket)) < 104
    assert socket.parent.stat().st_mode & 0o777 == 0o700
    assert first.ask("add a") == 1
    first.kill()
    assert second.end() == 0
    assert not socket.parent.exists()
    third = start_user(folder=folder).ready()
    assert third.ask("length") == 1
    assert third.end() == 0
    assert servers_of(folder) == []


def test_a_terminal_s_ctrl_c_leaves_the_server_to_its_user(data_dir: Path, start_user: StartUser) -> None:
    """The terminal signals the whole process group; the server is in none of it, so its user can finish first."""
    user = start_user().ready()
    assert os.getpgid(user.server) == os.getsid(user.server) == user.server
    os.killpg(user.process.pid, signal.SIGINT)
    assert user.process.wait(20) == -signal.SIGINT
    assert servers_of(data_dir) == []


def test_a_forked_child_stops_nothing(data_dir: Path, start_user: StartUser) -> None:
    """A child that ends in its parent's code leaves the server alone."""
    user = start_user().ready()
    assert user.ask("fork") == 0
    assert user.ask("add a") == 1
    assert user.end() == 0
    assert servers_of(data_dir) == []


def test_a_server_that_hangs_is_named(data_dir: Path, start_user: StartUser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes to a server that is stopped or stuck waits a while, then gets a line, and starts no second one."""
    monkeypatch.setattr(embedded, "_START_S", 0.3)
    user = start_user().ready()
    os.kill(user.server, signal.SIGSTOP)
    try:
        with pytest.raises(Permanent, match="runs but does not answer"):
            EmbeddedServer(data_dir).open()
        assert servers_of(data_dir) == [user.server]
    finally:
        os.kill(user.server, signal.SIGCONT)
    assert user.ask("add a") == 1
    assert user.end() == 0


def _file_in_place(folder: Path) -> Path:
    folder.write_text("mine")
    return folder


def _below_a_file(folder: Path) -> Path:
    return _file_in_place(folder) / "below"


def _kernel_folder(_folder: Path) -> Path:
    return Path("/proc/storywire")


def _folder_for_a_lock(folder: Path) -> Path:
    (folder / "server.lock").mkdir(parents=True)
    return folder


def _file_for_the_socket(folder: Path) -> Path:
    folder.mkdir()
    return _file_in_place(folder / "storywire.sock").parent


def _file_for_the_data(folder: Path) -> Path:
    folder.mkdir()
    return _file_in_place(folder / "appendonlydir").parent


@pytest.mark.parametrize(
    "spoil",
    [_file_in_place, _below_a_file, _kernel_folder, _folder_for_a_lock, _file_for_the_socket, _file_for_the_data],
)
def test_a_directory_that_cannot_be_used_is_named(data_dir: Path, spoil: Callable[[Path], Path]) -> None:
    """One line with the path and the remedy; nothing is left running, and nothing of the user's is removed."""
    folder = spoil(data_dir)
    with pytest.raises(Permanent) as caught:
        EmbeddedServer(folder).open()
    line = str(caught.value)
    assert str(folder) in line
    assert "STORYWIRE_DATA_DIR" in line or "another data directory" in line or "see /" in line
    assert "\n" not in line
    assert servers_of(folder) == []
    files = [path for path in (data_dir, *data_dir.rglob("*")) if path.is_file()]
    assert spoil in (_kernel_folder, _folder_for_a_lock) or "mine" in [path.read_text() for path in files]

"""`storywire check`, and every command on a server or data directory that cannot be used: one clear line each."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import ROOT, environment, one_line, storywire
from tests.conftest import NewServer, is_locked
from tests.servers import free_port
from worker.config import load
from worker.connect import connect
from worker.model import Article, Ref
from worker.runtime import open_runtime

OnSmallDisk = Callable[[int, str], "subprocess.CompletedProcess[str]"]

CHECKS = ["server", "queue", "outbox", "feeds", "lag", "stories"]


def states(output: str) -> dict[str, str]:
    return {line.split()[0]: line.split()[1] for line in output.splitlines()}


def test_an_empty_store_is_well(data_dir: Path) -> None:
    """A line each, status 0; the server that was started for it is gone afterwards."""
    done = storywire("check", data_dir=data_dir)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(states(done.stdout)) == CHECKS
    assert states(done.stdout)["feeds"] == "warn"
    assert f"the embedded server in {data_dir}, Valkey" in done.stdout
    assert not is_locked(data_dir / "server.lock")


def test_the_data_directory_may_be_an_argument(data_dir: Path) -> None:
    """`--data-dir` wins over the variable."""
    done = storywire("check", "--data-dir", data_dir, data_dir="/proc/nowhere")
    assert done.returncode == 0, done.stdout
    assert str(data_dir) in done.stdout


def test_figures_come_as_json(redis_url: str) -> None:
    """One object a line: the check, its state, its words, and its figures, on either kind of server."""
    done = storywire("check", "--json", redis_url=redis_url)
    lines = {line["check"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert list(lines) == CHECKS
    assert lines["server"]["kind"] in ("Valkey", "Redis")
    assert lines["server"]["state"] == "warn", "the tests' servers keep nothing"
    assert lines["outbox"] == {
        "check": "outbox", "state": "ok", "said": "0 articles are on the way into stories", "pending": 0
    }  # fmt: skip
    assert (lines["stories"]["articles"], lines["queue"]["jobs"]) == (0, 0)


def test_articles_that_nobody_clusters_fail_the_check(valkey_url: str) -> None:
    """Pending articles, a job, no worker: status 1, and what to start."""
    with open_runtime(load({"STORYWIRE_REDIS_URL": valkey_url})) as runtime:
        article = Article(id="f.1", title="A", text="B", received=runtime.clock.now())
        refs = runtime.outbox.publish("f", [article], {"1": (b"", b"1")}, runtime.clock.now())
        assert refs == [Ref("f", "f.1")]
        runtime.jobs.enqueue(refs)
    done = storywire("check", redis_url=valkey_url)
    assert done.returncode == 1
    assert (states(done.stdout)["queue"], states(done.stdout)["outbox"]) == ("fail", "fail")
    assert "1 job waits" in done.stdout
    assert "1 article is" in done.stdout
    assert "start `storywire work`" in done.stdout


def test_a_queue_that_is_down_leaves_the_rest_to_be_checked(valkey_url: str) -> None:
    """Stories and queue may be on two servers: the line of the queue names its own and its setting."""
    queue = f"redis://127.0.0.1:{free_port()}/0"
    done = storywire("check", redis_url=valkey_url, queue_url=queue)
    assert done.returncode == 1
    assert states(done.stdout)["queue"] == "fail"
    assert f"the server {queue} refuses connections" in done.stdout
    assert "(STORYWIRE_QUEUE_URL)" in done.stdout
    assert states(done.stdout)["stories"] == "ok"


def test_a_server_that_is_down_is_one_line(new_server: NewServer) -> None:
    """Nothing else can be said then."""
    url = f"redis://:hunter2@127.0.0.1:{free_port()}/0"
    done = storywire("check", redis_url=url)
    assert done.returncode == 1
    [line] = done.stdout.splitlines()
    assert line.startswith("server   fail  the server redis://127.0.0.1:")
    assert "start it, or correct the address" in line
    assert "hunter2" not in done.stdout + done.stderr


COMMANDS = [
    ["report"],
    ["report", "--follow", "--json"],
    ["feeds", "list"],
    ["feeds", "add", "http://127.0.0.1:1/feed"],
    ["explain", "a", "b"],
    ["import", "{file}"],
    ["work", "--burst"],
]
"""Every command that needs the store, in a form that ends by itself. `poll` and `up` are the supervisor's tests'."""


@pytest.fixture
def arguments(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    file = tmp_path / "articles.jsonl"
    file.write_text('{"id": "1", "title": "Rain in Spain", "text": "It fell in the plain."}\n')
    return [str(file) if word == "{file}" else word for word in request.param]


@pytest.mark.parametrize("arguments", COMMANDS, indirect=True, ids=" ".join)
def test_a_wrong_address_is_one_line(arguments: list[str]) -> None:
    """The line names the setting and what to write; the command fails."""
    done = storywire(*arguments, redis_url="localhost:6379")
    assert done.returncode != 0
    line = one_line(done.stderr)
    assert "STORYWIRE_REDIS_URL: localhost:6379 is no address" in line
    assert "redis://HOST:PORT/DATABASE" in line


@pytest.mark.parametrize("arguments", COMMANDS, indirect=True, ids=" ".join)
def test_a_server_that_refuses_is_one_line(arguments: list[str]) -> None:
    """A server that is down is named, without its password."""
    port = free_port()
    done = storywire(*arguments, redis_url=f"redis://:hunter2@127.0.0.1:{port}/0")
    assert done.returncode != 0
    assert f"the server redis://127.0.0.1:{port}/0 refuses connections: start it" in one_line(done.stderr)
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize("arguments", COMMANDS, indirect=True, ids=" ".join)
def test_a_data_directory_that_cannot_be_written_is_one_line(arguments: list[str], tmp_path: Path) -> None:
    """Here a file stands in its place: it is named, and left alone."""
    place = tmp_path / "file"
    place.write_text("mine")
    done = storywire(*arguments, data_dir=place)
    assert done.returncode != 0
    line = one_line(done.stderr)
    assert f"the data directory {place} is a file" in line
    assert "STORYWIRE_DATA_DIR" in line
    assert place.read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "writes"),
    [(["feeds", "add", "http://127.0.0.1:1/feed"], True), (["import", "{file}"], True), (["report"], False)],
    indirect=["arguments"],
    ids=["feeds add", "import", "report"],
)
def test_a_full_server_is_one_line(new_server: NewServer, data_dir: Path, arguments: list[str], writes: bool) -> None:
    """With maxmemory reached, what writes fails and says why; what only reads still works."""
    server = new_server()
    client = connect(server.url(0))
    client.config_set("maxmemory", "1")
    client.close()
    done = storywire(*arguments, redis_url=server.url(0), data_dir=data_dir)
    if not writes:
        assert (done.returncode, done.stderr) == (0, "")
        return
    assert done.returncode != 0
    assert "is full (maxmemory is reached): raise its maxmemory" in one_line(done.stderr)


def test_a_full_server_fails_the_check(new_server: NewServer) -> None:
    """Before anybody sees a failed write."""
    server = new_server(persistent=True, maxmemory="1kb")
    done = storywire("check", redis_url=server.url(0))
    assert done.returncode == 1
    assert states(done.stdout)["server"] == "fail"
    assert "raise its maxmemory" in done.stdout


@pytest.fixture
def on_small_disk(tmp_path: Path) -> OnSmallDisk:
    """Runs shell lines in which $DISK is a file system of its own of so many kilobytes, and `storywire` the command."""
    unshare = shutil.which("unshare")
    place = tmp_path / "disk"
    place.mkdir()

    def run(kilobytes: int, script: str) -> "subprocess.CompletedProcess[str]":
        mounting = f"mount -t tmpfs -o size={kilobytes}k tmpfs $DISK"
        probe = subprocess.run(
            [unshare or "false", "-rm", "sh", "-c", mounting.replace("$DISK", str(place))], check=False
        )
        if probe.returncode:
            pytest.skip("this machine lets nobody mount a file system of their own")
        return subprocess.run(
            [
                str(unshare),
                "-rm",
                "sh",
                "-c",
                f'{mounting}\nstorywire() {{ {sys.executable} -m worker "$@"; }}\n{script}',
            ],
            env=environment({"data_dir": place / "data"}) | {"DISK": str(place)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_a_full_disk_is_one_line(on_small_disk: OnSmallDisk) -> None:
    """The server cannot even begin its files: the disk is named, whichever command needs it."""
    done = on_small_disk(64, "cat /dev/zero > $DISK/filler 2>/dev/null; storywire report")
    assert done.returncode == 1
    assert "the disk of the data directory" in one_line(done.stderr)
    assert "is full: free space there" in one_line(done.stderr)


def test_a_disk_that_fills_up_is_one_line(on_small_disk: OnSmallDisk, tmp_path: Path) -> None:
    """Half way through an import: one line, and what was there before can still be read."""
    words = [f"word{number}" for number in range(3000)]
    lines = [
        json.dumps({"id": str(n), "title": f"Title {n}", "text": " ".join(words[n:] + words[:n])}) for n in range(99)
    ]
    file = tmp_path / "many.jsonl"
    file.write_text("\n".join(lines))
    done = on_small_disk(400, f"storywire import {file}; echo status $?; storywire report")
    assert "status 1" in done.stdout
    assert "cannot write to its disk: free space there" in one_line(done.stderr)
    assert done.returncode == 0, "the store can still be read"

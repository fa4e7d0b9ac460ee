"""`storywire check`, and every command on a server or data directory that cannot be used: one clear line each."""

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from rq.utils import utcformat

from tests.command import ROOT, environment, here, one_line, start_storywire, storywire
from tests.conftest import NewServer, is_locked
from tests.servers import free_port
from tests.waiting import eventually
from worker.cli.check import CHECKS
from worker.config import load
from worker.connect import connect
from worker.embedded import open_server
from worker.examinations import EXAMINATIONS, ONLY_WITH
from worker.jobs.job import QUEUE
from worker.model import Article, Ref
from worker.names import this_version
from worker.runtime import open_runtime
from worker.store import keys
from worker.store.pollers import Sign
from worker.store.quarantine import Put

OnSmallDisk = Callable[[int, str], "subprocess.CompletedProcess[str]"]


def states(output: str) -> dict[str, str]:
    return {line.split()[0]: line.split()[1] for line in output.splitlines()}


def test_a_store_that_nobody_works_on_fails(data_dir: Path) -> None:
    """A line each; no worker and no poller is alive. The server is another command's."""
    with open_server(data_dir):
        done = here("check", data_dir=data_dir)
    assert (done.returncode, done.stderr) == (1, "")
    found = states(done.stdout)
    assert tuple(found) == tuple(name for name in CHECKS if name not in ONLY_WITH), "their settings are not made"
    assert {name for name, state in found.items() if state == "fail"} == {"queue", "pollers"}
    assert (found["feeds"], found["persistence"]) == ("warn", "ok")
    assert f"the embedded server in {data_dir}, which ran already, Valkey" in done.stdout
    assert tuple(EXAMINATIONS) == CHECKS


def test_where_nothing_runs_a_check_says_so_and_starts_nothing(data_dir: Path) -> None:
    """A check is a look: what was not there before is not there afterwards."""
    done = here("check", data_dir=data_dir)
    assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (1, "", 1)
    assert f"server      fail  there is no store in {data_dir} yet: `storywire up` begins one" in done.stdout
    assert not data_dir.exists()
    with open_server(data_dir):
        before = sorted(data_dir.iterdir())
    done = here("check", "--json", data_dir=data_dir)
    assert (done.returncode, json.loads(done.stdout)["check"]) == (1, "server")
    assert f"nothing runs in {data_dir}: start `storywire up`" in done.stdout
    assert sorted({*data_dir.iterdir(), data_dir / "storywire.sock"}) == before
    assert not is_locked(data_dir / "server.lock")


@pytest.mark.parametrize(
    "arguments",
    [
        ["report"],
        ["report", "--follow"],
        ["feeds", "list"],
        ["story", "corrections"],
        ["explain", "a", "b"],
        ["quarantine", "list"],
        ["quarantine", "show", "a"],
        ["forget", "a", "--yes"],
    ],
    ids=" ".join,
)
def test_a_data_directory_that_is_not_there_is_one_friendly_line_and_is_not_made(
    data_dir: Path, arguments: list[str]
) -> None:
    """It may be mistyped, or a fresh machine."""
    done = here(*arguments, data_dir=data_dir)
    assert (done.returncode, done.stdout) == (1, "")
    line = one_line(done.stderr)
    assert line.startswith(f"there is no store in {data_dir} yet: `storywire up` begins one")
    assert "--data-dir" in line
    assert not data_dir.exists()


def test_a_worker_that_was_killed_is_not_counted_while_its_sign_of_life_lasts(data_dir: Path) -> None:
    """On an embedded server: its users are on this machine, where a process is there or not."""
    with open_runtime(load({}, data_dir=str(data_dir))) as runtime:
        working = start_storywire("work", data_dir=data_dir)
        eventually(runtime.jobs.listening, 30, "the worker listens")
        assert states(here("check", "--only", "queue", data_dir=data_dir).stdout) == {"queue": "ok"}
        working.kill()
        working.communicate(timeout=20)
        assert runtime.jobs.listening(), "the queue still believes in it"
        assert states(here("check", "--only", "queue", data_dir=data_dir).stdout) == {"queue": "fail"}


def test_a_store_that_is_worked_on_is_well(valkey_url: str) -> None:
    """With a real poller and a real worker: status 0; each is missed as soon as it has ended."""

    def check(*arguments: str) -> "tuple[int, dict[str, str]]":
        done = here("check", *arguments, redis_url=valkey_url)
        return done.returncode, states(done.stdout)

    with open_runtime(load({"STORYWIRE_REDIS_URL": valkey_url})) as runtime:
        runtime.feeds.add(f"http://127.0.0.1:{free_port()}/feed", "", runtime.clock.now() + 3600)
        processes = {name: start_storywire(name, redis_url=valkey_url) for name in ("poll", "work")}
        try:
            eventually(lambda: runtime.pollers.alive() and runtime.jobs.listening(), 30, "poller and worker alive")
            assert check()[0] == 0
            assert check("--here", "--only", "queue,pollers") == (0, {"queue": "ok", "pollers": "ok"})
            end(processes["poll"])
            assert check("--only", "pollers,queue") == (1, {"pollers": "fail", "queue": "ok"})
            end(processes["work"])
            assert check("--only", "queue") == (1, {"queue": "fail"})
        finally:
            for process in processes.values():
                end(process)


def test_hubs_are_told_of_where_they_are_used_or_asked_for(valkey_url: str) -> None:
    """They need an address that they can push to; a line without one would be about nothing."""
    done = here("check", redis_url=valkey_url, public_url="https://news.example")
    assert tuple(states(done.stdout)) == tuple(name for name in CHECKS if name != "alerts")
    assert "hubs        warn  0 feeds have a hub, 0 of them pushed by it; nobody listens" in done.stdout
    with open_runtime(load({"STORYWIRE_REDIS_URL": valkey_url})) as runtime:
        runtime.hubs.beat()
    assert states(here("check", "--only", "hubs", redis_url=valkey_url).stdout) == {"hubs": "ok"}


def test_pages_that_wait_and_what_came_of_the_last_are_told(valkey_url: str) -> None:
    """Nobody reads them: what to start; then of three pages two gave no text."""
    with open_runtime(load({"STORYWIRE_REDIS_URL": valkey_url})) as runtime:
        runtime.pages.add([Ref("feed", "a")], runtime.clock.now(), 60.0)
        done = here("check", "--only", "pages", redis_url=valkey_url, pages="auto")
        assert (
            "pages       warn  1 article waits for its page, nobody reads pages: start `storywire pages`" in done.stdout
        )
        runtime.pages.beat()
        for reason in ("answers with status 404", "", "answers with status 404"):
            runtime.pages.note(reason)
    done = here("check", "--json", "--only", "pages", redis_url=valkey_url)
    line = json.loads(done.stdout)
    assert (line["state"], line["waiting"], line["alive"], line["read"], line["failed"]) == ("ok", 1, True, 3, 2)
    assert line["said"].endswith(
        "pages are read; of the last 3, 2 gave no text, mostly: its page answers with status 404"
    )


def test_a_poller_of_another_machine_is_no_sign_of_life_here(valkey_url: str) -> None:
    """`--here` is for a container that asks whether its own process lives."""
    with open_runtime(load({"STORYWIRE_REDIS_URL": valkey_url})) as runtime:
        runtime.pollers.beat("another.example.org.77.1f", Sign())
    assert here("check", "--only", "pollers", redis_url=valkey_url).returncode == 0
    done = here("check", "--only", "pollers", "--here", redis_url=valkey_url)
    assert done.returncode == 1
    assert f"0 pollers are alive on {socket.gethostname()}" in done.stdout


def test_all_shows_who_is_alive_where_and_who_is_old(valkey_url: str) -> None:
    """A poller that holds back, a web process of an older version, one of the schema before, a worker with a batch."""
    with open_runtime(load({"STORYWIRE_REDIS_URL": valkey_url})) as runtime:
        now = runtime.clock.now()
        runtime.pollers.beat("alpha.77.1f", Sign("memory", now - 300, now - 7200, this_version(), "polls"))
        runtime.webs.beat("beta.example.org.78.1f", Sign("", 0.0, now - 7200, "0.0.9", "serves at 10.0.0.1:80"))
        before, redis = keys.Layout(keys.SCHEMA - 1), runtime.jobs.redis
        redis.sadd(before.was(keys.pollers()), "gamma.79.1f")
        redis.set(before.was(keys.poller("gamma.79.1f")), msgspec.msgpack.encode(["", 0.0]), ex=20)
        for name, queue in (("delta.80.1f", QUEUE), ("gamma.81.1f", "storywire"), ("other.82.1f", "default")):
            redis.sadd("rq:workers", f"rq:worker:{name}")
            redis.hset(f"rq:worker:{name}", mapping={"queues": queue, "birth": "2026-01-01T00:00:00.000000Z"})
            redis.expire(f"rq:worker:{name}", 15)
        born = utcformat(datetime.fromtimestamp(now - 1, UTC))  # by a clock of its own
        redis.hset("rq:worker:delta.80.1f", mapping={"storywire": this_version(), "current_job": "j", "birth": born})
        began = utcformat(datetime.fromtimestamp(now - 200, UTC))
        redis.hset("rq:job:j", mapping={"description": "50 articles from herald/1", "started_at": began})
    done = here("check", "--all", "--only", "pollers", redis_url=valkey_url)
    table = {tuple(line.split()[:3]): line for line in done.stdout.splitlines()}
    assert "holds back: memory, for 5 min" in table["alpha", "poller", "77"]
    assert re.search(r"0\.0\.9 \(3\) +2 h +0 s ago +serves at 10.0.0.1:80$", table["beta.example.org", "web", "78"])
    assert "50 articles from herald/1, for 3 min" in table["delta", "worker", "80"]
    up_s, heard_s = map(int, re.findall(r" (\d+) s ", table["delta", "worker", "80"])[:2])
    assert up_s >= heard_s > 1
    assert "- (2)" in table["gamma", "poller", "79"] and "- (2)" in table["gamma", "worker", "81"]
    assert not any("other" in row for row in table), "a worker of another program's queue"
    assert "processes   warn  5 processes on 4 hosts, 3 are not of this version" in done.stdout
    lines = [json.loads(line) for line in here("check", "--all", "--json", redis_url=valkey_url).stdout.splitlines()]
    assert [each["host"] for each in lines if "process" in each] == "alpha beta.example.org delta gamma gamma".split()


def test_an_unknown_line_is_refused_with_the_known_ones(valkey_url: str) -> None:
    """Status 2, as for any argument that cannot be used."""
    done = here("check", "--only", "server,queues", redis_url=valkey_url)
    assert done.returncode == 2
    assert "'queues' is none of server, persistence, schema, queue" in done.stderr


def end(process: "subprocess.Popen[str]") -> None:
    """SIGTERM, and wait; its pipes are closed."""
    process.terminate()
    process.communicate(timeout=20)


def test_the_data_directory_may_be_an_argument(data_dir: Path) -> None:
    """`--data-dir` wins over the variable."""
    with open_server(data_dir):
        done = here("check", "--only", "server,stories", "--data-dir", data_dir, data_dir="/proc/nowhere")
    assert done.returncode == 0, done.stdout
    assert str(data_dir) in done.stdout


def test_figures_come_as_json(redis_url: str) -> None:
    """One object a line: the check, its state, its words, and its figures, on either kind of server."""
    done = here("check", "--json", redis_url=redis_url)
    lines = {line["check"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert tuple(lines) == tuple(name for name in CHECKS if name not in ONLY_WITH)
    assert lines["server"]["kind"] in ("Valkey", "Redis")
    assert lines["persistence"]["state"] == "warn", "the tests' servers keep nothing"
    assert lines["outbox"] == {
        "check": "outbox", "state": "ok", "said": "0 articles are on the way into stories", "pending": 0,
        "most": 50_000,
    }  # fmt: skip
    assert (lines["stories"]["articles"], lines["queue"]["jobs"]) == (0, 0)


def test_articles_that_nobody_clusters_fail_the_check(valkey_url: str) -> None:
    """Pending articles, a job, no worker: status 1, and what to start."""
    with open_runtime(load({"STORYWIRE_REDIS_URL": valkey_url})) as runtime:
        article = Article(id="f.1", title="A", text="B", received=runtime.clock.now())
        refs = runtime.outbox.publish("f", [article], {"1": (b"", b"1")}, runtime.clock.now())
        assert refs == [Ref("f", "f.1")]
        runtime.jobs.enqueue(refs)
    done = here("check", redis_url=valkey_url)
    assert done.returncode == 1
    assert (states(done.stdout)["queue"], states(done.stdout)["outbox"]) == ("fail", "ok")
    assert "1 job waits" in done.stdout
    assert "1 article is" in done.stdout
    assert "start `storywire work`" in done.stdout


def test_articles_that_have_waited_for_long_fail_the_check(valkey_url: str) -> None:
    """By the age of the oldest one, and as measured by the workers; either is told."""
    with open_runtime(load({"STORYWIRE_REDIS_URL": valkey_url})) as runtime:
        now = runtime.clock.now()
        runtime.outbox.publish("f", [Article(id="f.1", title="A", received=now)], {"1": (b"", b"1")}, now - 700)
        runtime.lags.note([0.2, 0.4, 9.0], now - 60)
        runtime.lags.note([5000.0], now - 1800)
    done = here("check", "--only", "lag", redis_url=valkey_url)
    assert done.returncode == 1
    assert (
        "lag         fail  the oldest article has waited for 11 min; 3 articles of the last 10 min took 0.4 s, "
        in done.stdout
    )
    assert "the slowest 9.0 s: start more" in done.stdout


def test_a_snapshot_that_failed_fails_the_check(new_server: NewServer) -> None:
    """The server refuses writes then, until one succeeds; what it holds can still be read."""
    server = new_server(save="3600 1")
    with open_runtime(load({"STORYWIRE_REDIS_URL": server.url(0)})) as runtime:
        runtime.feeds.add("http://127.0.0.1:1/feed", "", runtime.clock.now())
    (server.folder / "dump.rdb").mkdir()
    client = connect(server.url(0))
    client.bgsave()
    eventually(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", 10, "the snapshot to fail")
    client.close()
    done = here("check", redis_url=server.url(0))
    assert done.returncode == 1
    found = states(done.stdout)
    assert (found["persistence"], found["stories"]) == ("fail", "ok")
    assert "free space on its disk" in done.stdout


def test_what_is_in_quarantine_is_told(valkey_url: str) -> None:
    """It can wait until a person has time."""
    with open_runtime(load({"STORYWIRE_REDIS_URL": valkey_url})) as runtime:
        now = runtime.clock.now()
        [ref] = runtime.outbox.publish("f", [Article(id="f.1", title="A", received=now)], {"1": (b"", b"1")}, now)
        payload = dict(runtime.outbox.everything())[ref]
        assert runtime.quarantine.put(ref, payload, "it cannot be read", "", now) is Put.KEPT
    done = here("check", "--only", "quarantine", redis_url=valkey_url)
    assert (done.returncode, states(done.stdout)) == (0, {"quarantine": "warn"})
    assert "1 article in quarantine: see `storywire quarantine list`" in done.stdout


def test_a_queue_that_is_down_leaves_the_rest_to_be_checked(valkey_url: str) -> None:
    """Stories and queue may be on two servers: the line of the queue names its own and its setting."""
    queue = f"redis://127.0.0.1:{free_port()}/0"
    done = here("check", redis_url=valkey_url, queue_url=queue)
    assert done.returncode == 1
    assert states(done.stdout)["queue"] == "fail"
    assert f"the server {queue} refuses connections" in done.stdout
    assert "(STORYWIRE_QUEUE_URL)" in done.stdout
    assert states(done.stdout)["stories"] == "ok"


def test_a_server_that_is_down_is_one_line(new_server: NewServer) -> None:
    """Nothing else can be said then."""
    url = f"redis://:hunter2@127.0.0.1:{free_port()}/0"
    done = here("check", redis_url=url)
    assert done.returncode == 1
    [line] = done.stdout.splitlines()
    assert line.startswith("server      fail  the server redis://127.0.0.1:")
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


@pytest.mark.parametrize("arguments", [each for each in COMMANDS if each[0] != "import"], indirect=True, ids=" ".join)
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
    [
        (["feeds", "add", "--no-fetch", "http://127.0.0.1:1/feed"], True),
        (["import", "{file}"], True),
        (["report"], False),
    ],
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
    done = here("check", redis_url=server.url(0))
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
    done = on_small_disk(64, "cat /dev/zero > $DISK/filler 2>/dev/null; storywire feeds add http://127.0.0.1:1/feed")
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

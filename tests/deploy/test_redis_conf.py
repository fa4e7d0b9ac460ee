"""deploy/redis/redis.conf and docs/deploy/redis.md: both servers start with the files, and a copy is restored."""

import hashlib
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import redis
import trustme

from tests.command import here
from tests.deploy.users import OURS, REDIS
from tests.e2e.feed_server import FeedServer, page
from tests.e2e.polling import rss
from tests.servers import KINDS, free_port, program
from tests.unit.articles import CUP, CUP_TITLE, DAM, DAM_REPORT, DAM_REPORT_TITLE, DAM_TITLE
from tests.waiting import eventually
from worker.config import load
from worker.connect import connect
from worker.errors import Permanent, ServerUnavailable
from worker.runtime import open_runtime

DOCS = REDIS.parents[1] / "docs" / "deploy"
PAGE = (DOCS / "redis.md").read_text()
SHAPES = "".join((DOCS / name).read_text() for name in ("servers.md", "cluster.md"))
CONF = re.findall(r"^```conf\n(.*?)^```", SHAPES, re.MULTILINE | re.DOTALL)
"""What the pages of shapes have an operator add to redis.conf."""
HERE = "127.0.0.1"
ITEMS = (("dam", DAM_TITLE, DAM), ("cup", CUP_TITLE, CUP), ("report", DAM_REPORT_TITLE, DAM_REPORT))


class Machine:
    """Where the page's commands are carried out: a folder in the place of /etc, /var/lib and /var/backups."""

    def __init__(self, kind: str, folder: Path) -> None:
        self._program, self.folder, self.port = program(kind), folder, free_port()
        for name in ("etc/redis", "etc/storywire", "var/lib/redis", "var/backups"):
            (folder / name).mkdir(parents=True)
        shutil.copy(REDIS / "redis.conf", folder / "etc/redis")
        shutil.copy(REDIS / "users.acl", folder / "etc/redis")

    def run(self, *beginnings: str) -> None:
        """Those code blocks of the page, by how they begin, as far as they go without systemd and the user redis."""
        for beginning in beginnings:
            blocks = re.findall(r"(?:^ {4}.*\n)+", PAGE, re.MULTILINE)
            [block] = [each for each in blocks if each.startswith(f"    {beginning}") and "acl load" not in each]
            lines = [line for line in block.splitlines() if not re.match(r" +(systemctl|storywire) ", line)]
            self.carry_out("\n".join(lines))

    def carry_out(self, script: str, given: str = "") -> str:
        """Lines of a page, with this on standard input: what they print; they must succeed."""
        script = re.sub(r"(/etc/|/var/)", rf"{self.folder}\1", script).replace("-o redis -g redis ", "")
        script = script.replace("127.0.0.1:6379", f"127.0.0.1:{self.port}").replace("-p 6379", f"-p {self.port}")
        done = subprocess.run(
            ["sh", "-euc", script], input=given, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{script}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    def url(self, user: str) -> str:
        """The address in a user's file, as a shell reads it."""
        line = (self.folder / "etc/storywire" / f"{user}.env").read_text()
        [word] = shlex.split(line)
        return word.removeprefix("STORYWIRE_REDIS_URL=")

    def add(self, block: str, **changed: str) -> None:
        """Lines to redis.conf, with these words in them changed and this machine's address."""
        for word, other in {"192.0.2.11 127.0.0.1": HERE, "192.0.2.11": HERE, **changed}.items():
            block = block.replace(word, other)
        with (self.folder / "etc/redis/redis.conf").open("a") as file:
            file.write(block)

    @contextmanager
    def serving(self, end: signal.Signals = signal.SIGTERM, address: str = "") -> Iterator[None]:
        """The server with the two files, at `address` where the file says so itself; ended by this signal."""
        changed = [] if address else ["--port", str(self.port)]
        changed += ["--dir", str(self.folder / "var/lib/redis"), "--aclfile", str(self.folder / "etc/redis/users.acl")]
        log = self.folder / "log"
        with log.open("w") as out:
            process = subprocess.Popen(
                [self._program, self.folder / "etc/redis/redis.conf", *changed], stdout=out, stderr=out
            )
        try:
            eventually(lambda: self._answers(address or self.url("admin")), 15, log.read_text)
            yield
        finally:
            process.send_signal(end)
            process.wait(15)

    def _answers(self, address: str) -> bool:
        with suppress(ServerUnavailable), connect(address) as client:
            return bool(client.ping())
        return False

    def asked(self, user: str, *command: object) -> Any:
        """What a user is answered."""
        with redis.Redis.from_url(self.url(user), decode_responses=True) as client:
            return client.execute_command(*command)


@pytest.fixture
def machine(kind: str) -> Iterator[Machine]:
    folder = Path(tempfile.mkdtemp(prefix="sw-machine-"))
    try:
        yield Machine(kind, folder)
    finally:
        shutil.rmtree(folder)


def settings(machine: Machine) -> dict[str, str]:
    """What a process is told, but for its user."""
    return {"data_dir": str(machine.folder / "none"), "poll_interval": "1h"}


def polled_and_clustered(machine: Machine, site: FeedServer, items: int) -> list[str]:
    """The feed shows so many items, is polled, and they are clustered; the addresses of all that is in stories."""
    site.routes["/feed"] = page(rss(*ITEMS[:items]), content_type="text/xml")
    here("feeds", "poll", site.url("/feed"), redis_url=machine.url("admin"), **settings(machine))
    done = here("poll", "--once", redis_url=machine.url("poller"), **settings(machine))
    assert done.returncode == 0, done.stderr
    with open_runtime(load({"STORYWIRE_REDIS_URL": machine.url("worker")})) as runtime:
        runtime.ingest.run([ref for ref, _ in runtime.outbox.everything()])
        return sorted(member.url for _, _, member in runtime.stories.everything())


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_copied_comes_back_and_nothing_is_clustered_twice(machine: Machine) -> None:
    """Passwords, copy and restore by the commands of the page. What came after the copy is polled again."""
    machine.run("umask 077\n    for user")
    with FeedServer() as site:
        with machine.serving(signal.SIGKILL):
            assert machine.asked("operator", "CONFIG", "GET", "appendonly")
            site.routes["/feed"] = page(rss(*ITEMS[:2]), content_type="text/xml")
            added = here("feeds", "add", site.url("/feed"), redis_url=machine.url("admin"), **settings(machine))
            assert added.returncode == 0, added.stderr
            before = polled_and_clustered(machine, site, 2)
            assert len(before) == 2
            machine.run("umask 077\n    export REDISCLI_AUTH")
            everything = polled_and_clustered(machine, site, 3)
            assert len(everything) == 3
        machine.run("systemctl stop storywire.target")
        with machine.serving():
            with open_runtime(load({"STORYWIRE_REDIS_URL": machine.url("admin")})) as runtime:
                assert sorted(member.url for _, _, member in runtime.stories.everything()) == before
            done = here(
                "check", "--only", "server,persistence,schema,stories",
                redis_url=machine.url("admin"), **settings(machine),
            )  # fmt: skip
            assert (done.returncode, "fail" in done.stdout, "warn" in done.stdout) == (0, False, False), done.stdout
            assert polled_and_clustered(machine, site, 3) == everything
        with machine.serving(), open_runtime(load({"STORYWIRE_REDIS_URL": machine.url("admin")})) as runtime:
            assert sorted(member.url for _, _, member in runtime.stories.everything()) == everything, "kept on disk"


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_says_what_a_store_needs_and_lets_no_stranger_in(machine: Machine) -> None:
    machine.run("umask 077\n    for user")
    acl = (machine.folder / "etc/redis/users.acl").read_text()
    for user in OURS:
        password = machine.url(user).split(":")[2].partition("@")[0]
        assert f"user {user} on #{hashlib.sha256(password.encode()).hexdigest()} " in acl
        assert (machine.folder / "etc/storywire" / f"{user}.env").stat().st_mode & 0o077 == 0
    with machine.serving():
        needed = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "timeout": "0"}
        needed |= {"protected-mode": "yes", "bind": "127.0.0.1 -::1", "save": "", "maxmemory": str(2**30)}
        for name, value in needed.items():
            assert machine.asked("operator", "CONFIG", "GET", name) == {name: value}
        for who in ("", "default:x@", "sentinel:x@"):
            stranger = redis.Redis.from_url(f"redis://{who}127.0.0.1:{machine.port}")
            with stranger, pytest.raises(redis.AuthenticationError):
                stranger.ping()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("block", CONF, ids=lambda block: block.split()[0])
def test_the_server_starts_with_what_the_page_of_shapes_adds(machine: Machine, block: str) -> None:
    """Each block as it is printed: redis.conf knows no comments behind a setting."""
    machine.run("umask 077\n    for user")
    machine.add(block)
    if "cluster-enabled" in block:
        machine.add(f"cluster-port {free_port()}\n")
    with machine.serving():
        for line in re.findall(r"^[^#\n]+$", block, re.MULTILINE):
            name, value = line.split(maxsplit=1)
            assert machine.asked("operator", "CONFIG", "GET", name), line
            if "192.0.2" not in value:
                assert machine.asked("operator", "CONFIG", "GET", name) == {name: value}


def printed(beginning: str, changed: dict[str, str]) -> str:
    """The code block of these pages with these words in it, and others in the place of some."""
    blocks = re.findall(r"(?:^ {4}.*\n)+", SHAPES, re.MULTILINE)
    script = str(next(block for block in blocks if beginning in block))
    for word, other in changed.items():
        assert word in script
        script = script.replace(word, other)
    return script


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_cluster_with_users_has_working_replicas_and_its_operator_moves_a_slot(kind: str, tmp_path: Path) -> None:
    """By the lines of the page: six servers of one users.acl, made a Cluster; then English goes to the first."""
    with ExitStack() as stack:
        nodes = [Machine(kind, tmp_path / str(number)) for number in range(6)]
        first, _, third, *others = nodes
        first.run("umask 077\n    for user")
        first.carry_out(printed("for user in replica sentinel", {}))
        password = (first.folder / "etc/storywire/replica.password").read_text().strip()
        for node in nodes:
            if node is not first:
                shutil.copy(first.folder / "etc/redis/users.acl", node.folder / "etc/redis")
            node.add(CONF[-1] + f"cluster-port {free_port()}\nrepl-diskless-sync-delay 0\n", PASSWORD=password)
            for file in (first.folder / "etc/storywire").glob("*.env"):
                text = file.read_text().replace(f":{first.port}/", f":{node.port}/")
                (node.folder / "etc/storywire" / file.name).write_text(text)
            stack.enter_context(node.serving(signal.SIGKILL))
        hosts = {f"192.0.2.1{at % 3 + 1}:{6379 + at // 3}": f"{HERE}:{node.port}" for at, node in enumerate(nodes)}
        first.carry_out(printed("--cluster create", hosts), "yes\n")
        eventually(lambda: {linked(node) for node in others} == {"up"}, 20, "no replica has a link to its primary")

        key = "sw:3:{en}:s:1"
        eventually(lambda: stored(third, key), 20, "no node has English")
        first.carry_out(
            printed("FROM_ID=", {
                "192.0.2.13 -p 6379": f"{HERE} -p {third.port}", "192.0.2.11 -p 6379": f"{HERE} -p {first.port}",
                "192.0.2.11 6379": f"{HERE} {first.port}",
            })
        )  # fmt: skip
        assert first.asked("admin", "GET", key) == "text"


def stored(node: Machine, key: str) -> bool:
    """Whether it takes a text; a Cluster that has just been made is down for some nodes."""
    with suppress(redis.exceptions.ClusterDownError):
        return bool(node.asked("admin", "SET", key, "text"))
    return False


def linked(node: Machine) -> str | None:
    """Whether a replica has its primary."""
    said: dict[str, str] = node.asked("operator", "INFO", "replication")
    return said.get("master_link_status")


@pytest.mark.parametrize("kind", ["redis"])
def test_the_lines_that_are_commented_out_are_right_as_well(machine: Machine) -> None:
    """TLS, which Debian's Redis is built with, and the Unix socket."""
    machine.run("umask 077\n    for user")
    issuer = trustme.CA()
    leaf = issuer.issue_cert("127.0.0.1")
    place = machine.folder / "etc/redis"
    issuer.cert_pem.write_to_path(place / "ca.pem")
    leaf.cert_chain_pems[0].write_to_path(place / "server.pem")
    leaf.private_key_pem.write_to_path(place / "server.key")
    conf = (place / "redis.conf").read_text()
    lines = re.findall(r"^# ((?:tls-|unixsocket|port 0).*)$", conf, re.MULTILINE)
    assert len(lines) == 10, lines
    text = re.sub(r"^# ((?:tls-|unixsocket|port 0))", r"\1", conf, flags=re.MULTILINE)
    text = text.replace("/etc/redis", str(place)).replace("/run/redis", str(place)).replace("\nport 6379", "")
    (place / "redis.conf").write_text(text.replace("tls-port 6379", f"tls-port {machine.port}"))
    options = f"?ssl_ca_certs={place / 'ca.pem'}&ssl_certfile={place / 'server.pem'}&ssl_keyfile={place / 'server.key'}"
    secured = machine.url("admin").replace("redis://", "rediss://") + options
    with machine.serving(address=secured), connect(secured) as client:
        assert client.ping()
        with connect(f"unix://{place / 'redis.sock'}?db=0") as here_too, pytest.raises(Permanent, match="password"):
            here_too.ping()

"""Dockerfile and Compose files: linted, pinned, hardened, and of what this program really has."""

import json
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import click
import pytest

from tests.deploy.tools import DEPLOY, folder_entered, make_secrets, run, with_secrets
from tests.promtool import promtool
from tests.servers import KINDS, free_port, program
from tests.waiting import eventually
from worker.cli import cli
from worker.config.table import SETTINGS
from worker.connect import connect
from worker.jobs.hang import WALL_S

ROOT = DEPLOY.parent
DOCKER = DEPLOY / "docker"
OURS = ("poller", "pages", "worker", "web", "admin")
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@pytest.fixture(scope="module")
def deploy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of deploy/ with the secrets that Compose reads."""
    return with_secrets(tmp_path_factory.mktemp("docker"), "docker/secrets")


@pytest.fixture(scope="module")
def one(deploy: Path) -> dict[str, Any]:
    """compose.yaml as Compose reads it, with the commands by hand."""
    said = run("docker-compose", "-f", deploy / "docker" / "compose.yaml", "--profile", "*", "config", "--format=json")
    project: dict[str, Any] = json.loads(said)
    return project


@pytest.fixture(scope="module")
def watched(deploy: Path) -> dict[str, Any]:
    """The same with compose.monitoring.yaml."""
    files = (f"--file={deploy / 'docker' / name}" for name in ("compose.yaml", "compose.monitoring.yaml"))
    project: dict[str, Any] = json.loads(run("docker-compose", *files, "--profile", "*", "config", "--format=json"))
    return project


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions and what each says."""
    text = re.sub(r"\\\n\s*", "", (DOCKER / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_dockerfile_passes_hadolint() -> None:
    run("hadolint", "--failure-threshold", "style", DOCKER / "Dockerfile")


def test_image_is_pinned_and_runs_as_a_user_of_its_own() -> None:
    found = instructions()
    bases = [rest.split()[0] for word, rest in found if word == "FROM"]
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", bases[0]), "one Python of one Debian"
    assert set(bases[1:]) == {"base"}, "and all stages stand on it"
    last = found[max(index for index, (word, _) in enumerate(found) if word == "FROM") :]
    assert ("USER", "10001:10001") in last
    for word in ("ENTRYPOINT", "CMD"):
        [said] = [rest for each, rest in last if each == word]
        assert isinstance(json.loads(said), list), f"{word} has no shell between the signal and the process"
    ran = " ".join(rest for word, rest in last if word == "RUN")
    assert not re.search(r"pip|apt|gcc|curl", ran), "the last stage installs nothing"
    assert any(word == "HEALTHCHECK" for word, _ in last)


def test_all_that_the_image_is_built_from_reaches_the_engine_and_nothing_else_does() -> None:
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert ignored[0] == "*", "what is not named stays here"
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    copied = [rest.split() for word, rest in instructions() if word == "COPY" and not rest.startswith("--from")]
    sources = {source for words in copied for source in words[:-1]}
    for source in sources:
        assert "*" in source or (ROOT / source).exists(), f"COPY {source}: there is no such file"
        assert any(fnmatch(name, source) for name in let_in), f"COPY {source}: .dockerignore keeps it away"
    for name in let_in:
        assert any(fnmatch(name, source) for source in sources), f".dockerignore lets {name} in, and nothing copies it"


def test_every_mounted_file_exists(watched: dict[str, Any]) -> None:
    mounts = [mount for service in watched["services"].values() for mount in service.get("volumes", [])]
    bound = [Path(mount["source"]) for mount in mounts if mount["type"] == "bind"]
    secret = [Path(each["file"]) for each in watched["secrets"].values()]
    assert len(bound) >= 6 and len(secret) == 2
    assert [path for path in bound + secret if not path.exists()] == []
    assert all(mount.get("read_only") for mount in mounts if mount["type"] == "bind")


def test_images_are_pinned(watched: dict[str, Any]) -> None:
    for name, service in watched["services"].items():
        image = service["image"]
        assert re.search(r":v?\d+\.\d+\.\d+", image), f"{name}: {image} names no version"
        assert image == f"storywire:{VERSION}" or name not in OURS


def test_every_variable_is_a_setting_and_every_command_a_command(watched: dict[str, Any]) -> None:
    known = {setting.variable for setting in SETTINGS}
    commands = cli.list_commands(click.Context(cli))
    for name in OURS:
        service = watched["services"][name]
        assert set(service["environment"]) <= known, name
        assert service["command"][0] in commands, name
    assert {watched["services"][name]["command"][0] for name in OURS} == {"poll", "pages", "work", "serve", "check"}


def test_containers_may_do_no_more_than_they_need(watched: dict[str, Any]) -> None:
    for name, service in watched["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert int(service["mem_limit"]) > 0 and service["pids_limit"] > 0, name
        assert not service.get("privileged") and not service.get("cap_add"), name
        published = [port["host_ip"] for port in service.get("ports", [])]
        assert set(published) <= {"127.0.0.1"}, f"{name} is published beyond this machine"


def test_only_who_asks_others_has_a_way_out(watched: dict[str, Any], one: dict[str, Any]) -> None:
    assert {name for name, service in one["services"].items() if service.get("ports")} == {"web"}
    inner = {name for name, network in watched["networks"].items() if network.get("internal")}
    assert inner == {"store", "metrics"}
    out = {name for name, service in watched["services"].items() if set(service["networks"]) - inner}
    assert out == {"poller", "pages", "web", "grafana"}, "grafana's is for its port"
    assert set(watched["services"]["prometheus"]["networks"]) == {"metrics"}, "it cannot ask the server"


def test_secrets_stand_in_no_compose_file_and_passwords_differ(one: dict[str, Any]) -> None:
    addresses = {name: one["services"][name]["environment"]["STORYWIRE_REDIS_URL"] for name in OURS}
    for name, address in addresses.items():
        assert re.fullmatch(rf"redis://{name}:[0-9a-f]{{48}}@redis:6379/0", address)
        assert "STORYWIRE_TOKEN" not in one["services"][name]["environment"]
    assert len(set(addresses.values())) == len(OURS)
    for path in DOCKER.glob("*.y*ml"):
        assert not re.search(r"redis://\w+:|[0-9a-f]{20}", path.read_text()), f"a password in {path.name}"


def test_processes_wait_for_the_server_and_have_the_time_to_end(one: dict[str, Any]) -> None:
    services = one["services"]
    for name in OURS:
        assert services[name]["depends_on"]["redis"]["condition"] == "service_healthy"
    assert seconds(services["worker"]["stop_grace_period"]) > WALL_S, "the longest that a batch may take"
    for name in ("poller", "pages", "worker", "web"):
        assert services[name]["healthcheck"]["test"][:2] == ["CMD", "alive"]
        assert services[name]["healthcheck"]["test"][2] == services[name]["command"][0]
        assert services[name]["restart"] == "unless-stopped"


def seconds(text: str) -> int:
    """Of `2m30s`."""
    units = {"h": 3600, "m": 60, "s": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([hms])", text))


def test_processes_that_are_measured_are_those_that_prometheus_asks(watched: dict[str, Any], deploy: Path) -> None:
    said = (deploy / "docker" / "prometheus.yml").read_text()
    asked = re.findall(r"names: \[([\w, ]+)\], type: A, port: (\d+)", said)
    assert {(name, port) for names, port in asked for name in names.split(", ")} == {
        ("web", watched["services"]["web"]["environment"]["STORYWIRE_LISTEN"].rpartition(":")[2]),
        *(
            (name, watched["services"][name]["environment"]["STORYWIRE_METRICS"].rpartition(":")[2])
            for name in ("poller", "pages", "worker")
        ),
    }
    for name in ("poller", "pages", "worker", "web", "prometheus"):
        assert [secret["source"] for secret in watched["services"][name]["secrets"]] == ["token"], name


def test_prometheus_takes_its_file(deploy: Path) -> None:
    beside = deploy / "docker" / "alerts.yml"
    beside.write_text((deploy / "prometheus" / "alerts.yml").read_text())
    promtool("check", "config", "--syntax-only", deploy / "docker" / "prometheus.yml")


def test_grafana_knows_prometheus_by_the_name_of_the_dashboards(watched: dict[str, Any]) -> None:
    said = (DOCKER / "grafana-datasource.yml").read_text()
    usual = (DEPLOY / "grafana" / "provisioning" / "datasources" / "storywire.yml").read_text()
    assert re.findall(r"uid: \w+", said) == re.findall(r"uid: \w+", usual)
    assert "http://prometheus:9090" in said and "prometheus" in watched["services"]


def test_secrets_are_made_once_for_their_readers_only(deploy: Path) -> None:
    folder = deploy / "docker" / "secrets"
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()}
    assert modes == {
        "token": "0o440",
        "grafana": "0o440",
        "users.acl": "0o644",
        **{f"{role}.env": "0o600" for role in (*OURS, "operator")},
    }
    again = subprocess.run(["sh", deploy / "docker" / "secrets.sh"], capture_output=True, text=True, check=False)
    assert again.returncode == 1 and "has its secrets already" in again.stderr


def test_secrets_are_for_the_server_that_is_named(deploy: Path, tmp_path: Path) -> None:
    make_secrets(deploy, tmp_path / "s", "redis.example.org")
    assert "@redis.example.org:6379/0" in (tmp_path / "s" / "web.env").read_text()
    assert (tmp_path / "s" / "token").read_text() != (deploy / "docker" / "secrets" / "token").read_text()


def test_commands_of_the_files_heads_are_those_of_the_page() -> None:
    """Who copies from a file or from the page does the same."""
    page = (ROOT / "docs" / "deploy" / "containers.md").read_text()
    for path in (DOCKER / "Dockerfile", DOCKER / "compose.yaml", DOCKER / "compose.monitoring.yaml"):
        for line in re.findall(r"^#   ((?:docker|sudo) .*?)(?:  +.*)?$", path.read_text(), re.MULTILINE):
            assert " ".join(shlex.split(line)) in page, f"{path.name}: {line}"


@pytest.mark.parametrize("kind", KINDS)
def test_server_takes_the_command_line_and_the_users(one: dict[str, Any], deploy: Path, kind: str) -> None:
    """The real server, started as Compose starts it: only its folders, its port and its addresses are the test's."""
    folder, port = Path(tempfile.mkdtemp(prefix="sw-compose-")), free_port()
    _, *arguments = one["services"]["redis"]["command"]
    paths = {
        "/etc/storywire/redis.conf": str(deploy / "redis" / "redis.conf"),
        "/etc/storywire/users.acl": str(deploy / "docker" / "secrets" / "users.acl"),
        "/data": str(folder),
        "6379": str(port),
        "*": "127.0.0.1",
        "-::*": "-::1",
    }
    command = [str(program(kind)), *(paths.get(each, each) for each in arguments)]
    addresses = {
        role: one["services"][role]["environment"]["STORYWIRE_REDIS_URL"].replace("redis:6379", f"127.0.0.1:{port}")
        for role in OURS
    }
    try:
        with serving(command, port):
            for role, address in addresses.items():
                with connect(address) as redis:
                    assert redis.ping() is True, role
            with connect(addresses["admin"]) as admin:
                assert admin.info("memory")["maxmemory"] == 2**30
                assert admin.info("persistence")["aof_enabled"] == 1
                with admin.pipeline(transaction=True) as together:
                    together.set("sw:one", "1").set("sw:other", "1").execute()
        with serving(command, port), connect(addresses["admin"]) as admin:
            # Redis 7.0 reads its file as the default user, who is off: without all rights, it drops transactions, and
            # what a script did is one.
            assert admin.exists("sw:one", "sw:other") == 2, "a restart keeps what was done together"
    finally:
        shutil.rmtree(folder)


def test_server_finds_the_folder_that_its_file_names(one: dict[str, Any]) -> None:
    """The image has none, and the server ends where it cannot enter it: also one that is told of another by `--dir`."""
    places = {place.partition(":")[0]: place for place in one["services"]["redis"]["tmpfs"]}
    assert "mode=0555" in places[folder_entered()], "readable for its user, whoever owns that folder in an image"


@contextmanager
def serving(command: Sequence[str], port: int) -> Iterator[None]:
    """The server while the block lasts; ended in order."""
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        eventually(lambda: has_refused(port), 20, lambda: f"the server's answer ({server.poll()=})")
        yield
        server.terminate()
    except BaseException:
        server.kill()
        raise
    finally:
        server.communicate(timeout=20)


def has_refused(port: int) -> bool:
    """Whether who has no password is told so: what the health check of the server looks for."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as asking:
        asking.sendall(b"PING\r\n")
        return b"NOAUTH" in asking.recv(1_000)
    return False


def test_there_is_room_for_what_a_process_writes_into_tmp(one: dict[str, Any]) -> None:
    """py3langid unpacks its model into a file of 65 MiB while it reads it: a poller ended where 64 were given."""
    for name in ("poller", "pages", "worker", "web", "admin"):
        [tmp] = one["services"][name]["tmpfs"]
        [size] = re.findall(r"size=(\d+)m", tmp)
        assert int(size) >= 2 * 66, f"{name}: two of its processes may read it at once"


def test_what_is_imported_from_a_stream_can_be_kept(one: dict[str, Any]) -> None:
    """In the data directory, on a disk: all else is read-only, and /tmp is memory."""
    [home] = [rest.split("=", 1)[1] for rest in _settings_of_the_image() if rest.startswith("STORYWIRE_DATA_DIR=")]
    mounts = {mount["target"]: mount["type"] for mount in one["services"]["admin"]["volumes"]}
    assert mounts == {home: "volume"}


def _settings_of_the_image() -> list[str]:
    return [pair for word, rest in instructions() if word == "ENV" for pair in rest.split()]

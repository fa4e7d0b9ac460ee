"""systemd takes the units of deploy/systemd, keeps them on a short lead, and starts what there is."""

import re
import shutil
from pathlib import Path

import pytest

from tests.deploy.units import FOLDER, PROGRAM, SERVICES, directives, installed, seconds, service, systemd
from worker.cli import cli
from worker.jobs.hang import WALL_S

MOST_EXPOSED = 3.0
SANDBOX = re.compile(
    r"Protect|Private|Restrict|SystemCall|Capability|NoNew|Dynamic|MemoryDeny|Lock|UMask|Remove|Keyring"
)


def test_systemd_takes_all_units(tmp_path: Path) -> None:
    """`systemd-analyze verify` has no complaint, of what all share neither."""
    units = installed(tmp_path)
    names = [path for path in sorted(units.iterdir()) if path.is_file()]
    assert len(names) == 6, names
    done = systemd("systemd-analyze", "verify", "--man=no", *names, folder=units)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "storywire" in line]) == (0, []), done.stderr


def test_a_slip_in_what_all_share_would_be_seen(tmp_path: Path) -> None:
    units = installed(tmp_path)
    with (units / "storywire-.service.d" / "10-common.conf").open("a") as common:
        common.write("ProtectEverything=yes\n")
    done = systemd("systemd-analyze", "verify", "--man=no", units / "storywire-worker@.service", folder=units)
    assert "ProtectEverything" in done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_little_exposed_and_by_what_all_share(name: str, tmp_path: Path) -> None:
    units = installed(tmp_path)
    assert _exposure(name, units) < MOST_EXPOSED
    shutil.rmtree(units / "storywire-.service.d")
    assert _exposure(name, units) > MOST_EXPOSED, "the test would not notice that the drop-in is not read"


def _exposure(name: str, units: Path) -> float:
    """As `systemd-analyze security` rates it, from 0 to 10."""
    unit = units / (name if (units / name).exists() else name.replace("@1", "@"))
    done = systemd("systemd-analyze", "security", "--offline=true", "--no-pager", unit, folder=units)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stderr
    return float(found[1])


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_starts_a_command_that_is_there(name: str) -> None:
    program, command, *arguments = service(name)["ExecStart"][0].split()
    assert program == PROGRAM
    parent = cli.make_context("storywire", [command], resilient_parsing=True)
    found = cli.get_command(parent, command)
    assert found is not None
    known = found.make_context(command, [*arguments], parent)  # the parent's -h: a command keeps its first help option
    assert known.params is not None, "an option that the command does not have"


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_loosens_what_all_share(name: str) -> None:
    own = directives(FOLDER / name.replace("@1", "@"))
    assert [said for said in own if SANDBOX.match(said)] == []


def test_a_worker_is_left_the_time_that_a_batch_may_take() -> None:
    """It ends what hangs itself, with a trace that tells which article it was; systemd comes later."""
    worker = service("storywire-worker@1.service")
    assert seconds(worker["WatchdogSec"][0]) > WALL_S + 10
    assert seconds(worker["TimeoutStopSec"][0]) > WALL_S + 10


def test_enabling_the_target_enables_one_of_each(tmp_path: Path) -> None:
    """As docs/deploy/systemd.md says, on a machine that is switched off: links are made, nothing is started."""
    units = installed(tmp_path)
    done = systemd("systemctl", f"--root={tmp_path}", "enable", "storywire.target", folder=units)
    assert done.returncode == 0, done.stderr
    links = {path.name: path.readlink().name for path in units.glob("*.wants/*")}
    expected = {name: name for name in (*SERVICES, "storywire-web.socket", "storywire.target")}
    assert links == expected | {"storywire-worker@1.service": "storywire-worker@.service"}


def test_the_page_listens_where_its_setting_says() -> None:
    """The socket's address is the default of STORYWIRE_LISTEN, so that docs and proxies need know one only."""
    from worker.config import load

    assert directives(FOLDER / "storywire-web.socket")["ListenStream"] == [load({}).listen]

"""The units of deploy/systemd without a running systemd: what they say, and its own checkers."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.installed import program

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
PROGRAM = "/opt/storywire/bin/storywire"
SERVICES = tuple(f"storywire-{name}.service" for name in ("pages", "poller", "web", "worker@1"))


def systemd(name: str, *arguments: object, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a program of systemd that reads units in this folder before its own."""
    found = program(name, install="apt-get install --no-install-recommends systemd")
    return subprocess.run(
        [found, *map(str, arguments)],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}:", "SYSTEMD_LOG_LEVEL": "notice", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def installed(folder: Path) -> Path:
    """The units as the docs have them installed, but for the program, which is one that is there."""
    units = folder / "etc/systemd/system"
    shutil.copytree(FOLDER, units, ignore=shutil.ignore_patterns("optional"))
    for path in units.glob("*.service"):
        path.write_text(path.read_text(encoding="utf-8").replace(PROGRAM, "/bin/true"), encoding="utf-8")
    return units


def directives(path: Path) -> dict[str, list[str]]:
    """All that a unit or a drop-in says, each name with all its values."""
    found = dict[str, list[str]]()
    for line in path.read_text(encoding="utf-8").splitlines():
        name, said, value = line.partition("=")
        if said and name[0] not in "#[":
            found.setdefault(name, []).append(value)
    return found


def service(name: str) -> dict[str, list[str]]:
    """What one of SERVICES comes to: its own file over what all share."""
    own = directives(FOLDER / name.replace("@1", "@"))
    return directives(FOLDER / "storywire-.service.d" / "10-common.conf") | own


def seconds(text: str) -> int:
    """Of `30s`, `2min`."""
    return int(text.removesuffix("min")) * 60 if text.endswith("min") else int(text.removesuffix("s"))

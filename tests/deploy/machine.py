"""A Debian of its own, booted with its own systemd: made by debootstrap, run by systemd-nspawn.

Invariant: it has no network but its own loopback, and all that it is goes with its block. Memory limits are not
enforced in it where the machine's controllers are still those of cgroup v1.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.command import ROOT
from tests.installed import program
from tests.waiting import eventually

_PACKAGES = "systemd,systemd-sysv,dbus,python3-venv,redis-server,openssl,iproute2,procps,curl,jq,ca-certificates"
_REBOOTED = 133
"""What systemd-nspawn ends with where what it runs wants to be started again."""
_PLACES = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Machine:
    """One booted machine; a copy of the repository is its /root/storywire, and pip finds all packages in a folder."""

    def __init__(self, folder: Path) -> None:
        self.root, self._log = folder / "root", folder / "console"
        self._command = [
            program("systemd-nspawn", install="apt-get install --no-install-recommends systemd-container"),
            *("-D", str(self.root), "--register=no", "--keep-unit", "--private-network", "--boot", "--link-journal=no"),
            *(f"--bind-ro={folder / 'wheels'}:/wheels", "--console=pipe"),
        ]
        self._process = self._boot()

    def _boot(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            environment = {"PATH": _PLACES, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
            process = subprocess.Popen(
                self._command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._process = process
        up = "systemctl is-system-running --wait 2>&1 | grep -xE 'running|degraded'"
        eventually(lambda: self.tried(up), 120, self._log.read_text)
        return process

    def tried(self, script: str, within_s: float = 300) -> str:
        """What a shell in there says, whatever its status; nothing where there is no machine yet."""
        try:
            return self._in(script, within_s).stdout
        except OSError:
            return ""

    def run(self, script: str, within_s: float = 300) -> str:
        """What a shell in there says, in the copy of the repository; fails where one of its commands does."""
        done = self._in(f"set -e; cd /root/storywire\n{script}", within_s)
        assert done.returncode == 0, f"{script}\n{done.stdout[-3000:]}"
        return done.stdout

    def _in(self, script: str, within_s: float) -> "subprocess.CompletedProcess[str]":
        within = f"PATH={_PLACES} HOME=/root LANG=C.UTF-8 PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels".split()
        entered = ["nsenter", "-t", str(self._first()), "-m", "-u", "-i", "-n", "-p", "--", "env", "-i", *within]
        return subprocess.run(
            [*entered, "sh", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=within_s,
            check=False,
        )

    def _first(self) -> int:
        """The machine's process 1, as this one sees it."""
        ours = self._process.pid
        children = Path(f"/proc/{ours}/task/{ours}/children").read_text().split()
        for child in map(int, children):
            if Path(f"/proc/{child}/ns/pid").readlink() != Path("/proc/self/ns/pid").readlink():
                return child
        raise OSError("no machine yet")

    def reboot(self) -> None:
        """Start it again, as `systemctl reboot` does, and wait until it is up."""
        self.tried("systemctl reboot")
        assert self._process.wait(120) == _REBOOTED, self._log.read_text()[-3000:]
        self._boot()

    def close(self) -> None:
        """Switch it off; SIGKILL where that takes over a minute."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(10)


@contextmanager
def booted(suite: str, python: str) -> Iterator[Machine]:
    """A machine of this suite of Debian, whose Python is of this version, while the block lasts."""
    if os.geteuid():
        pytest.skip("a machine of its own takes root")
    program("systemd-nspawn", install="apt-get install --no-install-recommends systemd-container")
    folder = Path(tempfile.mkdtemp(prefix="sw-machine-"))
    try:
        _wheels(folder, python)
        _system(folder / "root", suite)
        machine = Machine(folder)
        try:
            yield machine
        finally:
            machine.close()
    finally:
        shutil.rmtree(folder)


def _wheels(folder: Path, python: str) -> None:
    """All that pip is going to ask for in there, as the machine itself has no network."""
    needs = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (folder / "needs").write_text("\n".join([*needs, "setuptools", "wheel", "async-timeout"]))
    pip = [program("python3"), "-m", "pip", "download", "-q", "-d", str(folder / "wheels"), "--only-binary=:all:"]
    _done([*pip, "--python-version", python, "-c", str(ROOT / "constraints.txt"), "-r", str(folder / "needs")])


def _system(root: Path, suite: str) -> None:
    """A Debian from where this machine has its own, and what was last committed in it."""
    known = _done([program("apt-get"), "indextargets", "--format", "$(REPO_URI) $(COMPONENT) $(RELEASE)"]).split("\n")
    mirrors = [line.split()[0] for line in known if re.fullmatch(r"\S+ main [a-z]+", line)]
    if not mirrors:
        pytest.skip("no Debian is known to apt here")
    _done([program("debootstrap"), "--variant=minbase", f"--include={_PACKAGES}", suite, str(root), mirrors[0]])
    copy = root / "root" / "storywire"
    copy.mkdir()
    _done([program("git"), "-C", str(ROOT), "archive", "-o", str(copy / "all.tar"), "HEAD"])
    _done([program("tar"), "-C", str(copy), "-xf", str(copy / "all.tar")])
    (copy / "all.tar").unlink()


def _done(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"{command[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout

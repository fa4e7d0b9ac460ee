"""Hosts on one machine: network namespaces joined by a bridge, whose links can be cut, lose packets, or be killed.

Invariant: every address, process and interface in here belongs to one test, and goes with it, whatever fails.
"""

import ctypes
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import pytest

from tests.command import ROOT
from tests.waiting import eventually

_NET = "10.77.0"
_CLONE_NEWNET = 0x40000000
_PACKAGES = {"ip": "iproute2", "iptables": "iptables", "unshare": "util-linux"}
_FORBIDDEN = ("Operation not permitted", "Permission denied")
"""What iproute2 and iptables say where a container lacks CAP_SYS_ADMIN or CAP_NET_ADMIN."""
_NAMED = 'echo "$0" > /proc/sys/kernel/hostname && exec "$@"'
_libc = ctypes.CDLL(None, use_errno=True)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


class Host:
    """One host: a namespace with an address of its own, and a name that its processes sign with."""

    def __init__(self, namespace: str, name: str, address: str) -> None:
        self.namespace, self.name, self.address = namespace, name, address
        self._started: list[subprocess.Popen[str]] = []

    def run(self, *command: str) -> str:
        """Run a command in here to its end; raises OSError with its words where it fails."""
        return _run("ip", "netns", "exec", self.namespace, *command)

    def start(self, command: Sequence[str], environment: Mapping[str, str], log: IO[str]) -> "subprocess.Popen[str]":
        """Start a command in here, under this host's name; the network ends it."""
        into = ["ip", "netns", "exec", self.namespace, "unshare", "--uts", "sh", "-c", _NAMED, self.name]
        process = subprocess.Popen(
            [*into, *command], env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True
        )
        self._started.append(process)
        return process

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Whatever socket is made, process or thread started in the block is in here, and stays so."""
        with Path("/proc/thread-self/ns/net").open() as home, Path(f"/run/netns/{self.namespace}").open() as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())

    def unplug(self) -> None:
        """Take the cable out: the host sees its link go down, and its sends fail."""
        self.run("ip", "link", "set", "eth0", "down")

    def plug(self) -> None:
        """Put it back."""
        self.run("ip", "link", "set", "eth0", "up")

    def lose(self, share: float) -> None:
        """Drop so many of the packets that arrive here."""
        self.run(
            *"iptables -w -A INPUT -i eth0 -m statistic --mode random --probability".split(), f"{share}", "-j", "DROP"
        )

    def kill(self) -> None:
        """Pull the plug: from one moment on the host is silent, no connection is closed, and nothing in it runs."""
        self.unplug()
        self.end(signal.SIGKILL)

    def end(self, number: signal.Signals = signal.SIGTERM, within_s: float = 20.0) -> None:
        """End what was started in here with this signal, and kill what is left after that time."""
        for process in self._started:
            process.send_signal(number)
        for process in self._started:
            with suppress(subprocess.TimeoutExpired):
                process.wait(within_s)
        for pid in self._pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self._started:
            process.wait(5)
        self._started.clear()

    def _pids(self) -> list[int]:
        """What runs in here, children of what was started included; never the test itself."""
        listed = _run("ip", "netns", "pids", self.namespace).split()
        return [int(pid) for pid in listed if int(pid) != os.getpid()]


class Network:
    """Hosts of these names on one switch, which is a namespace too. Use it as a context manager.

    The test is skipped, with the reason, where the machine has no such thing; in CI it fails, but for a container that
    may not make them.
    """

    def __init__(self, *names: str) -> None:
        _must_have_programs()
        self._mark = f"sw-{secrets.token_hex(3)}"
        self._switch = f"{self._mark}-switch"
        self.hosts = {
            name: Host(f"{self._mark}-{name}", name, f"{_NET}.{number}") for number, name in enumerate(names, 1)
        }

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def __enter__(self) -> Self:
        try:
            self._make()
        except OSError as error:
            self._remove()
            _none_here(str(error))
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def cut(self, one: str, other: str) -> None:
        """Drop what these two send each other, in silence: neither is told anything."""
        for here, there in self._ends(one, other):
            here.run("iptables", "-w", "-A", "INPUT", "-s", there.address, "-j", "DROP")

    def mend(self, one: str, other: str) -> None:
        """Let them hear each other again."""
        for here, there in self._ends(one, other):
            here.run("iptables", "-w", "-D", "INPUT", "-s", there.address, "-j", "DROP")

    @contextmanager
    def apart(self, ones: Iterable[str], others: Iterable[str]) -> Iterator[None]:
        """While the block lasts none of these hears any of those: whom both still hear makes it a split brain."""
        pairs = [(one, other) for one in ones for other in others if one != other]
        with ExitStack() as mending:
            for pair in pairs:
                self.cut(*pair)
                mending.callback(self.mend, *pair)
            yield

    def _ends(self, one: str, other: str) -> list[tuple[Host, Host]]:
        return [(self[one], self[other]), (self[other], self[one])]

    def _make(self) -> None:
        _run("ip", "netns", "add", self._switch)
        _run("ip", "-n", self._switch, "link", "add", "switch", "type", "bridge")
        _run("ip", "-n", self._switch, "link", "set", "switch", "up")
        for number, host in enumerate(self.hosts.values(), 1):
            port = f"port{number}"
            _run("ip", "netns", "add", host.namespace)
            _run(*f"ip -n {self._switch} link add {port} type veth peer name eth0 netns {host.namespace}".split())
            _run(*f"ip -n {self._switch} link set {port} master switch up".split())
            _run(*f"ip -n {host.namespace} address add {host.address}/24 dev eth0".split())
            for link in ("lo", "eth0"):
                _run(*f"ip -n {host.namespace} link set {link} up".split())
            host.run("iptables", "-w", "-L", "INPUT", "-n")

    def _remove(self) -> None:
        with ExitStack() as last_first:  # each step is taken, whatever another raises
            for namespace in (self._switch, *(host.namespace for host in self.hosts.values())):
                last_first.callback(_take_away, namespace)
            for host in self.hosts.values():
                if _there(host.namespace):
                    last_first.callback(host.end, signal.SIGKILL)


def _there(namespace: str) -> bool:
    return Path(f"/run/netns/{namespace}").exists()


def _take_away(namespace: str) -> None:
    eventually(lambda: _gone(namespace), 10, f"the namespace {namespace} does not go")


def _gone(namespace: str) -> bool:
    if _there(namespace):
        with suppress(OSError):
            _run("ip", "netns", "del", namespace)
    return not _there(namespace)


def _none_here(reason: str) -> None:
    """Skip the test; in CI only where what failed is a permission that its container has not."""
    if os.environ.get("CI") and not any(words in reason for words in _FORBIDDEN):
        pytest.fail(f"the hosts of the test could not be made: {reason}")
    pytest.skip(f"no network namespaces here: {reason}")


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _must_have_programs() -> None:
    for program, package in _PACKAGES.items():
        if shutil.which(program) is None:
            reason = f"{program} is not installed: apt-get install {package}"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
    if os.geteuid():
        pytest.skip("network namespaces take root")

"""What the processes do holds behind the system calls that their units leave them: a feed becomes stories on the page.

Slow, so part of `make soak`. Of the units' hardening this tries what is a filter of system calls (SystemCallFilter,
MemoryDenyWriteExecute, RestrictAddressFamilies, RestrictNamespaces, RestrictSUIDSGID, LockPersonality,
NoNewPrivileges); what mounts, users and cgroups do takes a running systemd.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email.utils import formatdate
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.command import ROOT, environment
from tests.deploy.units import SERVICES, service, systemd
from tests.e2e.feed_server import FeedServer, page
from tests.servers import Server, free_port
from tests.unit.page_layouts import PARAGRAPHS, SUMMARY, TITLE, classic
from tests.waiting import eventually
from worker.config import load
from worker.model import PAGE_READ
from worker.runtime import open_runtime

pytestmark = pytest.mark.slow
SANDBOX = Path(__file__).with_name("sandbox.py")

PROBE = """
import mmap, os, socket, sys
def refused(call):
    try:
        call()
    except OSError:
        return True
    return False
sys.exit(not all([
    refused(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)),
    refused(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
    refused(lambda: os.chroot("/")),
    refused(lambda: os.setuid(os.getuid())),
    refused(lambda: os.sched_setaffinity(0, os.sched_getaffinity(0))),
    refused(lambda: os.chmod(sys.argv[1], 0o4755)),
]))
"""


def confined(name: str, *command: str) -> list[str]:
    """The command behind the filters of a unit."""
    return [sys.executable, "-P", str(SANDBOX), json.dumps(service(name)), sys.executable, *command]


@contextmanager
def started(name: str, log: Path, hands: tuple[int, ...] = (), **settings: object) -> Iterator["subprocess.Popen[str]"]:
    """What a unit starts, behind its filters; `hands`: what it inherits. Its end in order is status 0."""
    said = service(name)
    arguments = said["ExecStart"][0].replace("--fd 3", f"--fd {hands[0]}" if hands else "").split()[1:]
    given = dict(pair.split("=", 1) for line in said["Environment"] for pair in line.split() if "%d" not in pair)
    with log.open("w") as written:
        process = subprocess.Popen(
            confined(name, "-m", "worker", *arguments),
            env=environment(settings) | given | {"STORYWIRE_PAGES": "auto", "STORYWIRE_PAGES_WAIT": "60s"},
            cwd=ROOT,
            stdout=written,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=hands,
            start_new_session=True,
        )
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0, f"{name}: {log.read_text()[-3000:]}"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)


def feed_of(site: FeedServer) -> str:
    """An item with its text, and one with a summary whose page has the text."""
    items = [
        ("1", "Two of three ferries back in service", "\n".join(PARAGRAPHS * 4), site.url("/whole")),
        ("2", TITLE, SUMMARY, site.url("/page")),
    ]
    shown = "".join(
        f"<item><guid>{guid}</guid><title>{title}</title><link>{link}</link><description>{text}</description>"
        f"<pubDate>{formatdate()}</pubDate></item>"
        for guid, title, text, link in items
    )
    return f"<rss version='2.0'><channel><title>Courier</title><language>en</language>{shown}</channel></rss>"


def answer(port: int, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("name", SERVICES)
def test_the_filters_are_there(name: str, tmp_path: Path) -> None:
    """Or the test below would show nothing."""
    systemd("systemd-analyze", "--version", folder=tmp_path)
    (tmp_path / "file").touch()
    done = subprocess.run(confined(name, "-c", PROBE, str(tmp_path / "file")), check=False, timeout=60)
    assert done.returncode == 0, "something that the unit forbids is allowed"


def test_a_feed_becomes_stories_on_the_page_behind_the_units_filters(tmp_path: Path) -> None:
    systemd("systemd-analyze", "--version", folder=tmp_path)
    with ExitStack() as stack:
        server = Server("valkey", port=free_port())
        stack.callback(server.close)
        site = stack.enter_context(FeedServer())
        site.routes |= {"/robots.txt": page("", 404), "/page": page(classic().body, content_type="text/html")}
        site.routes["/feed"] = page(feed_of(site), content_type="text/xml")
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
        logs = {name: tmp_path / f"{name}.log" for name in SERVICES}
        settings = {"redis_url": server.tcp_url, "archive_dir": tmp_path / "archive"}
        runtime = stack.enter_context(open_runtime(load({}, redis_url=server.tcp_url)))
        runtime.feeds.add(site.url("/feed"), "Courier", runtime.clock.now())
        for name in SERVICES:
            hands = (listening.fileno(),) if "web" in name else ()
            stack.enter_context(started(name, logs[name], hands, metrics=f"127.0.0.1:{free_port()}", **settings))
        eventually(lambda: runtime.stories.counts()["articles"] == 2, 60, lambda: _said(logs))
        pages = {m.page for s in runtime.stories.recent("en", 0.0, 9) for m in runtime.stories.members("en", s.number)}
        assert pages == {"", PAGE_READ}, _said(logs)
        port = listening.getsockname()[1]
        assert answer(port, "/healthz")[0] == 200
        eventually(lambda: "Courier" in answer(port, "/")[1], 20, lambda: answer(port, "/")[1])
        assert answer(port, "/status")[0] == answer(port, "/metrics")[0] == 200
    told = _said(logs)
    assert not [word for word in ("not permitted", "ermission denied", '"critical"', "Traceback") if word in told], told


def _said(logs: dict[str, Path]) -> str:
    return "\n".join(f"{name}: {path.read_text()[-2000:]}" for name, path in logs.items() if path.exists())

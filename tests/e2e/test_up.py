"""`storywire up`: everything in one terminal, one Ctrl-C, nothing left behind whoever is killed."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from xml.sax.saxutils import escape

import psutil
import pytest

from tests.command import ROOT, environment, here, one_line, start_storywire, storywire
from tests.e2e.feed_server import FeedServer, page
from tests.waiting import eventually

TEXT = "A cargo ship hit a pier of the harbour bridge at dawn on Monday, and the city closed it to all traffic. "


@pytest.fixture
def site() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture
def opml(site: FeedServer, tmp_path: Path) -> Path:
    """A list of two feeds, which tell the same story."""
    for outlet in ("courier", "herald"):
        site.routes[f"/{outlet}"] = page(
            rss(outlet, f"Harbour bridge closed, says the {outlet}"), content_type="text/xml"
        )
    return opml_of(tmp_path, site.url("/courier"), site.url("/herald"))


def rss(outlet: str, *titles: str, text: str = TEXT) -> str:
    items = "".join(
        f"<item><guid>{n}</guid><title>{escape(title)}</title><description>{text * 4}{n}</description></item>"
        for n, title in enumerate(titles)
    )
    return f"<rss version='2.0'><channel><title>{outlet}</title>{items}</channel></rss>"


def opml_of(folder: Path, *urls: str) -> Path:
    outlines = "".join(f"<outline type='rss' text='{url}' xmlUrl='{escape(url)}'/>" for url in urls)
    file = folder / "feeds.opml"
    file.write_text(f"<opml version='2.0'><head/><body>{outlines}</body></opml>")
    return file


class Up:
    """A running `storywire up`: its processes, and what it has said so far."""

    def __init__(self, process: "subprocess.Popen[str]", data_dir: Path) -> None:
        self.process, self.data_dir = process, data_dir
        self.out, self.err = list[str](), list[str]()
        self._seen: dict[int, psutil.Process] = {}
        self._readers = [
            threading.Thread(target=into.extend, args=(stream,), daemon=True)
            for stream, into in ((process.stdout, self.out), (process.stderr, self.err))
            if stream is not None
        ]
        for reader in self._readers:
            reader.start()

    def child(self, command: str) -> psutil.Process | None:
        """The child that runs `storywire COMMAND`."""
        with suppress(psutil.Error):
            for child in psutil.Process(self.process.pid).children(recursive=True):
                self._seen[child.pid] = child
                with suppress(psutil.Error):
                    if command in child.cmdline():
                        return child
        return None

    def running(self, command: str) -> psutil.Process:
        return eventually(lambda: self.child(command), 20, lambda: f"no `storywire {command}`: {self.said()}")

    def log(self) -> list[dict[str, object]]:
        path = self.data_dir / "storywire.log"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def said(self) -> str:
        return "".join(self.out) + "\n--\n" + "".join(self.err)

    def end(self, number: signal.Signals = signal.SIGINT, within_s: float = 20) -> int:
        """Signal it, and wait until it and all it started have ended; its exit status."""
        self.child("")
        self.process.send_signal(number)
        status = self.process.wait(within_s)
        eventually(lambda: not self.left(), within_s, lambda: f"left behind: {self.left()}")
        for reader in self._readers:
            reader.join(5)
        return status

    def close(self) -> None:
        """Close the pipes, once nobody reads them any more."""
        for reader in self._readers:
            reader.join(5)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def left(self) -> list[psutil.Process]:
        return [child for child in self._seen.values() if child.is_running() and child.status() != "zombie"]


@contextmanager
def up(data_dir: Path, *arguments: object, page: bool = False, **settings: object) -> Iterator[Up]:
    """`storywire up` until the block ends. page: with the page, which takes a second of a core to start."""
    more = () if page else ("--no-page",)
    process = start_storywire("up", *arguments, *more, data_dir=data_dir, **settings)
    running = Up(process, data_dir)
    try:
        yield running
    finally:
        if process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                running.end(signal.SIGTERM)
        process.kill()
        process.wait(5)
        running.close()


def test_feeds_become_stories_on_the_terminal_and_one_ctrl_c_ends_all(data_dir: Path, opml: Path) -> None:
    with up(data_dir, "--feeds", opml, "--workers", 2) as running:
        eventually(lambda: "Harbour bridge closed" in "".join(running.out), 30, running.said)
        for command in ("work", "poll", "report"):
            running.running(command)
        assert running.end() == 0
        assert "Ended." in "".join(running.err)
    told = {(line.get("process"), line.get("event")) for line in running.log()}
    assert {("worker", "listening"), ("worker", "batch"), ("poller", "polled")} <= told


def test_sigterm_ends_all_as_well(data_dir: Path, opml: Path) -> None:
    with up(data_dir, "--feeds", opml) as running:
        running.running("report")
        assert running.end(signal.SIGTERM) == 128 + signal.SIGTERM


def test_what_was_gathered_is_there_the_next_time(data_dir: Path, opml: Path) -> None:
    with up(data_dir, "--feeds", opml) as running:
        eventually(lambda: "Harbour bridge closed" in "".join(running.out), 30, running.said)
        running.end()
    listed = here("report", "--json", "--since", "30d", data_dir=data_dir)
    assert json.loads(listed.stdout.splitlines()[0])["outlets"] == 2, listed.stderr


@pytest.mark.parametrize("command", ["work", "poll", "report"])
def test_a_child_that_is_killed_is_started_again(data_dir: Path, opml: Path, command: str) -> None:
    with up(data_dir, "--feeds", opml) as running:
        first = running.running(command)
        running.running("report")
        first.kill()
        eventually(lambda: (again := running.child(command)) and again.pid != first.pid, 20, running.said)
        assert "started again" in eventually(lambda: "".join(running.err), 5)
        assert running.end() == 0


def test_a_child_that_runs_and_does_nothing_is_killed_and_started_again_within_30_s(data_dir: Path, opml: Path) -> None:
    """As one that hangs where no signal gets through."""
    with up(data_dir, "--feeds", opml) as running:
        eventually(lambda: "Harbour bridge closed" in "".join(running.out), 30, running.said)
        stopped = {command: running.running(command) for command in ("work", "poll")}

        def replaced(command: str) -> bool:
            child = running.child(command)
            return child is not None and child.pid != stopped[command].pid

        began = time.monotonic()
        for child in stopped.values():
            child.suspend()
        eventually(lambda: replaced("work") and replaced("poll"), 60, running.said)
        assert time.monotonic() - began < 30
        assert "it runs, but does not work" in "".join(running.err)
        assert running.end() == 0


def test_the_embedded_server_is_started_again_and_the_news_goes_on(
    data_dir: Path, opml: Path, site: FeedServer
) -> None:
    with up(data_dir, "--feeds", opml, poll_interval="1s", poll_min="1s") as running:
        eventually(lambda: "Harbour bridge closed" in "".join(running.out), 30, running.said)
        server = next(child for child in psutil.Process(running.process.pid).children() if "valkey" in child.name())
        server.kill()
        eventually(lambda: "the embedded server had ended" in "".join(running.err), 20, running.said)
        other = "The finance minister resigned on Tuesday after the coalition could not agree on next year's budget. "
        site.routes["/late"] = page(rss("late", "Minister resigns over budget", text=other), content_type="text/xml")
        added = here("feeds", "add", site.url("/late"), data_dir=data_dir)
        assert added.returncode == 0, added.stderr
        eventually(lambda: "Minister" in here("report", data_dir=data_dir).stdout, 30, running.said)
        assert running.end() == 0


def test_kill_9_leaves_nothing_behind(data_dir: Path, opml: Path) -> None:
    with up(data_dir, "--feeds", opml, "--workers", 2, page=True) as running:
        eventually(lambda: "Harbour bridge closed" in "".join(running.out), 30, running.said)
        assert running.end(signal.SIGKILL, within_s=30) == -signal.SIGKILL


def test_a_second_one_is_refused_in_one_line_that_says_what_to_do(data_dir: Path, opml: Path) -> None:
    with up(data_dir, "--feeds", opml) as running:
        running.running("report")
        second = storywire("up", "--feeds", opml, data_dir=data_dir)
        assert second.returncode == 1
        said = one_line(second.stderr)
        assert str(running.process.pid) in said and str(data_dir) in said and "storywire report --follow" in said
        assert running.process.poll() is None, "the first is not disturbed"
        assert running.end() == 0


def test_without_internet_one_line_names_the_demo(data_dir: Path, tmp_path: Path) -> None:
    """Every host is out of reach: one host alone would be that host's trouble."""
    nowhere = [f"http://127.0.0.{1 + number % 3}:1/{number}" for number in range(12)]
    with up(data_dir, "--feeds", opml_of(tmp_path, *nowhere), log_format="pretty") as running:
        eventually(lambda: "storywire demo" in "".join(running.err), 30, running.said)
        eventually(lambda: sum(line.get("event") == "polled" for line in running.log()) == 12, 20, running.said)
        assert running.end() == 0
    warnings = [line for line in running.err if "warning" in line]
    assert len(warnings) == 1, "the twelve feeds are told of in the log, not here:\n" + "".join(warnings)


def test_a_list_that_cannot_be_read_is_one_line_and_starts_nothing(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "no.opml").write_text("this is no OPML")
    for name in ("no.opml", "absent.opml"):
        done = storywire("up", "--feeds", tmp_path / name, data_dir=data_dir)
        assert done.returncode == 1
        assert name in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr


def test_a_data_directory_that_cannot_be_one_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = storywire("up", data_dir=tmp_path / "file" / "data")
    assert done.returncode == 1
    assert "--data-dir" in one_line(done.stderr)


def test_a_server_of_ones_own_is_used_and_left_running(
    data_dir: Path, valkey_url: str, opml: Path, site: FeedServer
) -> None:
    with up(data_dir, "--feeds", opml, redis_url=valkey_url) as running:
        eventually(lambda: "Harbour bridge closed" in "".join(running.out), 30, running.said)
        assert not (data_dir / "server.lock").exists(), "no embedded server is needed"
        assert running.end() == 0
    listed = here("report", "--json", "--since", "30d", redis_url=valkey_url)
    assert listed.returncode == 0 and listed.stdout


# --- on a terminal -----------------------------------------------------------------------------------------------

_WITH_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "worker", *sys.argv[1:]])
"""


@contextmanager
def terminal(
    *arguments: object, **settings: object
) -> Iterator[tuple["subprocess.Popen[bytes]", int, Callable[[], str]]]:
    """The command on a terminal of its own: the process, where its keys are typed, and the screen's text so far."""
    keys, screen = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _WITH_TERMINAL, *map(str, arguments)],
        env=environment(settings) | {"TERM": "xterm-256color"},
        cwd=ROOT,
        stdin=screen,
        stdout=screen,
        stderr=screen,
    )
    os.close(screen)
    shown = bytearray()

    def read() -> None:
        with suppress(OSError):  # EIO: the last process has left the terminal
            while piece := os.read(keys, 65536):
                shown.extend(piece)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield process, keys, lambda: shown.decode("utf-8", "replace")
    finally:
        process.kill()
        process.wait(5)
        reader.join(5)
        os.close(keys)


def test_ctrl_c_on_a_terminal_is_the_parents_and_ends_the_children_in_order(data_dir: Path, opml: Path) -> None:
    with terminal("up", "--feeds", opml, data_dir=data_dir) as (process, keys, shown):
        eventually(lambda: "Harbour bridge closed" in shown(), 30, shown)
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 4, "poller, worker, report, server"
        os.write(keys, b"\x03")
        assert process.wait(20) == 0
        eventually(lambda: not any(child.is_running() for child in children), 10, lambda: str(children))
        eventually(lambda: "Ended." in shown(), 5, shown)
        assert "Traceback" not in shown() and "killed" not in shown()


def ended(process: psutil.Process) -> bool:
    """Whether a process has ended, fetched by its parent or not yet."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_an_impatient_second_ctrl_c_ends_all_at_once(data_dir: Path, opml: Path) -> None:
    with terminal("up", "--feeds", opml, data_dir=data_dir) as (process, keys, shown):
        eventually(lambda: "Harbour bridge closed" in shown(), 30, shown)
        children = psutil.Process(process.pid).children(recursive=True)
        stubborn = next(child for child in children if "work" in child.cmdline())
        stubborn.suspend()  # it does not hear SIGTERM now
        eventually(lambda: stubborn.status() == psutil.STATUS_STOPPED)
        poller = next(child for child in children if "poll" in child.cmdline())
        began = time.monotonic()
        os.write(keys, b"\x03")
        eventually(lambda: ended(poller), 10, shown)
        os.write(keys, b"\x03")
        process.wait(20)
        assert time.monotonic() - began < 10, "it waited for the deadline in spite of the second Ctrl-C"
        eventually(lambda: not any(child.is_running() for child in children), 10, lambda: f"{children}\n{shown()}")
        assert "Traceback" not in shown(), shown()


def test_a_closed_terminal_ends_all(data_dir: Path, opml: Path) -> None:
    with terminal("up", "--feeds", opml, data_dir=data_dir) as (process, _, shown):
        eventually(lambda: "Harbour bridge closed" in shown(), 30, shown)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGHUP)
        process.wait(20)
        eventually(lambda: not any(child.is_running() for child in children), 10, lambda: str(children))

"""Each process tells systemd of itself: ready, alive while its loop turns, silent when it hangs, ending when asked."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.command import ROOT, environment
from tests.deploy.listener import Listener
from tests.servers import free_port
from tests.waiting import eventually

LIMIT_S = 0.8
"""WatchdogSec= of these tests: a sign of life is due every 0.2 s."""

SILENT_S = 1.0

# The loop of each process, made to block while a file is there: its other threads go on meanwhile.
BLOCKING = """
import sys, time
from pathlib import Path
hang, hung = Path(sys.argv.pop(1)), Path(sys.argv.pop(1))
def blocking(owner, name):
    turn = getattr(owner, name)
    def blocked(*given, **named):
        while hang.exists():
            hung.touch()
            time.sleep(0.01)
        return turn(*given, **named)
    setattr(owner, name, blocked)
match sys.argv[1]:
    case "poll":
        from worker.poller.loop import Poller
        blocking(Poller, "_lease")
    case "pages":
        from worker.pages.loop import Pager
        blocking(Pager, "_turn")
    case "serve":
        from worker.web.server import Server
        blocking(Server, "on_tick")
    case "work":
        from worker.jobs.worker import BatchWorker
        blocking(BatchWorker, "_turn")
        BatchWorker.dequeue_timeout = 1
    case "up":
        from worker import supervisor
        blocking(supervisor, "_look_after")
        supervisor._LOOK_S = 0.1
from worker.cli import main
main()
"""


class Watched:
    """A process of ours that systemd would watch."""

    def __init__(self, folder: Path, *arguments: str, **settings: object) -> None:
        self.name = arguments[0]
        self.hang, self.hung = folder / f"hang-{self.name}", folder / f"hung-{self.name}"
        self.listener = Listener(str(folder / f"notify-{self.name}"))
        told = {"NOTIFY_SOCKET": self.listener.address, "WATCHDOG_USEC": str(int(LIMIT_S * 1e6))}
        self._log = (folder / f"log-{self.name}").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-c", BLOCKING, str(self.hang), str(self.hung), *arguments],
            env=environment(settings) | told,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def log(self) -> str:
        self._log.seek(0)
        return f"{self.name}: {self._log.read()[-2000:]}"

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        self.listener.close()
        self._log.close()


def _hears_them_through_a_hang(processes: Sequence[Watched]) -> None:
    """Ready, alive, silent while they hang, alive again, and ending when asked to: all at once."""
    for each in processes:
        said = each.listener.next(30)
        assert said is not None, each.log()
        assert said.lines.get("READY") == "1", f"{each.name} said something before that it is ready: {said}"
        assert said.pid == each.process.pid, f"{each.name}: a child spoke in its name"
        assert said.lines["STATUS"], each.name
        each.listener.until("WATCHDOG")
        each.hang.touch()
    for each in processes:
        eventually(each.hung.exists, 20, each.log)
        each.listener.drain()
    names = {each.listener.fileno(): each.name for each in processes}
    heard = select.select([*names], [], [], SILENT_S)[0]
    assert not heard, f"signs of life of a loop that hangs: {[names[fileno] for fileno in heard]}"
    for each in processes:
        each.hang.unlink()
        assert "STOPPING" not in each.listener.until("WATCHDOG").lines
        each.process.send_signal(signal.SIGTERM)
    for each in processes:
        assert each.listener.until("STOPPING").pid == each.process.pid
        status = each.process.wait(30)
        assert status == (128 + signal.SIGTERM if each.name == "up" else 0), each.log()
        assert each.listener.next() is None, f"{each.name} spoke after its end"


def test_each_process_is_ready_alive_silent_when_its_loop_hangs_and_says_that_it_ends(
    fresh_url: Callable[[], str], tmp_path: Path
) -> None:
    feeds = tmp_path / "feeds.opml"  # or the default list would be asked for
    feeds.write_text(f"<opml><body><outline xmlUrl='http://127.0.0.1:{free_port()}/feed'/></body></opml>")
    poll, page = ("poll", "--feeds", str(feeds)), ("serve", "--listen", f"127.0.0.1:{free_port()}")
    with ExitStack() as stack:
        processes = [
            stack.enter_context(closing(Watched(tmp_path, *words, redis_url=fresh_url())))
            for words in (poll, ("pages",), ("work",), page)
        ]
        _hears_them_through_a_hang(processes)


@pytest.mark.slow
def test_up_speaks_for_all_of_them_and_its_children_do_not(
    fresh_url: Callable[[], str], data_dir: Path, tmp_path: Path
) -> None:
    with closing(Watched(tmp_path, "up", "--no-page", redis_url=fresh_url(), data_dir=data_dir)) as up:
        _hears_them_through_a_hang([up])

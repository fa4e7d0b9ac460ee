"""Children of any kind: kept running, given up, ended when they do not want to; what they say is written down."""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from tests.waiting import eventually
from worker import supervisor
from worker.config import Settings, load
from worker.errors import Permanent, Transient
from worker.fetch.answers import BROKEN_OFF, NOT_UNPACKABLE, refusal, too_slow
from worker.runtime import open_runtime
from worker.supervisor import Processes, alone
from worker.supervisor.child import Child, Died
from worker.supervisor.journal import Journal
from worker.supervisor.processes import GIVE_UP


@pytest.fixture
def pipe() -> Iterator[int]:
    """A lifeline, as `Processes` holds it."""
    lifeline, held = os.pipe()
    yield lifeline
    os.close(held)
    os.close(lifeline)


class Kept:
    """A child that runs a Python program, with what was heard of it."""

    def __init__(self, program: str, lifeline: int) -> None:
        self.lines, self.deaths = list[str](), list[Died]()
        self.child = Child(
            "test",
            command=[sys.executable, "-c", program],
            environment=os.environ,
            lifeline=lifeline,
            hear=lambda name, line: self.lines.append(line),
            mourn=self.deaths.append,
        )

    def end(self, within_s: float = 5.0) -> None:
        self.child.kill()
        assert self.child.wait(time.monotonic() + within_s), "the child does not end"


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.supervisor.child._PAUSES_S", (0.01,))


def test_both_outputs_are_heard_line_by_line_to_the_last_without_an_end(pipe: int, short_pauses: None) -> None:
    program = "import sys; print('one'); print('two', file=sys.stderr); sys.stdout.write('last'); sys.exit(3)"
    kept = Kept(program, pipe)
    eventually(lambda: kept.deaths, 10, "it did not end")
    kept.end()
    assert set(kept.lines) == {"one", "two", "last"}
    assert str(kept.deaths[0]) == "ended with status 3"


def test_bytes_that_are_no_text_and_a_line_without_end_are_heard_too(pipe: int, short_pauses: None) -> None:
    kept = Kept("import os; os.write(1, b'\\xff\\xfe\\n' + b'x' * 3_000_000)", pipe)
    eventually(lambda: kept.deaths, 10, "it did not end")
    kept.end()
    assert kept.lines[0] == "\ufffd\ufffd"
    assert max(map(len, kept.lines)) < 1_100_000


def test_the_pauses_grow_with_each_end_in_a_row(pipe: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.supervisor.child._PAUSES_S", (0.01, 0.02, 0.03))
    kept = Kept("raise SystemExit(1)", pipe)
    eventually(lambda: len(kept.deaths) >= 4, 20, "it was not started again")
    kept.end()
    assert [died.pause_s for died in kept.deaths[:4]] == [0.01, 0.02, 0.03, 0.03]


def test_a_child_that_lived_a_while_begins_the_row_of_pauses_anew(pipe: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.supervisor.child._PAUSES_S", (0.01, 0.02, 0.03))
    monkeypatch.setattr("worker.supervisor.child._SETTLED_S", 0.5)
    kept = Kept("import time; time.sleep(0.7)", pipe)
    eventually(lambda: len(kept.deaths) >= 3, 20, "it was not started again")
    kept.end()
    assert [(died.row, died.pause_s, died.worked) for died in kept.deaths[:3]] == [(1, 0.01, True)] * 3


def test_a_child_that_has_worked_is_never_given_up(settings: Settings) -> None:
    """Its server may be away for an hour: then it ends at each start."""
    with (
        closing(Journal(settings.data_dir)) as journal,
        Processes(settings, journal) as processes,
        capture_logs() as said,
    ):
        for row in range(1, 3 * GIVE_UP):
            processes._mourn(Died("worker", 1, row, 10.0, worked=True))
        processes.wait(0.0)
        assert [line["event"] for line in said] == ["started again"] * (3 * GIVE_UP - 1)
        processes._mourn(Died("worker", 1, GIVE_UP, 10.0, worked=False))
        with pytest.raises(Transient, match="the worker ended with status 1"):
            processes.wait(0.0)


def test_what_a_child_has_started_ends_with_it(pipe: int) -> None:
    """The grandchild holds the pipe open, and would keep the thread that reads it."""
    kept = Kept(
        "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)']);"
        "print(child.pid, flush=True); raise SystemExit(1)",
        pipe,
    )
    grandchild = int(eventually(lambda: kept.lines, 10, "it says nothing")[0])
    eventually(lambda: kept.deaths, 10, "its end was not noticed")
    kept.end()
    eventually(lambda: not psutil.pid_exists(grandchild), 5, "the grandchild lives on")


def test_a_child_that_is_ended_while_it_pauses_is_not_started_again(pipe: int) -> None:
    kept = Kept("raise SystemExit(1)", pipe)
    eventually(lambda: kept.deaths, 10, "it did not end")
    kept.child.end()
    assert kept.child.wait(time.monotonic() + 5)
    assert len(kept.deaths) == 1


@pytest.fixture
def settings(data_dir: Path) -> Settings:
    return load({}, data_dir=str(data_dir))


def test_a_child_that_cannot_live_is_given_up_with_what_it_said(settings: Settings, short_pauses: None) -> None:
    with closing(Journal(settings.data_dir)) as journal, Processes(settings, journal) as processes:
        processes.start("worker", "work", "--no-such-option")
        with pytest.raises(Transient) as caught:
            for _ in range(200):
                processes.wait(0.1)
    assert "the worker ended with status 2" in str(caught.value) and "--no-such-option" in str(caught.value)
    assert str(journal.path) in str(caught.value)


def test_the_others_go_on_without_a_child_that_is_not_needed(settings: Settings, short_pauses: None) -> None:
    said: list[str] = []
    with closing(Journal(settings.data_dir)) as journal, Processes(settings, journal) as processes:
        [web] = processes.start("web", "serve", "--no-such-option", instead=said.append)
        eventually(lambda: said, 30, "it was not given up")
        assert web.wait(time.monotonic() + 5), "it is not started again"
        processes.wait(0.0)
    assert len(said) == 1 and "the web ended with status 2" in said[0] and "--no-such-option" in said[0]


def test_a_child_that_does_not_end_when_asked_is_killed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.supervisor.processes._DEADLINE_S", 0.5)
    with closing(Journal(settings.data_dir)) as journal, capture_logs() as lines:
        with Processes(settings, journal) as processes:
            (child,) = processes.start("worker", "work")
            pid = eventually(lambda: child.pid, 10)
            assert pid is not None
            psutil.Process(pid).suspend()
            eventually(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)
        assert not psutil.pid_exists(pid)
    assert [line["event"] for line in lines] == ["killed: it did not end when asked"]


def test_workers_listen_when_the_block_begins_and_are_gone_after_it(settings: Settings) -> None:
    with open_runtime(settings) as runtime:
        with supervisor.workers(settings, runtime.url, 2):
            assert len(runtime.jobs.listening()) == 2
        assert runtime.jobs.listening() == set()


def test_workers_that_cannot_start_are_an_error_that_says_why(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.supervisor.child._PAUSES_S", (0.01,))  # once may be of a server that was away
    with open_runtime(settings) as runtime:
        wrong = load({}, data_dir=str(settings.data_dir), redis_url="redis://127.0.0.1:1/0")
        with (
            pytest.raises(Transient, match=r"redis://127\.0\.0\.1:1/0 refuses connections"),
            supervisor.workers(wrong, runtime.url, 1),
        ):
            pytest.fail("the block began")


def test_only_one_to_a_data_directory(data_dir: Path) -> None:
    with alone(data_dir), pytest.raises(Permanent, match=f"process {os.getpid()}"), alone(data_dir):
        pytest.fail("a second one was let in")
    with alone(data_dir):
        pass


# --- the journal -------------------------------------------------------------------------------------------------


def line(level: str, event: str, **fields: object) -> str:
    return json.dumps({"time": "now", "level": level, "process": "poller", "event": event, **fields})


def test_all_is_written_and_only_warnings_are_shown(tmp_path: Path) -> None:
    with closing(Journal(tmp_path)) as journal, capture_logs() as shown:
        journal.hear("poller", line("info", "polled"))
        journal.hear("poller", line("warning", "no server", reason="down"))
        journal.hear("poller", "a traceback, perhaps \x1b[2J")
    written = journal.path.read_text().splitlines()
    assert [json.loads(text).get("event") for text in written] == ["polled", "no server", None]
    assert [(entry["event"], entry["process"]) for entry in shown] == [
        ("no server", "poller"),
        ("a traceback, perhaps \\x1b[2J", "poller"),
    ]


def test_a_child_that_complains_without_end_is_shown_a_few_times(tmp_path: Path) -> None:
    with closing(Journal(tmp_path)) as journal, capture_logs() as shown:
        for number in range(50):
            journal.hear("worker", line("error", "batch", number=number))
        journal.hear("worker", line("error", "something else"))
    assert [entry["event"] for entry in shown] == ["batch"] * 3 + ["something else"]
    assert len(journal.path.read_text().splitlines()) == 51


def test_an_exception_is_one_line_on_the_terminal_that_names_the_log(tmp_path: Path) -> None:
    with closing(Journal(tmp_path)) as journal, capture_logs() as shown:
        journal.hear("worker", line("error", "batch", exception="Traceback ...\n  File\nValueError: odd"))
    assert (shown[0]["error"], shown[0]["see"]) == ("ValueError: odd", str(journal.path))


def test_a_notice_is_said_in_its_own_words(tmp_path: Path) -> None:
    said: list[str] = []
    with closing(Journal(tmp_path, said.append)) as journal, capture_logs() as shown:
        journal.hear("poller", line("warning", "offline", notice="No internet: try `storywire demo`."))
    assert said == ["No internet: try `storywire demo`."] and shown == []


def polled(url: str, outcome: str = "ok", trouble: str = "") -> str:
    return line("info" if outcome == "ok" else "warning", "polled", url=url, outcome=outcome, trouble=trouble)


def test_a_feed_that_a_person_has_to_mend_is_told_once_each_time_it_begins_to_fail(tmp_path: Path) -> None:
    said: list[str] = []
    missing = refusal(404, "").reason
    with closing(Journal(tmp_path, said.append)) as journal, capture_logs() as shown:
        for outcome, trouble in (("failed", missing), ("failed", missing), ("ok", ""), ("failed", missing)):
            journal.hear("poller", polled("http://a.example/feed", outcome, trouble))
        journal.hear("poller", polled("http://b.example/feed", "gone", refusal(410, "").reason))
    assert shown == []
    assert [text.split()[2] for text in said] == [f"http://{host}.example/feed" for host in "aab"]
    assert "answers with status 404: there is no such page: look for the feed's new address" in said[0]


@pytest.mark.parametrize(
    ("outcome", "trouble"),
    [
        ("failed", refusal(500, "").reason),
        ("failed", too_slow(30).reason),
        ("failed", BROKEN_OFF.reason),
        ("failed", NOT_UNPACKABLE.reason),
        ("refused", refusal(429, "").reason),
        ("refused", refusal(503, "").reason),
        ("unreachable", "cannot be reached at example.org:80 (connection refused): is the server up?"),
    ],
)
def test_what_passes_by_itself_is_only_written_down(tmp_path: Path, outcome: str, trouble: str) -> None:
    said: list[str] = []
    with closing(Journal(tmp_path, said.append)) as journal, capture_logs() as shown:
        journal.hear("poller", polled("http://a.example/feed", outcome, trouble))
    assert (said, shown) == ([], [])
    assert len(journal.path.read_text().splitlines()) == 1


def test_of_many_feeds_that_fail_at_once_a_few_are_told_and_the_others_when_they_fail_again(tmp_path: Path) -> None:
    """A flood would say no more than three of them do."""
    said: list[str] = []
    with closing(Journal(tmp_path, said.append)) as journal:
        for number in range(10):
            journal.hear("poller", polled(f"http://{number}.example/feed", "failed", refusal(404, "").reason))
        assert len(said) == 3
        journal._shown.clear()  # a minute passes
        for number in range(5):
            journal.hear("poller", polled(f"http://{number}.example/feed", "failed", refusal(404, "").reason))
    assert [text.split()[2] for text in said] == [f"http://{number}.example/feed" for number in range(5)]


def test_the_log_is_put_aside_when_it_is_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.supervisor.journal._FILE_BYTES", 10_000)
    with closing(Journal(tmp_path)) as journal:
        for _ in range(1_000):
            journal.hear("poller", line("info", "polled", url="http://127.0.0.1/feed"))
    sizes = [path.stat().st_size for path in sorted(tmp_path.iterdir())]
    assert len(sizes) == 2 and max(sizes) <= 10_000


def test_lines_of_many_children_never_mix(tmp_path: Path) -> None:
    with closing(Journal(tmp_path)) as journal:

        def talk() -> None:
            for _ in range(200):
                journal.hear("worker", line("info", "batch", pad="x" * 500))

        threads = [threading.Thread(target=talk) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len([json.loads(text) for text in journal.path.read_text().splitlines()]) == 800

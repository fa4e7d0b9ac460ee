"""`storywire report` and `storywire explain` as a person runs them: real processes, a real server, a real terminal."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.command import ROOT, environment, here, one_line, start_storywire
from tests.unit.report_articles import BRIDGE, BRIDGE_COPY, BRIDGE_REWRITE, ORCHARD, article
from tests.waiting import eventually
from worker import config
from worker.model import Article
from worker.runtime import Runtime, open_runtime

HOSTILE = "\x1b[31mRed\x1b]0;owned\x07 [bold]alert[/bold] \u202etxt.exe"


@pytest.fixture
def runtime(valkey_url: str) -> Iterator[Runtime]:
    with open_runtime(config.load({}, redis_url=valkey_url)) as opened:
        yield opened


def ingest(runtime: Runtime, *articles: Article) -> None:
    runtime.ingest.run(runtime.outbox.publish("made", articles, {}, runtime.clock.now()))


def bridge(prefix: str = "b") -> list[Article]:
    now = time.time()
    return [
        article(f"{prefix}1", BRIDGE, "Harbour Post", now - 1800),
        article(f"{prefix}2", BRIDGE_COPY, "The Courier", now - 1200),
        article(f"{prefix}3", BRIDGE_REWRITE, "Daily Lantern", now - 600),
    ]


def on_a_terminal(*arguments: str, url: str, columns: int) -> str:
    """What the command prints on a real terminal (a pty) so wide."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "worker", *arguments],
        env=environment({"redis_url": url}) | {"COLUMNS": str(columns), "TERM": "xterm-256color"},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    printed = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and select.select([ours], [], [], 30)[0]:
        try:
            chunk = os.read(ours, 65536)
        except OSError:
            break
        printed += chunk
    os.close(ours)
    assert process.wait(30) == 0, printed.decode()
    return printed.decode()


def test_off_a_terminal_the_report_is_plain_lines(runtime: Runtime) -> None:
    ingest(runtime, *bridge())
    done = here("report", redis_url=runtime.url)
    assert (done.returncode, done.stderr) == (0, "")
    top, line = done.stdout.splitlines()
    assert top == "1 story, 3 articles, 3 outlets in the last 24 h, hottest first"
    assert line.endswith("Harbour bridge in Marlow closed after freighter strikes a pillar")
    assert "3 outlets   3 articles     1 copy   1 rewrite  30 min" in line


def test_on_a_terminal_hostile_headlines_obey_nobody(runtime: Runtime) -> None:
    hostile = article("evil", f"{HOSTILE}\n{ORCHARD}", "Evil \x9b2J", time.time())
    ingest(runtime, hostile, *bridge())
    printed = on_a_terminal("report", "--members", url=runtime.url, columns=100)
    assert "alert" in printed
    assert "[bold]alert[/bold]" in printed
    for control in ("\x1b]", "\x07", "\x9b", "\u202e", "\x1b[31mRed"):
        assert control not in printed


def test_members_are_shown_as_who_was_first_and_who_repeats_whom(runtime: Runtime) -> None:
    ingest(runtime, *bridge())
    done = here("report", "--members", redis_url=runtime.url)
    first, copy, rewrite = done.stdout.splitlines()[2:]
    assert first.split()[:3] == ["└", "●", "first"]
    assert copy.split()[:3] == ["├", "=", "copy"]
    assert rewrite.split()[:3] == ["└", "≈", "rewrite"]
    assert "[b3]" in rewrite


def test_json_is_one_documented_object_a_story(runtime: Runtime) -> None:
    ingest(runtime, *bridge(), article("o1", ORCHARD, "Valley News", time.time()))
    done = here("report", "--json", "--members", redis_url=runtime.url)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["articles"] for record in records] == [3, 1]
    assert [member["of"] for member in records[0]["members"]] == [None, "b1", "b1"]


def test_options_narrow_the_report(runtime: Runtime) -> None:
    ingest(runtime, *bridge(), article("o1", ORCHARD, "Valley News", time.time()))
    narrow = here("report", "--json", "--min-outlets", "2", redis_url=runtime.url)
    assert len(narrow.stdout.splitlines()) == 1
    recent = here("report", "--json", "--since", "5m", redis_url=runtime.url)
    assert [json.loads(line)["articles"] for line in recent.stdout.splitlines()] == [1]
    other = here("report", "--lang", "es", redis_url=runtime.url)
    assert other.stdout.startswith("No story in the last 24 h in 'es'; 2 stories are stored")


def test_an_empty_store_is_one_helpful_line(runtime: Runtime) -> None:
    done = here("report", redis_url=runtime.url)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    assert "storywire up" in done.stdout
    assert here("report", "--json", redis_url=runtime.url).stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("report", "--after", "en:1-0"), "--after goes with --follow"),
        (("report", "--follow", "--after", "en-7"), "'en-7' is no place"),
        (("report", "--follow", "--after", "en:99999999999999999999-0"), "is no place"),
        (("explain", "nobody", "b1"), "'nobody' is no article of the store"),
        (("explain", "b1", "en-1"), "'en-1' is a story"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line_and_status_1(
    runtime: Runtime, arguments: tuple[str, ...], said: str
) -> None:
    ingest(runtime, *bridge())
    done = here(*arguments, redis_url=runtime.url)
    assert done.returncode == 1
    assert said in one_line(done.stderr)


def test_a_duration_that_is_none_says_how_to_write_one(runtime: Runtime) -> None:
    done = here("report", "--since", "yesterday", redis_url=runtime.url)
    assert done.returncode == 2
    assert "write a duration like 90s, 15m, 24h or 30d" in done.stderr


@pytest.fixture
def follower(runtime: Runtime, request: pytest.FixtureRequest) -> Iterator["subprocess.Popen[str]"]:
    """`storywire report --follow` with the test's arguments, begun and reading."""
    process = start_storywire("report", "--follow", *getattr(request, "param", ()), redis_url=runtime.url)
    eventually(lambda: _asks(runtime), 20, "the follower never asked the server for events")
    yield process
    process.kill()
    process.communicate()


def _asks(runtime: Runtime) -> bool:
    clients = runtime.redis.client_list()
    return any(str(client["cmd"]).lower() in ("smembers", "xrange") for client in clients)


def test_following_shows_what_forms_and_who_joined_and_ctrl_c_is_a_quiet_end(
    runtime: Runtime, follower: "subprocess.Popen[str]"
) -> None:
    assert follower.stdout is not None
    assert "No stories yet" in follower.stdout.readline()
    first, copy, _ = bridge()
    ingest(runtime, first)
    assert "● new" in follower.stdout.readline()
    ingest(runtime, copy)
    assert follower.stdout.readline().rstrip().endswith("The Courier: = copy of Harbour Post")
    follower.send_signal(signal.SIGINT)
    rest, errors = follower.communicate(timeout=20)
    assert (follower.returncode, rest, errors) == (0, "", "")


def test_what_following_leaves_out_is_said_once(runtime: Runtime, follower: "subprocess.Popen[str]") -> None:
    """What the feeds' first fetch brings is no news; but a person who looks at an empty screen would wait for ever."""
    assert follower.stdout is not None
    assert "No stories yet" in follower.stdout.readline()
    first, copy, _ = bridge()
    ingest(runtime, replace(first, backfill=True))
    assert "`storywire report` lists them" in follower.stdout.readline()
    ingest(runtime, replace(article("o1", ORCHARD, "Valley News", time.time()), backfill=True))
    ingest(runtime, copy)
    assert "copy of Harbour Post" in follower.stdout.readline()


def test_following_says_of_stories_that_are_older_than_it_shows(runtime: Runtime) -> None:
    ingest(runtime, *bridge())
    process = start_storywire("report", "--follow", "--since", "1s", redis_url=runtime.url)
    assert process.stdout is not None
    line = process.stdout.readline()
    process.kill()
    process.communicate()
    assert "1 story is stored" in line
    assert "What forms now appears here" in line


@pytest.mark.parametrize("follower", [("--json",)], indirect=True)
def test_following_as_json_can_be_resumed_after_any_cursor(runtime: Runtime, follower: "subprocess.Popen[str]") -> None:
    assert follower.stdout is not None
    ingest(runtime, *bridge())
    records = [json.loads(follower.stdout.readline()) for _ in range(3)]
    assert [record["event"] for record in records] == ["new", "grew", "grew"]
    assert list(records[0])[:3] == ["event", "cursor", "story"]
    arguments = ("report", "--follow", "--json", "--after", records[0]["cursor"])
    again = start_storywire(*arguments, redis_url=runtime.url)
    assert again.stdout is not None
    resumed = [json.loads(again.stdout.readline())["cursor"] for _ in range(2)]
    assert resumed == [record["cursor"] for record in records[1:]]
    again.send_signal(signal.SIGINT)
    assert again.communicate(timeout=20)[0] == ""
    assert again.returncode == 0


@pytest.mark.parametrize("follower", [("--json",)], indirect=True)
def test_a_reader_that_goes_away_is_a_quiet_end(runtime: Runtime, follower: "subprocess.Popen[str]") -> None:
    assert follower.stdout is not None
    assert follower.stderr is not None
    follower.stdout.close()
    ingest(runtime, *bridge())
    assert follower.wait(20) == 0
    assert follower.stderr.read() == ""


def test_explain_compares_two_articles_of_the_store(runtime: Runtime) -> None:
    ingest(runtime, *bridge(), article("o1", ORCHARD, "Valley News", time.time()))
    done = here("explain", "b3", "b1", redis_url=runtime.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "one story: B is a rewrite of A" in done.stdout
    assert done.stdout.startswith("A  Harbour bridge in Marlow closed")
    apart = here("explain", "b1", "o1", redis_url=runtime.url)
    assert "not one story: they share too little" in apart.stdout
    same = here("explain", "b1", "b1", redis_url=runtime.url)
    assert (same.returncode, same.stdout) == (1, "")
    assert "'b1' is given twice" in one_line(same.stderr)


def test_explain_names_the_article_that_both_repeat(runtime: Runtime) -> None:
    """Two copies of a third: the third is named as the store knows it."""
    now = time.time()
    ingest(runtime, *(article(f"c{i}", BRIDGE, f"Outlet {i}", now - 900 + 300 * i) for i in range(3)))
    done = here("explain", "c1", "c2", redis_url=runtime.url)
    assert "both repeat the same third article" in done.stdout
    assert 'the store has both as a copy of "' in " ".join(done.stdout.split())
    assert "(Outlet 0)" in done.stdout


def test_explain_compares_two_text_files_without_a_store(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text(BRIDGE, encoding="utf-8")
    (tmp_path / "two.txt").write_text(BRIDGE_REWRITE, encoding="utf-8")
    nowhere = tmp_path / "no store here"
    done = here("explain", tmp_path / "one.txt", tmp_path / "two.txt", "--json", data_dir=nowhere)
    record = json.loads(done.stdout)
    assert (record["one_story"], record["relation"], record["stored"]) == (True, "rewrite", False)
    assert record["repeats"] == {"article": str(tmp_path / "two.txt"), "of": str(tmp_path / "one.txt")}
    assert not nowhere.exists()


def test_explain_refuses_what_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\x00\x01")
    done = here("explain", tmp_path / "a.bin", tmp_path / "a.bin", data_dir=tmp_path / "data")
    assert done.returncode == 1
    assert "not a text file" in one_line(done.stderr)

"""`storywire story` and `storywire forget` as a person runs them, on a replayed store."""

import json
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.command import ROOT, environment, here, one_line, storywire
from tests.e2e.test_replay import CUP_1, DAM_1, DAM_2, records, write
from tests.unit.articles import DAM_REPORT, DAM_REPORT_TITLE

WORD = "quaxolotl"
URL = f"https://courier.example/{WORD}"
DAM_3 = {
    "id": f"courier/{WORD}", "title": f"{DAM_REPORT_TITLE}, {WORD} safe", "text": f"{DAM_REPORT} The {WORD} is safe.",
    "published": "2026-01-05T12:00:00Z", "source": "Courier", "url": URL,
}  # fmt: skip
FILE = (DAM_1, DAM_2, DAM_3, CUP_1)


def said(*arguments: object, data_dir: Path) -> str:
    """What a command that has to succeed says on standard output."""
    done = here(*arguments, data_dir=data_dir)
    assert done.returncode == 0, done.stderr
    return done.stdout


def stories(data_dir: Path) -> dict[str, list[str]]:
    """Story id -> the ids of its articles."""
    output = said("report", "--json", "--members", "--since", "9000d", data_dir=data_dir)
    return {str(s["story"]): sorted(m["id"] for m in s["members"]) for s in records(output)}  # type: ignore[attr-defined]


@pytest.fixture
def store(tmp_path: Path, data_dir: Path) -> Path:
    """A store with two stories: en-1 of one article, en-2 of three."""
    replay(tmp_path, data_dir)
    assert stories(data_dir) == {"en-1": ["cup-1"], "en-2": [DAM_3["id"], "dam-1", "dam-2"]}
    return data_dir


def replay(tmp_path: Path, folder: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    lines = [{**article, "lang": "en"} for article in FILE]
    return storywire("replay", write(tmp_path / "a.jsonl", *lines), "--data-dir", folder, *arguments, data_dir=folder)


def test_an_editor_s_session(tmp_path: Path, store: Path) -> None:
    """Each command by itself, the embedded server started and ended each time: corrections survive restarts."""
    assert "en-3 is the story of 1 article taken out of en-2\ncorrection en.1" in said(
        "story", "split", "en-2", URL, data_dir=store
    )
    assert stories(store) == {"en-1": ["cup-1"], "en-2": ["dam-1", "dam-2"], "en-3": [DAM_3["id"]]}
    assert "an editor keeps them in two" in said("explain", "dam-1", DAM_3["id"], data_dir=store)
    assert "cup-1 is in en-3 for good" in said("story", "pin", "cup-1", "en-3", data_dir=store)
    merged = said("story", "merge", "en-3", "en-2", data_dir=store)
    assert "en-2 took in en-3\ncorrection en.3\noverrides en.1 (split en-2" in merged
    assert list(stories(store)) == ["en-2"]
    listed = said("story", "corrections", data_dir=store).splitlines()
    assert [line.split()[0] for line in listed] == ["en.2", "en.3"]
    assert [record["kind"] for record in records(said("story", "corrections", "--json", data_dir=store))] == [
        "pin", "merge",
    ]  # fmt: skip
    assert "lifted en.3; en-4 is a story of its own again" in said("story", "undo", "en.3", data_dir=store)
    assert stories(store) == {"en-2": ["dam-1", "dam-2"], "en-4": [DAM_3["id"], "cup-1"]}
    assert "lifted en.2; no article moved" in said("story", "undo", "en.2", data_dir=store)


def test_corrections_run_as_test_cases_and_hold_in_a_store_that_is_given_them(tmp_path: Path, store: Path) -> None:
    """The engine alone decides as before; with the corrections a replay of the same file obeys them."""
    said("story", "split", "en-2", DAM_3["id"], data_dir=store)
    cases, corrections = tmp_path / "cases.jsonl", tmp_path / "corrections.jsonl"
    assert "2 pairs of articles" in said("story", "export", cases, data_dir=store)
    assert {(case["together"], case["b"]["url"]) for case in map(json.loads, cases.read_text().splitlines())} == {
        (False, "")
    }
    corrections.write_text(said("story", "corrections", "--json", data_dir=store), encoding="utf-8")

    assert said("story", "export", "-", data_dir=store) == cases.read_text()
    assert not Path("-").exists(), "a file named -"

    alone = replay(tmp_path, store.parent / "alone", "--cases", cases)
    assert alone.returncode == 1
    assert "cases: 0 of 2 as the editor decided (0 of 2 apart)" in alone.stderr
    given = store.parent / "given"
    run = here("story", "import", "-", given=corrections.read_text(), data_dir=given)
    assert run.stdout == "1 correction in force, 0 known already\n", run.stderr
    assert "0 corrections in force, 1 known already" in said("story", "import", corrections, data_dir=given)
    obeying = replay(tmp_path, given, "--cases", cases)
    assert obeying.returncode == 0, obeying.stderr
    assert "cases: 2 of 2 as the editor decided (2 of 2 apart)" in obeying.stderr


def test_forgetting_leaves_nothing_in_the_report_nor_on_disk(tmp_path: Path, store: Path) -> None:
    """Not in the embedded server's log either; and an import of the file does not bring it back."""
    assert _holds(store, WORD)
    asked = here("forget", URL, data_dir=store)
    assert asked.returncode == 1
    assert one_line(asked.stderr) == f"this would remove 1 article of {URL} for good: add --yes"
    assert f"forgotten: 1 article of {URL}\nshrank: en-2" in said("forget", URL, "--yes", data_dir=store)
    assert not _holds(store, WORD)
    again = storywire("import", tmp_path / "a.jsonl", data_dir=store)
    assert again.returncode == 0, again.stderr
    assert ": 0 new, 3 known already, 1 forgotten, kept out" in again.stderr
    assert stories(store) == {"en-1": ["cup-1"], "en-2": ["dam-1", "dam-2"]}


def _holds(folder: Path, word: str) -> bool:
    """Whether a file of the server's has a word; what it compresses would hide, so the word is short."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".log"]
    assert any("aof" in path.name for path in files), "the server keeps no log here"
    return any(word.encode() in path.read_bytes() for path in files)


def test_on_a_terminal_forgetting_asks_first(store: Path) -> None:
    for answer, status, left in (("n", 1, 3), ("y", 0, 2)):
        assert _forget_on_a_terminal(store, answer) == status
        assert len(stories(store)["en-2"]) == left


def _forget_on_a_terminal(store: Path, answer: str) -> int:
    """The exit status, after it has asked and got this answer."""
    command = [sys.executable, "-m", "worker", "forget", str(DAM_3["id"])]
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        command, stdin=end, stdout=end, stderr=end, cwd=ROOT, env=environment({"data_dir": store})
    )
    os.close(end)
    seen: list[bytes] = []
    reader = threading.Thread(target=_read, args=(terminal, seen))
    reader.start()
    os.write(terminal, f"{answer}\n".encode())
    status = process.wait(30)
    reader.join(5)
    os.close(terminal)
    assert b"Remove 1 article" in b"".join(seen)
    return status


def _read(terminal: int, seen: list[bytes]) -> None:
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # the other end has gone
            return
        if not part:
            return
        seen.append(part)


REFUSED = [
    ("story split en-9 dam-1", "storywire report"),
    ("story pin nobody", "storywire report --members"),
    ("story merge en-1", "name two"),
    ("story undo en.9", "storywire story corrections"),
    ("story import nowhere.jsonl", "no such file or directory: give another path"),
    ("story export /no/such/folder/x", "no such file or directory: give another path"),
    ("forget nobody --yes", "storywire feeds list"),
    ("replay {file} --cases nowhere.jsonl", "no such file or directory: name another file"),
    ("replay {file} --cases {file}", "a.jsonl:1: is no case of `storywire story export`"),
]


def test_what_cannot_be_done_is_one_clear_line_with_the_remedy(tmp_path: Path, store: Path) -> None:
    for command, remedy in REFUSED:
        done = here(*command.format(file=tmp_path / "a.jsonl").split(), data_dir=store)
        assert (done.returncode, done.stdout) == (1, ""), command
        assert remedy in one_line(done.stderr)


def test_show_tells_all_that_is_kept_of_a_story(store: Path) -> None:
    """Whose each article is, what it repeats and where it stands; and the same as one object."""
    lines = said("story", "show", "en-2", data_dir=store).splitlines()
    assert lines[1] == "en-2, 3 outlets, 3 articles"
    assert f"  {URL}  [{DAM_3['id']}]" in lines
    [record] = records(said("story", "show", "en-2", "--json", data_dir=store))
    assert [member["id"] for member in record["members"]] == ["dam-1", "dam-2", DAM_3["id"]]  # type: ignore[attr-defined]
    refused = here("story", "show", "en-77", data_dir=store)
    assert one_line(refused.stderr).startswith("'en-77' is no story of the store")

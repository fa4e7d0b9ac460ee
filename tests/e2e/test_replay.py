"""`storywire replay` and `import` as a person runs them: files in, stories out, bad lines told."""

import gzip
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.command import ROOT, environment, here, of_its_user, one_line, storywire
from tests.conftest import NewServer
from tests.e2e.test_concurrency import newsroom_articles
from tests.unit.articles import CUP, CUP_TITLE, DAM, DAM_REWRITE, DAM_REWRITE_TITLE, DAM_TITLE

DAM_1 = {"id": "dam-1", "title": DAM_TITLE, "text": DAM, "published": "2026-01-05T10:00:00Z", "source": "Wire"}
DAM_2 = {
    "id": "dam-2", "title": DAM_REWRITE_TITLE, "text": DAM_REWRITE,
    "published": "2026-01-05T11:00:00Z", "source": "Echo",
}  # fmt: skip
CUP_1 = {"id": "cup-1", "title": CUP_TITLE, "text": CUP, "published": "2026-01-05T09:00:00Z", "source": "Wire"}


def write(path: Path, *lines: object) -> Path:
    path.write_text("".join(f"{x if isinstance(x, str) else json.dumps(x)}\n" for x in lines), encoding="utf-8")
    return path


def records(output: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.splitlines()]


def test_a_replay_reports_stories_and_writes_assignments(tmp_path: Path, data_dir: Path) -> None:
    articles, out = write(tmp_path / "a.jsonl", DAM_2, CUP_1, DAM_1), tmp_path / "out.tsv"
    run = storywire("replay", articles, "--assignments", out, "--json", data_dir=data_dir)
    assert run.returncode == 0, run.stderr
    stories = {story["headline"]: story for story in records(run.stdout)}
    assert stories[DAM_TITLE]["articles"] == 2
    assert stories[DAM_TITLE]["rewrites"] == 1
    assert stories[DAM_TITLE]["first"] == "2026-01-05T10:00:00Z"
    assigned = dict(line.split("\t") for line in out.read_text().splitlines())
    assert assigned["dam-1"] == assigned["dam-2"] != assigned["cup-1"]
    assert "3 articles" in run.stderr
    assert not data_dir.exists(), "a replay leaves the live store alone"


def test_bad_lines_are_told_counted_and_passed_over(tmp_path: Path, data_dir: Path) -> None:
    articles = write(tmp_path / "a.jsonl", "{oops", DAM_1, {"title": "no id"}, DAM_1, {"id": "x", "title": "!!!"})
    run = storywire("replay", articles, "--json", data_dir=data_dir)
    assert run.returncode == 1
    assert len(records(run.stdout)) == 2, "an article without words stands alone"
    for said in ("a.jsonl:1: is no JSON", 'a.jsonl:3: has no "id"', "a.jsonl:4: repeats", "3 of 5 lines were left out"):
        assert said in run.stderr


@pytest.mark.parametrize("command", ["replay", "import"])
@pytest.mark.parametrize("lines", [[], [{"id": 7, "title": "T"}]])
def test_a_file_without_an_article_is_said_to_hold_none(
    tmp_path: Path, data_dir: Path, command: str, lines: list[object]
) -> None:
    run = storywire(command, write(tmp_path / "a.jsonl", *lines), data_dir=data_dir)
    assert (run.returncode, run.stdout) == (1, "")
    assert "a.jsonl: no article in it" in run.stderr.splitlines()[-1]
    assert len(run.stderr.splitlines()) == 1 + len(lines)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.jsonl"], "name a readable file"),
        (["-"], "standard input: no article in it"),
        (["{good}", "--assignments", "/no/such/folder/out.tsv"], "no such file or directory: name another file"),
        (["{good}", "--assignments", "/"], "is a directory: name another file"),
        (["{good}", "--assignments", "{good}"], "is one of the files to read"),
        (["{good}", "--data-dir", "{good}"], "the data directory {good} is a file: give another"),
    ],
)
def test_what_cannot_be_read_or_written_is_one_clear_line(
    tmp_path: Path, data_dir: Path, arguments: list[str], said: str
) -> None:
    good = str(write(tmp_path / "good.jsonl", DAM_1))
    run = storywire("replay", *(a.format(good=good) for a in arguments), data_dir=data_dir)
    assert run.returncode == 1
    assert said.format(good=good) in one_line(run.stderr)


@pytest.mark.parametrize("command", ["report", "check", "up"])
def test_a_data_directory_that_is_a_file_is_said_to_be_one(tmp_path: Path, command: str) -> None:
    file = write(tmp_path / "a.jsonl", DAM_1)
    run = storywire(command, "--data-dir", file, data_dir=file)
    assert run.returncode == 1
    assert f"the data directory {file} is a file" in run.stdout + run.stderr
    assert "Traceback" not in run.stderr


def test_a_disk_that_fills_up_under_the_assignments_is_one_clear_line(tmp_path: Path, data_dir: Path) -> None:
    run = storywire("replay", write(tmp_path / "a.jsonl", DAM_1), "--assignments", "/dev/full", data_dir=data_dir)
    assert run.returncode == 1
    assert "storywire: --assignments /dev/full: no space left on device" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_kept_store_can_be_explained_and_replayed_into_again(tmp_path: Path, data_dir: Path) -> None:
    articles = write(tmp_path / "a.jsonl", DAM_1, DAM_2)
    for _ in range(2):
        run = storywire("replay", articles, "--data-dir", data_dir, "--json", data_dir=tmp_path / "live")
        assert [story["articles"] for story in records(run.stdout)] == [2]
    why = here("explain", "dam-1", "dam-2", data_dir=data_dir)
    assert why.returncode == 0, why.stderr
    assert "rewrite" in why.stdout
    unknown = here("explain", "dam-1", "nobody", data_dir=data_dir)
    assert unknown.returncode == 1
    assert "nobody" in one_line(unknown.stderr)


def test_an_import_goes_into_the_live_store_as_backfill_and_twice_is_once(tmp_path: Path, data_dir: Path) -> None:
    articles = write(tmp_path / "a.jsonl", DAM_1, CUP_1)
    for said in (" to start)\n", ": 0 new, 2 known already\n"):
        run = storywire("import", articles, data_dir=data_dir)
        assert run.returncode == 0, run.stderr
        assert run.stderr.endswith(said)
        assert "holds 2 articles in 2 stories" in run.stdout
    listed = records(here("report", "--json", "--since", "36500d", data_dir=data_dir).stdout)
    assert {story["heat"] for story in listed} == {0.0}


def test_streams_are_imported_as_files_are_and_a_server_that_is_away_at_first_is_waited_for(
    tmp_path: Path, data_dir: Path, new_server: NewServer
) -> None:
    """Gzipped on standard input, and plain from a named pipe; lines are told by their numbers, and nothing is left
    behind."""
    server, pipe = new_server(), tmp_path / "pipe"
    server.kill()
    os.mkfifo(pipe)
    writing = threading.Thread(target=write, args=(pipe, CUP_1, DAM_2), daemon=True)
    writing.start()
    with subprocess.Popen(
        [sys.executable, "-m", "worker", "import", "-", str(pipe)],
        env=environment(of_its_user(["import"], {"data_dir": data_dir, "redis_url": server.url()})),
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as run:  # fmt: skip
        assert run.stdin is not None and run.stderr is not None
        with run.stdin as given:
            given.write(gzip.compress(b"{oops\n" + json.dumps(DAM_1).encode()))
        run.stdin = None
        assert run.stderr.readline().startswith(b"standard input:1: is no JSON")
        assert run.stderr.readline().startswith(b"waiting for the server: the server unix://")
        server.start()
        out, errors = run.communicate(timeout=60)
    writing.join(10)
    said = errors.decode()
    assert (run.returncode, out) == (1, b"the store now holds 3 articles in 2 stories\n"), said
    assert said.startswith("the server answers again\n"), said
    assert "1 of 4 lines was left out" in said
    assert not list(data_dir.glob("tmp*"))


def test_an_import_keeps_the_dates_of_history(tmp_path: Path, data_dir: Path) -> None:
    """Nine months lie between two like articles, both long past the retention: they are two stories, of their dates."""
    old = DAM_1 | {"id": "dam-old", "published": "2025-04-05T10:00:00Z"}
    run = storywire("import", write(tmp_path / "a.jsonl", DAM_1, old), data_dir=data_dir)
    assert "holds 2 articles in 2 stories" in run.stdout, run.stderr
    listed = records(here("report", "--json", "--since", "36500d", data_dir=data_dir).stdout)
    assert {(story["first"], story["last"]) for story in listed} == {
        (date, date) for date in ("2025-04-05T10:00:00Z", "2026-01-05T10:00:00Z")
    }


@pytest.mark.parametrize("command", ["replay", "replay --json", "import"])
def test_a_reader_that_goes_away_ends_the_output_quietly(tmp_path: Path, data_dir: Path, command: str) -> None:
    """`storywire replay FILE | head -2`: no traceback, and no bad status, when the pipe is closed."""
    articles = write(tmp_path / "a.jsonl", DAM_1, CUP_1)
    reading, writing = os.pipe()
    os.close(reading)
    try:
        arguments = [sys.executable, "-m", "worker", *command.split(), str(articles)]
        run = subprocess.run(
            arguments, env=environment({"data_dir": data_dir}), cwd=ROOT, stdout=writing, stderr=subprocess.PIPE,
            text=True, timeout=60, check=False,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert run.returncode == 0, run.stderr
    assert "Error" not in run.stderr


def test_two_workers_give_the_same_truth(tmp_path: Path, data_dir: Path) -> None:
    lines = [
        {"id": a.id, "title": a.title, "text": a.text, "source": a.source, "lang": a.lang}
        for a in newsroom_articles(200)
    ]
    run = storywire("replay", write(tmp_path / "a.jsonl", *lines), "--workers", 2, "--json", data_dir=data_dir)
    assert run.returncode == 0, run.stderr
    assert "200 articles" in run.stderr


# --- on the shared material, where it is ---------------------------------------------------------------------------


def seed(path: Path, hour: int) -> dict[str, str]:
    """An article of seeds/: the boilerplate before the headline dropped, the headline as title, the rest as text."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    lines = lines[1:] if lines[0].startswith("Ultimate magazine theme") else lines
    published = f"2022-01-15T{hour}:00:00Z"
    return {"id": path.stem, "title": lines[0], "text": "\n".join(lines[1:]), "published": published}


def test_the_seeds_are_one_story_of_a_first_and_a_rewrite(shared: Path, tmp_path: Path, data_dir: Path) -> None:
    seeds = [seed(path, 10 + i) for i, path in enumerate(sorted((shared / "seeds").glob("*.txt")))]
    run = storywire("replay", write(tmp_path / "seeds.jsonl", *seeds), "--json", "--members", data_dir=data_dir)
    (story,) = records(run.stdout)
    members = story["members"]
    assert isinstance(members, list)
    assert [m["relation"] for m in members] == ["first", "rewrite"]
    assert members[1]["of"] == members[0]["id"]


@pytest.mark.parametrize(
    ("name", "least"), [("neus", 0.94), ("basil", 0.974), ("ecb", 0.93), ("roundups", 0.905), ("headlines", 0.78)]
)
def test_bcubed_on_labelled_articles(shared: Path, tmp_path: Path, data_dir: Path, name: str, least: float) -> None:
    articles, out = shared / "stories" / f"{name}.jsonl", tmp_path / "out.tsv"
    run = storywire("replay", articles, "--assignments", out, "--limit", 1, data_dir=data_dir)
    assert run.returncode == 0, run.stderr
    scored = subprocess.run(
        [sys.executable, shared / "score.py", articles, out], capture_output=True, text=True, check=True
    ).stdout
    figures = dict(part.split("=") for part in scored.split())
    assert float(figures["bcubed_f1"]) >= least, scored
    assert figures["unassigned"] == "0"


def test_a_date_in_the_future_is_not_believed(tmp_path: Path, data_dir: Path) -> None:
    future = {**DAM_1, "id": "future", "published": "2099-01-01T00:00:00Z"}
    run = storywire("replay", write(tmp_path / "a.jsonl", future, CUP_1), "--json", "--members", data_dir=data_dir)
    assert run.returncode == 0, run.stderr
    assert not any(str(story["last"]).startswith("2099") for story in records(run.stdout))


def test_a_date_that_stands_for_none_is_not_believed_either(tmp_path: Path, data_dir: Path) -> None:
    """Programs write the year 1 where they know no date; in whichever zone, nothing comes to an end by it."""
    dates = ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00")
    odd = [{"id": date, "title": f"{CUP_TITLE} {date}", "published": date} for date in dates]
    run = storywire("import", write(tmp_path / "a.jsonl", *odd), data_dir=data_dir)
    assert (run.returncode, run.stdout) == (0, "the store now holds 3 articles in 1 story\n"), run.stderr
    listed = here("report", "--json", "--since", "1h", data_dir=data_dir)
    assert [story["articles"] for story in records(listed.stdout)] == [3], "they came now"

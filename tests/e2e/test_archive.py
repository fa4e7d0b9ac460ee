"""History outlives the window: what a worker archived is read back by `import` and by `replay`."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.command import here, storywire
from tests.unit.articles import (
    CUP,
    CUP_TITLE,
    DAM,
    DAM_REPORT,
    DAM_REPORT_TITLE,
    DAM_REWRITE,
    DAM_REWRITE_TITLE,
    DAM_TITLE,
)
from worker import config
from worker.clock import ManualClock
from worker.model import Article
from worker.runtime import open_runtime

THEN = 1_735_000_000.0
DAY = 86_400.0


@pytest.fixture
def archive(tmp_path: Path, valkey_url: str) -> Path:
    """The file of three stories of two languages that have ended in a store; one was corrected by its outlet."""
    folder = tmp_path / "archive"
    clock = ManualClock(THEN)
    settings = config.load({"STORYWIRE_REDIS_URL": valkey_url, "STORYWIRE_ARCHIVE_DIR": str(folder)})
    said = [
        ("solo", "Ein Titel", "Der Fluss ist in der Nacht über die Ufer getreten und hat das Tal überschwemmt.", "de"),
        ("dam-1", DAM_TITLE, DAM, "en"),
        ("cup-1", CUP_TITLE, CUP, "en"),
        ("dam-2", DAM_REWRITE_TITLE, DAM_REWRITE, "en"),
        ("dam-3", DAM_REPORT_TITLE, DAM_REPORT, "en"),
    ]
    with open_runtime(settings, clock) as runtime:
        for name, title, text, lang in said:
            clock.advance(600)
            article = Article(id=name, title=title, text=text, lang=lang, source=name, received=clock.now())
            runtime.ingest.run(runtime.outbox.publish("feed", [article], {}, clock.now()))
        clock.advance(8 * DAY)
        assert runtime.ingest.expire() == len(said)
    (path,) = folder.iterdir()
    return path


def archived(path: Path) -> dict[str, dict[str, Any]]:
    """Article id -> its line."""
    return {line["id"]: line for line in map(json.loads, gzip.open(path))}


def reported(output: str) -> dict[str, dict[str, Any]]:
    """Article id -> its story of `report --json --members`, and what it is there."""
    stories = [json.loads(line) for line in output.splitlines()]
    return {m["id"]: {"story": s["story"], **m} for s in stories for m in s["members"]}


def test_import_gives_articles_their_stories_back_and_again_changes_nothing(archive: Path, data_dir: Path) -> None:
    lines = archived(archive)
    run = storywire("import", archive, data_dir=data_dir)
    assert run.returncode == 0, run.stderr
    assert "holds 5 articles in 3 stories" in run.stdout
    first = here("report", "--json", "--members", "--since", "9999d", data_dir=data_dir)
    stories = reported(first.stdout)
    for name, line in lines.items():
        assert {key: stories[name][key] for key in ("story", "relation", "of", "title", "source")} == {
            key: line[key] for key in ("story", "relation", "of", "title", "source")
        }
    assert storywire("import", archive, data_dir=data_dir).returncode == 0
    assert here("report", "--json", "--members", "--since", "9999d", data_dir=data_dir).stdout == first.stdout


def test_a_line_that_a_crash_left_twice_is_one_article(archive: Path, data_dir: Path) -> None:
    archive.write_bytes(archive.read_bytes() * 2)
    run = storywire("import", archive, data_dir=data_dir)
    assert run.returncode == 0, run.stderr
    assert "holds 5 articles in 3 stories" in run.stdout


def test_replay_reads_it_too_and_a_torn_file_up_to_its_tear(archive: Path, tmp_path: Path, data_dir: Path) -> None:
    out, torn = tmp_path / "out.tsv", tmp_path / "torn.jsonl.gz"
    torn.write_bytes(archive.read_bytes() + archive.read_bytes()[:100])
    run = storywire("replay", torn, "--assignments", out, data_dir=data_dir)
    assert run.returncode == 1
    assert "torn.jsonl.gz:7: from here on the file cannot be unpacked" in run.stderr
    assigned = dict(line.split("\t") for line in out.read_text().splitlines())
    assert assigned == {name: line["story"] for name, line in archived(archive).items()}


def test_an_article_that_the_store_has_is_left_as_it_is(archive: Path, tmp_path: Path, data_dir: Path) -> None:
    """In a store with stories of its own, whose numbers are those of others in the archive."""
    live = tmp_path / "live.jsonl"
    other = {"id": "other", "title": "Harbour fire", "text": "A fire broke out in the harbour of Port Ansel at dawn."}
    known = {"id": "dam-1", "title": "Changed since", "text": CUP}
    live.write_text("".join(json.dumps({**each, "lang": "en"}) + "\n" for each in (other, known)))
    assert storywire("import", live, data_dir=data_dir).returncode == 0
    run = storywire("import", archive, data_dir=data_dir)
    assert run.returncode == 0, run.stderr
    assert "4 new, 1 known already" in run.stderr
    report = here("report", "--json", "--members", "--since", "9999d", data_dir=data_dir)
    stories = reported(report.stdout)
    assert stories["dam-1"]["title"] == "Changed since"
    assert stories["dam-2"]["story"] == stories["dam-3"]["story"] != stories["other"]["story"]


def test_a_worker_starts_with_no_folder_that_cannot_be_written(tmp_path: Path, data_dir: Path) -> None:
    """Or nobody would hear of it before the first story ends, a week later."""
    (tmp_path / "file").write_text("")
    done = storywire("work", "--burst", data_dir=data_dir, archive_dir=tmp_path / "file")
    assert done.returncode == 1
    assert "STORYWIRE_ARCHIVE_DIR" in done.stderr and "name a folder" in done.stderr
    assert "Traceback" not in done.stderr

"""The archive: on the disk before anything is removed, whole after any crash, and nothing ends where it is full."""

import gzip
import json
import re
import resource
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.store.test_ingest import DAY, NOW, Bench, article
from tests.unit.articles import CUP, CUP_TITLE, DAM_REWRITE, DAM_REWRITE_TITLE, DAM_TITLE
from worker import config
from worker.clock import ManualClock
from worker.cluster import View
from worker.connect import Redis, connect
from worker.errors import NotArchived
from worker.ingest import Ingest
from worker.runtime import open_runtime
from worker.store.archive import Archive
from worker.store.commits import Commits, Committing, Lease
from worker.tasks import Sweeper

DOCS = Path(__file__).parents[2] / "docs"
LINES = [b'{"id": "a"}\n', b'{"id": "b"}\n']


def records(folder: Path) -> list[dict[str, Any]]:
    """All lines of all files of an archive, in order."""
    return [json.loads(line) for path in sorted(folder.iterdir()) for line in gzip.open(path)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def bench(redis_url: str, folder: Path) -> Iterator[Bench]:
    """One whose ingest has an archive."""
    client = connect(redis_url)
    bench = Bench(client)
    bench.ingest = archiving(bench, Commits(client), folder)
    yield bench
    client.close()


def archiving(bench: Bench, commits: Commits, folder: Path) -> Ingest:
    settings = config.load({"STORYWIRE_ARCHIVE_DIR": str(folder)})
    return Ingest(bench.outbox, bench.stories, commits, settings, bench.clock)


def test_each_day_has_a_file_of_lines_that_any_gzip_reads(folder: Path) -> None:
    for day in (0, 0, 1):
        Archive(folder).append(LINES, NOW + day * DAY)
    assert [path.name for path in sorted(folder.iterdir())] == [
        "storywire-2026-01-05.jsonl.gz",
        "storywire-2026-01-06.jsonl.gz",
    ]
    assert [line["id"] for line in records(folder)] == ["a", "b"] * 3
    assert stat.S_IMODE(next(folder.iterdir()).stat().st_mode) & 0o007 == 0, "everybody can read it"


def test_nothing_is_written_of_nothing(folder: Path) -> None:
    Archive(folder).append([], NOW)
    assert not folder.exists()


def test_what_a_crash_tore_at_any_byte_is_cut_off_by_the_next_append(folder: Path) -> None:
    archive = Archive(folder)
    archive.append(LINES, NOW)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    archive.append(LINES[:1], NOW)
    both = path.read_bytes()
    for cut in range(len(whole), len(both)):
        path.write_bytes(both[:cut])
        archive.append(LINES[1:], NOW)
        assert [line["id"] for line in records(folder)] == ["a", "b", "b"], f"torn at byte {cut}"


@pytest.mark.parametrize("keep", [0, 30])
def test_a_length_without_its_content_is_cut_off_too(folder: Path, keep: int) -> None:
    """A file system may have the size of a file on the disk and not yet its blocks."""
    archive = Archive(folder)
    archive.append(LINES, NOW)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    archive.append(LINES[:1], NOW)
    lost = path.stat().st_size - len(whole) - keep
    path.write_bytes(path.read_bytes()[: len(whole) + keep] + b"\0" * lost)
    archive.append(LINES[1:], NOW)
    assert [line["id"] for line in records(folder)] == ["a", "b", "b"]


@pytest.mark.parametrize("keep", range(0, 22, 3))
def test_zeros_after_any_part_of_a_header_are_cut_off_too(folder: Path, keep: int) -> None:
    archive = Archive(folder)
    archive.append(LINES, NOW)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:keep] + b"\0" * 5000)
    archive.append(LINES[1:], NOW)
    assert [line["id"] for line in records(folder)] == ["a", "b", "b"]


def ours(*lines: bytes) -> bytes:
    """The bytes of a file of one append."""
    with TemporaryDirectory() as folder:
        Archive(Path(folder)).append(lines, NOW)
        return next(Path(folder).iterdir()).read_bytes()


def edited(whole: bytes) -> dict[str, bytes]:
    """What a person, or a disk, can have made of a file of two appends, none of which a crash of ours leaves."""
    first, second = ours(LINES[0]), ours(LINES[1])
    return {
        "written anew by gzip": gzip.compress(gzip.decompress(whole)),
        "appended to by gzip": whole + gzip.compress(LINES[0]),
        "one of gzip's in the middle": first + gzip.compress(LINES[0]) + second,
        "unpacked": gzip.decompress(whole),
        "a line at its end": whole + b"{}\n",
        "a damaged length in the middle": first[:17] + b"\xff" + first[18:] + second,
        "gzip's, torn": gzip.compress(gzip.decompress(whole))[:-9],
        "gzip's, and ours torn after it": gzip.compress(LINES[0]) + second[:-5],
    }


@pytest.mark.parametrize("how", edited(b""))
def test_a_file_that_somebody_else_wrote_to_is_left_as_it_is(folder: Path, how: str) -> None:
    """Nothing of it is cut off: the day goes on in another file, which a listing by name has after it."""
    archive = Archive(folder)
    archive.append(LINES[:1], NOW)
    archive.append(LINES[1:], NOW)
    (path,) = folder.iterdir()
    path.write_bytes(content := edited(path.read_bytes())[how])
    for line in LINES:
        archive.append([line], NOW)
    assert path.read_bytes() == content
    first, second = sorted(folder.iterdir())
    assert (first, second.name) == (path, "storywire-2026-01-05part2.jsonl.gz")
    assert [json.loads(line)["id"] for line in gzip.decompress(second.read_bytes()).splitlines()] == ["a", "b"]


def test_the_way_to_edit_a_file_that_the_documentation_shows_loses_nothing(folder: Path) -> None:
    archive, compact = Archive(folder), [line.replace(b" ", b"") for line in LINES]
    archive.append([line.replace(b"}", b',"of":"a"}') for line in compact], NOW)
    (path,) = folder.iterdir()
    shown = re.search(r"\n +(flock F .*)\n", (DOCS / "architecture.md").read_text())
    assert shown is not None
    command = shown[1].replace("F.new", f"{path}.new").replace(" F", f" {path}").replace("ID", "a")
    run = subprocess.run(["bash", "-c", command], check=False, capture_output=True, text=True, timeout=20)
    assert (run.returncode, run.stderr) == (0, "")
    assert [line["id"] for line in records(folder)] == ["b"]
    archive.append(LINES, NOW)
    assert [line["id"] for line in records(folder)] == ["b", "a", "b"]


def test_a_story_is_archived_whole_as_it_ends(bench: Bench, folder: Path) -> None:
    bench.ingest.run(
        bench.publish(
            article("a", published=NOW - 3600, source="Wire", url="https://wire.example/a"),
            article("b", DAM_REWRITE_TITLE, DAM_REWRITE, source="Echo"),
            article("c", CUP_TITLE, CUP),
        )
    )
    assert bench.ingest.expire() == 0
    assert not folder.exists(), "nothing has ended"
    bench.clock.advance(8 * DAY)
    assert bench.ingest.expire() == 3
    lines = {line["id"]: line for line in records(folder)}
    assert lines.keys() == {"a", "b", "c"}
    assert lines["a"]["story"] == lines["b"]["story"] != lines["c"]["story"]
    assert (lines["a"]["published"], lines["a"]["source"], lines["a"]["url"], lines["a"]["lang"]) == (
        "2026-01-05T07:00:00Z",
        "Wire",
        "https://wire.example/a",
        "en",
    )
    assert (lines["a"]["relation"], lines["a"]["of"], lines["a"]["score"]) == ("first", None, None)
    assert (lines["b"]["relation"], lines["b"]["of"]) == ("rewrite", "a")
    assert 0 < lines["b"]["score"] <= 1


def test_on_a_full_disk_nothing_ends_and_nothing_is_torn(bench: Bench, folder: Path) -> None:
    """A limit on the size of files is what a full disk is to a process."""
    bench.ingest.run(bench.publish(article("a")))
    bench.clock.advance(8 * DAY)
    Archive(folder).append(LINES, bench.clock.now())
    (path,) = folder.iterdir()
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, limits[1]))
    try:
        with pytest.raises(NotArchived, match="stories stay until it can; make room"):
            bench.ingest.expire()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert bench.stories.article("a") is not None
    assert bench.ingest.expire() == 1, "there is room again"
    assert [line["id"] for line in records(folder)] == ["a", "b", "a"]


def test_a_file_where_the_folder_should_be_is_named(bench: Bench, folder: Path) -> None:
    bench.ingest.run(bench.publish(article("a")))
    bench.clock.advance(8 * DAY)
    folder.write_text("")
    with pytest.raises(NotArchived, match=rf"{folder}.*file exists"):
        bench.ingest.expire()
    assert bench.stories.article("a") is not None


class _Died(Exception):
    """Stands for kill -9."""


class _Dying(Commits):
    """Commits that never come to pass."""

    def commit(self, lease: Lease, view: View, committing: Committing | None = None) -> None:
        raise _Died


def test_who_dies_between_archive_and_commit_leaves_a_line_twice_and_loses_none(bench: Bench, folder: Path) -> None:
    bench.ingest.run(bench.publish(article("a"), article("c", CUP_TITLE, CUP)))
    bench.clock.advance(8 * DAY)
    with pytest.raises(_Died):
        archiving(bench, _Dying(bench.redis), folder).expire()
    assert bench.stories.counts()["articles"] == 2
    assert bench.ingest.expire() == 2
    assert sorted(line["id"] for line in records(folder)) == ["a", "a", "c", "c"]


class _Changing(Commits):
    """Commits under whose feet a story changes between its archiving and its end."""

    def __init__(self, redis: Redis, bench: Bench) -> None:
        super().__init__(redis)
        self._change = [lambda: bench.ingest.run(bench.publish(article("a", "Corrected", revision=2)))]

    def lease(self, lang: str, wait_s: float = 60.0) -> Any:
        while self._change:
            self._change.pop()()
        return super().lease(lang, wait_s)


def test_a_story_that_changed_after_it_was_archived_does_not_end(bench: Bench, folder: Path) -> None:
    bench.ingest.run(bench.publish(article("a")))
    bench.clock.advance(8 * DAY)
    assert archiving(bench, _Changing(bench.redis, bench), folder).expire() == 0
    assert bench.stories.article("a") is not None
    bench.clock.advance(8 * DAY)
    assert bench.ingest.expire() == 1
    assert [line["title"] for line in records(folder)] == [DAM_TITLE, "Corrected"]


def test_a_worker_goes_on_where_the_archive_cannot_be_written(redis_url: str, folder: Path) -> None:
    folder.write_text("")
    clock = ManualClock(NOW)
    settings = config.load({"STORYWIRE_REDIS_URL": redis_url, "STORYWIRE_ARCHIVE_DIR": str(folder)})
    with open_runtime(settings, clock) as runtime, capture_logs() as logs:
        runtime.ingest.run(runtime.outbox.publish("feed", [article("a")], {}, NOW))
        clock.advance(8 * DAY)
        sweeper = Sweeper(runtime)
        assert sweeper.expire() == 0
        folder.unlink()
        assert sweeper.expire() == 1
    (told,) = [line for line in logs if line["event"] == "nothing expires"]
    assert str(folder) in told["trouble"]


def test_a_large_story_that_ends_in_parts_is_archived_once(bench: Bench, folder: Path) -> None:
    bench.ingest.run(bench.publish(*(article(f"a{n}") for n in range(510))))
    bench.clock.advance(8 * DAY)
    assert bench.ingest.expire() == 510
    assert len(records(folder)) == 510

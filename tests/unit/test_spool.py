"""What has to be read twice and cannot be: kept unpacked, within a bound, in a folder that is told where it is full."""

import gzip
import os
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from worker import spool
from worker.cli import standard
from worker.cli.feeds.naming import words_given
from worker.errors import BadInput
from worker.files import index
from worker.spool import STANDARD_INPUT, spooled, standard_input

ARTICLE = b'{"id": "dam", "title": "The dam holds"}\n'


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """Two megabytes, in some kilobytes."""
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(ARTICLE + b" " * (2 << 20)))
    return path


@contextmanager
def full_at(size: int) -> Iterator[None]:
    """No file of this process grows beyond it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_gzipped_file_is_unpacked_once_into_the_folder_and_a_plain_one_is_left(packed: Path, tmp_path: Path) -> None:
    plain, folder = tmp_path / "b.jsonl", tmp_path / "kept"
    plain.write_bytes(ARTICLE.replace(b"dam", b"cup"))
    with spooled([packed, plain, packed], folder) as kept:
        assert list(kept) == [packed]
        assert os.fstat(kept[packed].file.fileno()).st_size == len(ARTICLE) + (2 << 20)
        assert os.fstat(kept[packed].file.fileno()).st_dev == folder.stat().st_dev
        packed.unlink()
        found = index([packed, plain, packed], lambda _: 0.0, kept)
        assert [line.id for line in found.read()] == ["dam", "cup"]
    assert kept[packed].file.closed
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("given", "held", "damage"),
    [
        (b"", b"", ""),
        (b"\x1f", b"\x1f", ""),
        (b"x", b"x", ""),
        (ARTICLE, ARTICLE, ""),
        (gzip.compress(ARTICLE) * 2, ARTICLE * 2, ""),
        (b"\x1f\x8b and no more", b"", "from here on the file cannot be unpacked (Unknown compression method)"),
    ],
)
def test_a_pipe_is_kept_as_it_is_or_unpacked(given: bytes, held: bytes, damage: str, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, given)
    os.close(writing)
    path = Path(f"/proc/self/fd/{reading}")
    with spooled([path], tmp_path) as kept:
        file = kept[path].file
        file.seek(0)
        assert (file.read(), kept[path].damage) == (held, damage)
    os.close(reading)


def test_what_is_cut_off_holds_what_came_before(packed: Path, tmp_path: Path) -> None:
    packed.write_bytes(gzip.compress(ARTICLE * 1000 + os.urandom(3 << 20))[: 2 << 20])
    with spooled([packed], tmp_path) as kept:
        found = index([packed], lambda _: 0.0, kept)
        assert [line.id for line in found.read()] == ["dam"]
    assert "from here on the file cannot be unpacked" in found.bad[-1][2]


def test_a_small_file_that_unpacks_to_a_large_one_is_refused(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MOST_BYTES", 1 << 20)
    with pytest.raises(BadInput, match=r"a\.jsonl\.gz: more than .* GB"), spooled([packed]):
        pass


def test_a_disk_that_is_full_is_told_with_the_folder_not_the_file(packed: Path, tmp_path: Path) -> None:
    with full_at(1 << 20), pytest.raises(BadInput) as caught, spooled([packed], tmp_path):
        pass
    assert str(caught.value) == (
        f"{packed}: cannot be kept in {tmp_path}, file too large: make room there, or give another with --data-dir"
    )


def test_a_folder_that_cannot_be_made_is_told(packed: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(BadInput, match=r"cannot be kept in .*, not a directory: .* --data-dir"),
        spooled([packed], packed / "folder"),
    ):
        pass


def _spool_it() -> None:
    with spooled([STANDARD_INPUT]):
        pass


@pytest.mark.parametrize(
    "read",
    [standard_input, lambda: standard.read(STANDARD_INPUT), lambda: words_given(["-"]), _spool_it],
)
def test_a_standard_input_that_is_closed_is_told(read: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """`storywire import - <&-`: Python has none then."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(BadInput, match="standard input: it is closed: name a file"):
        read()

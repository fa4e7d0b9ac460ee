"""Files of articles: read in order of time, with what is bad told by line."""

import json
from pathlib import Path

import pytest

from worker.errors import BadInput
from worker.feed.lines import article_of
from worker.files import index

LATE = '{"id": "late", "title": "Late", "published": "2026-01-02T00:00:00Z"}'
EARLY = '{"id": "early", "title": "Early", "published": "2026-01-01T00:00:00Z"}'
UNDATED = '{"id": "undated", "title": "Undated"}'


def epoch(published: float | None) -> float:
    """Articles without a date come first."""
    return published or 0.0


def write(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_lines_come_in_order_of_time_then_of_the_files(tmp_path: Path) -> None:
    first = write(tmp_path, "1.jsonl", LATE, "", EARLY)
    second = write(tmp_path, "2.jsonl", UNDATED, LATE.replace("late", "late-too"))
    found = index([first, second], epoch)
    assert [line.id for line in found.read()] == ["undated", "early", "late", "late-too"]
    assert not found.bad


def test_articles_of_the_future_come_in_the_order_in_which_they_are_taken_to_arrive(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", LATE, UNDATED, EARLY)
    found = index([path], lambda published: min(published or 0.0, 1.0))
    assert [line.id for line in found.read()] == ["undated", "late", "early"]


@pytest.mark.parametrize("lines", [[LATE, EARLY], ["", LATE, EARLY]], ids=["on a line", "on a line of its own"])
def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path, lines: list[str]) -> None:
    first, second = write(tmp_path, "1.jsonl", UNDATED), write(tmp_path, "2.jsonl", *lines)
    second.write_bytes(b"\xef\xbb\xbf" + second.read_bytes())
    found = index([first, second], epoch)
    assert [line.id for line in found.read()] == ["undated", "early", "late"]
    assert not found.bad


def test_bad_lines_are_told_by_file_and_number_and_the_others_go_on(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", EARLY, "{", LATE, EARLY)
    found = index([path], epoch)
    assert [line.id for line in found.read()] == ["early", "late"]
    assert [(p, n) for p, n, _ in found.bad] == [(path, 2), (path, 4)]
    assert found.bad[1][2] == "repeats the id 'early'"


def test_an_id_repeated_in_another_file_is_told_too(tmp_path: Path) -> None:
    found = index([write(tmp_path, "1", EARLY), write(tmp_path, "2", EARLY)], epoch)
    assert [n for _, n, _ in found.bad] == [1]


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read_is_one_clear_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=r"name a readable file"):
        index([tmp_path / name], epoch)


def test_a_file_that_changed_since_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", EARLY, LATE)
    found = index([path], epoch)
    path.write_text("x" * 500, encoding="utf-8")
    with pytest.raises(BadInput, match="changed while it was read"):
        list(found.read())


def test_short_headlines_take_the_language_of_their_file(tmp_path: Path) -> None:
    """Of the lines that state none: one that states its own, or is clearly in another, neither gives nor takes it."""

    def line(name: str, title: str, lang: str = "") -> str:
        return json.dumps({"id": name, "title": title, "lang": lang})

    english = [line(f"e{n}", f"The river has burst its banks in the night, number {n}") for n in range(20)]
    clear = line("clear", "Der Fluss ist in der Nacht über die Ufer getreten.")
    stated = [line(f"s{n}", "El río se ha desbordado durante la noche en el valle", "es") for n in range(200)]
    first = write(tmp_path, "1.jsonl", *stated, line("short", "Goals!"), clear, *english)
    second = write(tmp_path, "2.jsonl", line("alone", "Goals!"))
    langs = {a.id: a.lang for a in (article_of(x, 0.0, backfill=False) for x in index([first, second], epoch).read())}
    assert (langs["short"], langs["clear"], langs["s0"], langs["alone"]) == ("en", "de", "es", "und")


def test_what_follows_the_limit_of_a_line_is_no_line_of_its_own(tmp_path: Path) -> None:
    """Or a text could hold an article that nobody sent."""
    path = tmp_path / "long.jsonl"
    head = b'{"id": "a", "title": "'
    smuggled = b'{"id": "smuggled", "title": "Harbour bridge closed"}'
    path.write_bytes(head + b"x" * ((16 << 20) - len(head)) + smuggled + b'"}\n{"id": "b", "title": "Dam broke"}\n')
    found = index([path], lambda published: 0.0)
    assert [line.id for line in found.read()] == ["b"]
    assert [(number, reason.split(":")[0]) for _, number, reason in found.bad] == [(1, "longer than 16 MB")]

"""An archive's line: what is written is read again, bit for bit, and what cannot be one is refused in words."""

import json
import random
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace

from tests.bench.stream import filling
from tests.invariants import check, check_relations
from tests.memory import Memory, answer, member
from tests.unit.articles import CUP, CUP_TITLE, DAM, DAM_REWRITE, DAM_REWRITE_TITLE, DAM_TITLE
from worker.cluster import Placed, restore
from worker.feed.archived import archive_lines
from worker.feed.lines import BadLine, Line, article_of, parse_line
from worker.model import Member

NOW = 1_767_600_000.0
THEN = 1_767_000_000.125
GOLDEN = ("e61dd06693ce1dbc", "f8bbe6c601053fe6", "003671014ab7", ("vellmark", "tarnow", "orsk"))
"""Of the fingerprints of one text: copy, and the beginnings of story, sketch and terms."""


def filled() -> Memory:
    """Two stories: one of two articles, one of one."""
    return Memory().place_all(
        [
            member("dam-1", DAM_TITLE, DAM, THEN, source="Wire"),
            member("cup-1", CUP_TITLE, CUP, THEN + 60, source="Wire"),
            member("dam-2", DAM_REWRITE_TITLE, DAM_REWRITE, THEN + 120, source="Echo", revision=3),
        ]
    )


def lines_of(memory: Memory, lang: str = "en") -> dict[str, bytes]:
    lines = {}
    for story in memory.stories():
        members = [
            m for m in memory.view.members.values() if m is not None and memory.story(m.id).number == story.number
        ]
        for member_, line in zip(members, archive_lines(lang, story, members), strict=True):
            lines[member_.id] = line
    return lines


def read(raw: bytes) -> Line:
    line = parse_line(raw)
    assert isinstance(line, Line), line
    return line


def back(memory: Memory, raw: bytes, now: float = NOW) -> Placed:
    """Send a line through the pure restoring."""
    article = article_of(read(raw), NOW, backfill=True)
    assert article.kept is not None
    assert article.published is not None
    bare = Member(
        article.id,
        article.revision,
        article.title,
        article.url,
        article.source,
        article.published,
        article.published,
        article.received,
        article.backfill,
        article.kept.prints,
    )
    return answer(memory.view, restore(memory.view, bare, article.kept, now))


def test_what_is_written_is_read_again_bit_for_bit() -> None:
    memory = filled()
    for name, raw in lines_of(memory).items():
        before, article = memory.member(name), article_of(read(raw), NOW, backfill=True)
        assert article.kept is not None
        assert article.kept.prints == before.prints
        assert article.kept.score == before.score
        assert article.kept.story == before.story
        assert (article.title, article.source, article.lang) == (before.title, before.source, "en")
        assert (article.published, article.received, article.revision) == (
            before.published,
            before.received,
            before.revision,
        )


def test_whose_it_was_what_it_was_called_and_who_carried_it_come_back() -> None:
    """What another feed brought (revision 0) too."""
    told = {"outlet": "harbourpost.com", "titles": ((THEN, "Dam holds"),), "feeds": ("f2", "f3")}
    memory = Memory().place_all([replace(member("dam-1", DAM_TITLE, DAM, THEN, revision=0), **told)])
    article = article_of(read(lines_of(memory)["dam-1"]), NOW, backfill=True)
    assert article.kept is not None
    assert (article.outlet, article.kept.titles, article.kept.feeds) == tuple(told.values())
    assert article.revision == 0


@pytest.mark.parametrize(
    "told",
    [
        {"outlet": "a\nb"},
        {"outlet": "x" * 1000},
        {"feeds": ("f",) * 100},
        {"titles": ((THEN, "t" * 5000),)},
        {"titles": ((1e300, "t"),)},
    ],
)
def test_what_no_article_can_have_is_refused(told: dict[str, Any]) -> None:
    memory = Memory().place_all([replace(member("dam-1", DAM_TITLE, DAM, THEN), **told)])
    assert isinstance(parse_line(lines_of(memory)["dam-1"]), BadLine)


def test_a_text_without_words_or_a_title_comes_back_too() -> None:
    memory = Memory("und").place_all([member("x", "", "!!!", THEN, lang="und")])
    article = article_of(read(lines_of(memory, "und")["x"]), NOW, backfill=True)
    assert article.kept is not None
    assert article.kept.prints.empty
    assert (article.title, article.lang) == ("", "und")


@pytest.mark.parametrize("order", [["dam-1", "cup-1", "dam-2"], ["dam-2", "dam-1", "cup-1"]])
def test_articles_come_back_to_their_stories_numbers_and_relations(order: list[str]) -> None:
    before, after = filled(), Memory()
    lines = lines_of(before)
    assert [back(after, lines[name]) for name in order].count(Placed.NEW) == 2
    assert after.assignments() == before.assignments()
    check(after.view)
    for name in order:
        old, new = before.member(name), after.member(name)
        assert (new.relation, new.of, new.prints) == (old.relation, old.of, old.prints)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_week_of_news_comes_back_in_any_order_to_its_stories(seed: int) -> None:
    """And what a shard promises holds of it as of any other."""
    before, after = Memory(), Memory()
    for report in filling(250):
        before.place(member(report.id, report.title, report.text, report.time, source=report.source))
    lines = list(lines_of(before).values())
    random.Random(seed).shuffle(lines)
    for line in lines:
        back(after, line)
    assert after.assignments() == before.assignments()
    check(after.view)
    check_relations(after.view)


def test_restoring_again_changes_nothing() -> None:
    before, after = filled(), Memory()
    for _ in range(2):
        placed = [back(after, line) for line in lines_of(before).values()]
    assert placed == [Placed.REPEATED] * 3
    assert after.assignments() == before.assignments()


def test_a_number_that_another_store_gave_otherwise_is_not_joined() -> None:
    """There the article goes where its text fits."""
    lines, other = lines_of(filled()), Memory()
    other.place_all([member("cup-9", CUP_TITLE, CUP, THEN)])  # story 1, as that of the dam was elsewhere
    back(other, lines["dam-1"])
    back(other, lines["dam-2"])
    assert other.story("dam-1").number == other.story("dam-2").number != other.story("cup-9").number


def test_new_stories_do_not_take_the_numbers_of_restored_ones() -> None:
    memory = Memory()
    back(memory, lines_of(filled())["cup-1"])
    memory.place_all([member("dam-9", DAM_TITLE, DAM, THEN)])
    assert memory.story("cup-1").number == 2
    assert memory.story("dam-9").number == 3


@cache
def _cup() -> bytes:
    return lines_of(filled())["cup-1"]


def numbered(name: str, number: int) -> bytes:
    """A line of an archive that says another number of its story."""
    record = json.loads(_cup())
    record["id"], record["storywire"]["kept"][0] = name, number
    record["storywire"]["kept"][2] = ["", "", "", 0, 0, "", [], "", ""]
    return json.dumps(record).encode()


def test_a_number_far_above_all_is_not_believed() -> None:
    memory = Memory()
    assert back(memory, numbered("far", 4_000_000_000)) is Placed.NEW
    assert memory.story("far").number == 1


def test_no_file_can_use_up_the_numbers_of_stories() -> None:
    """However its lines climb: a number that an article cannot get would stop its language for good."""
    memory, step = Memory(), 9_999_999
    for nth in range(1, 500):
        back(memory, numbered(f"a{nth}", min(nth * step, 2**32 - 1)))
    assert 2**31 - step < memory.view.made <= 2**31 + 500
    memory.place_all([member("dam", DAM_TITLE, DAM, THEN)])
    assert memory.story("dam").number == memory.view.made


def test_a_store_that_has_given_out_higher_numbers_takes_them_back() -> None:
    """A number that was given out already raises nothing."""
    memory = Memory()
    memory.view.made = 2**31 + 10
    back(memory, numbered("a", 2**31 + 7))
    back(memory, numbered("b", 2**31 + 20))
    assert [memory.story(name).number for name in "ab"] == [2**31 + 7, 2**31 + 11]


def test_the_archive_of_an_old_store_gives_its_numbers_to_an_empty_one() -> None:
    """After two years it has given out tens of millions, and its last day says nothing of those before."""
    memory = Memory()
    back(memory, numbered("late", 40_000_000))
    assert memory.story("late").number == 40_000_000


def changed(path: list[Any], value: object) -> bytes:
    record = json.loads(lines_of(filled())["dam-1"])
    at = record
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return json.dumps(record).encode()


PRINTS = ["storywire", "kept", 2]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["storywire"], 7, "cannot be read"),
        (["storywire"], {}, "cannot be read"),
        (["storywire", "format"], 2, "is of format 2, this version reads 1"),
        (["storywire", "kept", 0], 0, "is damaged"),
        (["storywire", "kept", 0], 2**40, "is damaged"),
        (["storywire", "kept", 1], "", "is damaged"),
        (["storywire", "revision"], -1, "is damaged"),
        ([*PRINTS, 0], "AAAA", "is damaged"),
        ([*PRINTS, 1], "AAAA", "is damaged"),
        ([*PRINTS, 1], "", "is damaged"),
        ([*PRINTS, 1], "???", "cannot be read"),
        ([*PRINTS, 2], "AA==", "is damaged"),
        ([*PRINTS, 3], 0, "is damaged"),
        ([*PRINTS, 6], ["a", "a"], "is damaged"),
        ([*PRINTS, 6], ["x" * 5000], "is damaged"),
        ([*PRINTS, 7], "", "is damaged"),
        ([*PRINTS, 8], "AAAAAAA=", "is damaged"),
        (["storywire", "received"], 1e999, "no JSON"),
        (["storywire", "received"], -1e300, "is damaged"),
        (["storywire", "published"], 1e300, "is damaged"),
        (["storywire", "kept", 4], -1, "is damaged"),
        (["storywire", "kept", 5], 1e300, "is damaged"),
        (["lang"], "../x", '"lang" that is no language'),
        (["id"], "", 'has no "id"'),
    ],
)
def test_what_cannot_be_a_line_of_the_archive_is_refused_in_words(path: list[Any], value: object, said: str) -> None:
    line = parse_line(changed(path, value))
    assert isinstance(line, BadLine)
    assert said in line.reason


def test_a_line_without_its_part_is_read_by_its_title() -> None:
    article = article_of(read(changed(["storywire"], None)), NOW, backfill=True)
    assert article.kept is None
    assert article.title == DAM_TITLE


def test_the_format_changes_with_the_fingerprints() -> None:
    """Fails where fingerprints of a text have changed: then raise FORMAT in worker/feed/archived.py, and these."""
    prints = member("x", DAM_TITLE, DAM, THEN).prints
    assert (prints.copy.hex(), prints.story[:8].hex(), prints.sketch[:6].hex(), prints.terms[:3]) == GOLDEN

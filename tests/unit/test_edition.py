"""Editions of recurring reports: kept apart, told together across outlets, and ordinary stories left whole."""

import pytest
from msgspec.structs import replace

from tests.memory import Memory, answer, member
from tests.recurring import all_series, editions
from tests.recurring.measuring import NEWS, measure, stream
from tests.unit.articles import DAM, DAM_TITLE
from worker.cluster import unite
from worker.cluster.edition import label, numbered
from worker.model import Story

HOUR, DAY = 3600.0, 86_400.0

CLOSE = (
    "The Thornmark 30 index ended at 7,{a}.{b}, a move of 0.{c} percent, as investors weighed the outlook for rates. "
    "Brent crude settled at 7{d}.{b} dollars a barrel and the yield on the benchmark note stood at 3.{c} percent. "
    "Volume on the Northport exchange was in line with the average, and smaller companies moved in the same "
    "direction. {extra}"
)
OWN = (
    "Stocks finished the day at 7,{a} points on the Thornmark, {c} hundredths of a point in a hundred away from where "
    "they began. Oil traders last paid 7{d}.{b} for a barrel of Brent. Watch inflation figures when trading resumes."
)


def close(day: int, text: str = CLOSE, extra: str = "") -> str:
    return text.format(a=100 + 37 * day, b=10 + 7 * day % 83, c=11 + 13 * day % 80, d=day % 10, extra=extra)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Market close, Monday 5 January", "Market close, Tuesday 6 January"),
        ("Wetter am Montag, 3. März", "Wetter am Donnerstag, 12. April"),
        ("Погода на понедельник, 5 января", "Погода на вторник, 6 февраля"),
        ("Tipos de cambio del lunes 5", "Tipos de cambio del martes 6"),
        ("Day 412 of the siege", "Day 413 of the siege"),
    ],
)
def test_what_recurs_of_a_title_has_no_date(one: str, other: str) -> None:
    assert label(one) == label(other) != ()


def test_a_title_of_nothing_but_a_date_is_its_own() -> None:
    assert label("Monday 5") != label("Tuesday 6")


def test_the_same_template_with_other_figures_is_another_edition_even_within_the_hour_and_from_other_outlets() -> None:
    memory = Memory()
    for day in range(5):
        memory.place(member(f"a{day}", f"Close {chr(97 + day)}", close(day), day * 600.0, source=f"Paper {day}"))
    assert len(memory.stories()) == 5


def test_a_copy_and_a_cut_copy_join_their_edition_though_the_day_before_is_as_alike() -> None:
    memory = Memory()
    for day in range(6):
        text = close(day)
        memory.place(member(f"a{day}", "Market close", text, day * DAY, source="Wire"))
        memory.place(member(f"b{day}", f"Shares {day}", close(day, extra="(Wire)"), day * DAY + HOUR, source="Echo"))
        memory.place(member(f"c{day}", "Bourse", text[: len(text) * 3 // 4], day * DAY + 14 * HOUR, source="Mirror"))
    assert len(memory.stories()) == 6
    assert all(memory.story(f"a{day}") == memory.story(f"b{day}") == memory.story(f"c{day}") for day in range(6))


def test_another_outlet_s_own_words_join_the_edition_of_the_day_also_where_it_missed_the_day_before() -> None:
    memory = Memory()
    for day in range(8):
        memory.place(member(f"a{day}", "Market close", close(day), day * DAY, source="Wire"))
        if day % 3 != 1:
            memory.place(member(f"b{day}", "How stocks did", close(day, OWN), day * DAY + HOUR, source="Courier"))
    together = [memory.story(f"a{day}") == memory.story(f"b{day}") for day in range(8) if day % 3 != 1]
    assert len(memory.stories()) == 8
    assert all(together)


def test_an_outlet_that_is_first_with_a_known_series_does_not_join_the_edition_before() -> None:
    memory = Memory()
    for day in range(5):
        memory.place(member(f"a{day}", "Market close", close(day), day * DAY, source="Wire"))
    memory.place(member("early", "How stocks did", close(5, OWN), 5 * DAY - HOUR, source="Courier"))
    memory.place(member("a5", "Market close", close(5), 5 * DAY, source="Wire"))
    assert memory.story("early") == memory.story("a5")
    assert memory.story("early").articles == 2


def test_a_report_that_tells_how_many_more_were_found_stays_in_its_story() -> None:
    memory = Memory().place_all(
        [
            member(
                f"a{i}",
                f"Dam gives way: {4 + 3 * i} dead",
                f"{DAM} At least {4 + 3 * i} people died and {17 + 9 * i} were hurt.",
                i * HOUR,
                source="Wire",
            )
            for i in range(5)
        ]
    )
    assert len(memory.stories()) == 1


def test_a_follow_up_that_repeats_its_background_a_day_later_stays_in_its_story() -> None:
    memory = Memory().place_all(
        [
            member("a", DAM_TITLE, DAM, 0, source="Wire"),
            member("b", "Engineers search for the cause", f"Divers went down on Sunday. {DAM}", DAY, source="Wire"),
        ]
    )
    assert len(memory.stories()) == 1


def test_a_series_and_its_place_in_it_are_known_from_the_third_edition_on() -> None:
    memory = Memory()
    for day in range(4):
        memory.place(member(f"a{day}", "Market close", close(day), day * DAY, source="Wire"))
    assert [memory.story(f"a{day}").edition for day in range(4)] == [0, 1, 2, 3]
    assert memory.story("a3").every == DAY


def test_late_reports_to_two_editions_make_no_known_series_of_them() -> None:
    memory = Memory()
    for day in range(2):
        memory.place(member(f"a{day}", "Market close", close(day), day * DAY, source="Wire"))
    for late in range(4):
        for day in range(2):
            copy = member(f"b{day}{late}", f"Shares {day}", close(day, extra=f"(Wire, {late})"), day * DAY + HOUR)
            memory.place(replace(copy, source=f"Echo {late}"))
    assert [memory.story(f"a{day}").articles for day in range(2)] == [5, 5], "the copies are elsewhere: no test"
    assert [memory.story(f"a{day}").edition for day in range(2)] == [0, 1]
    assert memory.story("a1").every == DAY


def test_of_two_editions_that_began_at_once_none_came_before() -> None:
    one, other = Story(1, "", 5.0, 5.0, 5.0, b""), Story(2, "", 5.0, 5.0, 5.0, b"", edition=3, every=DAY)
    assert numbered(one, [other]) == one


def series(days: int) -> Memory:
    memory = Memory()
    for day in range(days):
        memory.place(member(f"a{day}", "Market close", close(day), day * DAY, source="Wire"))
    return memory


def test_an_edition_whose_only_article_is_revised_keeps_its_place_in_the_series() -> None:
    memory = series(4)
    text = close(3, extra="More to follow.")
    memory.place(member("a3", "Market close", text, 3 * DAY, source="Wire", revision=2))
    assert (memory.story("a3").edition, memory.story("a3").every) == (3, DAY)


def test_a_merged_story_has_the_later_place_in_the_series() -> None:
    memory = Memory()
    memory.place(member("other", DAM_TITLE, DAM, 3 * DAY, source="Courier"))
    for day in range(4):
        memory.place(member(f"a{day}", "Market close", close(day), day * DAY, source="Wire"))
    answer(memory.view, unite(memory.view, [memory.story("a3").number, memory.story("other").number], 0.0))
    merged = memory.story("a3")
    assert merged.number == memory.story("other").number == 1
    assert (merged.edition, merged.every) == (3, DAY)


# --- generated -----------------------------------------------------------------------------------------------------


def test_the_generator_gives_the_same_editions_again_each_by_two_outlets_or_more() -> None:
    found = editions(7, each=8)
    assert found == editions(7, each=8)
    outlets: dict[str, set[str]] = {}
    for edition in found:
        outlets.setdefault(edition.story, set()).add(edition.outlet)
    assert len(outlets) == 8 * len(all_series())
    assert min(map(len, outlets.values())) >= 2


@pytest.mark.parametrize("name", ["series", "unseen"])
def test_editions_stay_apart_and_are_found_by_every_outlet_and_ordinary_stories_stay_whole(name: str) -> None:
    found = measure(stream(21, all_series(name), days=8))
    assert found[""].precision >= 0.95, found
    assert found[""].recall >= 0.85, found
    assert found[NEWS].recall >= 0.95, found

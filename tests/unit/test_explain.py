"""Explanations: the figures, who repeats whom, and whether the words say what the figures say."""

import io
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from tests.unit.report_articles import BRIDGE, BRIDGE_COPY, BRIDGE_REWRITE, NOW, ORCHARD
from worker.cli.screen.explanation import apart, show_explanation
from worker.cli.screen.reasons import reason, verdict
from worker.cli.screen.terminal import Screen
from worker.cluster import THRESHOLD, pair_score, time_factor
from worker.fingerprint import cosine, hamming
from worker.model import Correction, Fingerprints, Relation, uid
from worker.report.byhand import Said
from worker.report.comparison import Comparison, Side, compare, from_text
from worker.report.explained import comparison_record

DAY_S = 86_400.0


def side(name: str, text: str, *, days: float = 0.0, lang: str = "en", **stored: object) -> Side:
    """An article as the store has it, published `days` after NOW."""
    fields = {"story": "en-1", "time": NOW + days * DAY_S, "source": f"Outlet {name}", "of": b""} | stored
    return replace(from_text(name, text, lang), **fields)


def by_hand(kind: str, number: int, one: list[str], other: list[str], stories: tuple[int, ...] = (1,)) -> Said:
    """An editor's correction."""
    return Said("en", Correction(number, kind, 0.0, 1, stories, tuple(one), tuple(other)))


def told(result: Comparison, width: int = 100) -> str:
    out = io.StringIO()
    show_explanation(Screen(file=out, width=width, force_terminal=True, color_system=None), result)
    return out.getvalue()


def test_the_figures_are_those_that_the_decision_uses() -> None:
    a, b = side("a", BRIDGE), side("b", BRIDGE_REWRITE, days=1)
    result = compare(a, b)
    assert result.copy_distance == hamming(a.prints.copy, b.prints.copy)
    assert result.story_distance == hamming(a.prints.story, b.prints.story)
    assert result.cosine == cosine(a.prints.story, b.prints.story)
    assert result.time_factor == time_factor(1.0)
    assert result.score == pair_score(a.prints, b.prints, 1.0)
    assert result.score == pytest.approx(result.cosine * time_factor(1.0), abs=0.05)
    assert result.threshold == THRESHOLD


def test_the_earlier_by_event_time_is_a_whatever_the_order_of_the_arguments() -> None:
    early, late = side("early", BRIDGE), side("late", BRIDGE_REWRITE, days=0.1)
    assert compare(late, early) == compare(early, late)
    assert compare(late, early).earlier.id == "early"


def test_of_one_time_the_one_committed_first_is_the_earlier() -> None:
    first, second = side("first", BRIDGE, order=1), side("second", BRIDGE_COPY, order=2)
    assert compare(second, first).earlier.id == "first"


def test_a_rewrite_is_called_one_with_its_direction() -> None:
    result = compare(side("a", BRIDGE), side("b", BRIDGE_REWRITE, of=uid("a"), relation=Relation.REWRITE))
    assert verdict(result) == "B is a rewrite of A"
    assert "far more than two reporters share by chance" in reason(result)


def test_a_store_in_which_the_earlier_repeats_the_later_is_believed() -> None:
    result = compare(side("a", BRIDGE, of=uid("b"), relation=Relation.COPY), side("b", BRIDGE_COPY))
    assert result.repeats == ("earlier", Relation.COPY)
    assert verdict(result) == "A is a copy of B"


def test_two_copies_of_a_third_article_do_not_repeat_each_other() -> None:
    third = uid("third")
    stored: dict[str, Any] = {"of": third, "relation": Relation.COPY}
    result = compare(side("a", BRIDGE, **stored), side("b", BRIDGE_COPY, **stored))
    assert verdict(result) == "both repeat the same third article"
    assert "the store has both as a copy of" in reason(result)


def test_who_repeats_a_third_article_is_said_to_by_its_name() -> None:
    """By the two alone B would be a copy of A: the store's word does not contradict that figure, it names the third."""
    stored: dict[str, Any] = {"of": uid("third"), "of_name": '"The bridge" (Wire)', "relation": Relation.COPY}
    result = compare(side("a", BRIDGE, relation=Relation.FIRST), side("b", BRIDGE_COPY, **stored))
    said = reason(result)
    assert "by the two alone that makes B a copy of A" in said
    assert 'the store has A as the first of the story, and B as a copy of "The bridge" (Wire)' in said
    both = compare(side("a", BRIDGE, **stored), side("b", BRIDGE_COPY, **stored))
    assert 'the store has both as a copy of "The bridge" (Wire)' in reason(both)
    gone = compare(side("a", BRIDGE, relation=Relation.FIRST), side("b", BRIDGE_COPY, **{**stored, "of_name": ""}))
    assert "B as a copy of an article that is no longer in the story" in reason(gone)


def test_a_copy_that_the_store_says_repeats_nobody_is_told_as_it_is_stored() -> None:
    result = compare(side("a", BRIDGE, relation=Relation.FIRST), side("b", BRIDGE_COPY, relation=Relation.REPORT))
    assert verdict(result) == "neither repeats the other"
    assert "A as the first of the story, and B as a report that repeats no other article" in reason(result)
    assert "more closely" not in reason(result)


def test_a_stored_relation_that_the_figures_do_not_give_is_not_explained_by_them() -> None:
    result = compare(side("a", BRIDGE), side("b", BRIDGE_COPY, of=uid("a"), relation=Relation.REWRITE))
    assert verdict(result) == "B is a rewrite of A"
    assert "by the two alone that makes B a copy of A, but in the store B is a rewrite of A" in reason(result)


def test_what_an_editor_decided_is_not_explained_by_figures() -> None:
    merged = (by_hand("merge", 3, ["a"], ["b"], (1, 2)), by_hand("pin", 1, ["a"], ["x"]))
    result = compare(side("a", BRIDGE, corrections=merged), side("b", ORCHARD, corrections=merged[:1]))
    assert "they would not be one story" in reason(result)
    assert "an editor spoke of both, en.3: storywire story merge en-1 en-2." in reason(result)
    assert comparison_record(result)["corrections"] == ["en.3: storywire story merge en-1 en-2"]
    split = side("b", BRIDGE_REWRITE, story="en-2", corrections=(by_hand("split", 4, ["b"], ["x"]),))
    result = compare(side("a", BRIDGE), split)
    assert verdict(result) == "an editor keeps them in two"
    assert "But an editor spoke of one of them, en.4: storywire story split en-1 b." in reason(result)
    assert "editor" not in reason(compare(side("a", BRIDGE, corrections=merged), side("b", BRIDGE_REWRITE))), (
        "they fit anyway"
    )


def test_only_a_correction_that_agrees_with_the_outcome_is_named_as_its_reason() -> None:
    merge, pin = by_hand("merge", 1, ["a"], ["b"], (1, 2)), by_hand("pin", 2, ["b"], ["x"], (5,))
    apart = side("b", BRIDGE_REWRITE, story="en-5", corrections=(pin, merge))
    assert compare(side("a", BRIDGE, corrections=(merge,)), apart).by_hand == (pin,)
    stood_for = by_hand("pin", 3, ["x"], ["a", "b"])
    a = side("a", BRIDGE, corrections=(stood_for, by_hand("pin", 2, ["a"], ["x"])))
    assert [str(said) for said in compare(a, side("b", ORCHARD, corrections=(stood_for,))).by_hand] == [
        "en.2: storywire story pin a en-1"
    ], "neither article is what the pin of x was about"
    kept = by_hand("split", 4, ["a", "b"], ["x"])
    split = compare(side("a", BRIDGE, corrections=(kept,)), side("b", ORCHARD, corrections=(kept,)))
    assert split.by_hand == (kept,), "they were taken out together"
    both_before = by_hand("merge", 6, ["a", "b"], ["x"], (1, 2))
    merged = compare(side("a", BRIDGE, corrections=(both_before,)), side("b", ORCHARD, corrections=(both_before,)))
    assert merged.by_hand == (), "they were of one of the two stories"
    assert replace(split, one_story=False).by_hand == ()


def test_one_story_below_the_threshold_is_said_to_have_joined_through_others() -> None:
    result = compare(side("a", BRIDGE), side("b", ORCHARD))
    assert result.score < THRESHOLD
    assert result.together
    assert "joined through other articles" in reason(result)


def test_two_stories_above_the_threshold_are_explained_by_the_choice_of_the_story() -> None:
    result = compare(side("a", BRIDGE), side("b", BRIDGE_REWRITE, story="en-2"))
    assert not result.together
    assert verdict(result) == "the store keeps them in two"
    assert "By themselves they would be one story" in reason(result)
    assert "or none where two fit it equally well; and a story whose texts turn out to be those of two is divided" in (
        reason(result)
    ), "a division may have put them apart: the store does not keep which it was"


def test_alike_but_a_month_apart_is_two_events() -> None:
    result = compare(side("a", BRIDGE), side("b", BRIDGE_REWRITE, days=30, story="en-2"))
    assert "too far apart in time" in reason(result)


def test_strangers_share_too_little() -> None:
    result = compare(side("a", BRIDGE), side("b", ORCHARD, story="en-2"))
    assert verdict(result) == "they share too little"
    assert f"below the .{THRESHOLD * 100:.0f}" in reason(result)


def test_other_languages_and_texts_without_words_are_never_compared() -> None:
    other = compare(side("a", BRIDGE), side("b", BRIDGE, lang="de", story="de-1"))
    assert (other.together, verdict(other)) == (False, "they cannot be compared")
    assert "language by language" in reason(other)
    empty = compare(side("a", "!!!", story="en-2"), side("b", BRIDGE))
    assert "A has no words" in reason(empty)
    assert not empty.together
    assert "not compared" in told(empty)


def test_a_short_text_repeated_is_a_copy_only_on_the_same_day() -> None:
    line = "Morning briefing: what you need to know today about the Wexcombe strike"
    assert compare(side("a", line), side("b", line)).same_text
    assert not compare(side("a", line), side("b", line, days=2)).same_text


def test_files_without_dates_are_taken_to_be_of_one_time_and_it_is_said() -> None:
    result = compare(from_text("one.txt", BRIDGE), from_text("two.txt", BRIDGE_REWRITE))
    assert (result.days, result.time_factor, result.one_story, result.together) == (None, 1.0, None, True)
    assert verdict(result) == "B is a rewrite of A"
    assert "given first, counts as the earlier" in reason(result)


def test_shared_terms_come_by_their_product_and_no_term_is_on_two_lists() -> None:
    result = compare(side("a", BRIDGE), side("b", BRIDGE_REWRITE))
    products = [term.product for term in result.shared]
    assert products == sorted(products, reverse=True)
    lists = [{term.term for term in terms} for terms in (result.shared, result.only_earlier, result.only_later)]
    assert sum(map(len, lists)) == len(set.union(*lists))
    assert lists[0] | lists[1] == set(result.earlier.prints.terms)
    assert sum(products) == pytest.approx(result.cosine, abs=0.15)


def test_the_record_names_who_repeats_whom() -> None:
    record = comparison_record(compare(from_text("one", BRIDGE), from_text("two", BRIDGE_COPY)))
    assert (record["relation"], record["repeats"]) == ("copy", {"article": "two", "of": "one"})
    strangers = comparison_record(compare(side("a", BRIDGE), side("b", ORCHARD, story="en-2")))
    assert (strangers["one_story"], strangers["relation"], strangers["repeats"]) == (False, "report", None)


def test_a_files_headline_is_its_first_line_with_words() -> None:
    parsed = from_text("f", "\ufeff\n  \n Frost in  the valley \r\nThe text &amp; more")
    assert parsed.title == "Frost in the valley"
    assert from_text("f", "").prints == Fingerprints()


@pytest.mark.parametrize("width", [40, 80, 120])
def test_hostile_texts_are_explained_harmlessly_and_within_the_width(width: int) -> None:
    text = "\x1b[2J\u202e [red]x[/red] " + "漢字" * 400 + "\n" + "Wörter " * 50
    result = compare(side("\x9bid" * 100, text, source="\x07" * 9 + "s" * 300), side("b", text))
    lines = told(result, width).splitlines()
    assert not any(unicodedata.category(c)[0] == "C" for line in lines for c in line)
    assert max(map(cell_len, lines)) <= width


def test_spans_of_time_are_read_at_a_glance() -> None:
    assert [apart(days) for days in (0, 0.01, 0.5, 3.25)] == ["0 min", "14 min", "12.0 h", "3.2 days"]


def test_the_seeds_are_explained_as_a_rewrite(shared: Path) -> None:
    """Two rewrites of one report; before the headline of the first stands a line of its site."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((shared / "seeds").glob("*.txt"))]
    one, other = (from_text(str(n), text.partition("\n")[2]) for n, text in enumerate(texts))
    assert (one.title[:10], other.title[:12]) == ("Skepticism", "Kazana leade")
    result = compare(one, other)
    assert result.relation is Relation.REWRITE
    printed = told(result)
    assert "one story: B is a rewrite of A" in printed
    assert "tokayev" in printed
    assert "so it is a rewrite" in " ".join(printed.split())


TABLE = (
    "The Thornmark 30 index ended at 7,{0}.{1}, a move of 0.{2} percent, as investors weighed the outlook for rates. "
    "Volume on the Northport exchange was in line with the average, and smaller companies moved in the same direction."
)


def test_two_editions_of_one_report_are_said_to_be_that_however_alike_they_are() -> None:
    one = from_text("one", "Market close\n" + TABLE.format(137, 17, 24))
    other = from_text("other", "Shares again\n" + TABLE.format(274, 82, 61))
    result = compare(one, other)
    assert result.editions
    assert not result.together
    assert result.score > result.threshold
    assert verdict(result) == "they are two editions of one report"
    assert "two editions of one report" in reason(result)
    assert not compare(one, one).editions


def test_the_threshold_in_force_is_the_one_that_is_told() -> None:
    one, other = side("a", BRIDGE), side("b", BRIDGE_REWRITE)
    told = [comparison_record(compare(one, other, strictness))["threshold"] for strictness in (0.0, 0.5, 1.0)]
    assert told == sorted(set(told))

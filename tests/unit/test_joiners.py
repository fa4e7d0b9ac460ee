"""Joiners that spell: shown where they mean something, and never compared, searched or left in a run."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from worker.feed.decide import decide
from worker.feed.parse import parse
from worker.fingerprint import fingerprints
from worker.joiners import spelt, unjoined
from worker.report.harmless import harmless, readable
from worker.report.rows import folded, needles
from worker.text import clean, headline, language

SPELT = {
    "Persian": "می‌شود و خانه‌ها",
    "Hindi": "शक्‌ति और वक्‍त",
    "Sinhala": "ශ්‍රී ලංකාව",
    "Malayalam": "അവന്‍ വന്നു",
    "Bengali": "র‍্যাব",
    "Family": "A family \U0001f468\u200d\U0001f469\u200d\U0001f467 waits",
    "Flag": "A flag \U0001f3f3\ufe0f\u200d\U0001f308 flies",
}
ALPHABET = "aé e\u0301 \n<b>&amp;\u200c\u200d\u200c\u200d\u200b\u202eميه\u094dकष\U0001f468\U0001f3fd\ufe0f-1ﬁ"


@pytest.mark.parametrize("text", SPELT.values(), ids=SPELT)
def test_a_headline_keeps_the_joiners_that_spell_and_compares_as_without(text: str) -> None:
    assert ("\u200c" in text) or ("\u200d" in text)
    assert headline(f"<p>{text}</p>", 500) == text
    assert readable(text).replace("\ufe0f", "") == text.replace("\ufe0f", "")
    assert clean(text) == unjoined(text)
    body = f"{unjoined(text)}. " * 8
    for lang in ("fa", "hi", "si", "ml", "en"):
        assert fingerprints(text, body, lang) == fingerprints(unjoined(text), body, lang)
    assert folded(text) == folded(unjoined(text))
    assert needles(text) == needles(unjoined(text))
    assert language("", f"{text} {body}") == language("", f"{unjoined(text)} {body}")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a\u200cd\u200dm in", "adm in"),
        ("\u200d" * 5_000 + "می" + "\u200c" * 5_000 + "شود", "می\u200cشود"),
        ("می\u200c شود\u200d", "می شود"),
        ("\U0001f468" + "\u200d" * 3_000 + "\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("\U0001f468\u200c\U0001f469\u200d", "\U0001f468\U0001f469"),
        ("می\u200b\u202e\u200c\u2066شود", "می\u200cشود"),
        ("\u200c\u200d", ""),
    ],
)
def test_joiners_that_mean_nothing_and_runs_of_them_do_not_stay(text: str, left: str) -> None:
    assert headline(text, 500) == left
    assert readable(left) == left
    assert spelt(spelt(text)) == spelt(text)


def test_joiners_do_not_make_a_tower_of_marks() -> None:
    tower = "ब" + "\u0951\u200d" * 300
    assert sum(unicodedata.category(c) == "Mn" for c in readable(tower)) <= 4


@settings(max_examples=300)
@given(st.text(ALPHABET, max_size=60), st.integers(1, 40))
def test_a_headline_without_its_joiners_is_what_it_was_before_it_kept_any(markup: str, characters: int) -> None:
    assert unjoined(headline(markup, characters)) == clean(markup).replace("\n", " ")[:characters]


@pytest.mark.parametrize("text", SPELT.values(), ids=SPELT)
def test_on_a_terminal_no_joiner_is_left_over_whose_width_terminals_disagree(text: str) -> None:
    line = harmless(text)
    assert "\u200d" not in line
    assert cell_len(line) == sum(cell_len(c) for c in line), "each sign counts, whatever joins them"
    assert cell_len(line) == cell_len(unjoined(line)), "a non-joiner has no width"


def test_an_entry_is_the_same_entry_with_and_without_joiners() -> None:
    """What an earlier version stored without them is neither read again nor a changed headline."""
    feed = """<rss version="2.0"><channel><title>خانه</title><item><title>{}</title>
        <description>متن خبر</description></item></channel></rss>"""
    told = [
        parse(feed.format(title).encode(), "https://example.org/f", "application/rss+xml")
        for title in (SPELT["Persian"], unjoined(SPELT["Persian"]))
    ]
    assert [found.entries[0].title for found in told] == [SPELT["Persian"], unjoined(SPELT["Persian"])]
    assert told[0].entries[0].key == told[1].entries[0].key
    assert told[0].entries[0].names == told[1].entries[0].names
    marks: dict[str, bytes] = {}
    for number, found in enumerate(told):
        made = decide(found.entries, marks, feed="f", source="", now=1e9 + number, keep_s=1e6, first_fetch=False)
        marks |= {key: after for key, (_, after) in made.marks.items()}
        assert len(made.articles) + len(made.edits) == (1 if number == 0 else 0)

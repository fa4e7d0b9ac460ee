"""What is asked for in an address: read and written again it is the same, and what cannot be is refused in words."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import BadInput
from worker.report.board import SORTS, Filter
from worker.web.asking import LONGEST_SINCE_S, MOST, Asked, address, asked, since_text


def test_an_address_that_asks_for_nothing_is_empty() -> None:
    assert asked({}) == Asked()
    assert asked({"lang": "", "q": " ", "outlets": "", "since": "", "sort": "", "limit": "", "after": ""}) == Asked()
    assert address(Asked()) == ""
    assert asked({"utm_source": "x", "fbclid": "y"}) == Asked(), "what others add is not looked at"


def test_all_of_it() -> None:
    query = "lang=en&outlet=bbc.co.uk&outlets=3&since=6h&q=port+vell&sort=new&limit=20&after=new_1_en_2"
    wanted = asked(dict(parse_qsl(query)))
    narrow = Filter(lang="en", outlet="bbc.co.uk", min_outlets=3, since_s=21_600.0, words="port vell")
    assert wanted == Asked(filter=narrow, sort="new", limit=20, after="new_1_en_2")
    assert address(wanted) == query


words = st.text(st.characters(exclude_categories=("Cs", "Cc", "Z")), max_size=50)


@given(
    words, words, st.integers(1, 999), st.none() | st.integers(1, int(LONGEST_SINCE_S)), st.sampled_from(SORTS),
    st.integers(1, MOST), words,
)  # fmt: skip
def test_what_is_written_is_read_as_it_was(
    outlet: str, q: str, outlets: int, seconds: int | None, sort: str, limit: int, after: str
) -> None:
    since_s = None if seconds is None else float(seconds)
    narrow = Filter(lang="en", outlet=outlet, min_outlets=outlets, since_s=since_s, words=q)
    wanted = Asked(filter=narrow, sort=sort, limit=limit, after=after)
    assert asked(dict(parse_qsl(address(wanted)))) == wanted


def test_who_changes_what_is_asked_for_begins_at_the_top() -> None:
    wanted = asked({"lang": "en", "after": "hot_1_2_en_3", "since": "2d"})
    assert address(wanted, outlets=3) == "lang=en&outlets=3&since=2d"
    assert address(wanted, lang=None) == "since=2d"
    assert address(wanted, since=None, q="port") == "lang=en&q=port"
    assert address(wanted, after="hot_4_5_en_6") == "lang=en&since=2d&after=hot_4_5_en_6"
    with pytest.raises(TypeError, match="colour is no parameter"):
        address(wanted, colour="red")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "outlest",
            "5",
            "outlest: is no parameter of a list of stories: it takes after, lang, limit, outlet, outlets,",
        ),
        ("\x00", "", ": is no parameter"),
        ("outlets", "0", "outlets=0: write a whole number from 1 to 1000000"),
        ("outlets", "many", "outlets=many: write a whole number"),
        ("outlets", "²", "outlets=²: write a whole number"),
        ("limit", "201", "limit=201: write a whole number from 1 to 200"),
        ("limit", "9" * 5_000, f"limit={'9' * 40}...: write a whole number"),
        ("since", "yesterday", "since=yesterday: write a duration up to 3650d, such as 6h or 2d"),
        ("since", "0s", "since=0s: write a duration"),
        ("since", "4000d", "since=4000d: write a duration"),
        ("sort", "best", "sort=best: write one of hot, new, large"),
        ("q", "x" * 201, f"q={'x' * 40}...: write at most 200 characters"),
        ("lang", "\u202een\x00glishglish", "lang=englishglish: write at most 12 characters"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line_that_names_it(name: str, value: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        asked({name: value})
    assert str(refused.value).startswith(said)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("seconds", "text"), [(21_600, "6h"), (172_800, "2d"), (5_400, "90m"), (90, "90s"), (0.25, "250ms")]
)
def test_a_duration_is_written_in_its_largest_unit(seconds: float, text: str) -> None:
    assert since_text(seconds) == text

"""What tells entries apart: the guid, or the link, or the title, as far as each can be trusted."""

import pytest

from worker.feed.identity import Names, entry_keys, page_digest, recognise_pages


def names(guid: str = "", link: str = "", title: str = "", rest: str = "") -> Names:
    return Names(guid, link, title, rest)


@pytest.mark.parametrize(
    ("entries", "distinct"),
    [
        ([names("1", "a", "A"), names("2", "a", "A")], 2),
        ([names("1", "a", "A"), names("1", "a", "A edited")], 2),
        ([names("1", "a", "A"), names("1", "a", "A edited"), names("2", "b", "B")], 2),
        ([names("same", "a", "A"), names("same", "b", "B"), names("same", "c", "C")], 3),
        ([names("home", "home", "A"), names("home", "home", "B"), names("home", "home", "C")], 3),
        ([names("", "a", "A"), names("", "b", "A")], 2),
        ([names("", "home", "A"), names("", "home", "B")], 2),
        ([names("", "a", "A"), names("", "a", "A")], 1),
        ([names("", "", "A"), names("", "", "B"), names("", "", "", "a text"), names("", "", "", "another")], 4),
        ([names(), names()], 1),
        ([names("a", "x", "A"), names("", "a", "B"), names("", "", "a")], 3),
    ],
    ids=[
        "two guids with one link",
        "a guid for all of two, with two titles",
        "an edited entry shown twice",
        "one guid for all, with links",
        "one guid and one link for all",
        "no guid",
        "no guid and one link",
        "no guid, shown twice",
        "neither guid nor link",
        "nothing at all",
        "a guid that is another's link and a third's title",
    ],
)
def test_entries_are_told_apart(entries: list[Names], distinct: int) -> None:
    assert len(set(entry_keys(entries))) == distinct


def test_a_key_does_not_depend_on_what_else_the_feed_shows() -> None:
    """The next fetch shows other neighbours, another order, an edited title, a moved link."""
    before = entry_keys([names("1", "a", "A"), names("2", "b", "B")])
    after = entry_keys([names("3", "c", "C"), names("2", "b", "B edited"), names("1", "moved", "A")])
    assert after[1:] == [before[1], before[0]]


def test_keys_are_16_hexadecimal_digits_whatever_the_names_are() -> None:
    keys = entry_keys([names("\ud800", "x" * 5000, "\0")])
    assert [len(key) for key in keys] == [16]
    assert int(keys[0], 16) >= 0


PAGE = "https://harbourpost.com/a"


def found(shown: list[str], known: dict[str, str], before: dict[int, str] | None = None) -> dict[int, str]:
    """Which of these links lead to pages of these."""
    pages = {key: page_digest(link) for key, link in known.items()}
    return recognise_pages([page_digest(link) for link in shown], pages, before or {})


def test_an_entry_is_known_by_its_page_however_the_link_is_written() -> None:
    assert found([f"{PAGE}?utm_content=2", f"{PAGE}/b"], {"a": "http://m.harbourpost.com/a?utm_content=1"}) == {0: "a"}


def test_a_fragment_tells_entries_of_a_live_report_apart() -> None:
    assert found([f"{PAGE}#2"], {"a": f"{PAGE}#1"}) == {}
    assert found([f"{PAGE}?utm_source=x#1"], {"a": f"{PAGE}#1"}) == {0: "a"}


@pytest.mark.parametrize(
    ("shown", "known", "before"),
    [
        ([PAGE, f"{PAGE}?utm_source=x"], {"a": PAGE}, {}),
        ([f"{PAGE}?utm_source=x"], {"a": PAGE, "b": f"{PAGE}/"}, {}),
        ([PAGE, f"{PAGE}?utm_source=x"], {"a": PAGE}, {0: "a"}),
        (["https://b.com/1", f"{PAGE}?utm_source=x"], {"a": PAGE}, {0: "a"}),
        (["https://harbourpost.com/?utm_source=x"], {"a": "https://harbourpost.com"}, {}),
        ([""], {"a": ""}, {}),
    ],
    ids=["two shown", "two known", "shown besides", "known by its names", "a site as a whole", "no link"],
)
def test_a_page_that_is_not_one_entry_s_tells_nothing(
    shown: list[str], known: dict[str, str], before: dict[int, str]
) -> None:
    assert found(shown, known, before) == before

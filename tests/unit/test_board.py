"""The board: what fits a filter, in which order, page by page, while stories come, move and go."""

import gc
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import asdict, replace

from tests.memory import Memory, member
from worker.errors import BadInput
from worker.model import story_id
from worker.report.board import MOST_BEHIND, MOST_REMEMBERED, SORTS, Board, Filter, Row, row_of
from worker.report.fitting import without_each
from worker.report.rows import folded, link_digest, outlet_name

NOW = 1_750_000_000.0
DAY_S = 86_400.0


def row(number: int, words: str = "", **more: Any) -> Row:
    """A story of one article, a minute older than the one before."""
    last = more.pop("last", NOW - 60.0 * number)
    usual: dict[str, Any] = {"headline": words, "articles": 1, "outlets": 1, "copies": 0, "rewrites": 0, "lang": "en"}
    usual |= {"first": last, "last": last, "heat": 1.0, "rank": (-last, -last), "words": f" {folded(words)} "}
    usual |= more
    return Row(story=story_id(usual["lang"], number), number=number, **usual)


def board_of(*rows: Row) -> Board:
    """A board of these."""
    board = Board()
    for each in rows:
        board.put(each)
    return board


def numbers(board: Board, **asked: Any) -> list[int]:
    """The numbers of the stories that fit, hottest first."""
    return [each.number for each in board.select(Filter(**asked), NOW).rows]


def test_each_part_of_a_filter_leaves_out_what_does_not_fit() -> None:
    board = board_of(
        row(1, "Bridge of Port Vell closed", outlets=3, named=(outlet_name("herald.example.com"), "herald")),
        row(2, "El puente cerrado", lang="es", named=("el diario",)),
        row(3, "Bridges reopen", last=NOW - 2 * DAY_S),
    )
    assert numbers(board) == [1, 2, 3]
    assert numbers(board, lang="es") == [2]
    assert numbers(board, min_outlets=2) == [1]
    assert numbers(board, since_s=DAY_S) == [1, 2]
    assert numbers(board, outlet="Herald.Example.com") == [1], "a domain"
    assert numbers(board, outlet="EL DIARIO") == [2], "a name"
    assert numbers(board, outlet="diario") == [2], "a word of it"
    assert numbers(board, outlet="iario") == [], "from its beginning"
    assert numbers(board, outlet="herald.example") == [], "a domain as a whole"
    assert numbers(board, words="bridge") == [1, 3], "the beginnings of words"
    assert numbers(board, words="VELL bridge") == [1], "all of them"
    assert numbers(board, words="ridge") == []
    assert numbers(board, words="!?") == [1, 2, 3], "nothing that could be looked for"


@pytest.mark.parametrize(
    ("headline", "found", "missed"),
    [
        ("Élections à Genève", "elections geneve", "lections"),
        ("Straße gesperrt", "strasse", "rasse"),
        ("Covid-19: U.S. reopens", "covid 19", "9"),
        ("東京で地震が発生", "地震", "津波"),
        ("กรุงเทพฝนตกหนัก", "ฝนตก", "หิมะ"),
        ("दिल्ली में बारिश", "दिल्ली", "ल्ली"),
        ("서울에서 지진", "서울", "에서"),
        ("ОБРУШЕНИЕ моста", "обруш", "ушение"),
        ("İstanbul'da deprem", "istanbul", "tanbul"),
    ],
)
def test_words_are_found_however_they_are_written(headline: str, found: str, missed: str) -> None:
    """Without case and accents; anywhere in scripts that put no spaces between words."""
    board = board_of(row(1, headline))
    assert numbers(board, words=found) == [1]
    assert numbers(board, words=missed) == []


def test_any_order_of_changes_leaves_what_a_plain_sort_and_filter_would(seed: int = 7) -> None:
    """Three orders and the filters that are remembered, against the rows themselves, after each of 600 changes."""
    chance, board, there = random.Random(seed), Board(), dict[int, Row]()
    filters = [
        Filter(),
        Filter(lang="es"),
        Filter(min_outlets=2),
        Filter(since_s=600.0),
        Filter(words="port b"),
        Filter(lang="en", since_s=1_200.0, min_outlets=2, outlet="herald"),
    ]
    places: dict[str, Callable[[Row], Any]] = {
        "hot": lambda r: (r.rank, r.lang, r.number),
        "new": lambda r: (-r.first, r.lang, r.number),
        "large": lambda r: (-r.articles, r.rank, r.lang, r.number),
    }
    now = NOW
    for _ in range(600):
        number, now = chance.randrange(60), now + chance.random() * 5
        lang = "es" if number % 3 else "en"
        if chance.random() < 0.25:
            board.drop(lang, number)
            there.pop(number, None)
        else:
            heat, last = float(chance.randrange(3)), now - chance.random() * 1_500
            named = ("herald" if chance.random() < 0.5 else "post",)
            more = {"outlets": chance.randrange(1, 4), "named": named, "articles": chance.randrange(1, 5)}
            words = chance.choice(("port bridge", "port", "bay"))
            there[number] = row(number, words, lang=lang, last=last, rank=(heat, -last), **more)
            board.put(there[number])
        asked, sort = chance.choice(filters), chance.choice(SORTS)
        found = board.select(asked, now, sort=sort, limit=1_000)
        fitting = sorted((r for r in there.values() if asked.fits(r, now)), key=places[sort])
        assert list(found.rows) == fitting
        assert (found.stories, found.articles) == (len(fitting), sum(r.articles for r in fitting))
        assert found.following == ""
        langs = [r.lang for r in there.values()]
        assert board.languages() == {lang: langs.count(lang) for lang in set(langs)}


def test_a_filter_that_much_has_passed_by_begins_anew() -> None:
    board, asked = board_of(*(row(n, outlets=2) for n in range(1, 11))), Filter(min_outlets=2)
    for again in (MOST_BEHIND, MOST_BEHIND + 1, 3 * MOST_BEHIND):
        assert board.select(asked, NOW).stories == 10
        for n in range(again):
            board.put(row(1, outlets=1 + n % 2, heat=float(n)))
        found = board.select(asked, NOW)
        fitting = [each for each in board.order("hot") if asked.fits(each, NOW)]
        assert (list(found.rows), found.articles) == (fitting, len(fitting))
        board.put(row(1, outlets=2))


def test_a_story_that_has_not_changed_changes_nothing() -> None:
    board = board_of(row(1), row(2))
    before = board.version
    board.put(row(1))
    assert board.version == before
    board.put(row(1, heat=2.0))
    assert board.version == before + 1


def test_a_change_costs_the_same_however_many_filters_are_remembered() -> None:
    """They take it in when somebody asks."""
    board = board_of(*(row(n, "port bridge", outlets=2) for n in range(1, 1_001)))

    def took_s() -> float:
        began = time.process_time()
        for n in range(1, 201):
            board.put(replace(board_row(n), heat=board_row(n).heat + 1))
        return time.process_time() - began

    def board_row(n: int) -> Row:
        found = board.get("en", n)
        assert found is not None
        return found

    plain = min(took_s() for _ in range(5))
    for n in range(MOST_REMEMBERED):
        board.select(Filter(words="p b", since_s=1e6 + n), NOW)
    assert min(took_s() for _ in range(5)) < 2 * plain


@pytest.mark.parametrize("sort", SORTS)
def test_pages_together_hold_each_story_that_does_not_move_once(sort: str) -> None:
    """Others heat up, grow, end and come while the pages are turned; the last row of a page may be gone too."""
    chance = random.Random(3)
    board = board_of(*(row(n, articles=1 + n % 5) for n in range(1, 201)))
    still = {n for n in range(1, 201) if n % 2}
    seen, after, fresh = list[int](), "", 1_000
    while True:
        page = board.select(Filter(), NOW, sort=sort, limit=7, after=after)
        seen += [each.number for each in page.rows]
        after = page.following
        if not after:
            break
        moving = chance.choice([n for n in range(1, 201) if n not in still])
        if (old := board.get("en", moving)) is not None:
            board.put(replace(old, rank=(-NOW - fresh, -NOW), articles=old.articles + 3))
        if page.rows[-1].number not in still:
            board.drop("en", page.rows[-1].number)
        board.put(row(fresh, last=NOW + fresh))
        fresh += 1
    assert sorted(n for n in seen if n in still) == sorted(still)


@pytest.mark.parametrize(
    "after",
    ["x", "hot", "hot_1_2_en", "hot_nan_1_en_3", "new_1_en_x", "large_1_2_3_en_4", "_", "hot_1_2_en_" + "9" * 5000],
)
def test_what_is_no_cursor_is_refused_in_words(after: str) -> None:
    with pytest.raises(BadInput, match=r"after: is .* leave it out to begin at the top"):
        board_of(row(1)).select(Filter(), NOW, after=after)


def test_a_story_is_found_by_what_was_merged_into_it_until_it_ends() -> None:
    board = board_of(row(1, aliases=(4, 5)))
    assert (found := board.find("en", 5)) is not None
    assert found.number == 1
    assert board.get("en", 5) is None
    board.drop("en", 1)
    assert board.find("en", 5) is None


def test_a_story_is_found_by_any_link_to_an_article_of_it() -> None:
    memory = Memory()
    memory.place(member("a", "Begun", "words of a story that began", NOW))
    [story] = memory.stories()
    first, second = (f"https://www.herald.example.com/news/{n}?utm_source=rss" for n in (1, 2))
    members = [
        replace(member(f"m{n}", "t", "", NOW + n), url=url)
        for n, url in enumerate((first, second, "https://post.example.com/", "no link"))
    ]
    older = row_of("en", story, members[:1])
    newer = replace(row_of("en", story, members), number=2, fed=NOW + 9)
    board = board_of(older, newer)
    assert len(newer.links) == 16, "neither a site as a whole nor what is no address"
    assert board.by_link("http://m.herald.example.com/news/2/#top") is newer
    assert board.by_link(first) is newer, "to which an article came last"
    board.drop("en", 2)
    assert board.by_link(first) is older
    assert board.by_link(second) is None
    for nowhere in ("https://post.example.com/", "no link", "", "http://["):
        assert board.by_link(nowhere) is None


def test_a_digest_across_two_others_is_no_link() -> None:
    digest = link_digest("https://herald.example.com/news/1")
    across = b"\0" * 4 + digest + b"\0" * 4
    board = board_of(row(1, links=across))
    assert board.by_link("https://herald.example.com/news/1") is None


def test_a_row_says_of_a_story_what_the_report_says() -> None:
    text = (
        "The harbour bridge of Port Vell was closed on Monday after engineers found cracks in two of its pillars. The "
        "mayor asked drivers to use the tunnel, and said that repairs would take until the end of the summer at least."
    )
    memory = Memory()
    for n, source in enumerate(("Herald", "Post", "Herald")):
        memory.place(member(f"a{n}", f"Bridge closed {n}", text, NOW + n, source=source))
    [story] = memory.stories()
    members = sorted((m for m in memory.view.members.values() if m), key=lambda m: m.time)
    made = row_of("en", story, members)
    assert (made.story, made.articles, made.copies, made.texts) == ("en-1", 3, 2, 1)
    assert (made.outlets, made.sources) == (2, ("Herald", "Post"))
    assert made.named == ("herald", "post")
    assert made.words == " bridge closed 0 1 2 "
    gc.collect()
    assert [value for value in asdict(made).values() if gc.is_tracked(value)] == [], "30,000 times looked at for cycles"
    assert (made.first, made.last, made.came, made.fed) == (NOW, NOW + 2, NOW, NOW + 2)
    assert sum(made.growth) == 3


def test_a_story_of_thousands_of_headlines_is_held_in_bounds() -> None:
    """By its first and its latest words."""
    memory = Memory()
    memory.place(member("a", "Begun", "words of a story that began", NOW))
    [story] = memory.stories()
    members = [member(f"m{n}", f"headline{n} number{n}", "", NOW + n) for n in range(5_000)]
    made = row_of("en", story, members)
    assert len(made.words) <= 10_001
    assert " headline0 " in made.words
    assert " number4999 " in made.words


def test_what_would_fit_without_one_part_of_a_filter_is_counted_for_each_part() -> None:
    """As many as the filter without it finds, however the parts stand."""
    rows = [
        row(n, ("bridge", "dam", "cup")[n % 3], lang=("en", "de")[n % 2], outlets=1 + n % 4, named=(f"outlet {n % 5}",))
        for n in range(200)
    ]
    parts: dict[str, Any] = {"since_s": 6_000.0, "min_outlets": 3, "lang": "en", "outlet": "outlet 3", "words": "dam"}
    for names in (tuple(parts), tuple(reversed(parts)), ("lang", "words"), ("words",)):
        asked = {name: parts[name] for name in names}
        said = without_each([Filter(**{name: value}) for name, value in asked.items()], rows, NOW)
        wanted = [Filter(**{of: value for of, value in asked.items() if of != name}) for name in names]
        assert said == [len(each.among(rows, NOW)) for each in wanted]
        assert any(said)

"""New, revised, unchanged, forgotten: what a document means against what was seen before."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import pairwise

import msgspec
import pytest

from worker.feed.decide import MOST_MARKS, Decision, decide
from worker.feed.identity import Names, digests, entry_keys
from worker.feed.parse import Entry

NOW = 1_750_000_000.0
DAY = 86400.0
SPANISH = "El presidente anunció ayer que las obras del puerto comenzarán el próximo mes de marzo."


def entry(key: str = "k1", title: str = "A title", text: str = "A text.", lang: str = "en", **more: object) -> Entry:
    return Entry(key, title, text, f"https://example.org/{key}", lang, **more)  # type: ignore[arg-type]


def run(
    entries: Sequence[Entry], marks: Mapping[str, bytes] | None = None, now: float = NOW, first_fetch: bool = False
) -> Decision:
    return decide(entries, marks or {}, feed="f1", source="Paper", now=now, keep_s=14 * DAY, first_fetch=first_fetch)


def kept(decision: Decision, marks: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """The marks after a decision."""
    left = dict(marks or {}) | {key: new for key, (_, new) in decision.marks.items()}
    return {key: mark for key, mark in left.items() if mark}


def counts(decision: Decision) -> tuple[int, int, int, int]:
    return decision.new, decision.revised, decision.unchanged, decision.forgotten


def test_new_entries_become_articles_the_newest_last() -> None:
    decision = run([entry("k2", published=5.0), entry("k1")])
    assert counts(decision) == (2, 0, 0, 0)
    assert [article.id for article in decision.articles] == ["f1.k1", "f1.k2"]
    article = decision.articles[1]
    assert (article.revision, article.source, article.lang, article.published) == (1, "Paper", "en", 5.0)
    assert (article.received, article.backfill) == (NOW, False)
    assert all(expected == b"" for expected, _ in decision.marks.values())


def test_an_unchanged_entry_writes_nothing() -> None:
    marks = kept(run([entry()]))
    decision = run([entry()], marks, NOW + 3600)
    assert (counts(decision), decision.articles, decision.marks) == ((0, 0, 1, 0), [], {})


def test_an_edited_entry_is_the_next_revision_of_its_article() -> None:
    """Title, text or link: each edit counts; id, arrival and language stay."""
    marks = kept(run([entry(lang="", text=SPANISH)], first_fetch=True))
    edits = [entry(lang="", title="B"), entry(lang="en", title="B"), entry(lang="en", title="B", text="C")]
    for revision, edited in enumerate(edits, start=2):
        decision = run([edited], marks, NOW + revision)
        if edited is edits[1]:
            assert not decision.articles, "another tag alone is no edit"
            continue
        [article] = decision.articles
        assert counts(decision) == (0, 1, 0, 0)
        assert article.revision == revision - (revision == 4)
        assert (article.id, article.received, article.lang, article.backfill) == ("f1.k1", NOW, "es", True)
        assert decision.marks["k1"][0] == marks["k1"], "the mark that was read is the one that is expected"
        marks = kept(decision, marks)


def test_another_date_alone_is_no_edit() -> None:
    """Some feeds date every entry anew in every answer."""
    marks = kept(run([entry(published=1.0)]))
    assert not run([entry(published=2.0)], marks).articles


def test_a_first_fetch_is_backfill() -> None:
    assert [article.backfill for article in run([entry()], first_fetch=True).articles] == [True]


def test_marks_are_kept_while_the_entry_is_shown_and_for_a_while_after() -> None:
    """An entry shown for a month is not new when its mark grows old; one that is gone is forgotten in the end."""
    marks = kept(run([entry("k1"), entry("k2")]))
    for day in range(1, 40):
        decision = run([entry("k1")], marks, NOW + day * DAY * 1.01)
        assert not decision.articles
        assert decision.forgotten == (day == 14)
        marks = kept(decision, marks)
    assert set(marks) == {"k1"}


def numbered(numbers: Iterable[int]) -> list[Entry]:
    return [entry(f"k{number}") for number in numbers]


def test_the_marks_of_one_feed_have_an_end() -> None:
    """Those shown longest ago go first; what the feed shows now stays, and so does what nobody has to let go of."""
    old, young = [kept(run(numbered(range(6_000)), now=NOW + day * DAY)) for day in (0, 1)]
    marks = {f"{key}.old": mark for key, mark in old.items()} | young
    decision = run([*numbered(range(6_000)), entry("new")], marks, NOW + 1.5 * DAY)
    assert (decision.new, decision.forgotten) == (1, 12_001 - MOST_MARKS)
    left = kept(decision, marks)
    assert len(left) == MOST_MARKS and young.keys() <= left.keys()
    many = run(numbered(range(MOST_MARKS + 5)), old, NOW + DAY / 2)
    assert (many.new, many.forgotten) == (4_005, 0), "what it shows is marked, however much it is"


def shared(entries: Sequence[Entry], marks: Mapping[str, bytes], now: float, first_fetch: bool = False) -> Decision:
    """At most 3 new articles a day."""
    return decide(entries, marks, feed="f1", source="", now=now, keep_s=14 * DAY, first_fetch=first_fetch, most_daily=3)


def test_a_feed_has_a_share_of_the_day_and_the_rest_comes_later() -> None:
    """Its first fetch is free. What is beyond its share is not marked, and comes when there is room; the last first."""
    marks = kept(shared(numbered(range(5)), {}, NOW, first_fetch=True))
    assert len(marks) == 5
    shown = numbered(range(100, 105))
    decision = shared(shown, marks, NOW + 10)
    assert [article.id for article in decision.articles] == ["f1.k104", "f1.k103", "f1.k102"]
    assert (decision.new, decision.later, len(decision.marks)) == (3, 2, 3)
    marks = kept(decision, marks)
    shown[4] = entry("k104", title="Edited")
    edited = shared(shown, marks, NOW + 3600)
    assert (edited.new, edited.later, edited.revised) == (0, 2, 1), "an edit is always taken"
    later = shared(shown, kept(edited, marks), NOW + 11 + DAY)
    assert (later.later, [article.id for article in later.articles]) == (0, ["f1.k101", "f1.k100"])


def test_a_clock_that_was_a_year_ahead_does_not_silence_a_feed() -> None:
    marks = kept(shared(numbered(range(3)), {}, NOW + 365 * DAY))
    assert shared(numbered([9]), marks, NOW).new == 1


def rewritten(marks: dict[str, bytes], now: float, count: int, every_s: float) -> tuple[list[int], float]:
    """Edit the one entry so often; the number of each edit that was taken, and the time after the last."""
    taken = []
    for number in range(count):
        decision = run([entry(text=f"State {number}.")], marks, now)
        assert decision.revised + decision.held == 1
        if decision.articles:
            taken.append(number)
            assert decision.articles[0].text == f"State {number}."
        marks.update(kept(decision, marks))
        now += every_s
    return taken, now


def test_an_entry_that_is_written_anew_every_minute_has_its_share_of_the_day() -> None:
    """24 edits at once, then one an hour; in every day after the first as many as it has hours."""
    marks = kept(run([entry()]))
    taken, now = rewritten(marks, NOW, 1440, 60)
    assert taken[:24] == list(range(24))
    assert len(taken) <= 48 and max(b - a for a, b in pairwise(taken)) <= 61
    assert len(rewritten(marks, now, 1440, 60)[0]) in (23, 24, 25)


def test_the_last_state_of_an_entry_arrives_when_there_is_room_again() -> None:
    """Also where the feed does not change any more: what was held is compared with what is shown then."""
    marks = kept(run([entry()]))
    taken, now = rewritten(marks, NOW, 40, 1)
    assert taken == list(range(24))
    last = [entry(text="State 39.")]
    assert (run(last, marks, now + 60).held, run(last, marks, now + 60).articles) == (1, [])
    decision = run(last, marks, now + 3600)
    assert [(article.text, article.revision) for article in decision.articles] == [("State 39.", 26)]
    marks = kept(decision, marks)
    assert counts(run(last, marks, now + 3700)) == (0, 0, 1, 0)


def test_other_entries_of_the_feed_have_a_share_of_their_own_and_a_quiet_day_gives_it_back() -> None:
    marks = kept(run([entry(), entry("k2")]))
    _, now = rewritten(marks, NOW, 30, 1)
    assert run([entry("k2", title="Edited")], marks, now).revised == 1
    assert rewritten(marks, now + DAY, 24, 1)[0] == list(range(24))


def test_an_entry_that_is_held_is_known_by_what_it_is_called_now() -> None:
    """Its feed changes guid and link in turn, never both at once."""
    other = Names("other", "https://example.org/other", "Other")
    marks: dict[str, bytes] = {}
    for number in range(60):
        names = [Names(f"g{number // 2}", f"https://example.org/{(number + 1) // 2}", "A title"), other]
        shown = [
            Entry(key, each.title, f"State {number}.", each.link, "en", names=digests(each))
            for key, each in zip(entry_keys(names), names, strict=True)
        ]
        decision = run(shown, marks, NOW + number)
        assert decision.new == (2 if number == 0 else 0), number
        marks = kept(decision, marks)
    assert decision.held == 2


def test_a_clock_that_was_a_year_ahead_does_not_hold_edits() -> None:
    marks = kept(run([entry()], now=NOW + 365 * DAY))
    rewritten(marks, NOW + 365 * DAY, 30, 1)
    assert run([entry(title="Now")], marks, NOW).revised == 1


def test_a_mark_that_cannot_be_read_is_replaced() -> None:
    """Written by another version, or broken: the entry is published again, which the store can take."""
    decision = run([entry()], {"k1": b"\xc1", "gone": b"rubbish"})
    assert counts(decision) == (1, 0, 0, 1)
    assert decision.marks["k1"][0] == b"\xc1"
    assert decision.marks["gone"] == (b"rubbish", b"")


def test_an_entry_without_words_is_published_too() -> None:
    [article] = run([Entry("k", "", "", "")]).articles
    assert (article.title, article.text, article.lang) == ("", "", "und")
    assert msgspec.msgpack.encode(article)


# --- the same entry in another document ----------------------------------------------------------------------------


def polled(*documents: Sequence[tuple[str, str, str]]) -> list[list[tuple[str, int]]]:
    """(article id, revision) of what each document of (guid, link, title) entries publishes, the first entry first."""
    marks: dict[str, bytes] = {}
    published = []
    for turn, document in enumerate(documents):
        named = [Names(*names) for names in document]
        shown = [
            Entry(key, names.title, "A text.", names.link, "en", None, digests(names))
            for key, names in dict(zip(entry_keys(named), named, strict=True)).items()
        ]
        decision = run(shown, marks, NOW + turn * 3600)
        marks = kept(decision, marks)
        published.append([(article.id, article.revision) for article in reversed(decision.articles)])
    return published


A, B, C = ("1", "/a", "A"), ("2", "/b", "B"), ("3", "/c", "C")


def constant(letter: str) -> tuple[str, str, str]:
    """An entry of a feed that gives all entries one guid."""
    return ("same", f"/{letter}", letter.upper())


@pytest.mark.parametrize(
    "documents",
    [
        [[A], [B, A], [C, B, A], [C]],
        [[constant("a")], [constant("b"), constant("a")], [constant("b")], [constant("c"), constant("a")]],
        [[constant("a")], [constant("b")], [constant("c")], [constant("a"), constant("b"), constant("c")]],
        [[A, B, C], [("1x", "/a", "A"), ("2x", "/b", "B"), ("3x", "/c", "C")], [("1y", "/a", "A"), ("3y", "/c", "C")]],
        [[A, B], [("1", "/c", "C"), A, B], [A, B], [("1", "/c", "C")]],
        [[("1", "/home", "A")], [("1", "/home", "A"), ("2", "/home", "B"), ("3", "/home", "C")], [("2", "/home", "B")]],
        [[("", "", "A")], [("", "", "A"), ("", "", "B")], [("", "", "C")]],
        [[("x", "", "A"), ("x", "", "B")], [("x", "", "A")], [("x", "", "C")]],
        [[A, B, C], [("1", "/new", "New"), ("2", "/a", "A"), ("3", "/b", "B")]],
    ],
    ids=[
        "guids as they should be",
        "one guid for all, at first with one entry",
        "one guid for all, one entry at a time",
        "other guids at every fetch",
        "a guid that is once another entry's too",
        "one link for all",
        "titles alone",
        "one guid for all and no links",
        "guids that number the places",
    ],
)
def test_entries_that_are_seen_again_are_published_once(documents: list[list[tuple[str, str, str]]]) -> None:
    """Whatever else the documents show: as many articles as there are different titles, all in revision 1."""
    published = [article for turn in polled(*documents) for article in turn]
    assert {revision for _, revision in published} == {1}
    assert len({article for article, _ in published}) == len(published)
    assert len(published) == len({title for document in documents for _, _, title in document})


@pytest.mark.parametrize(
    "edited",
    [("1", "/a", "A edited"), ("1", "/moved", "A"), ("other", "/a", "A edited"), ("1", "/moved", "A moved")],
    ids=["its title", "its link", "its guid and title", "its link and title"],
)
def test_an_edited_entry_is_recognised_by_what_is_left(edited: tuple[str, str, str]) -> None:
    first, second, third = polled([A, B], [B, edited], [edited, B])
    assert second == [(first[0][0], 2)]
    assert third == []


def test_a_guid_alone_does_not_tell_in_a_document_of_one_entry() -> None:
    """Every entry may have it: another link with another title is another article, one of them alone an edit."""
    first, second, third = polled([constant("a")], [constant("b")], [("same", "/b", "B edited")])
    assert second[0][0] != first[0][0]
    assert (second[0][1], third) == (1, [(second[0][0], 2)])
    first, second = polled([constant("a")], [("same", "/moved", "A")])
    assert second == [(first[0][0], 2)]


def test_marks_from_before_names_were_remembered_go_by_the_key() -> None:
    """Their names come with the next touch."""
    old = msgspec.msgpack.encode(msgspec.msgpack.decode(kept(run([entry()]))["k1"])[:6])
    assert run([entry()], {"k1": old}).unchanged == 1


def test_a_mark_is_small() -> None:
    names = digests(Names("g" * 500, "l" * 500, "t" * 500))
    [mark] = kept(run([Entry("k1", "A title", "x" * 5000, "/a", "en", None, names)])).values()
    assert len(mark) < 80


def test_a_short_entry_takes_the_language_of_its_document() -> None:
    """Where neither states one; an entry clearly in another language keeps its own."""
    english = "The river has burst its banks in the night, and two villages were cleared."
    german = "Der Fluss ist in der Nacht über die Ufer getreten, zwei Dörfer wurden geräumt."
    around = [entry(f"k{n}", text=f"{english} {n}", lang="") for n in range(20)]
    short, clear = entry("short", "Goals!", "", ""), entry("clear", "", german, "")
    langs = {article.id: article.lang for article in run([short, clear, *around]).articles}
    assert (langs["f1.short"], langs["f1.clear"]) == ("en", "de")
    assert [article.lang for article in run([short]).articles] == ["und"]


def test_a_link_with_other_tracking_at_every_fetch_is_no_edit() -> None:
    link = "https://www.harbourpost.com/a?utm_content={}"
    shown = [
        Entry("k", "Title", "A text.", link.format(fetch), "en", None, digests(Names("g", "", "T"))) for fetch in (1, 2)
    ]
    first = decide(shown[:1], {}, feed="f", source="Post", now=NOW, keep_s=1e6, first_fetch=False)
    marks = {key: mark for key, (_, mark) in first.marks.items()}
    again = decide(shown[1:], marks, feed="f", source="Post", now=NOW + 60, keep_s=1e6, first_fetch=False)
    assert (again.articles, again.marks, again.unchanged) == ([], {}, 1)


def test_a_mark_of_an_earlier_version_that_knows_no_page_makes_no_edit() -> None:
    """It learns its page when it is touched."""
    shown = Entry(
        "k", "Title", "A text.", "http://www.harbourpost.com/a?utm_content=1", "en", None, digests(Names("g", "", "T"))
    )
    first = decide([shown], {}, feed="f", source="Post", now=NOW, keep_s=1e6, first_fetch=False)
    content = "\0".join((shown.title, shown.text, shown.url)).encode()
    old = msgspec.msgpack.decode(first.marks["k"][1])[:7]
    old[0] = blake2b(content, digest_size=8).digest()
    marks = {"k": msgspec.msgpack.encode(old)}
    for later_s in (60, 90_000, 90_060, 180_000):
        decision = decide([shown], marks, feed="f", source="Post", now=NOW + later_s, keep_s=1e6, first_fetch=False)
        assert (decision.articles, decision.unchanged) == ([], 1)
        marks |= {key: mark for key, (_, mark) in decision.marks.items()}


def test_a_link_with_other_tracking_at_every_fetch_is_no_new_entry() -> None:
    """Without a guid nothing else is the same; the headline may be edited too."""
    marks: dict[str, bytes] = {}
    for fetch in range(3):
        link = f"https://www.harbourpost.com/a?utm_content={fetch}"
        shown = Entry(
            f"k{fetch}", f"Title {fetch}", "A text.", link, "en", None, digests(Names("", link, f"T {fetch}"))
        )
        decision = decide([shown], marks, feed="f", source="Post", now=NOW + fetch, keep_s=1e6, first_fetch=False)
        marks |= {key: mark for key, (_, mark) in decision.marks.items()}
        assert [article.id for article in decision.articles] == ["f.k0"]
        assert (decision.new, decision.revised) == ((1, 0) if fetch == 0 else (0, 1))

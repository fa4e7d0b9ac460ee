"""New, revised, unchanged, forgotten: what a document means against what was seen before."""

from collections.abc import Mapping, Sequence

import msgspec

from worker.feed.decide import Decision, decide
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

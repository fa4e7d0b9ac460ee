"""Whose an article is that several feeds carry: claims, and what a feed makes of another's."""

from worker.feed.carried import APART_S, VOID, Claim, claims, settle
from worker.feed.decide import Decision, decide
from worker.feed.identity import Names, digests
from worker.feed.parse import Entry

NOW = 1_750_000_000.0
SITE = "https://harbourpost.com"
LIST = "https://news.ycombinator.com/rss"


def entry(name: str, link: str, published: float | None = NOW, text: str = "Two pillars are cracked.") -> Entry:
    names = digests(Names(name, link, f"Title {name}"))
    return Entry(name, f"Title {name}", text, link, "en", published, names)


def decided(*entries: Entry, marks: dict[str, bytes] | None = None, address: str = f"{SITE}/rss") -> Decision:
    return decide(
        entries, marks or {}, feed="f", source="Post", now=NOW, keep_s=1e6, first_fetch=False, address=address
    )  # fmt: skip


def kept(decision: Decision) -> dict[str, bytes]:
    """The marks that a decision leaves."""
    return {key: mark for key, (_, mark) in decision.marks.items()}


ONE = decided(entry("a", f"{SITE}/a"))


def test_a_new_article_claims_the_page_that_it_alone_leads_to() -> None:
    assert claims(ONE) == {f"{SITE}/a": Claim("f.a", "en", NOW)}
    assert claims(decided(entry("a", f"{SITE}/a"), entry("b", f"{SITE}/a#b"), entry("c", SITE))) == {}


def test_what_is_known_or_edited_claims_nothing() -> None:
    assert claims(decided(entry("a", f"{SITE}/a"), marks=kept(ONE))) == {}
    assert claims(decided(entry("a", f"{SITE}/a", text="Three are."), marks=kept(ONE))) == {}


def test_a_list_of_links_may_only_ask() -> None:
    assert claims(decided(entry("a", f"{SITE}/a"), address=LIST)) == {f"{SITE}/a": None}


def test_a_feed_of_another_address_may_only_ask() -> None:
    """Whatever it calls itself, and however many pages of the newsroom it links to."""
    several = [entry(name, f"{SITE}/{name}") for name in "abcdef"]
    asked = claims(decided(*several, address="https://evil.example/feed"))
    assert asked == {f"{SITE}/{name}": None for name in "abcdef"}


def test_a_claim_of_its_own_or_none_changes_nothing() -> None:
    """A poller that died after its claim finds that again; a voided one tells nothing."""
    for said in ({}, {f"{SITE}/a": VOID}, {f"{SITE}/a": Claim("f.a", "en", NOW)}):
        assert settle(ONE, "f", said) == (ONE, [])


def test_an_article_that_another_feed_claimed_is_published_under_that_name() -> None:
    settled, void = settle(ONE, "f", {f"{SITE}/a": Claim("g.x", "de", NOW - 60)})
    [article] = settled.articles
    assert (article.id, article.revision, article.lang, article.title) == ("g.x", 0, "de", "Title a")
    assert (settled.new, settled.carried, settled.entries, void) == (0, 1, {"g.x": "a"}, [])


def test_its_edits_are_the_other_feed_s_to_tell() -> None:
    settled, _ = settle(ONE, "f", {f"{SITE}/a": Claim("g.x", "en", NOW)})
    edited = decided(entry("a", f"{SITE}/a", text="Three are cracked."), marks=kept(settled))
    assert (edited.articles, edited.revised, edited.unchanged) == ([], 0, 1)
    again = decided(entry("a", f"{SITE}/a", text="Three are cracked."), marks=kept(edited))
    assert again.marks == {}


def test_a_page_with_another_article_half_a_day_later_is_a_place() -> None:
    for apart_s, carried in ((APART_S - 1, 1), (APART_S, 0), (-APART_S, 0)):
        settled, void = settle(ONE, "f", {f"{SITE}/a": Claim("g.x", "en", NOW + apart_s)})
        assert (settled.carried, void) == (carried, [])


def test_a_page_that_one_feed_leads_to_from_two_articles_is_void() -> None:
    settled, void = settle(ONE, "f", {f"{SITE}/a": Claim("f.earlier", "en", NOW)})
    assert (settled.articles, void) == (ONE.articles, [f"{SITE}/a"])


def test_no_two_entries_are_made_one() -> None:
    """Two pages that another feed took for one article: the second stays what it is."""
    both = decided(entry("a", f"{SITE}/a"), entry("b", f"{SITE}/b"))
    settled, _ = settle(both, "f", dict.fromkeys((f"{SITE}/a", f"{SITE}/b"), Claim("g.x", "en", NOW)))
    assert len({article.id for article in settled.articles}) == 2

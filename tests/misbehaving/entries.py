"""Feeds whose entries change their names, share them, have none, or are dated wrongly."""

from collections.abc import Callable, Mapping

from tests.misbehaving.answering import feed
from tests.misbehaving.case import FIRST, ONE, SECOND, TWO, Case, Places, channel, item
from worker.model import Article

_THIRD = "Museum shows old maps"
_HOME = "https://news.example/"
_PAGE = f"{_HOME}2025/06/harbour"


def entries(at: Places) -> list[Case]:
    """The cases."""
    three = (item(FIRST), item(SECOND), item(_THIRD))
    titles = (FIRST, SECOND, _THIRD)
    return [
        Case("new-guids", "gives every entry a new GUID in each fetch",
             [feed(channel(item(FIRST, guid=f"a{n}"), item(SECOND, guid=f"b{n}"))) for n in range(3)], "ok",
             titles=(FIRST, SECOND)),
        Case("new-links", "gives every entry a new tracking parameter in each fetch",
             [feed(channel(item(FIRST, guid="", link=f"{_PAGE}?utm_source=rss&utm_id={n}"))) for n in range(3)], "ok",
             titles=(FIRST,)),
        Case("session-links", "puts a session number into every link",
             [feed(channel(*(item(t, link=f"{_PAGE}-{t[0]}.html?PHPSESSID={n}") for t in titles))) for n in range(3)],
             "ok", titles=titles),
        Case("shared-guid", "gives two entries one GUID",
             [feed(channel(item(FIRST, guid="x"), item(SECOND, guid="x"), item(_THIRD)))] * 2, "same-body",
             titles=titles),
        Case("one-guid", "gives all entries one GUID",
             [feed(channel(item(FIRST, guid="x"), item(SECOND, guid="x"))),
              feed(channel(item(_THIRD, guid="x"), item(FIRST, guid="x"), item(SECOND, guid="x")))], "ok",
             titles=titles),
        Case("one-entry", "shows one entry at a time, always under the same GUID",
             [feed(channel(item(title, guid="x"))) for title in titles], "ok", titles=titles),
        Case("one-link", "links every entry to its front page",
             [feed(channel(*(item(title, guid="", link=_HOME) for title in titles)))], "ok", titles=titles),
        Case("no-guids", "has neither GUIDs nor links",
             [feed(channel(item(FIRST, guid="", link=""))),
              feed(channel(item(SECOND, guid="", link=""), item(FIRST, guid="", link="")))], "ok",
             titles=(FIRST, SECOND)),
        Case("twice", "shows an entry twice", [feed(channel(item(FIRST), item(FIRST), item(SECOND)))], "ok",
             titles=(FIRST, SECOND)),
        Case("edited", "edits a title",
             [feed(ONE), feed(channel(item(f"{FIRST} (updated)", guid="-".join(FIRST.lower().split()),
                                           link=f"{_HOME}{'-'.join(FIRST.lower().split())}")))], "ok",
             titles=(f"{FIRST} (updated)",), queued=2),
        Case("no-dates", "has no dates", [feed(channel(item(FIRST, date="")))], "ok", titles=(FIRST,),
             brought=_dated({FIRST: None})),
        Case("odd-dates", "has words for dates", [feed(channel(item(FIRST, date="soon")))], "ok", titles=(FIRST,),
             brought=_dated({FIRST: None})),
        Case("2099", "has dates in the future", [feed(channel(item(FIRST, date="Thu, 01 Jan 2099 00:00:00 GMT")))],
             "ok", titles=(FIRST,), brought=_dated({FIRST: 4070908800.0})),
        Case("1970", "has dates of 1970", [feed(channel(item(FIRST, date="Thu, 01 Jan 1970 00:00:00 GMT")))], "ok",
             titles=(FIRST,), brought=_dated({FIRST: 0.0})),
        Case("no-zone", "has dates without a time zone",
             [feed(channel(item(FIRST, date="Sun, 15 Jun 2025 15:00:00")))], "ok", titles=(FIRST,),
             brought=_dated({FIRST: 1749999600.0}), owed="the date is taken for none"),
        Case("odd-zone", "has dates with a time zone that does not exist",
             [feed(channel(item(FIRST, date="Sun, 15 Jun 2025 15:00:00 XYZ")))], "ok", titles=(FIRST,),
             brought=_dated({FIRST: 1749999600.0})),
        Case("new-dates", "dates every entry anew in each fetch",
             [feed(channel(item(FIRST, date=f"Sun, 15 Jun 2025 15:0{n}:00 GMT"))) for n in range(3)], "ok",
             titles=(FIRST,)),
        Case("oldest-first", "shows its oldest entries first",
             [feed(channel(item(FIRST))), feed(channel(item(FIRST), item(SECOND)))], "ok", titles=(FIRST, SECOND)),
        Case("shrinks", "shrinks to one entry and grows again",
             [feed(channel(*three)), feed(ONE), feed(channel(*three))], "ok", titles=titles),
        Case("shuffled", "shows its entries in another order each time",
             [feed(channel(*three)), feed(channel(*reversed(three))), feed(channel(*three[1:], three[0]))], "ok",
             titles=titles),
        Case("comes-and-goes", "shows a story, hides it and shows it again", [feed(TWO), feed(ONE), feed(TWO)], "ok",
             titles=(FIRST, SECOND)),
        Case("relative-links", "has relative links", [feed(channel(item(FIRST, link="/a"), item(SECOND, link="b")))],
             "ok", titles=(FIRST, SECOND), brought=_linked({FIRST: f"{_HOME}a", SECOND: f"{_HOME}b"})),
        Case("odd-links", "has links to scripts", [feed(channel(item(FIRST, link="javascript:alert(1)")))], "ok",
             titles=(FIRST,), brought=_linked({FIRST: ""})),
        Case("no-title", "has an entry without a title",
             [feed(channel(item("", guid="x", link=f"{_HOME}x", text="A short text.")))], "ok",
             titles=("A short text.",)),
    ]  # fmt: skip


def _dated(dates: Mapping[str, float | None]) -> Callable[[list[Article]], object]:
    return lambda articles: {article.title: article.published for article in articles} == dates


def _linked(links: Mapping[str, str]) -> Callable[[list[Article]], object]:
    return lambda articles: {article.title: article.url for article in articles} == links

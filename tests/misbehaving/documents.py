"""Documents that are no feeds, are not what is said of them, or are written wrongly."""

from itertools import pairwise

from tests.e2e.feed_server import page
from tests.misbehaving.answering import feed
from tests.misbehaving.case import FIRST, ONE, SECOND, TWO, Case, Places, channel, item

_UMLAUTS = "Zürcher Käse für Österreich"
_LETTERS = channel(item(_UMLAUTS))
_CHECK = "check the address in a browser"


def documents(at: Places) -> list[Case]:
    """The cases."""
    link = "<link rel='alternate' type='application/rss+xml' href='/rss?a=1&amp;b=2'>"
    wrong_types = {
        "html": "text/html; charset=utf-8", "plain": "text/plain", "png": "image/png",
        "download": "application/octet-stream", "no-type": "", "odd-type": "application/rss+xml; charset=klingon; ;=",
    }  # fmt: skip
    return [
        *(_type(f"as-{name}", kind) for name, kind in wrong_types.items()),
        Case("page-with-feed", "is a web page that names its feed",
             [page(f"<!DOCTYPE html><html><head>{link}</head><body>News</body></html>", content_type="text/html")],
             told=f"a web page, not a feed: try {at.plain}/rss?a=1&b=2"),
        Case("page", "is a web page without a feed", [page("<html><body>Hello</body></html>")],
             told="a web page, not a feed: look for its RSS address"),
        Case("picture", "is a picture", [page(b"\x89PNG\r\n\x1a\n" + bytes(range(256)), content_type="image/png")],
             told=f"neither RSS nor Atom: {_CHECK}"),
        Case("text", "is a text", [page("Nothing to see here.", content_type="text/plain")],
             told=f"neither RSS nor Atom: {_CHECK}"),
        Case("no-entries", "is a feed without entries", [feed(channel())], "empty",
             "the feed is valid and has no entries yet"),
        Case("cut", "is cut off inside an entry", [feed(TWO[: TWO.rindex("All there")])], "ok",
             "the document ends in the middle of an entry: only what stands before it was taken", titles=(SECOND,)),
        Case("line-before", "begins with blank lines, which XML does not allow", [feed("\n\n  " + ONE)], "ok",
             titles=(FIRST,)),
        Case("warning-before", "begins with a warning of the program that made it",
             [feed("<br />Warning: mysql_connect() failed\n" + ONE)], "ok", titles=(FIRST,)),
        Case("comment-after", "ends with a comment of a cache", [feed(ONE + "<!-- cached 0.2 s -->")], "ok",
             titles=(FIRST,)),
        Case("ampersand", "has ampersands that are not escaped", [feed(ONE.replace("after", "& after & all"))], "ok",
             titles=("Harbour opens & after & all storm",)),
        Case("entity", "has entities of HTML, which XML does not know", [feed(ONE.replace("opens ", "opens&nbsp;"))],
             "ok", titles=(FIRST,)),
        Case("control", "has control characters, which XML does not allow",
             [feed(ONE.replace("opens", "\x0bopens\x00"))], "ok", titles=(FIRST,)),
        Case("laughs", "defines entities that grow to gigabytes", [feed(_laughs())],
             told="has over 100,000 tags, hundreds of attributes on one, or entities that grow: find a shorter feed of "
             "this site"),
        Case("outside-entity", "has an entity that names a file of ours", [feed(_outside())], "ok",
             titles=(FIRST,), brought=lambda articles: "root:" not in articles[0].text),
        _letters("says-utf-8", "says UTF-8 and is Latin-1", _LETTERS.encode("latin-1"), "application/rss+xml"),
        _letters("says-latin-1", "says Latin-1 and is UTF-8", _said("iso-8859-1").encode(),
                 "text/xml; charset=iso-8859-1"),
        _letters("says-klingon", "names an encoding that nobody knows", _said("klingon").encode(), "text/xml"),
        _letters("utf-16", "is written in UTF-16", _said("utf-16").encode("utf-16"), "application/xml"),
        _letters("header-alone", "tells its encoding in a header alone", _said("").encode("latin-1"),
                 "application/xml; charset=iso-8859-1"),
        _letters("bom", "begins with a byte order mark", b"\xef\xbb\xbf" + _LETTERS.encode(), "text/plain"),
        Case("10000-entries", "has 10,000 entries",
             [feed(channel(*(item(f"Story {n}", guid="", date="") for n in range(10_000))))], "ok",
             "only the first 2,000 of 10,000 entries were taken",
             titles=[f"Story {n}" for n in range(2_000)]),
        Case("20000-entries", "has 20,000 entries of six fields each",
             [feed(channel(*(item(f"Story {n}") for n in range(20_000))))],
             told="has over 100,000 tags, hundreds of attributes on one, or entities that grow: find a shorter feed of "
             "this site"),
    ]  # fmt: skip


def _type(name: str, kind: str) -> Case:
    says = f"says that it is {kind.partition(';')[0]}" if kind else "does not say what it is"
    headers = {"content_type": kind} if kind else {}
    says = "names its encoding in a way that nobody knows" if "klingon" in kind else says
    return Case(name, says, [page(ONE, 200, **headers)], "ok", titles=(FIRST,))


def _letters(name: str, does: str, body: bytes, kind: str) -> Case:
    return Case(name, does, [page(body, content_type=kind)], "ok", titles=(_UMLAUTS,))


def _said(encoding: str) -> str:
    """The document with another encoding named in its first line, or none."""
    return _LETTERS.replace(' encoding="utf-8"', f' encoding="{encoding}"' if encoding else "")


def _laughs() -> str:
    names = "abcdefghij"
    grown = "".join(f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in pairwise(names))
    return ONE.replace("?>", f"?><!DOCTYPE rss [<!ENTITY a 'ha'>{grown}]>", 1).replace(FIRST, "&j;")


def _outside() -> str:
    named = "?><!DOCTYPE rss [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
    return ONE.replace("?>", named, 1).replace("All there", "&x; All there")

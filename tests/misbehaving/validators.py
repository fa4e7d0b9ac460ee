"""Servers whose ETag and Last-Modified say nothing, or the wrong thing."""

from collections.abc import Callable

from tests.e2e.feed_server import Request, page, versioned
from tests.misbehaving.answering import always_not_modified, feed, headed
from tests.misbehaving.case import FIRST, ONE, SECOND, TWO, Case, Places


def validators(at: Places) -> list[Case]:
    """The cases; every one is polled twice or more."""
    return [
        Case(
            "304-for-ever",
            "answers 304 for ever to whoever has been there before, whatever is new",
            [always_not_modified(ONE, '"1"'), *[always_not_modified(TWO, '"1"')] * 3],
            "ok",
            titles=(FIRST, SECOND),
            sent=lambda asked: "if-none-match" in asked[2].headers and "if-none-match" not in asked[3].headers,
        ),
        Case(
            "one-etag",
            "gives one ETag for two documents",
            [feed(ONE, etag='"1"'), feed(TWO, etag='"1"')],
            "ok",
            titles=(FIRST, SECOND),
        ),
        Case(
            "new-etag",
            "gives another ETag each time, for the same document",
            [feed(ONE, etag=f'"{number}"') for number in range(3)],
            "same-body",
            titles=(FIRST,),
        ),
        _sent_back("weak-etag", "has a weak ETag", 'W/"1"'),
        _sent_back("bare-etag", "has an ETag without quotes", "1-2-3"),
        _sent_back("odd-etag", "has an ETag with quotes, commas and spaces in it", '"a", "b" c"'),
        Case(
            "odd-date",
            "has words for a Last-Modified",
            [feed(ONE, last_modified="yesterday, about noon"), page("", status=304)],
            "not-modified",
            titles=(FIRST,),
            sent=lambda asked: asked[1].headers["if-modified-since"] == "yesterday, about noon",
        ),
        _not_sent("empty-etag", "has an empty ETag", b"ETag: "),
        _not_sent("huge-etag", "has an ETag of 5,000 characters", b'ETag: "' + b"x" * 5_000 + b'"'),
        _not_sent("binary-etag", "has an ETag of bytes that are no text", b'ETag: "\xff\xfe\x80"'),
        Case(
            "304-unasked",
            "answers 304 to a first visit",
            [page("", status=304)],
            told="answers with status 304: nothing has changed, it says, since a visit that it was not told of: it is "
            "tried again later",
        ),
        Case(
            "304-with-news",
            "gives a new ETag with a 304",
            [feed(ONE, etag='"1"'), page("", status=304, etag='"2"'), versioned(TWO, '"2"')],
            "not-modified",
            titles=(FIRST,),
            sent=_last_etag('"2"'),
        ),
    ]


def _last_etag(etag: str) -> Callable[[list[Request]], object]:
    return lambda asked: asked[-1].headers.get("if-none-match") == etag


def _sent_back(name: str, does: str, etag: str) -> Case:
    """A validator that only its server understands: it comes back byte for byte."""
    answer = versioned(ONE, etag)
    return Case(name, does, [answer, answer], "not-modified", titles=(FIRST,), sent=_last_etag(etag))


def _not_sent(name: str, does: str, header: bytes) -> Case:
    """A validator that cannot be sent back: the document itself tells that nothing is new."""
    answer = headed(header, ONE)
    return Case(
        name,
        does,
        [answer, answer],
        "same-body",
        titles=(FIRST,),
        sent=lambda asked: "if-none-match" not in asked[-1].headers,
    )

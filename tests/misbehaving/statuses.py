"""Servers that answer with anything but a feed: status codes, empty answers, error pages."""

from tests.e2e.feed_server import page
from tests.misbehaving.answering import feed
from tests.misbehaving.case import FIRST, ONE, SECOND, TWO, Case, Places

_LEFT_ALONE = "answers with status 429: it was asked too often and is left alone for a while"
_SORRY = "<!DOCTYPE html><html><body><h1>Database error</h1></body></html>"
_NOT_A_FEED = "a web page, not a feed: look for its RSS address"


def statuses(at: Places) -> list[Case]:
    """The cases."""
    return [
        *(_status(status, f"answers with status {status}: {told}") for status, told in _TOLD.items()),
        Case(
            "404-once",
            "is not there today, and is back tomorrow",
            [feed(ONE), page("", status=404), feed(TWO)],
            "ok",
            titles=(FIRST, SECOND),
        ),
        Case(
            "410",
            "answers with status 410, which is meant",
            [page("gone", status=410)],
            "gone",
            "answers with status 410: it is gone for good: remove it, or add its new address",
            waits_h=(1e9, float("inf")),
        ),
        Case(
            "403-for-now",
            "answers with status 403 and a Retry-After of three hours",
            [page("", status=403, retry_after="10800")],
            "refused",
            "answers with status 403: it does not let us in for now and is left alone for a while",
            waits_h=(3, 4),
        ),
        _refused("429-seconds", "asks for two hours of rest, in seconds", "7200", (2, 3)),
        _refused("429-date", "asks for rest until a date", "Sun, 15 Jun 2025 20:06:40 GMT", (5, 6)),
        _refused("429-past", "asks for rest until a date of last year", "Sat, 15 Jun 2024 20:06:40 GMT", (0.2, 24)),
        _refused("429-year", "asks for a year of rest", "31536000", (23.9, 30)),
        _refused("429-negative", "asks for a negative rest", "-60", (0.2, 24)),
        _refused("429-words", "asks for rest in words that no program knows", "after lunch", (0.2, 24)),
        _refused("429-none", "was asked too often and does not say for how long", "", (0.9, 24)),
        Case(
            "503",
            "is overloaded, for twenty minutes as it says",
            [page("", status=503, retry_after="1200")],
            "refused",
            "answers with status 503: it is overloaded and is left alone for a while",
            waits_h=(0.3, 24),
        ),
        Case(
            "200-error-page",
            "answers with status 200 and an error page, once",
            [feed(ONE), page(_SORRY, content_type="text/html"), feed(TWO)],
            "ok",
            titles=(FIRST, SECOND),
        ),
        Case("200-page", "answers with status 200 and an error page, always", [page(_SORRY)], told=_NOT_A_FEED),
        Case(
            "200-json",
            "answers with status 200 and an error in JSON",
            [page('{"error": "try again"}', content_type="application/json")],
            told="JSON, but no JSON Feed (or a broken one): look for the site's RSS or Atom address",
        ),
        Case("200-empty", "answers with status 200 and nothing", [page("")], told=_EMPTY),
        Case("200-blank", "answers with status 200 and blank lines", [page(" \r\n \r\n")], told=_EMPTY),
        Case("204", "answers with status 204, which has no body", [page("", status=204)], told=_EMPTY),
        Case(
            "206",
            "answers with status 206, a part of the document",
            [feed(TWO[: TWO.rindex("</item>") - 20], status=206)],
            "ok",
            "the document ends in the middle of an entry: only what stands before it was taken",
            titles=(SECOND,),
        ),
    ]


_EMPTY = "the answer is empty: check the address in a browser"
_TOLD = {
    400: "it is tried again later",
    401: "it wants a password: write it into the address as https://USER:PASSWORD@HOST/...",
    403: "it does not let us in: ask its owner, or remove the feed",
    404: "there is no such page: look for the feed's new address",
    406: "it has no feed for us: look for another address of it",
    418: "it does not serve programs such as this one: ask its owner, or remove the feed",
    451: "it may not be read for reasons of law: remove the feed",
    500: "it is tried again later",
    522: "it is tried again later",
}


def _status(status: int, told: str) -> Case:
    return Case(str(status), f"answers with status {status}", [page("no", status=status)], told=told, waits_h=(0.1, 48))


def _refused(name: str, does: str, retry_after: str, waits_h: tuple[float, float]) -> Case:
    headers = {"retry_after": retry_after} if retry_after else {}
    return Case(name, does, [page("", status=429, **headers)], "refused", _LEFT_ALONE, waits_h=waits_h)

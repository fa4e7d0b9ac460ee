"""Lines of JSON: what is an article, and what is told of what is none."""

import json

import pytest

from worker.feed.lines import BadLine, Line, article_of, parse_line, web_address


def line(**fields: object) -> Line:
    found = parse_line(json.dumps({"id": "a", "title": "T", **fields}).encode())
    assert isinstance(found, Line), found
    return found


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "no JSON object"),
        (b"[]", "wrong type"),
        (b'"text"', "wrong type"),
        (b"\xff\xfe{}", "no JSON object"),
        (b"{}", 'no "id"'),
        (b'{"id": 7, "title": "T"}', '"id" that is no text'),
        (b'{"id": " ", "title": "T"}', 'no "id"'),
        (b'{"id": "a"}', 'neither "title" nor "text"'),
        (b'{"id": "a", "title": "", "text": "  "}', 'neither "title" nor "text"'),
        (b'{"id": "a", "title": ["T"]}', "wrong type"),
        (b'{"id": "a", "title": "T", "published": "yesterday"}', "RFC 3339"),
        (b'{"id": "a", "title": "T", "published": "2026-13-01T00:00:00Z"}', "RFC 3339"),
        (json.dumps({"id": "x" * 201, "title": "T"}).encode(), "longer than 200"),
        (json.dumps({"id": "a\x1b[2J", "title": "T"}).encode(), "control characters"),
        (b'{"id": "a", "title": "T", "deep": ' + b"[" * 100_000, "no JSON object"),
    ],
)
def test_a_bad_line_says_what_is_wrong(raw: bytes, reason: str) -> None:
    found = parse_line(raw)
    assert isinstance(found, BadLine)
    assert reason in found.reason
    assert "\n" not in found.reason
    assert len(found.reason) < 200


def test_unknown_fields_and_nulls_are_ignored() -> None:
    found = line(text=None, story={"deep": [1]}, published=None, source=None)
    assert article_of(found, 5.0, backfill=True).title == "T"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-02T00:00:00Z", 86_400.0),
        ("1970-01-02T00:00:00+02:00", 79_200.0),
        ("1970-01-02T00:00:00.250Z", 86_400.25),
        ("1970-01-02T00:00:00", 86_400.0),
        ("1969-12-31T00:00:00Z", -86_400.0),
    ],
)
def test_times_are_rfc_3339_and_utc_where_they_do_not_say(text: str, seconds: float) -> None:
    assert line(published=text).published == seconds


def test_an_article_is_clean_and_its_language_decided() -> None:
    fields = {"title": "<b>Hello</b>\nworld", "text": "<p>Das ist &amp; bleibt ein deutscher Satz über den Fluss.</p>"}
    article = article_of(line(**fields, url="https://example.org/a", source="Echo", lang="de-AT"), 7.0, backfill=False)
    assert (article.title, article.lang, article.received, article.backfill) == ("Hello world", "de", 7.0, False)
    assert article.text == "Das ist & bleibt ein deutscher Satz über den Fluss."


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://example.org/a?b=c", True),
        ("http://[::1]:80/", True),
        ("javascript:alert(1)", False),
        ("ftp://example.org", False),
        ("//example.org", False),
        ("https://", False),
        ("http://[", False),
        ("https://exa mple.org", False),
        ("https://example.org/\x1b[2J", False),
    ],
)
def test_only_http_links_are_kept(url: str, kept: bool) -> None:
    assert web_address(url) == (url if kept else "")

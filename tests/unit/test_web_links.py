"""Which addresses of others become links: http and https, and none that is not what it seems."""

import pytest

from worker.web.links import safe
from worker.web.login import own_page


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a?b=c&d=e#f",
        "http://example.org:8080/",
        "https://[2001:db8::1]/x",
        "https://bücher.example/ä",
        "HTTPS://example.org",
        "https://example.org/it's \x22quoted\x22".replace(" ", "%20"),
    ],
)
def test_what_leads_to_a_page_is_a_link(url: str) -> None:
    assert safe(url) == url
    assert safe(f" {url}\n") == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/feeds",
        "//example.org",
        "example.org",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "mailto:a@example.org",
        "ftp://example.org",
        "blob:https://example.org/x",
        "https:",
        "https:///x",
        "https://user@example.org",
        "https://example.org@evil.example",
        "https://example.org\\@evil.example",
        "https://example.org/\u202egro.live",
        "https://exam\u200bple.org",
        "https://example.org/\ud800",
        "https://example.org/a\uffffb",
        "https://example.org/\ufdd0",
        "https://example.org/\U0002fffe",
        "https://example.org/a b",
        "https://example.org/\x00",
        "https://example.org:port/",
        "https://[::1/",
        "https://example.org/" + "a" * 2_000,
    ],
)
def test_everything_else_is_text(url: str) -> None:
    assert safe(url) is None


@pytest.mark.parametrize("where", ["/", "/feeds?x=1", "/wire/stories/en-1"])
def test_who_logs_in_goes_where_it_was_going(where: str) -> None:
    assert own_page(where, "/wire") == where


@pytest.mark.parametrize(
    "where",
    ["", "feeds", "//evil.example", "///evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example",
     "javascript:alert(1)", "/\r\nSet-Cookie: a=b", "\\\\evil.example", "/\u202e", "//[", "http://[::1/"],
)  # fmt: skip
def test_who_logs_in_goes_nowhere_else(where: str) -> None:
    assert own_page(where, "/wire") == "/wire/"

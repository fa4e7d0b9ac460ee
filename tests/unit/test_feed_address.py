"""Addresses of feeds: one spelling, one id; and clear words for what is none."""

import pytest

from worker.errors import BadInput
from worker.feed.address import feed_id, normal_url, shown_url, web_link


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("https://example.org/feed.xml", "https://example.org/feed.xml"),
        ("  HTTP://Example.ORG:80/Feed?a=B#part ", "http://example.org/Feed?a=B"),
        ("https://example.org:443", "https://example.org/"),
        ("https://example.org:8443/x", "https://example.org:8443/x"),
        ("feed://example.org/x", "https://example.org/x"),
        ("feed:http://example.org/x", "http://example.org/x"),
        ("http://user:pa@ss@example.org/x", "http://user:pa@ss@example.org/x"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("https://münchen.example/ö", "https://münchen.example/ö"),
    ],
)
def test_an_address_has_one_spelling(typed: str, url: str) -> None:
    assert normal_url(typed) == url
    assert normal_url(url) == url
    assert feed_id(normal_url(typed)) == feed_id(url)


@pytest.mark.parametrize(
    "typed",
    ["", "x", "example.org/feed", "mailto:a@b.c", "http://", "http:/x", "http://a b/", "http://x:99999/", "//x/y"],
)
def test_what_is_no_address_is_refused_in_words(typed: str) -> None:
    with pytest.raises(BadInput, match=r"write it like https://example\.org/feed\.xml"):
        normal_url(typed)


def test_a_password_is_never_shown() -> None:
    assert shown_url("https://user:secret@example.org/x?y") == "https://example.org/x?y"
    assert shown_url("https://example.org/x") == "https://example.org/x"


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("b.html", "https://example.org/a/b.html"),
        ("/b", "https://example.org/b"),
        ("//other.example/b", "https://other.example/b"),
        ("https://x.example/\n  b", "https://x.example/b"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("mailto:a@b.c", ""),
        ("http://[broken", ""),
        ("https://x.example/a b", ""),
        ("https://x.example/" + "a" * 3000, ""),
        ("https://x.example/a\uffffb", ""),
        ("https://x.example/a\U0010fffeb", ""),
    ],
)
def test_links_become_absolute_web_addresses_or_nothing(link: str, url: str) -> None:
    assert web_link("https://example.org/a/", link) == url

"""Registrable domains: whose an address is."""

import socket

import pytest

from worker.feed.domain import hostname, registrable


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.bbc.co.uk/news/rss.xml", "bbc.co.uk"),
        ("https://NEWS.Example.ORG:8443/feed", "example.org"),
        ("https://example.org./feed", "example.org"),
        ("https://someone.github.io/feed.xml", "someone.github.io"),
        ("https://blog.someone.blogspot.com/feed", "someone.blogspot.com"),
        ("https://www.city.kobe.jp/rss", "city.kobe.jp"),
        ("https://a.example.test/", "example.test"),
        ("https://www.bücher.de/feed", "xn--bcher-kva.de"),
        ("https://www.xn--bcher-kva.de/feed", "xn--bcher-kva.de"),
        ("https://www.食狮.公司.cn/feed", "xn--85x722f.xn--55qx5d.cn"),
        ("https://user:secret@feeds.example.com/x", "example.com"),
    ],
)
def test_the_registrable_domain_is_what_one_owner_holds(url: str, domain: str) -> None:
    assert registrable(url) == domain


@pytest.mark.parametrize(
    "url",
    ["http://192.0.2.1/feed", "http://[2001:db8::1]:80/", "http://localhost/", "https://co.uk/", "https://.../", "",
     "no url", "http://[::1", "mailto:someone@example.org", "http://" + "ü" * 300 + ".de/"],
)  # fmt: skip
def test_an_address_without_an_owner_has_none(url: str) -> None:
    assert registrable(url) == ""


def test_nothing_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list comes with the package: no network is asked for it."""

    def refuse(*_: object) -> None:
        raise AssertionError("a socket was made")

    monkeypatch.setattr(socket, "socket", refuse)
    assert registrable("https://never.seen.before.example.co.nz/") == "example.co.nz"


def test_a_host_is_written_as_it_is_looked_up() -> None:
    assert hostname("https://WWW.Bücher.de.:80/") == "www.xn--bcher-kva.de"
    assert hostname("http://[2001:DB8::1]/") == "2001:db8::1"

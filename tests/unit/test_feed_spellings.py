"""What a person may mean by an address that names no scheme."""

import pytest

from worker.feed.address import spellings


@pytest.mark.parametrize(
    "text", ["example.org", "//example.org", "feed://example.org", "feed:example.org", " example.org "]
)
def test_without_a_scheme_https_comes_first(text: str) -> None:
    assert spellings(text) == ["https://example.org", "http://example.org"]


def test_ports_and_paths_are_kept() -> None:
    assert spellings("127.0.0.1:8080/a?b#c")[1] == "http://127.0.0.1:8080/a?b#c"
    assert spellings("localhost:80")[0] == "https://localhost:80"
    assert spellings("[::1]:80/x")[0] == "https://[::1]:80/x"


@pytest.mark.parametrize(
    "text",
    ["https://a.example/b", "feed:https://a.example/b", "ftp://a.example/", "mailto:me@a.example", "word", "a b.c"],
)
def test_anything_else_is_what_it_is(text: str) -> None:
    assert spellings(text) == [text]

"""The way of a fetch through redirects: where it leads, what moved for good, and what is told to whom."""

import pytest

from worker.fetch.trail import MAX_REDIRECTS, Trail

HERE = "http://news.example/feed"


def followed(start: str, *steps: tuple[int, str]) -> Trail:
    """The trail after these redirects, none of which fails."""
    trail = Trail(start)
    for status, location in steps:
        assert trail.follow(status, location, ()) is None
    return trail


@pytest.mark.parametrize(
    ("start", "steps", "moved"),
    [
        (HERE, [], ""),
        (HERE, [(301, "/new")], "http://news.example/new"),
        (HERE, [(308, "https://news.example/feed")], "https://news.example/feed"),
        (HERE, [(301, "/a"), (308, "/b")], "http://news.example/b"),
        (HERE, [(301, "/a"), (302, "/b")], ""),
        (HERE, [(307, "/a"), (301, "/b")], ""),
        (HERE, [(303, "/a")], ""),
        ("https://news.example/feed", [(301, HERE)], ""),
        ("https://me:secret@news.example/feed", [(301, "/new")], "https://me:secret@news.example/new"),
    ],
)
def test_what_moved_for_good_moved_so_at_every_step(start: str, steps: list[tuple[int, str]], moved: str) -> None:
    """One temporary step, or one that gives TLS up, is no move."""
    assert followed(start, *steps).moved == moved


async def test_a_loop_that_only_wanted_its_cookie_moved_nowhere() -> None:
    trail = Trail(HERE)
    assert trail.follow(301, HERE, ["seen=1; Path=/"]) is None
    assert (str(trail.url), trail.cookies, trail.moved) == (HERE, "seen=1", "")


async def test_cookies_go_where_they_belong_and_end_with_the_fetch() -> None:
    """To their own site and path, as long as they live; another fetch begins without."""
    trail = Trail(HERE)
    given = ["a=1; Path=/", "b=2; Path=/deep", "c=3; Secure", "d=4; Max-Age=0", "e=5; Domain=other.example", "f"]
    assert trail.follow(302, "/feed2", given) is None
    assert trail.cookies == "a=1"
    assert trail.follow(302, "http://other.example/", ()) is None
    assert trail.cookies == ""
    assert trail.follow(302, "http://news.example/deep/feed", ()) is None
    assert sorted(trail.cookies.split("; ")) == ["a=1", "b=2"]
    assert Trail(HERE).cookies == ""


def test_a_password_is_told_to_nobody_else() -> None:
    """It stays with its scheme, host and port; no line shows it."""
    start = "https://me:secret@news.example/feed"
    assert str(followed(start, (302, "/there")).url) == "https://me:secret@news.example/there"
    for elsewhere in ("https://other.example/", "http://news.example/", "https://news.example:444/"):
        assert "secret" not in str(followed(start, (302, elsewhere)).url)
    assert "secret" not in followed(start, (302, "/there")).shown


def test_a_circle_is_told_at_once_and_an_endless_row_after_a_few() -> None:
    circle = Trail(HERE).follow(302, HERE, ())
    assert circle is not None
    assert "in a circle" in circle.reason
    trail = followed(HERE, *[(302, f"/{number}") for number in range(MAX_REDIRECTS)])
    last = trail.follow(302, "/more", ())
    assert last is not None
    assert "more than 5 times" in last.reason


@pytest.mark.parametrize(
    "place",
    ["file:///etc/passwd", "javascript:alert(1)", "http://", "//", "data:text/plain,x", "http://[::1", "gopher://x/"],
)
def test_what_is_no_web_address_is_not_followed(place: str) -> None:
    """A network path without a host leads to where we are, which is a circle."""
    failed = Trail(HERE).follow(302, place, ())
    assert failed is not None
    assert failed.kind == "redirects"


def test_letters_of_any_encoding_are_sent_as_the_bytes_that_came() -> None:
    """aiohttp gives bytes that are no UTF-8 as surrogates."""
    latin = b"/gr\xf6\xdfe".decode("utf-8", "surrogateescape")
    assert str(followed(HERE, (302, latin)).url) == "http://news.example/gr%F6%DFe"
    assert str(followed(HERE, (302, "/größe?a=b%20c")).url) == "http://news.example/gr%C3%B6%C3%9Fe?a=b%20c"

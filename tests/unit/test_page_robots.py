"""What is made of a robots.txt: RFC 9309, within reason."""

import time

import pytest

from worker.fetch import Failed, Fetched
from worker.pages.robots import KEPT_S, Policies, Policy, address, policy

AGENT = "Storywire/0.1 (+https://github.com/storywire/storywire)"
SITE = "https://news.example.org"
NOW = 1_000_000.0


def of(text: str | bytes) -> Policy:
    """The policy of a robots.txt."""
    body = text if isinstance(text, bytes) else text.encode()
    return policy(Fetched(body, f"{SITE}/robots.txt", "text/plain", "", "", ""), NOW)


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow:", "/a", True),
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", True),
        ("User-agent: *\nDisallow: /*.php$", "/x.php", False),
        ("User-agent: *\nDisallow: /*.php$", "/x.php?y", True),
        ("User-agent: GPTBot\nDisallow: /", "/a", True),
        ("User-agent: storywire\nDisallow: /\n\nUser-agent: *\nAllow: /", "/a", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: Storywire\nAllow: /", "/a", True),
        ("\ufeffUser-agent: *\r\nDisallow: /a\r\n", "/a", False),
        ("<html><body>404</body></html>", "/a", True),
        (b"\xff\xfe\x00garbage" * 50, "/a", True),
        ("User-agent: *\nDisallow: /caf%C3%A9", "/café", False),
    ],
)
def test_rules(text: str | bytes, path: str, allowed: bool) -> None:
    assert (of(text).why_not(SITE + path, AGENT) == "") == allowed


@pytest.mark.parametrize(
    ("failed", "allowed"),
    [
        (Failed("http", "", status=404), True),
        (Failed("http", "", status=401), True),
        (Failed("gone", "", status=410), True),
        (Failed("refused", "", status=429), False),
        (Failed("http", "", status=500), False),
        (Failed("refused", "", status=503), False),
        (Failed("timeout", ""), False),
        (Failed("connect", ""), False),
        (Failed("too-big", ""), True),
        (Failed("redirects", ""), True),
    ],
)
def test_who_has_none_allows_all_and_who_cannot_say_allows_nothing_for_now(failed: Failed, allowed: bool) -> None:
    found = policy(failed, NOW)
    assert (found.why_not(f"{SITE}/a", AGENT) == "") == allowed
    assert (found.until - NOW >= KEPT_S) == allowed, "what failed is asked for again sooner"


@pytest.mark.parametrize(
    ("said", "delay_s"), [("", 0.0), ("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("3600", 30.0), ("x", 0)]
)
def test_a_crawl_delay_is_kept_within_reason(said: str, delay_s: float) -> None:
    assert of(f"User-agent: *\nCrawl-delay: {said}\n").delay_s(AGENT) == delay_s


def test_only_so_much_is_read_and_in_little_time() -> None:
    """Half a megabyte of rules with wildcards, then one that stands beyond."""
    body = "User-agent: *\n" + "Disallow: /*a*a*a*a*b\n" * 30_000 + "Disallow: /\n" + "Allow: /" + "x" * 100_000
    began = time.process_time()
    assert of(body).why_not(SITE + "/" + "a" * 1_000, AGENT) == ""
    assert time.process_time() - began < 5


def test_a_policy_is_good_for_a_day_and_the_oldest_is_forgotten() -> None:
    known = Policies()
    found = known.keep("https://a.example/robots.txt", of("User-agent: *\nDisallow: /"))
    assert known.find("https://a.example/robots.txt", NOW + KEPT_S - 1) is found
    assert known.find("https://a.example/robots.txt", NOW + KEPT_S) is None
    assert known.find("https://a.example/robots.txt", NOW - 2 * KEPT_S) is None, "a clock that was set back"
    for number in range(2_000):
        known.keep(f"https://{number}.example/robots.txt", found)
    assert known.find("https://a.example/robots.txt", NOW) is None


def test_where_it_is() -> None:
    assert address("https://user:secret@a.example:8080/x/y?z#w") == "https://user:secret@a.example:8080/robots.txt"

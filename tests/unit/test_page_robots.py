"""What is made of a robots.txt: RFC 9309, within reason."""

import gc
import time
import tracemalloc
from copy import deepcopy
from time import process_time

import pytest

from worker.fetch import Failed, Fetched
from worker.pages.robots import KEPT_S, Policies, Policy, address, policy

AGENT = "Storywire/0.1 (+https://github.com/storywire/storywire)"
SITE = "https://news.example.org"
NOW = 1_000_000.0


def of(text: str | bytes) -> Policy:
    """The policy of a robots.txt."""
    body = text if isinstance(text, bytes) else text.encode()
    return policy(Fetched(body, f"{SITE}/robots.txt", "text/plain", "", "", ""), NOW, AGENT)


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
        ("User-agent: GPTBot\nUser-agent: storywire*\n# why\nSitemap: /s.xml\nDisallow: /a\n", "/a", False),
        ("User-agent: storywire\nDisallow: /a\nUser-agent: x\nDisallow: /b\nUser-agent: *\nDisallow: /c", "/b", True),
        ("User-agent: storywire\nDisallow: /a\nUser-agent: x\nDisallow: /b\nUser-agent: *\nDisallow: /c", "/c", True),
        ("useragent storywire\nDissallow /a", "/a", False),
        ("User-agent: x\nDisallow: /\n\nUser-agent: wire\nDisallow: /", "/a", True),
        ("User-agent: *\nDisallow: /a\nUser-agent: x\nDisallow: /x\nUser-agent: *\nDisallow: /b", "/b", False),
        ("User-agent: storywire\nDisallow:\nUser-agent: *\nDisallow: /", "/a", True),
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
    found = policy(failed, NOW, AGENT)
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


HOSTILE = {
    "rules": "User-agent: *\n" + "".join(f"Disallow: /*{n}*\n" for n in range(30_000)),
    "agents": "".join(f"User-agent: a{n}\nDisallow: /\n" for n in range(20_000)),
    "agents of one group": "".join(f"User-agent: a{n}\n" for n in range(20_000)) + "User-agent: *\nDisallow: /",
    "rules of others": "User-agent: x\n" + "Disallow: /a\n" * 35_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_nobody_needs_of_a_long_one_is_not_kept_and_costs_little(name: str) -> None:
    """Parsed as they are, these take 8 to 20 MB each, and a page 0.3 s where everything else waits."""
    began = process_time()
    found = of(HOSTILE[name])
    assert process_time() - began < 2
    assert getsize(found) < 2_500_000
    began = process_time()
    assert [found.why_not(f"{SITE}/" + "zz/" * (600 + n), AGENT) == "" for n in range(20)] == [
        name != "agents of one group"
    ] * 20
    assert process_time() - began < 2, "0.1 s a page"


def getsize(found: Policy) -> int:
    """The bytes that a policy takes, by what a copy of it takes."""
    gc.collect()
    tracemalloc.start()
    try:
        copied = deepcopy(found)
        size = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert size / 3 <= copied.kept_bytes, "far more than what is counted"
    return size


def test_long_ones_are_forgotten_before_short_ones_are() -> None:
    known = Policies()
    long = of(HOSTILE["rules"])
    for number in range(100):
        known.keep(f"https://{number}.example/robots.txt", long)
    kept = [number for number in range(100) if known.find(f"https://{number}.example/robots.txt", NOW)]
    assert 10 <= len(kept) < 30 and kept[-1] == 99, "by what they take"
    for _ in range(100):
        known.keep("https://99.example/robots.txt", long)
    assert known.find(f"https://{kept[0]}.example/robots.txt", NOW), "one that is read again is counted once"


def test_where_it_is() -> None:
    assert address("https://user:secret@a.example:8080/x/y?z#w") == "https://user:secret@a.example:8080/robots.txt"

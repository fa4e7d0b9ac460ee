"""One feed on a terminal of any width, and in a pipe: what it does, and why it was or was not polled."""

import io
import json

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from worker.cli.screen.feed import show_feed
from worker.cli.screen.terminal import Screen
from worker.feed.websub import Subscription
from worker.report.feed import FeedView, as_record
from worker.schedule import PAUSED, Fetch, Outcome, Pace, Polled, PollState, after
from worker.store.feeds import Feed
from worker.store.gates import Look, Rule
from worker.store.hubs import Counts

NOW = 1_800_000_000.0
HOSTILE = "The \x1b[31mred\x1b[0m \u202eoutlet\n全国新聞 " * 9
STATE = PollState(
    etag='"abc\x1b]0;x\x07"',
    last_modified="Thu, 01 Jan 2026 00:00:00 GMT",
    polled=NOW - 300,
    succeeded=NOW - 300,
    fetched=NOW - 9000,
    outcome="not-modified",
    title=HOSTILE,
    entries=25,
    ttl_s=3600.0,
    next_poll=NOW + 3000,
    reason="every 1h: the feed asks for it (ttl)",
    occasions=3.0,
    exposed_s=86400.0,
    arrived=31.4,
    brought=NOW - 9000,
    skip_hours=(1, 2),
    skip_days=(5, 6),
    hub="https://hub.example/",
    moved="https://new.example/feed",
    moved_since=NOW - 90_000,
    honest=3,
)
FETCHES = [
    Fetch(NOW - 300, "not-modified", 304, 12.34, 0, 0, 0, 0, "", 3300.0, STATE.reason),
    Fetch(NOW - 9000, "ok", 200, 1234.5, 45_678, 25, 7, 1, "", 3300.0, HOSTILE),
    Fetch(NOW - 90_000, "gone", 410, 1.0, 0, 0, 0, 0, "is gone", PAUSED, "paused: gone"),
]
FEED = Feed("0123456789ab", "https://user:hunter2@news.example/feed", "", NOW - 1e6, STATE, NOW + 3000, "A/B", "on")
VIEW = FeedView(
    FEED, FETCHES, "host news.example", Rule(), Look(90.0, 1, 2), 1234, [""], None, Counts(), NOW
)  # fmt: skip


def printed(view: FeedView, width: int = 200, *, terminal: bool = False) -> list[str]:
    out = io.StringIO()
    show_feed(Screen(file=out, width=width, force_terminal=terminal, color_system=None), view)
    return out.getvalue().splitlines()


def said(view: FeedView) -> dict[str, str]:
    """What stands behind each label."""
    return {line[:11].strip(): line[11:] for line in printed(view)}


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_the_table_of_polls_is_no_wider_than_the_terminal(width: int) -> None:
    lines = printed(VIEW, width, terminal=True)
    table = lines[lines.index("") + 1 :]
    below = [line for line in table if line.startswith("    ")]
    assert len(table) - len(below) == 1 + len(FETCHES)
    shown_reasons = " ".join(" ".join(table).split())
    assert (STATE.reason in shown_reasons) == (width >= 70)
    assert max(map(cell_len, table)) <= width
    shown = {"Time": 0, "Outcome": 0, "New": 0, "Wait": 50, "ms": 60, "Size": 60, "Why": 70, "Status": 100}
    shown |= {"Entries": 110, "Revised": 120, "Carried": 130}
    assert set(table[0].split()) == {title for title, least in shown.items() if width >= least}
    assert width < 80 or max(map(cell_len, lines)) <= width


def test_nothing_that_a_feed_says_reaches_the_terminal_as_it_is() -> None:
    text = "\n".join(printed(VIEW))
    assert not [sign for sign in "\x1b\x07\u202e" if sign in text]
    assert "hunter2" not in text


def test_a_feed_tells_all_that_is_known_of_it() -> None:
    found = said(VIEW)
    assert found["status"].startswith("unchanged, polled ")
    assert found["next"].startswith("in 50 min, ")
    assert found["next"].endswith(": every 1h: the feed asks for it (ttl)")
    assert found["brings"] == "about 31 new entries a day, 25 entries shown, the last new one 2 h ago"
    assert found["new"].startswith("·█·")
    assert found["set"].startswith("folder A/B, pages on, added ")
    assert found["remembered"] == "1,234 entries of it"
    assert "true 3 times in a row" in found["validators"]
    assert found["asks"] == "at most every 1h (ttl); not at 1, 2 h UTC (skipHours); not on Sat, Sun (skipDays)"
    assert "https://new.example/feed, for 25 h: after a week" in found["redirects"]
    assert "closed for 90s: its server asked for that (Retry-After); 1 inside; 2 waiting" in found["gate"]


def test_a_feed_that_carries_what_others_have_brings_something() -> None:
    state = replace(STATE, arrived=0.0, carried=12.0)
    found = said(VIEW._replace(feed=FEED._replace(polls=state), fetches=[replace(FETCHES[1], new=0, carried=7)]))
    assert found["brings"] == "about 12 a day that other feeds had first, 25 entries shown, the last new one 2 h ago"
    assert found["carries"] == "7 articles that other feeds had first, in the polls below"
    assert as_record(VIEW._replace(feed=FEED._replace(polls=state)))["carried_a_day"] == 12.0


def test_the_first_poll_tells_nothing_of_how_much_a_feed_brings() -> None:
    polls = after(PollState(), Polled(outcome=Outcome.OK, full=True, entries=25, new=25), NOW - 60, 0.0, Pace())
    view = VIEW._replace(feed=FEED._replace(polls=polls))
    assert said(view)["brings"] == "nothing is known yet, 25 entries shown"
    assert as_record(view)["new_a_day"] is None


ACTIVE = Subscription("https://hub.example/", "t", "c", "k", since=NOW - 90_000, until=NOW + 90_000)


@pytest.mark.parametrize(
    ("changed", "label", "says"),
    [
        ({"pollers": []}, "next", "(ttl); no poller runs: `storywire poll`, or `storywire up`"),
        ({"pollers": ["full", "full"]}, "next", "(ttl); all pollers hold back: full"),
        ({"pollers": ["full", ""]}, "next", "(ttl)"),
        ({"feed": FEED._replace(due=NOW - 240)}, "next", "due for 4 min: made due by hand, or by a push"),
        ({"feed": FEED._replace(due=NOW + 3060)}, "next", ": a poller has taken it, for so long at most"),
        ({"feed": FEED._replace(due=PAUSED, held=True), "pollers": []}, "next", "never: paused by a person"),
        ({"feed": FEED._replace(polls=PollState(), due=NOW)}, "status", "new, not polled yet"),
        ({"feed": FEED._replace(polls=PollState(), due=NOW)}, "next", "now: is new: polled at once"),
        ({}, "hub", "not subscribed; that needs STORYWIRE_PUBLIC_URL and `storywire serve`"),
        ({"subscription": Subscription("h", "t", "c", "k", asked=NOW - 600)}, "hub", "it has not confirmed yet"),
        ({"subscription": ACTIVE, "pushes": Counts(12, 3, NOW - 60)}, "hub", "12 pushes, the last 60 s ago, 3 ignored"),
    ],
)  # fmt: skip
def test_it_says_what_it_waits_for(changed: dict[str, object], label: str, says: str) -> None:
    assert says in said(VIEW._replace(**changed))[label]  # type: ignore[arg-type]


def test_as_an_object_it_is_json_with_its_polls() -> None:
    record = json.loads(json.dumps(as_record(VIEW), allow_nan=False))
    assert record["next"] == "2027-01-15T08:50:00Z"
    assert record["gate"] == {"name": "host news.example", "closed_s": 90.0, "inside": 1, "waiting": 2}
    assert [fetch["wait_s"] for fetch in record["fetches"]] == [3300.0, 3300.0, None]
    assert "hunter2" not in json.dumps(as_record(VIEW)["fetches"])

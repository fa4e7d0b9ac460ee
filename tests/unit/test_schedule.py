"""When a feed is polled next, and the reason in words."""

from email.utils import formatdate
from typing import Any

import pytest
from msgspec.structs import replace

from worker.schedule import (
    PAUSED,
    SHARE,
    Outcome,
    Pace,
    Polled,
    PollState,
    after,
    carried_a_day,
    expires_s,
    fetched,
    max_age_s,
    new_a_day,
    retry_after_s,
    without_network,
    words,
)

NOW = 1_750_000_000.0
PACE = Pace(600.0, 120.0, 86400.0)
HOUR_S, DAY_S = 3600.0, 86400.0


def poll(state: PollState, outcome: Outcome, jitter: float = 0.0, **found: Any) -> PollState:
    return after(state, Polled(outcome=outcome, **found), NOW, jitter, PACE)


@pytest.mark.parametrize(
    ("found", "wait_s", "reason"),
    [
        ({}, 600, "every 10m: as is set, nothing is known of it yet"),
        ({"ttl_s": 3600.0}, 3600, "every 1h: the feed asks for it (ttl)"),
        ({"ttl_s": 60.0}, 600, "every 10m: as is set, nothing is known of it yet"),
        ({"ttl_s": 30 * 86400.0}, 86400, "every 24h: the feed asks for it (ttl)"),
        ({"cache_control": "public, max-age=1800"}, 1800, "every 30m: the server asks for it (max-age)"),
        ({"cache_control": "max-age=31536000"}, 3600, "every 1h: the server asks for it (max-age)"),
        ({"cache_control": "no-cache, max-age=1800"}, 600, "every 10m: as is set, nothing is known of it yet"),
        ({"ttl_s": 2700.0, "cache_control": "max-age=1800"}, 2700, "every 45m: the feed asks for it (ttl)"),
    ],
)
def test_wishes_make_polls_rarer_never_more_frequent(found: dict[str, Any], wait_s: float, reason: str) -> None:
    state = poll(PollState(), Outcome.OK, **found)
    assert (state.next_poll - NOW, state.reason) == (wait_s, reason)


@pytest.mark.parametrize(("ttl_s", "wait"), [(0.0, "1h"), (3 * 3600.0, "3h")])
def test_a_feed_beyond_its_share_waits_longer_and_says_so(ttl_s: float, wait: str) -> None:
    state = poll(PollState(), Outcome.OK, later=7, ttl_s=ttl_s)
    assert state.next_poll == NOW + max(3600, ttl_s)
    assert state.reason == f"again in {wait}, {SHARE}"


def test_a_feeds_wish_is_remembered_over_polls_that_do_not_show_it() -> None:
    """A 304 has no document, and so no ttl."""
    asked: dict[str, Any] = {
        "ttl_s": 3600.0,
        "skip_hours": (3,),
        "skip_days": (5,),
        "hub": "https://hub.example/",
        "topic": "t",
    }
    state = poll(poll(PollState(), Outcome.OK, **asked), Outcome.NOT_MODIFIED)
    assert state.next_poll == NOW + 3600
    assert {name: getattr(state, name) for name in asked} == asked
    state = poll(state, Outcome.OK, ttl_s=0.0, skip_hours=(), skip_days=(), hub="", topic="")
    assert (state.ttl_s, state.skip_hours, state.skip_days, state.hub) == (0.0, (), (), ""), "until it says otherwise"


def test_errors_double_the_wait_up_to_a_day_and_success_ends_it() -> None:
    state, waits = PollState(), []
    for _ in range(10):
        state = poll(state, Outcome.FAILED, trouble="is broken")
        waits.append(state.next_poll - NOW)
    assert waits[:4] == [1200, 2400, 4800, 9600]
    assert waits[-1] == 86400
    assert (state.errors, state.trouble, state.reason) == (10, "is broken", "waiting 24h after 10 errors in a row")
    state = poll(state, Outcome.NOT_MODIFIED)
    assert (state.errors, state.trouble, state.next_poll) == (0, "", NOW + 600)


def test_a_thousand_errors_are_no_overflow() -> None:
    state = poll(PollState(errors=5000, strikes=5000.0), Outcome.FAILED)
    assert state.next_poll == NOW + 86400


def test_a_night_without_the_net_does_not_cost_a_day() -> None:
    """It is mostly ours. A name that is not found for days is asked for four times a day."""
    state, away_s = PollState(), 0.0
    while away_s < 10 * HOUR_S:
        state = poll(state, Outcome.UNREACHABLE, kind="dns")
        away_s += state.next_poll - NOW
    assert away_s < 12 * HOUR_S
    for _ in range(50):
        state = poll(state, Outcome.UNREACHABLE, kind="dns")
    assert state.next_poll == NOW + 6 * HOUR_S
    assert state.reason == f"waiting 6h after {state.errors} errors in a row: no such name"


@pytest.mark.parametrize(
    ("retry_after", "wait_s"),
    [
        ("7200", 7200),
        (formatdate(NOW + 5400, usegmt=True), 5400),
        ("60", 1200),
        ("99999999", 86400),
        ("", 3600),
        ("soon", 3600),
        (formatdate(NOW - 5400, usegmt=True), 3600),
    ],
)
def test_retry_after_is_obeyed_as_seconds_and_as_a_date(retry_after: str, wait_s: float) -> None:
    """Never less than after any other error, never more than a day; an hour where nothing is said."""
    state = poll(PollState(), Outcome.REFUSED, retry_after=retry_after)
    assert state.next_poll - NOW == wait_s
    assert state.reason


def test_gone_pauses_the_feed() -> None:
    state = poll(PollState(), Outcome.GONE)
    assert state.next_poll == PAUSED
    assert state.reason.startswith("gone: ")


@pytest.mark.parametrize(
    ("age", "left_s"), [("", 1800), ("600", 1200), (" 600 ", 1200), ("1800", 0), ("9999", 0), ("-5", 1800), ("x", 1800)]
)
def test_what_a_cache_has_had_for_a_while_is_fresh_for_the_rest(age: str, left_s: float) -> None:
    assert max_age_s("max-age=1800", age) == left_s
    state = poll(PollState(), Outcome.OK, cache_control="max-age=1800", age=age)
    assert state.next_poll - NOW == max(left_s, 600)


def test_jitter_spreads_what_failed_together() -> None:
    assert poll(PollState(), Outcome.OK, jitter=1.0).next_poll == NOW + 660
    assert poll(PollState(), Outcome.FAILED, jitter=0.5).next_poll == NOW + 1260


@pytest.mark.parametrize(
    ("pace", "found", "wait_s"),
    [
        (PACE, {"ttl_s": DAY_S}, DAY_S),
        (PACE, {"ttl_s": 23.5 * HOUR_S}, DAY_S),
        (Pace(600.0, 120.0, HOUR_S), {"ttl_s": DAY_S}, DAY_S),
        (Pace(600.0, 120.0, HOUR_S), {"ttl_s": 2 * HOUR_S}, 2.2 * HOUR_S),
        (Pace(HOUR_S, HOUR_S, HOUR_S), {}, HOUR_S),
    ],
)
def test_jitter_goes_beyond_no_bound(pace: Pace, found: dict[str, Any], wait_s: float) -> None:
    """Neither beyond the longest wait that is set nor beyond the day that a wish may take."""
    state = after(PollState(), Polled(outcome=Outcome.OK, **found), NOW, 1.0, pace)
    assert state.next_poll - NOW == pytest.approx(wait_s, abs=1e-3)


def test_what_a_poll_could_not_see_is_kept() -> None:
    """After an error the validators, the hash and the feed's name are still those of the last good answer."""
    good = poll(
        PollState(), Outcome.OK, etag='"e"', last_modified="then", body_hash=b"h", full=True, title="T", entries=3
    )
    failed = poll(good, Outcome.FAILED)
    mended = replace(failed, outcome="ok", errors=0, strikes=0.0, next_poll=good.next_poll, reason=good.reason)
    assert mended == good
    assert poll(good, Outcome.NOT_MODIFIED, etag='"f"').etag == '"f"'
    assert poll(good, Outcome.OK, etag="", full=True).etag == "", "a server that stopped giving one"


def test_once_a_day_no_validators_are_sent() -> None:
    state = PollState(etag='"e"', last_modified="then", fetched=NOW)
    assert state.validators(NOW + 86000) == ('"e"', "then")
    assert state.validators(NOW + 87000) == ("", "")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("max-age=60", 60), ("public,max-age=60", 60), ('private, Max-Age = "60"', 60), ("s-maxage=60", 0),
     ("max-age=-1", 0), ("no-store, max-age=60", 0), ("", 0), ("max-age=" + "9" * 30, 9_999_999_999)],
)  # fmt: skip
def test_max_age_is_read(header: str, seconds: float) -> None:
    assert max_age_s(header) == seconds


@pytest.mark.parametrize("header", ["-5", "1e9", "Mon, 99 Foo 2025", "\0", "9" * 40, "inf"])
def test_odd_retry_after_headers_are_nothing(header: str) -> None:
    assert retry_after_s(header, NOW) == 0


def test_durations_are_written_as_the_settings_write_them() -> None:
    assert [words(s) for s in (2, 60, 90, 600, 3600, 5400, 86400)] == ["2s", "1m", "90s", "10m", "1h", "90m", "24h"]


def test_without_a_network_a_feed_is_tried_again_soon_and_has_no_error_of_its_own() -> None:
    state = PollState(errors=2, etag='"e"')
    for _ in range(10):
        state = without_network(state, Polled(outcome=Outcome.UNREACHABLE, trouble="no such host"), NOW, 0.0)
    assert (state.next_poll, state.reason) == (NOW + 30, "no network: again in 30 s")
    assert (state.errors, state.etag, state.readable) == (2, '"e"', False)


# --- errors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "waits_min", "words_of_it"),
    [
        ({"kind": "dns"}, (11.9, 14.1), "no such name"),
        ({"kind": "timeout"}, (14.1, 20), "too slow"),
        ({"kind": "http", "status": 404}, (14.1, 20), "status 404"),
        ({"kind": "http", "status": 500}, (14.1, 20), "status 500"),
        ({"kind": "http", "status": 403}, (20, 40), "status 403"),
        ({"kind": "tls"}, (20, 40), "no TLS that can be trusted"),
        ({"kind": "not-a-feed"}, (20, 40), "no feed there"),
        ({"kind": "a kind of the future"}, (20, 40), ""),
    ],
)
def test_what_passes_by_itself_weighs_less(
    found: dict[str, Any], waits_min: tuple[float, ...], words_of_it: str
) -> None:
    first = poll(PollState(), Outcome.FAILED, **found)
    second = poll(first, Outcome.FAILED, **found)
    assert [(state.next_poll - NOW) / 60 for state in (first, second)] == pytest.approx(waits_min, abs=0.06)
    assert first.reason.endswith(f"after an error: {words_of_it}" if words_of_it else "after an error")
    assert (first.kind, first.status) == (found.get("kind"), found.get("status", 0))


def test_retry_after_is_obeyed_whatever_the_status() -> None:
    """A 403 with one is a limit as well."""
    state = poll(PollState(), Outcome.FAILED, kind="http", status=403, retry_after="7200")
    assert (state.next_poll - NOW, state.reason) == (7200, "the server asks to wait until 17:07 UTC (Retry-After)")


def test_a_feed_that_is_polled_once_a_day_is_tried_again_sooner_when_it_fails() -> None:
    state = poll(PollState(cadence_s=DAY_S), Outcome.FAILED, kind="timeout")
    assert state.next_poll - NOW == pytest.approx(1.414 * HOUR_S, rel=0.01)


def test_a_server_that_was_asked_too_often_is_spared_for_days() -> None:
    """Half as often after each such answer, at least each six hours; it fades without one."""
    state = replace(lived(1800.0), polled=NOW, succeeded=NOW)
    before_s = state.cadence_s
    state = poll(state, Outcome.REFUSED, kind="refused", status=429, retry_after="60")
    state = poll(state, Outcome.NOT_MODIFIED)
    assert state.next_poll - NOW == pytest.approx(2 * before_s, rel=0.01)
    assert state.reason == f"every {words(2 * before_s)}: its server was asked too often before"
    for _ in range(9):
        state = poll(state, Outcome.REFUSED, kind="refused", status=429)
    assert poll(state, Outcome.NOT_MODIFIED).next_poll - NOW == 6 * HOUR_S
    for day in range(1, 21):
        state = after(state, Polled(outcome=Outcome.OK, new=48), NOW + day * DAY_S, 0.0, PACE)
    assert "too often" not in state.reason


# --- what a feed brings -------------------------------------------------------------------------------------------


def lived(every_s: float, new: int = 1, days: float = 20, what: str = "new", **found: Any) -> PollState:
    """The state of a feed that brings so many entries each so many seconds, polled for so many days."""
    state, now, seen, begin = PollState(), NOW, 0, NOW
    while now < begin + days * DAY_S:
        came = int((now - begin) / every_s)
        polled = Polled(outcome=Outcome.OK, entries=1000, **(found | {what: (came - seen) * new}))
        state, seen = after(state, polled, now, 0.0, PACE), came
        now = state.next_poll
    return state


@pytest.mark.parametrize(
    ("every_s", "least_s", "most_s", "reason"),
    [
        (60.0, 120, 300, "an hour"),
        (1800.0, 600, 1200, "brings about 2 an hour"),
        (6 * HOUR_S, 2400, 5400, "brings about 4 a day"),
        (4 * DAY_S, 7200, 6 * HOUR_S, "a month"),
    ],
)
def test_a_feed_is_polled_by_how_often_it_brings_something(
    every_s: float, least_s: float, most_s: float, reason: str
) -> None:
    state = lived(every_s)
    assert least_s <= state.cadence_s <= most_s
    assert reason in state.reason
    assert state.reason.startswith("every ")
    found = new_a_day(state)
    assert found is not None
    assert found == pytest.approx(DAY_S / every_s, rel=0.5)


def test_many_at_once_are_one_occasion() -> None:
    """A feed that brings fifty entries a day, at once, is polled about as one that brings a single one."""
    assert lived(DAY_S, new=50).cadence_s > lived(DAY_S).cadence_s / 2


def test_a_feed_that_carries_what_others_have_is_polled_as_often_as_if_it_had_it_alone() -> None:
    alone, carrying = lived(1800.0), lived(1800.0, what="carried")
    assert (carrying.cadence_s, carrying.reason) == (alone.cadence_s, alone.reason)
    assert (new_a_day(carrying), carried_a_day(carrying)) == (0.0, new_a_day(alone))


def test_a_feed_that_is_dead_is_polled_once_a_day_in_the_end() -> None:
    state = lived(1e9, days=70)
    assert state.cadence_s == DAY_S
    assert state.reason == "every 24h: has brought nothing new yet"


def test_a_feed_that_falls_silent_says_so() -> None:
    state = lived(1800.0)
    state = after(state, Polled(outcome=Outcome.NOT_MODIFIED), state.polled + 5 * DAY_S, 0.0, PACE)
    assert "nothing new for 5 days" in state.reason


def test_an_office_is_awaited_in_the_morning() -> None:
    """What publishes from 9 to 17 on weekdays is looked at rarely at night, but within the hour on a Monday morning."""
    monday = NOW // (7 * DAY_S) * 7 * DAY_S + 4 * DAY_S  # 1 January 1970 was a Thursday
    state, now, seen, nights, first = PollState(), monday, 0, 0, 0.0
    while now < monday + 28 * DAY_S + 9.5 * HOUR_S:
        day, second = divmod(now - monday, DAY_S)
        worked = sum(8 for each in range(int(day)) if each % 7 < 5)
        came = 4 * worked + int(4 * min(max(second / HOUR_S - 9, 0), 8) * (day % 7 < 5))
        state = after(state, Polled(outcome=Outcome.OK, new=came - seen, entries=50), now, 0.0, PACE)
        if now >= monday + 28 * DAY_S + 9 * HOUR_S and not first:
            first = now
        nights += now > monday + 21 * DAY_S and second < 6 * HOUR_S
        now, seen = state.next_poll, came
    assert first - (monday + 28 * DAY_S + 9 * HOUR_S) < HOUR_S
    assert nights / 7 < 8, "six hours of the night, in the last week"


def test_a_document_that_turns_over_is_polled_more_often() -> None:
    """Where all that it shows is new, something may have come and gone."""
    calm = lived(DAY_S)
    crowded = after(calm, Polled(outcome=Outcome.OK, new=30, entries=30), calm.next_poll, 0.0, PACE)
    assert crowded.cadence_s < 0.7 * calm.cadence_s
    assert "shows 30 entries only, and brings many at once" in crowded.reason


def test_the_same_bounds_for_all_make_the_interval_fixed() -> None:
    fixed, state, now = Pace(300.0, 300.0, 300.0), PollState(), NOW
    for new in (5, 0, 3, 0, 0, 9) * 10:
        state = after(state, Polled(outcome=Outcome.OK, new=new, entries=10), now, 0.0, fixed)
        assert state.next_poll == now + 300
        now = state.next_poll


def test_the_bounds_hold_whatever_the_interval_is_set_to() -> None:
    """A feed begins within them; where they cross, no server is asked more often than the least wait."""
    for pace, first_s in (
        (Pace(600.0, 3600.0, 86400.0), 3600.0),
        (Pace(600.0, 60.0, 300.0), 300.0),
        (Pace(600.0, 3600.0, 300.0), 3600.0),
    ):
        state, now = PollState(), NOW
        for new in (5, 50, 0, 0, 7, 30):
            state = after(state, Polled(outcome=Outcome.OK, new=new, entries=50), now, 0.0, pace)
            assert pace.least_s <= state.next_poll - now <= pace.longest_s
            now = state.next_poll
        assert after(PollState(), Polled(outcome=Outcome.OK), NOW, 0.0, pace).next_poll == NOW + first_s


# --- wishes -------------------------------------------------------------------------------------------------------

NINE = NOW // DAY_S * DAY_S + 9 * HOUR_S
"""A Sunday, 09:00 UTC."""


@pytest.mark.parametrize(
    ("asked", "wait_h", "reason"),
    [
        ({"skip_hours": (9, 10, 11)}, 3, "not before 12:00 UTC: the feed asks for it (skipHours)"),
        ({"skip_hours": (8, 10)}, None, ""),
        ({"skip_days": (6,)}, 15, "not before 00:00 UTC: the feed asks for it (skipDays)"),
        ({"skip_days": (5, 6), "skip_hours": (0, 1)}, 17, "not before 02:00 UTC: the feed asks for it (skipDays)"),
        ({"skip_days": (6, 0, 1)}, 24.2, "not before 09:10 UTC: the feed asks for it (skipDays)"),
        ({"skip_hours": tuple(range(24))}, None, ""),
        ({"skip_days": tuple(range(7))}, None, ""),
        ({"skip_hours": (-1, 99), "skip_days": (7, 8)}, None, ""),
    ],
)
def test_hours_and_days_are_skipped(asked: dict[str, Any], wait_h: float | None, reason: str) -> None:
    """At most a day longer; a feed that leaves no time at all says nothing."""
    state = after(PollState(), Polled(outcome=Outcome.OK, **asked), NINE, 0.0, PACE)
    assert (state.next_poll - NINE) / HOUR_S == pytest.approx(600 / HOUR_S if wait_h is None else wait_h, abs=0.05)
    assert state.reason == (reason or "every 10m: as is set, nothing is known of it yet")


@pytest.mark.parametrize(
    ("expires", "cache_control", "seconds"),
    [
        (formatdate(NOW + 1800, usegmt=True), "", 1800),
        (formatdate(NOW + 1800, usegmt=True), "public", 1800),
        (formatdate(NOW + 1800, usegmt=True), "max-age=60", 0),
        (formatdate(NOW + 1800, usegmt=True), "no-cache", 0),
        (formatdate(NOW - 1800, usegmt=True), "", 0),
        (formatdate(NOW + 3e9, usegmt=True), "", 0),
        ("0", "", 0),
        ("-1", "", 0),
        ("never", "", 0),
        ("", "", 0),
    ],
)
def test_expires_is_read_where_nothing_newer_says_otherwise(expires: str, cache_control: str, seconds: float) -> None:
    assert expires_s(expires, cache_control, NOW) == seconds


def test_expires_is_followed_for_an_hour_at_most() -> None:
    state = poll(PollState(), Outcome.NOT_MODIFIED, expires=formatdate(NOW + 9000, usegmt=True))
    assert (state.next_poll - NOW, state.reason) == (3600, "every 1h: the server asks for it (Expires)")


@pytest.mark.parametrize("ttl_s", [-5.0, float("nan"), float("inf"), 0.0])
def test_a_ttl_that_is_nonsense_is_none(ttl_s: float) -> None:
    assert poll(PollState(), Outcome.OK, ttl_s=ttl_s).next_poll == NOW + 600


def test_a_feed_whose_hub_tells_of_news_is_polled_rarely() -> None:
    state = poll(PollState(), Outcome.OK, pushed=True, hub="https://hub.example/push")
    said = "pushed by its hub hub.example; polled every 6h to be safe"
    assert (state.next_poll - NOW, state.reason) == (6 * HOUR_S, said)


# --- validators, redirects, history -------------------------------------------------------------------------------


def test_validators_that_prove_true_are_trusted_for_up_to_a_week_and_liars_never() -> None:
    found: dict[str, Any] = {"etag": '"e"', "last_modified": "", "full": True}
    state = poll(PollState(), Outcome.OK, body_hash=b"1", **found)
    for days in (2, 3, 4, 5, 6, 7, 7, 7):
        state = poll(state, Outcome.SAME_BODY, body_hash=b"1", **found)
        assert state.validators(NOW + days * DAY_S - 60) == ('"e"', "")
        assert state.validators(NOW + days * DAY_S + 60) == ("", "")
    touched = poll(state, Outcome.OK, body_hash=b"2", **found)
    assert touched.validators(NOW + DAY_S + 60) == ("", ""), "changed under the same ones: once a day again"
    lied = poll(state, Outcome.OK, body_hash=b"2", new=1, **found)
    assert lied.validators(NOW + 60) == ("", ""), "brought something new under the same ones"
    again = poll(lied, Outcome.SAME_BODY, body_hash=b"2", **found)
    assert again.validators(NOW + 60) == ("", "")
    mended = poll(again, Outcome.OK, body_hash=b"3", new=1, **(found | {"etag": '"f"'}))
    assert mended.validators(NOW + 60) == ('"f"', "")


def test_a_permanent_redirect_counts_once_it_has_held_for_a_week() -> None:
    there, elsewhere = "https://new.example/feed", "https://other.example/feed"

    def on(day: float, state: PollState, moved: str, outcome: Outcome = Outcome.NOT_MODIFIED) -> PollState:
        return after(state, Polled(outcome=outcome, moved=moved), NOW + day * DAY_S, 0.0, PACE)

    state = on(0, PollState(), there)
    assert on(6.9, state, there).moves_to == ""
    assert on(7, state, there).moves_to == there
    assert on(7, on(3, state, "", Outcome.FAILED), there).moves_to == there, "an error tells nothing of it"
    assert on(7, state, "", Outcome.FAILED).moves_to == "", "and none is the moment to move"
    assert on(8, on(3, state, elsewhere), elsewhere).moves_to == ""
    assert on(8, on(3, state, ""), there).moves_to == ""


def test_a_poll_leaves_a_line_of_history() -> None:
    polled = Polled(outcome=Outcome.OK, new=2, revised=1, entries=25, status=200, trouble="t")
    state = after(PollState(), polled, NOW, 0.0, PACE)
    fetch = fetched(state, polled, 12.34, 5_000)
    assert (fetch.at, fetch.outcome, fetch.status, fetch.took_ms, fetch.size) == (NOW, "ok", 200, 12.3, 5_000)
    assert (fetch.entries, fetch.new, fetch.revised, fetch.trouble) == (25, 2, 1, "t")
    assert (fetch.wait_s, fetch.reason) == (600, state.reason)
    assert fetched(poll(state, Outcome.GONE), polled, 1, 0).wait_s == PAUSED

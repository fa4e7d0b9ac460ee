"""When a feed is polled next, and the reason in words."""

from email.utils import formatdate
from typing import Any

import pytest
from msgspec.structs import replace

from worker.schedule import (
    PAUSED,
    SHARE,
    Outcome,
    Polled,
    PollState,
    after,
    max_age_s,
    retry_after_s,
    without_network,
    words,
)

NOW = 1_750_000_000.0
TEN_MINUTES = 600.0


def poll(state: PollState, outcome: Outcome, jitter: float = 0.0, **found: Any) -> PollState:
    return after(state, Polled(outcome=outcome, **found), NOW, jitter, TEN_MINUTES)


@pytest.mark.parametrize(
    ("found", "wait_s", "reason"),
    [
        ({}, 600, "every 10m, as is set"),
        ({"ttl_s": 3600.0}, 3600, "every 1h, as the feed asks (ttl)"),
        ({"ttl_s": 60.0}, 600, "every 10m, as is set"),
        ({"ttl_s": 30 * 86400.0}, 86400, "every 24h, as the feed asks (ttl)"),
        ({"cache_control": "public, max-age=1800"}, 1800, "every 30m, as the server asks (max-age)"),
        ({"cache_control": "max-age=31536000"}, 3600, "every 1h, as the server asks (max-age)"),
        ({"cache_control": "no-cache, max-age=1800"}, 600, "every 10m, as is set"),
        ({"ttl_s": 2700.0, "cache_control": "max-age=1800"}, 2700, "every 45m, as the feed asks (ttl)"),
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
    state = poll(poll(PollState(), Outcome.OK, ttl_s=3600.0), Outcome.NOT_MODIFIED)
    assert state.next_poll == NOW + 3600


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
    state = poll(PollState(errors=5000), Outcome.FAILED)
    assert state.next_poll == NOW + 86400


def test_a_net_that_is_down_is_tried_every_hour() -> None:
    """It is mostly ours: a night without it must not cost a day."""
    state = PollState(errors=20)
    assert poll(state, Outcome.UNREACHABLE).next_poll == NOW + 3600


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
    assert state.reason.startswith("paused")


def test_jitter_spreads_what_failed_together() -> None:
    assert poll(PollState(), Outcome.OK, jitter=1.0).next_poll == NOW + 660
    assert poll(PollState(), Outcome.FAILED, jitter=0.5).next_poll == NOW + 1260


def test_what_a_poll_could_not_see_is_kept() -> None:
    """After an error the validators, the hash and the feed's name are still those of the last good answer."""
    good = poll(
        PollState(), Outcome.OK, etag='"e"', last_modified="then", body_hash=b"h", full=True, title="T", entries=3
    )
    failed = poll(good, Outcome.FAILED)
    assert replace(failed, outcome="ok", errors=0, next_poll=good.next_poll, reason=good.reason) == good
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

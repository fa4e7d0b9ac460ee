"""The schedule, whatever feeds and servers do: bounds, reasons, wishes, backoff."""

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from worker.schedule import PAUSED, Outcome, Pace, Polled, PollState, after, expires_s, max_age_s, retry_after_s
from worker.schedule.adapt import cadence
from worker.schedule.rhythm import LEAST, MOST, Rhythm

NOW = 1_750_000_000.0
DAY_S = 86400.0
PACES = st.builds(Pace, st.floats(1, 7200), st.floats(1, 7200), st.floats(60, 30 * DAY_S))
JITTERS = st.floats(0, 1)
HEADERS = st.one_of(
    st.just(""),
    st.text(max_size=40),
    st.sampled_from(
        ["60", "7200", "99999999999", "-1", "0", "max-age=1800", "no-cache", "Sun, 15 Jun 2025 15:30:00 GMT"]
    ),
    st.integers(-(10**12), 10**12).map(str),
)
KINDS = st.sampled_from(["", "dns", "connect", "tls", "timeout", "http", "broken", "not-a-feed", "of the future"])
GOOD = st.sampled_from([Outcome.OK, Outcome.EMPTY, Outcome.NOT_MODIFIED, Outcome.SAME_BODY])
BAD = st.sampled_from([Outcome.FAILED, Outcome.UNREACHABLE, Outcome.REFUSED])
ASKED: dict[str, Any] = {
    "ttl_s": st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)),
    "cache_control": HEADERS,
    "expires": HEADERS,
    "skip_hours": st.one_of(st.none(), st.lists(st.integers(-3, 27), max_size=26).map(tuple)),
    "skip_days": st.one_of(st.none(), st.lists(st.integers(-1, 8), max_size=8).map(tuple)),
}
FOUND: dict[str, Any] = {
    "new": st.integers(0, 5_000),
    "entries": st.one_of(st.none(), st.integers(0, 5_000)),
    "full": st.booleans(),
    "body_hash": st.one_of(st.none(), st.sampled_from([b"1", b"2"])),
    "etag": st.one_of(st.none(), st.sampled_from(["", '"e"'])),
    "later": st.sampled_from([0, 0, 0, 7]),
    "moved": st.sampled_from(["", "https://new.example/"]),
}
FAILED: dict[str, Any] = {"kind": KINDS, "status": st.sampled_from([0, 403, 404, 500]), "retry_after": HEADERS}
POLLS = st.one_of(
    st.builds(Polled, outcome=GOOD, **ASKED, **FOUND),
    st.builds(Polled, outcome=BAD, **FAILED),
)
GAPS_S = st.one_of(st.floats(0, 3 * DAY_S), st.floats(-DAY_S, 400 * DAY_S))
HISTORIES = st.lists(st.tuples(POLLS, GAPS_S, JITTERS), max_size=12)


def lived(history: list[tuple[Polled, float, float]], pace: Pace) -> tuple[PollState, float]:
    """The state after a history, and its time: gaps of any length, clocks that go back among them."""
    state, now = PollState(), NOW
    for polled, gap_s, jitter in history:
        state = after(state, polled, now, jitter, pace)
        now += gap_s
    return state, now


@given(HISTORIES, POLLS, JITTERS, PACES)
def test_bounds_hold_and_reasons_are_given_whatever_the_history(
    history: list[tuple[Polled, float, float]], polled: Polled, jitter: float, pace: Pace
) -> None:
    """Never sooner than the least wait, never later than the longest, a day's wish and a day's sleep; jitter or not."""
    state, now = lived(history, pace)
    state = after(state, polled, now, jitter, pace)
    wait_s = state.next_poll - now
    longest_s = max(pace.longest_s, DAY_S, 2 * pace.first_s)
    assert pace.least_s - 1e-3 <= wait_s <= longest_s + DAY_S + 1e-3
    assert state.reason.strip()
    assert pace.least_s <= state.cadence_s <= pace.longest_s or not state.cadence_s
    assert all(math.isfinite(each) for each in (state.occasions, state.exposed_s, state.arrived, state.crowded_s))


@given(HISTORIES, st.builds(Polled, outcome=GOOD, **FOUND), st.fixed_dictionaries(ASKED), JITTERS, PACES)
def test_wishes_only_ever_make_it_later(
    history: list[tuple[Polled, float, float]], polled: Polled, asked: dict[str, Any], jitter: float, pace: Pace
) -> None:
    """And by no more than a day's wait, and a day's sleep."""
    state, now = lived(history, pace)
    asked_nothing: dict[str, Any] = {"ttl_s": 0.0, "skip_hours": (), "skip_days": ()}
    plain = {name: getattr(polled, name) for name in FOUND} | {"outcome": polled.outcome}
    free = after(state, Polled(**plain, **asked_nothing), now, jitter, pace)
    bound = after(
        state, Polled(**plain, **(asked_nothing | {k: v for k, v in asked.items() if v is not None})), now, jitter, pace
    )
    assert free.next_poll <= bound.next_poll <= max(free.next_poll, now + DAY_S) + DAY_S + 1e-3


@given(HISTORIES, st.builds(Polled, outcome=BAD, kind=KINDS, status=st.sampled_from([0, 404, 500])), PACES)
def test_another_error_never_makes_the_wait_shorter(
    history: list[tuple[Polled, float, float]], failed: Polled, pace: Pace
) -> None:
    state, now = lived(history, pace)
    waits = []
    for _ in range(80):
        state = after(state, failed, now, 0.0, pace)
        state = PollState(
            **{name: getattr(state, name) for name in state.__struct_fields__} | {"skip_hours": (), "skip_days": ()}
        )
        waits.append(round(state.next_poll - now, 3))
        now += 60
    assert waits[1:] == sorted(waits[1:])
    assert len(set(waits[-2:])) == 1, "there is an end to it"


@given(HISTORIES, POLLS, JITTERS, PACES)
def test_the_same_in_gives_the_same_out(
    history: list[tuple[Polled, float, float]], polled: Polled, jitter: float, pace: Pace
) -> None:
    state, now = lived(history, pace)
    assert after(state, polled, now, jitter, pace) == after(state, polled, now, jitter, pace)


@given(HISTORIES, PACES)
def test_gone_pauses_whatever_was_before(history: list[tuple[Polled, float, float]], pace: Pace) -> None:
    state, now = lived(history, pace)
    state = after(state, Polled(outcome=Outcome.GONE, kind="gone", status=410), now, 0.5, pace)
    assert state.next_poll == PAUSED
    assert state.reason.startswith("gone: ")


@given(st.lists(st.tuples(st.floats(1, 2 * DAY_S), st.floats(0, 50)), max_size=60), st.floats(0, 8 * DAY_S))
def test_a_rhythm_keeps_its_bounds_and_survives_its_packing(gaps: list[tuple[float, float]], later_s: float) -> None:
    rhythm, now = Rhythm(b""), NOW
    for gap_s, occasions in gaps:
        rhythm, now = rhythm.learn(now, now + gap_s, occasions), now + gap_s
    kept = Rhythm(rhythm.packed())
    assert LEAST <= kept.worth(now + later_s) <= MOST
    assert 0 < kept.until(now, 600.0, 2400.0) <= 2400.0
    assert kept.exposed_s(now, now + 7200) >= 7200 * LEAST - 1e-6
    assert Rhythm(kept.packed()).packed() == kept.packed()


@given(HEADERS, HEADERS)
def test_headers_are_read_whatever_they_hold(header: str, other: str) -> None:
    for seconds in (retry_after_s(header, NOW), max_age_s(header), expires_s(header, other, NOW)):
        assert 0 <= seconds < math.inf


@given(HISTORIES, st.builds(Polled, outcome=GOOD, **FOUND))
def test_what_brings_something_is_polled_no_less_often_for_it(
    history: list[tuple[Polled, float, float]], polled: Polled
) -> None:
    """Of two polls of the same feed at the same moment the one that found more leaves no longer a mean wait."""
    pace = Pace()
    state, now = lived(history, pace)
    found = {name: getattr(polled, name) for name in FOUND} | {"outcome": polled.outcome}
    none = after(state, Polled(**(found | {"new": 0})), now, 0.0, pace)
    some = after(state, Polled(**(found | {"new": 1})), now, 0.0, pace)
    assert some.occasions / some.exposed_s >= none.occasions / none.exposed_s
    assert cadence(some, now, pace).reason

"""Feeds and their polls as the page shows them: words, links, and the picture of a feed's last polls.

Invariant: pure; whatever a feed calls itself or answers is shown only through `harmless`, and linked only if `safe`.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import count as counted
from math import inf, sqrt

from msgspec import Struct

from worker.feed.address import shown_url
from worker.report.feeds import outcome_word, rate, rfc3339_or_none, status, until_next, why_next
from worker.report.harmless import harmless
from worker.report.roster import Known, State
from worker.report.words import count, local_time, size, span
from worker.schedule import Fetch, Outcome
from worker.schedule.adapt import new_a_day
from worker.web.links import safe
from worker.web.pages.rows import ago

STATES = {
    State.FAILING: ("Failing", "bad"),
    State.GONE: ("Gone", "bad"),
    State.TROUBLE: ("To look at", "warn"),
    State.WAITING: ("Waiting for its host", "warn"),
    State.NEW: ("New", ""),
    State.OK: ("Ok", "good"),
    State.PUSHED: ("Pushed", "good"),
    State.PAUSED: ("Paused", ""),
}
"""Of each state: its name, and the tone of its badge."""

_TONES = {Outcome.FAILED: "bad", Outcome.UNREACHABLE: "bad", Outcome.GONE: "bad", Outcome.REFUSED: "warn"}
_CODE = re.compile(r"`([^`]+)`")

WIDE_PX, BAR_PX, GAP_PX = 16, 12, 4
HIGH_PX = 44
"""The picture: so wide a poll, and so high each of its two halves."""


class Line(Struct, frozen=True, kw_only=True):
    """A feed of the list. `polled`: RFC 3339 or ""; `why`: the reason of its next poll; `trouble`: what is wrong."""

    id: str
    name: str
    address: str
    state: str
    tone: str
    outcome: str
    daily: str
    polled: str
    ago: str
    next: str
    why: str
    trouble: str
    errors: int


class Bar(Struct, frozen=True, kw_only=True):
    """One poll in the picture: its left edge, how high its new entries rise and how deep its milliseconds go, in
    pixels; its tone and its words."""

    left: int
    up: float
    down: float
    tone: str
    said: str


class Row(Struct, frozen=True, kw_only=True):
    """One poll in the table; `at` is RFC 3339, `clock` the local time here."""

    at: str
    clock: str
    outcome: str
    tone: str
    status: str
    took: str
    size: str
    entries: str
    new: str
    revised: str
    carried: str
    wait: str
    why: str
    trouble: str


def line(known: Known, now: float) -> Line:
    """A feed as the list shows it."""
    feed, polls = known.feed, known.feed.polls
    name, tone = STATES[known.state]
    when = until_next(feed, now)
    return Line(
        id=feed.id,
        name=harmless(known.name, "?"),
        address=harmless(shown_url(feed.url), "?"),
        state=name,
        tone=tone,
        outcome=status(feed) if not feed.paused else "",
        daily=rate(new_a_day(polls)),
        polled=rfc3339_or_none(polls.polled) or "",
        ago=ago(now - polls.polled) if polls.polled else "never",
        next=when if when in ("now", "never") else f"in {when}",
        why=harmless(why_next(feed)),
        trouble=harmless(polls.trouble),
        errors=polls.errors,
    )


def link(url: str) -> str | None:
    """The address as a link, None for one that is not to be followed, or holds a password."""
    return safe(url)


def row(fetch: Fetch, now: float) -> Row:
    """A poll as the table shows it."""
    return Row(
        at=rfc3339_or_none(fetch.at) or "",
        clock=_clock(fetch.at, now),
        outcome=outcome_word(fetch.outcome) if fetch.outcome != Outcome.SAME_BODY else "same body",
        tone=tone(fetch),
        status=str(fetch.status or "-"),
        took=f"{fetch.took_ms:,.0f}",
        size=size(fetch.size) if fetch.size else "-",
        entries=f"{fetch.entries:,}" if fetch.entries else "-",
        new=f"{fetch.new:,}" if fetch.new else "-",
        revised=f"{fetch.revised:,}" if fetch.revised else "-",
        carried=f"{fetch.carried:,}" if fetch.carried else "-",
        wait="never" if fetch.wait_s == inf else span(fetch.wait_s),
        why=harmless(fetch.reason),
        trouble=harmless(fetch.trouble),
    )


def _clock(at: float, now: float) -> str:
    """Polls may be seconds apart, so that a list of spans would say the same of many."""
    return local_time(at, now, near="%H:%M:%S", far="%d %b %H:%M:%S")


def tone(fetch: Fetch) -> str:
    """`bad`, `warn`, `good` (it brought a document), or `` (nothing had changed)."""
    if fetch.outcome in (Outcome.OK, Outcome.EMPTY):
        return "good"
    return _TONES.get(Outcome(fetch.outcome), "") if fetch.outcome in tuple(Outcome) else ""


def bars(fetches: Sequence[Fetch], now: float) -> list[Bar]:
    """The picture of these polls, the newest first as given, the oldest on the left as drawn: heights grow with the
    square roots, so that a poll of a minute leaves something of one of a tenth of a second to be seen."""
    most_new = max((fetch.new for fetch in fetches), default=0)
    most_ms = max((fetch.took_ms for fetch in fetches), default=0.0)
    return [
        Bar(
            left=place * WIDE_PX,
            up=_share(fetch.new, most_new),
            down=_share(fetch.took_ms, most_ms),
            tone=tone(fetch),
            said=_said(fetch, now),
        )
        for place, fetch in zip(counted(), reversed(fetches), strict=False)
    ]


def _share(of: float, most: float) -> float:
    return max(1.5, round(HIGH_PX * sqrt(of / most), 1)) if of > 0 < most else 0.0


def _said(fetch: Fetch, now: float) -> str:
    outcome = outcome_word(fetch.outcome)
    new = count(fetch.new, "new entry", "new entries")
    return f"{_clock(fetch.at, now)}: {outcome}, {new}, {fetch.took_ms:,.0f} ms"


def with_code(said: str) -> Iterator[tuple[str, bool]]:
    """A text in parts, each with whether it is a command: what stood between backticks."""
    for place, part in enumerate(_CODE.split(said)):
        if part:
            yield part, bool(place % 2)

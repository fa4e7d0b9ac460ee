"""How feeds do, in words: what the list of feeds shows on a terminal and on the page.

Invariant: pure, the same words wherever a feed is shown; what feeds call themselves is as hostile here as it came.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from worker.report.words import span
from worker.schedule import PAUSED
from worker.schedule.adapt import new_a_day
from worker.store.feeds import Feed
from worker.store.gates import CLOSED, TURN


def status(feed: Feed) -> str:
    """How the last poll went, in a word: `new`, `ok`, `unchanged`, `empty`, `failed`, `unreachable`, `paused` ..."""
    if feed.paused:
        return "paused" if feed.held or feed.polls.outcome != "gone" else "gone"
    return outcome_word(feed.polls.outcome)


def outcome_word(outcome: str) -> str:
    """An outcome (worker/schedule/state.py) as tables show it."""
    return {"": "new", "not-modified": "unchanged", "same-body": "unchanged"}.get(outcome, outcome)


def is_failing(feed: Feed) -> bool:
    """Whether its last poll went wrong, and it is polled again: it is not paused, and not gone."""
    return bool(feed.polls.outcome) and not feed.polls.readable and not feed.paused


def is_held_back(feed: Feed, now: float) -> bool:
    """Whether it waits for its host, which has asked to be left alone."""
    return CLOSED in feed.polls.reason and now < feed.due < PAUSED


def waits_its_turn(feed: Feed, now: float) -> bool:
    """Whether it waits as its host is asked as often as it may be already."""
    return feed.polls.reason.startswith(TURN) and now < feed.due < PAUSED


def summary(feeds: Sequence[Feed], total: int, now: float) -> str:
    """How many feeds are listed, and how they do."""
    failing = sum(is_failing(feed) for feed in feeds)
    gone, paused = (sum(feed.paused and status(feed) == word for feed in feeds) for word in ("gone", "paused"))
    held = sum(is_held_back(feed, now) for feed in feeds)
    never = sum(not feed.polls.outcome and not feed.held for feed in feeds)
    due = sum(feed.due <= now for feed in feeds)
    said = [f"{failing:,} failing"] if failing else []
    said += [f"{gone:,} gone"] if gone else []
    said += [f"{paused:,} paused"] if paused else []
    said += [f"{held:,} held back by their host" if held > 1 else "1 held back by its host"] if held else []
    said += [f"{never:,} not polled yet"] if never else []
    said += [f"{due:,} due now"] if due else []
    daily = sum(new_a_day(feed.polls) or 0.0 for feed in feeds if not feed.paused)
    said += [f"about {rate(daily)} new entries a day"] if daily >= 0.5 else []
    of = f" of {total:,}" if len(feeds) < total else ""
    return f"{len(feeds):,}{of} {'feed' if total == 1 else 'feeds'}" + (f": {', '.join(said)}" if said else "")


def until_next(feed: Feed, now: float) -> str:
    """How long it is until the next poll: `12 min`, `now`, `never`. A feed that is being polled stands in the schedule
    by the end of its lease."""
    if feed.paused:
        return "never"
    due = feed.due or feed.polls.next_poll or feed.added
    return span(due - now) if due > now + 1 else "now"


def why_next(feed: Feed) -> str:
    """Why the next poll is when it is, in words: a feed is not always where its last poll put it in the schedule."""
    if feed.held:
        return "paused by a person"
    away_s = feed.due - feed.polls.next_poll
    if not feed.paused and feed.due and feed.polls.next_poll and abs(away_s) > 1:
        return "a poller has taken it, for so long at most" if away_s > 0 else "made due by hand, or by a push"
    return feed.polls.reason or "is new: polled at once"


def rate(a_day: float | None) -> str:
    """New entries a day: `1,200`, `31`, `0.4`; `-` where too little is known."""
    if a_day is None:
        return "-"
    return f"{a_day:,.0f}" if a_day >= 9.5 else f"{a_day:.1f}".removesuffix(".0")


def as_record(feed: Feed) -> dict[str, Any]:
    """A feed as `feeds list --json` prints it; times are RFC 3339, null for never."""
    polls = feed.polls
    return {
        "id": feed.id,
        "url": feed.url,
        "title": feed.title or polls.title,
        "status": status(feed),
        "entries": polls.entries,
        "folder": feed.folder or None,
        "pages": feed.pages,
        "new_a_day": _rounded(new_a_day(polls)),
        "added": rfc3339_or_none(feed.added),
        "polled": rfc3339_or_none(polls.polled),
        "succeeded": rfc3339_or_none(polls.succeeded),
        "next": None if feed.paused else rfc3339_or_none(feed.due or polls.next_poll or feed.added),
        "why": why_next(feed),
        "errors": polls.errors,
        "trouble": polls.trouble or None,
    }


def _rounded(a_day: float | None) -> float | None:
    return None if a_day is None else round(a_day, 2)


def rfc3339_or_none(seconds: float) -> str | None:
    """RFC 3339, UTC; None for never."""
    if not seconds:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

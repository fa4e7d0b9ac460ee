"""The list of feeds: how the last poll went, when the next one is and why.

Invariant: whatever a feed calls itself or answers reaches the screen only through `harmless`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from worker.cli.screen.harmless import harmless
from worker.cli.screen.words import span
from worker.feed.address import host, shown_url
from worker.store.feeds import Feed

_STYLES = {"ok": "green", "new": "cyan", "failed": "red", "unreachable": "red", "gone": "red", "refused": "yellow"}


def status(feed: Feed) -> str:
    """How the last poll went, in a word: `new`, `ok`, `unchanged`, `empty`, `failed`, `unreachable`, `paused` ..."""
    if feed.paused:
        return "paused"
    same = {"": "new", "not-modified": "unchanged", "same-body": "unchanged"}
    return same.get(feed.polls.outcome, feed.polls.outcome)


def table(feeds: Sequence[Feed], now: float) -> Table:
    """The feeds as a table for a person."""
    shown = Table(box=None, header_style="dim", pad_edge=False)
    for title, options in _COLUMNS.items():
        shown.add_column(title, **options)
    for feed in feeds:
        state = status(feed)
        shown.add_row(
            Text(harmless(feed.title or feed.polls.title or host(feed.url), "?")),
            Text(harmless(shown_url(feed.url), "?"), style="dim"),
            Text(state, style=_STYLES.get(state, "")),
            Text(f"{feed.polls.entries:,}" if feed.polls.succeeded else ""),
            Text(f"{span(now - feed.polls.polled)} ago" if feed.polls.polled else "never"),
            Text(_next(feed, now)),
            Text(harmless(feed.polls.trouble or feed.polls.reason), style="" if feed.polls.trouble else "dim"),
        )
    return shown


_COLUMNS: dict[str, dict[str, Any]] = {
    "outlet": {"overflow": "ellipsis", "no_wrap": True, "max_width": 28},
    "address": {"overflow": "ellipsis", "no_wrap": True, "max_width": 44},
    "status": {"no_wrap": True},
    "entries": {"justify": "right", "no_wrap": True},
    "polled": {"justify": "right", "no_wrap": True},
    "next": {"justify": "right", "no_wrap": True},
    "why": {"overflow": "fold", "ratio": 1, "min_width": 20},
}


def _next(feed: Feed, now: float) -> str:
    """When the next poll is. A feed that is being polled stands in the schedule by the end of its lease."""
    if feed.paused:
        return "never"
    due = feed.polls.next_poll or feed.added
    return f"in {span(due - now)}" if due > now + 1 else "now"


def as_record(feed: Feed) -> dict[str, Any]:
    """A feed as `feeds list --json` prints it; times are RFC 3339, null for never."""
    polls = feed.polls
    return {
        "id": feed.id,
        "url": feed.url,
        "title": feed.title or polls.title,
        "status": status(feed),
        "entries": polls.entries,
        "added": _time(feed.added),
        "polled": _time(polls.polled),
        "succeeded": _time(polls.succeeded),
        "next": None if feed.paused else _time(polls.next_poll or feed.added),
        "why": polls.reason,
        "errors": polls.errors,
        "trouble": polls.trouble or None,
    }


def _time(seconds: float) -> str | None:
    if not seconds:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

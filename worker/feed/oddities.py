"""What is odd about a feed that can be read: what whoever adds it should know, and can often mend.

Invariant: pure; each line says what is so and what follows from it; a feed as it should be has none.
"""

from collections.abc import Sequence

from worker.feed.parse import Entry, ParsedFeed, State

_SLACK_S = 600.0
_QUIET_S = 60 * 86400.0
_LARGE = 1_000_000


def oddities(feed: ParsedFeed, *, size: int, content_type: str, has_validators: bool, now: float) -> list[str]:
    """What is odd about a document of `size` bytes, served as `content_type`, with or without ETag or Last-Modified."""
    found = [feed.reason] if feed.reason else []
    if feed.state is State.OK:
        found += _dates(feed.entries, now) + _links(feed.entries)
    if content_type.partition(";")[0].strip().lower() == "text/html":
        found.append("is served as text/html, as web pages are")
    if not has_validators:
        found.append("gives neither ETag nor Last-Modified: each poll brings the whole document")
    if size > _LARGE:
        found.append(f"is large: {size / 1e6:.1f} MB a poll")
    return found


def newest(entries: Sequence[Entry], now: float) -> Entry | None:
    """The entry with the newest date that is not in the future; the first one where none has a date."""
    dated = [entry for entry in entries if entry.published is not None and entry.published <= now + _SLACK_S]
    return max(dated, key=lambda entry: entry.published or 0.0) if dated else next(iter(entries), None)


def _dates(entries: Sequence[Entry], now: float) -> list[str]:
    dated = [entry.published for entry in entries if entry.published is not None]
    future = sum(time > now + _SLACK_S for time in dated)
    found = []
    if not dated:
        found.append("states no dates: articles count from when they are first seen")
    elif len(dated) < len(entries):
        found.append(f"states no date for {_of(len(entries) - len(dated), entries)}")
    if future:
        found.append(f"dates {_of(future, entries)} in the future: they count from when they are first seen")
    past = [time for time in dated if time <= now + _SLACK_S]
    if past and now - max(past) > _QUIET_S:
        found.append(f"has brought nothing for {int((now - max(past)) / 86400):,} days")
    return found


def _links(entries: Sequence[Entry]) -> list[str]:
    found = []
    without = sum(not entry.url for entry in entries)
    if without:
        found.append(f"has no link in {_of(without, entries)}")
    shared = len(entries) - without - len({entry.url for entry in entries if entry.url})
    if shared:
        found.append(f"gives {_of(shared, entries)} the link of another one")
    textless = sum(not entry.text for entry in entries)
    if textless:
        found.append(f"has only a headline in {_of(textless, entries)}")
    return found


def _of(number: int, entries: Sequence[Entry]) -> str:
    return "all its entries" if number == len(entries) else f"{number:,} of {len(entries):,} entries"

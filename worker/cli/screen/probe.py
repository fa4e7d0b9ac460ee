"""What a test fetch found: a feed in some lines, or in one; feeds to choose from.

Invariant: whatever a feed calls itself or answers reaches the screen only through `harmless`.
"""

from collections.abc import Iterator
from statistics import median

from worker.cli.screen.terminal import Part, Screen, fit
from worker.feed.address import shown_url
from worker.feed.oddities import newest, oddities
from worker.feed.parse import ParsedFeed, State
from worker.poller.probe import Examined, Found
from worker.report.harmless import harmless
from worker.report.words import count, full_time, size, span
from worker.schedule.wording import words as duration

_LABEL = 9


def show_examined(screen: Screen, line: str, found: Examined, now: float, *, whole: bool) -> None:
    """A feed that was added (`line`): one line, or the whole of what was found."""
    if not whole:
        screen.say(f"{line}: {harmless(_in_short(found, now))}")
        return
    screen.say((line, "bold"))
    for label, said in _rows(found, now):
        parts: list[Part] = [(f"  {label:<{_LABEL}}", "dim"), harmless(said)]
        screen.say(*fit(parts, screen.width) if screen.is_terminal and label == "newest" else parts)


def choice_lines(found: Found, now: float) -> Iterator[str]:
    """The feeds of a page, of which one has to be chosen."""
    for each in found.feeds:
        yield harmless(shown_url(each.url))
        yield f"    {harmless(each.feed.title, '(no title)')}: {harmless(_in_short(each, now))}"


def _rows(found: Examined, now: float) -> Iterator[tuple[str, str]]:
    feed, fetched = found.feed, found.fetched
    yield "address", shown_url(found.url)
    if found.moved:
        yield "moved", f"for good, from {shown_url(found.moved)}"
    elif fetched.url != found.url:
        yield "leads to", shown_url(fetched.url)
    entries = count(len(feed.entries), "entry", "entries")
    yield "format", f"{found.kind}, {entries}, {size(len(fetched.body))} in {found.took_ms:,.0f} ms"
    if (entry := newest(feed.entries, now)) is not None:
        when = f"{full_time(entry.published)} ({span(now - entry.published)} ago): " if entry.published else ""
        yield "newest", f"{when}{entry.title or '(no headline)'}"
        yield "text", _text(feed)
    if asks := _asks(feed):
        yield "asks", asks
    if feed.hub:
        yield "hub", f"{feed.hub} (WebSub)"
    for odd in oddities(
        feed,
        size=len(fetched.body),
        content_type=fetched.content_type,
        has_validators=bool(fetched.etag or fetched.last_modified),
        now=now,
    ):
        yield "odd", odd


def _in_short(found: Examined, now: float) -> str:
    feed = found.feed
    if feed.state is State.EMPTY:
        return f"{found.kind}, {feed.reason}"
    entry = newest(feed.entries, now)
    age = f", newest {span(now - entry.published)} old" if entry is not None and entry.published else ""
    text = _text(feed).partition(" (")[0]
    return f"{found.kind}, {count(len(feed.entries), 'entry', 'entries')}{age}, {text}"


def _text(feed: ParsedFeed) -> str:
    """Whether its entries carry whole articles, summaries or, as those of a sitemap, neither."""
    entries = feed.entries
    if not any(entry.text for entry in entries):
        return "headlines only"
    summaries = sum(entry.summary or not entry.text for entry in entries)
    length = median(len(entry.text.split()) for entry in entries)
    typical = f"(typically {count(int(length), 'word')})"
    if summaries == len(entries):
        return f"summaries only {typical}"
    return f"full text {typical}" if not summaries else f"full text in {len(entries) - summaries} of them {typical}"


def _asks(feed: ParsedFeed) -> str:
    """What the document asks of who polls it."""
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    said = [f"at most every {duration(feed.ttl_s)} (ttl)"] if feed.ttl_s else []
    if feed.skip_hours:
        said.append(f"not at {', '.join(map(str, feed.skip_hours))} h UTC (skipHours)")
    if feed.skip_days:
        said.append(f"not on {', '.join(days[day] for day in feed.skip_days)} (skipDays)")
    return "; ".join(said)

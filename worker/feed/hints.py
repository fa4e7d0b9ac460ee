"""What a feed asks of those who poll it: how often, when not, and through which hub instead.

Invariant: pure; whatever is stated wrongly is not stated.
"""

import re

from worker.feed.address import web_link
from worker.feed.raw import RawFeed

_PERIODS_S = {"hourly": 3600, "daily": 86400, "weekly": 7 * 86400, "monthly": 30 * 86400, "yearly": 365 * 86400}
_MAX_SKIPS = 5_000
"""Bytes of a list of hours or days."""
_HOUR = re.compile(rb"<hour>\s{0,20}(\d{1,2})\s{0,20}</hour>", re.IGNORECASE)
_DAY = re.compile(rb"<day>\s{0,20}([a-z]{3})[a-z]{0,6}\s{0,20}</day>", re.IGNORECASE)
_DAYS = (b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun")
_LINK = re.compile(
    r"<([^<>]{1,2000})>((?:\s{0,9};\s{0,9}[a-z-]{1,20}\s{0,9}=\s{0,9}(?:\"[^\"]{0,200}\"|[^\s\",;]{0,200}))*)",
    re.IGNORECASE,
)
_REL = re.compile(r"(?:^|;)\s{0,9}rel\s{0,9}=\s{0,9}(?:\"([^\"]{0,200})\"|([^\s\",;]{1,200}))", re.IGNORECASE)


def ttl_s(feed: RawFeed) -> float:
    """The least seconds between fetches: `ttl` in minutes, or `sy:updatePeriod` divided by `sy:updateFrequency`."""
    ttl = feed.ttl.strip()
    if ttl.isdecimal() and len(ttl) < 7:
        return float(ttl) * 60
    period_s, frequency = _PERIODS_S.get(feed.period.strip().lower(), 0), feed.frequency.strip()
    return period_s / max(1, int(frequency)) if frequency.isdecimal() and len(frequency) < 7 else float(period_s)


def skip_hours(body: bytes) -> tuple[int, ...]:
    """The hours (UTC, 0 to 23) in which an RSS feed asks not to be read; 24 is another name of 0."""
    hours = {int(hour) for hour in _HOUR.findall(_skips(body, b"<skipHours"))}
    return tuple(sorted({hour % 24 for hour in hours if hour <= 24}))


def skip_days(body: bytes) -> tuple[int, ...]:
    """The weekdays (UTC, 0 is Monday) on which an RSS feed asks not to be read."""
    days = {day.lower() for day in _DAY.findall(_skips(body, b"<skipDays"))}
    return tuple(number for number, day in enumerate(_DAYS) if day in days)


def _skips(body: bytes, tag: bytes) -> bytes:
    """The list that a channel states, before its entries or after them: never what stands in an entry's text."""
    first, last = body.find(b"<item"), body.rfind(b"</item>")
    at = body.find(tag, 0, first if first >= 0 else len(body))
    if at < 0 and last >= 0:
        at = body.find(tag, last)
    if at < 0:
        return b""
    listed = body[at : at + _MAX_SKIPS]
    return listed[: listed.find(b"</" + tag[1:])]


def header_links(link: str, url: str) -> tuple[str, str]:
    """The WebSub hub and the topic that an HTTP Link header names (RFC 8288), or "" for each that it does not.

    `link`: the header's text, several joined by commas; `url`: the address of the answer, from which they count.
    """
    hub = topic = ""
    for target, parameters in _LINK.findall(link[:20_000]):
        found = _REL.search(parameters)
        rels = (found[1] or found[2] or "").lower().split() if found else []
        hub = hub or (web_link(url, target) if "hub" in rels else "")
        topic = topic or (web_link(url, target) if "self" in rels else "")
    return hub, topic

"""When a feed is polled next, and what is remembered of its polls: pure functions of what the last poll found.

Invariant: the server's wishes (Retry-After, ttl, max-age) only ever make a poll later, and never by more than a day.
"""

import math
import re
from email.utils import parsedate_to_datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

_DAY_S = 86400.0
_OFFLINE_S = 3600.0
"""The longest wait after an error of the net itself: it is mostly our own, and over at once for all feeds."""

NO_NETWORK_S = 30.0
"""The wait while no feed at all can be reached: nobody is asked too often by it."""

NO_NETWORK = f"no network: again in {NO_NETWORK_S:.0f} s"
"""The reason of a feed's next poll then."""

_REFUSED_S = 3600.0
"""The least wait after 429 or 503 without a Retry-After."""

_MAX_AGE_S = 3600.0
"""The longest that a Cache-Control header is followed: many are set for images, not for news."""

_SHARE_S = 3600.0
"""The least wait of a feed that has brought its share of a day: there may be room for more within the hour."""

SHARE = "as it has brought its share of the day"
"""The words of its next poll's reason."""

_SPREAD = 0.1
"""A wait is made longer by up to this part of itself, or feeds that failed together would stay together."""

PAUSED = math.inf
"""The next poll of a feed that is not polled any more until a person adds it again."""


class Outcome(StrEnum):
    """What a poll came to."""

    OK = "ok"
    EMPTY = "empty"
    NOT_MODIFIED = "not-modified"
    SAME_BODY = "same-body"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    GONE = "gone"

    @property
    def good(self) -> bool:
        """True where the feed was there and could be read."""
        return self in (Outcome.OK, Outcome.EMPTY, Outcome.NOT_MODIFIED, Outcome.SAME_BODY)


class Polled(Struct, frozen=True, kw_only=True):
    """What one poll found. None stands for what it could not see, and what was known before is kept.

    `trouble`: in words, "" for none; `full`: the answer was a body, not a 304; `ttl_s`: what the document asks for,
    `cache_control` and `retry_after`: the headers as they came, or ""; `asked`: false where the address was refused
    by us, which tells nothing of the network; `later`: how many of its entries are beyond its share of the day;
    `new`, `revised`: entries that were published; `kind`, `status`: of a failure (worker/fetch/answers.py); `moved`:
    where permanent redirects alone led, or "". The rest is what the document says of itself (worker/feed/parse.py).
    """

    outcome: Outcome
    trouble: str = ""
    etag: str | None = None
    last_modified: str | None = None
    body_hash: bytes | None = None
    full: bool = False
    title: str | None = None
    entries: int | None = None
    ttl_s: float | None = None
    cache_control: str = ""
    retry_after: str = ""
    asked: bool = True
    later: int = 0
    new: int = 0
    revised: int = 0
    kind: str = ""
    status: int = 0
    expires: str = ""
    moved: str = ""
    skip_hours: tuple[int, ...] | None = None
    skip_days: tuple[int, ...] | None = None
    hub: str | None = None
    topic: str | None = None


class PollState(Struct, frozen=True, array_like=True):
    """What is remembered of a feed's polls. Times are seconds since 1970, 0 for never.

    `succeeded`: the last poll that could be read; `fetched`: the last that brought a body; `errors`: how many polls in
    a row went wrong; `trouble` and `reason` (of `next_poll`) are in words.
    """

    etag: str = ""
    last_modified: str = ""
    body_hash: bytes = b""
    polled: float = 0.0
    succeeded: float = 0.0
    fetched: float = 0.0
    outcome: str = ""
    trouble: str = ""
    errors: int = 0
    title: str = ""
    entries: int = 0
    ttl_s: float = 0.0
    next_poll: float = 0.0
    reason: str = ""

    @property
    def readable(self) -> bool:
        """True where the last poll could be read."""
        return bool(self.outcome) and Outcome(self.outcome).good

    def validators(self, now: float) -> tuple[str, str]:
        """ETag and Last-Modified to send, or two empty strings once a day: some servers never change theirs."""
        return ("", "") if now - self.fetched > _DAY_S else (self.etag, self.last_modified)


def after(state: PollState, polled: Polled, now: float, jitter: float, interval_s: float) -> PollState:
    """The state of a feed after a poll, its next one planned. `jitter` lies between 0 and 1."""
    good = polled.outcome.good
    state = replace(
        state,
        polled=now,
        outcome=str(polled.outcome),
        trouble=polled.trouble,
        errors=0 if good else state.errors + 1,
        succeeded=now if good else state.succeeded,
        fetched=now if polled.full else state.fetched,
        etag=state.etag if polled.etag is None else polled.etag,
        last_modified=state.last_modified if polled.last_modified is None else polled.last_modified,
        body_hash=state.body_hash if polled.body_hash is None else polled.body_hash,
        title=state.title if polled.title is None else polled.title,
        entries=state.entries if polled.entries is None else polled.entries,
        ttl_s=state.ttl_s if polled.ttl_s is None else polled.ttl_s,
    )
    time, reason = next_poll(state, polled, now, jitter, interval_s)
    return replace(state, next_poll=time, reason=reason)


def without_network(state: PollState, polled: Polled, now: float, jitter: float) -> PollState:
    """The state of a feed after a poll that failed for want of a network: it is no error of the feed's."""
    return replace(
        state,
        polled=now,
        outcome=str(polled.outcome),
        trouble=polled.trouble,
        next_poll=now + NO_NETWORK_S * (1 + _SPREAD * jitter),
        reason=NO_NETWORK,
    )


def next_poll(state: PollState, polled: Polled, now: float, jitter: float, interval_s: float) -> tuple[float, str]:
    """When to poll next and why, in words. `state` already counts this poll."""
    if polled.outcome is Outcome.GONE:
        return PAUSED, "paused: the server says that the feed is gone for good"
    wait_s, reason = _good(state, polled, interval_s) if polled.outcome.good else _bad(state, polled, now, interval_s)
    return now + wait_s * (1 + _SPREAD * jitter), reason


def _good(state: PollState, polled: Polled, interval_s: float) -> tuple[float, str]:
    wishes = {
        "as is set": interval_s,
        "as the feed asks (ttl)": min(state.ttl_s, _DAY_S),
        "as the server asks (max-age)": min(max_age_s(polled.cache_control), _MAX_AGE_S),
    }
    reason = max(wishes, key=lambda name: wishes[name])
    if polled.later:
        wait_s = max(wishes[reason], _SHARE_S, 2 * interval_s)
        return wait_s, f"again in {words(wait_s)}, {SHARE}"
    return wishes[reason], f"every {words(wishes[reason])}, {reason}"


def _bad(state: PollState, polled: Polled, now: float, interval_s: float) -> tuple[float, str]:
    """Twice as long after each error in a row, or as long as the server asks for."""
    longest_s = _OFFLINE_S if polled.outcome is Outcome.UNREACHABLE else _DAY_S
    wait_s = min(interval_s * 2.0 ** min(state.errors, 30), max(longest_s, interval_s))
    asked_s = min(retry_after_s(polled.retry_after, now), _DAY_S)
    if polled.outcome is Outcome.REFUSED and not asked_s:
        wait_s = max(wait_s, min(_REFUSED_S, interval_s * 6))
    if asked_s > wait_s:
        return asked_s, f"the server asks to wait {words(asked_s)} (Retry-After)"
    times = "an error" if state.errors == 1 else f"{state.errors} errors in a row"
    return wait_s, f"waiting {words(wait_s)} after {times}"


def retry_after_s(header: str, now: float) -> float:
    """The seconds that a Retry-After header asks for, from a number or a date; 0 for none."""
    header = header.strip()
    if re.fullmatch(r"\d{1,10}", header):
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return 0.0


def max_age_s(header: str) -> float:
    """The `max-age` of a Cache-Control header, 0 for none or where nothing may be cached."""
    if re.search(r"\bno-(?:cache|store)\b", header, re.IGNORECASE):
        return 0.0
    match = re.search(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,10})", header, re.IGNORECASE)
    return float(match[1]) if match else 0.0


def words(seconds: float) -> str:
    """A duration as the settings write it: `90s`, `15m`, `24h`."""
    for unit, length_s in (("h", 3600), ("m", 60)):
        if seconds >= 2 * length_s or seconds == length_s:
            return f"{seconds / length_s:.3g}{unit}"
    return f"{seconds:.3g}s"

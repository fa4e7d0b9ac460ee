"""What a poll found, and what is remembered of a feed's polls.

Invariant: PollState and Fetch are packed as arrays: fields are only ever added at their ends, with defaults.
"""

import math
from enum import StrEnum

from msgspec import Struct

DAY_S = 86400.0

PAUSED = math.inf
"""The next poll of a feed that is not polled any more until a person adds or resumes it."""

_HELD_S = 7 * DAY_S
"""A permanent redirect that has held for so long is meant."""

_TRUSTED_DAYS = 7
"""So rarely, at most, is a server asked without validators whose validators have proved true."""


class Pace(Struct, frozen=True):
    """Between which bounds feeds are polled: the wait of a feed of which nothing is known, the least and the longest.

    Where the bounds cross, the least wait holds; a beginning outside of them is the bound next to it.
    """

    begin_s: float = 600.0
    least_s: float = 120.0
    most_s: float = DAY_S

    @property
    def longest_s(self) -> float:
        """The longest wait that is ours."""
        return max(self.least_s, self.most_s)

    @property
    def first_s(self) -> float:
        """The wait while nothing is known."""
        return min(max(self.begin_s, self.least_s), self.longest_s)


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
    `cache_control`, `age`, `retry_after`: the headers as they came, or ""; `asked`: false where the address was refused
    by us, which tells nothing of the network; `later`: how many of its entries are beyond its share of the day;
    `new`, `revised`: entries that were published; `carried`: new ones that another feed had first; `kind`, `status`: of
    a failure (worker/fetch/answers.py); `moved`: where permanent redirects alone led, or ""; `pushed`: a hub that has
    proved itself tells of what is new. The rest is what the document says of itself (worker/feed/parse.py).
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
    pushed: bool = False
    age: str = ""
    carried: int = 0

    @property
    def came(self) -> int:
        """How many entries were not there before, whichever feed had them first."""
        return self.new + self.carried


class PollState(Struct, frozen=True, array_like=True):
    """What is remembered of a feed's polls. Times are seconds since 1970, 0 for never.

    `succeeded`: the last poll that could be read; `fetched`: the last that brought a body; `errors`: how many polls in
    a row went wrong; `trouble` and `reason` (of `next_poll`) are in words.

    `occasions`, `exposed_s`, `arrived`, `carried`, `rhythm`: how often it brings something (adapt.py, rhythm.py), its
    own or what another feed had first; `brought`: when it last did, or was first polled; `crowded_s`: the wait that its
    short document allows; `cadence_s`: what follows from all this; `strikes`: the weight of the errors in a row
    (backoff.py); `kind`, `status`: of the last poll's failure; `moved`, `moved_since`: where permanent redirects lead,
    and since when; `honest`: how often in a row the server's validators proved true, -1 once something new came under
    old ones; `spared_s`: the least wait since the server said that it is asked too often (backoff.py).
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
    occasions: float = 0.0
    exposed_s: float = 0.0
    arrived: float = 0.0
    rhythm: bytes = b""
    brought: float = 0.0
    crowded_s: float = 0.0
    cadence_s: float = 0.0
    strikes: float = 0.0
    kind: str = ""
    status: int = 0
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    hub: str = ""
    topic: str = ""
    moved: str = ""
    moved_since: float = 0.0
    honest: int = 0
    spared_s: float = 0.0
    carried: float = 0.0

    @property
    def readable(self) -> bool:
        """True where the last poll could be read."""
        return bool(self.outcome) and Outcome(self.outcome).good

    @property
    def moves_to(self) -> str:
        """The address that a permanent redirect has led to for a week, or ""."""
        return self.moved if self.readable and self.moved and self.polled - self.moved_since >= _HELD_S else ""

    def validators(self, now: float) -> tuple[str, str]:
        """ETag and Last-Modified to send, or two empty strings: once a day, as some servers never change theirs; up to
        once a week where they have proved true; always where they have not."""
        days = min(1 + self.honest, _TRUSTED_DAYS)
        return ("", "") if now - self.fetched > days * DAY_S else (self.etag, self.last_modified)


class Fetch(Struct, frozen=True, array_like=True):
    """One poll as `feeds show` lists it: when, what it came to, its HTTP status (0: none), the milliseconds of its
    fetch, its bytes, the entries shown, new and revised; the trouble in words or ""; the wait until the next (inf:
    paused) and its reason; the new ones that another feed had first."""

    at: float
    outcome: str = ""
    status: int = 0
    took_ms: float = 0.0
    size: int = 0
    entries: int = 0
    new: int = 0
    revised: int = 0
    trouble: str = ""
    wait_s: float = 0.0
    reason: str = ""
    carried: int = 0

"""The headers by which servers say when to come again.

Invariant: whatever a header holds, the answer is a number of seconds from 0 on, 0 where it says nothing of use.
"""

import re
from email.utils import parsedate_to_datetime

_NONSENSE_S = 366 * 86400.0
"""HTTP/1.1 (RFC 2616, 14.21) allows an Expires of a year at most: one beyond says "never", of no news."""


def retry_after_s(header: str, now: float) -> float:
    """The seconds that a Retry-After header asks for, from a number or a date; 0 for none."""
    header = header.strip()
    if re.fullmatch(r"[0-9]{1,10}", header):
        return float(header)
    return max(0.0, _date(header) - now)


def max_age_s(header: str, age: str = "") -> float:
    """What is left of the `max-age` of a Cache-Control header, 0 for none or where nothing may be cached. `age`: the
    header by which a cache on the way says for how long it has had the answer (RFC 9111, 4.2), or ""."""
    if not header or _uncached(header):
        return 0.0
    match = re.search(r"(?:^|[\s,])max-age\s*=\s*\"?([0-9]{1,10})", header, re.IGNORECASE)
    old_s = float(age) if re.fullmatch(r"[0-9]{1,10}", age := age.strip()) else 0.0
    return max(float(match[1]) - old_s, 0.0) if match else 0.0


def expires_s(header: str, cache_control: str, now: float) -> float:
    """The seconds until an Expires header's date; 0 where Cache-Control says otherwise (RFC 9111, 5.3) and for dates
    that are past, or too far ahead to be meant."""
    if not header or _uncached(cache_control) or re.search(r"\bmax-age\b", cache_control, re.IGNORECASE):
        return 0.0
    ahead_s = _date(header.strip()) - now
    return ahead_s if 0 < ahead_s <= _NONSENSE_S else 0.0


def _uncached(cache_control: str) -> bool:
    return bool(re.search(r"\bno-(?:cache|store)\b", cache_control, re.IGNORECASE))


def _date(header: str) -> float:
    try:
        return parsedate_to_datetime(header).timestamp()
    except (ValueError, TypeError, OverflowError):
        return 0.0

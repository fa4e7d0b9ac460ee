"""Addresses that others gave, before they become links of ours.

Invariant: what passes is http or https, names a host and no user, and reads the same to a browser as it does here.
"""

import re
from urllib.parse import urlsplit

from worker.feed.address import NONCHARACTERS

_MOST = 2_000
_BEYOND = re.compile(
    r"[\x00-\x20\x7f-\xa0\\\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff" + NONCHARACTERS + "]"
)
"""What browsers drop, fold or turn, and what XML cannot hold: an address that holds it is not what it seems to be."""


def safe(url: str) -> str | None:
    """The address, as fit for `href`; None for one that must not be followed from our pages (`javascript:`, `data:`,
    one with a user, with characters that hide or reverse what stands there, or over 2,000 characters)."""
    url = url.strip(" \t\r\n")
    if len(url) > _MOST or _BEYOND.search(url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return None
    return url

"""The registrable domain of an address, by the public suffix list: what one owner holds of the domain name system.

Invariant: a function of the address and of the list inside the package `publicsuffixlist`; nothing is looked up.
"""

from functools import cache, lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

_LONGEST_NAME, _MOST_LABELS = 253, 127
"""Of the domain name system (RFC 1035, 2.3.4): nothing longer can be looked up, and the list takes the square of the
labels in time."""


def is_host(name: str) -> bool:
    """Whether a name is no longer, and has no more labels, than a host's can have."""
    return len(name.rstrip(".")) <= _LONGEST_NAME and name.rstrip(".").count(".") < _MOST_LABELS


def hostname(url: str) -> str:
    """The host of an address in lower case, in the spelling of the domain name system (`xn--...`), without a dot at
    its end; "" where it has none, or one that no host can have."""
    try:
        name = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""
    if not is_host(name):
        return ""
    return name if name.isascii() else _ascii(name)


def registrable(url: str) -> str:
    """The registrable domain of an address: `bbc.co.uk` of https://news.bbc.co.uk/rss, `a.github.io` of its page.

    The private part of the list counts, so that who publishes under another's domain is somebody of their own.
    "" for an IP address, for a public suffix itself and where there is no host.
    """
    return _registrable(hostname(url))


@lru_cache(maxsize=16_384)
def _registrable(name: str) -> str:
    return "" if not name or _is_address(name) else _suffixes().privatesuffix(name) or ""


@cache
def _suffixes() -> PublicSuffixList:
    """The list: 0.1 s and 2 MB, when it is first asked for."""
    return PublicSuffixList()


def _is_address(name: str) -> bool:
    try:
        ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def _ascii(name: str) -> str:
    """A name as it is looked up; one that cannot be written so is no name."""
    try:
        return name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""

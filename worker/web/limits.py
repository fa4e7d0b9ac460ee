"""How often one client may ask for what costs: a bucket of tokens for each.

Invariant: what is kept is bounded, however many clients there are; a new one begins with a full bucket.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from starlette.requests import HTTPConnection

_MOST_CLIENTS = 10_000


@dataclass(frozen=True)
class Rate:
    """So many at once, and from then on one every `every_s` seconds."""

    at_once: int
    every_s: float


RATES = {
    "search": Rate(60, 0.1), "rows": Rate(120, 0.05), "similar": Rate(20, 0.5), "login": Rate(5, 12.0),
    "keys": Rate(5, 12.0),
}  # fmt: skip
"""What one client may ask for. `search`: lists for words, for an outlet, or for what takes a look through all stories;
`rows`: those of open pages of such lists, by their ids: a dozen of pages behind one address must not keep each other
from following. `keys`: wrong ones in headers and addresses, apart from the page
for logging in: a reader of feeds that goes on with an old key keeps no editor out."""


class Buckets:
    """One kind of requests. `now`: seconds of a clock that only grows."""

    def __init__(self, rate: Rate, now: Callable[[], float], most: int = _MOST_CLIENTS) -> None:
        self._rate, self._now, self._most = rate, now, most
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def wait_s(self, client: str) -> float:
        """0.0 where the client may go on, which is counted; else how many seconds until it may ask again."""
        now, rate = self._now(), self._rate
        full_at = max(self._full_at.get(client, now), now) + rate.every_s
        late = full_at - now - rate.at_once * rate.every_s
        if late > 1e-9:
            return late
        self._full_at[client] = full_at
        self._full_at.move_to_end(client)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)
        return 0.0


def client_of(request: HTTPConnection, proxies: int) -> str:
    """Who asks, as limits count: see client_at()."""
    peer = request.client.host if request.client else ""
    return client_at(peer, ",".join(request.headers.getlist("x-forwarded-for")), proxies)


def client_at(peer: str, forwarded: str, proxies: int) -> str:
    """Who asks, as limits count: an IPv4 address, or the /64 network of an IPv6 one.

    forwarded: X-Forwarded-For, of which the last `proxies` parts were added by proxies that are trusted.
    """
    if proxies:
        parts = [part.strip() for part in forwarded.split(",")]
        peer = parts[-proxies] if len(parts) >= proxies and parts[-proxies] else peer
    try:
        address = ip_address(peer)
    except ValueError:
        return peer[:50]
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else address.exploded[:19]
    return str(address)

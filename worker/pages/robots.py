"""What a site's robots.txt asks of page readers (RFC 9309): which pages to leave alone, and how slowly to come.

Invariant: pure but for the table of what was read, which is bounded; a robots.txt is good for a day.
"""

from collections import OrderedDict
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from protego import Protego

from worker.fetch import Failed, Fetched, NotModified

KEPT_S = 86_400.0
_FAILED_KEPT_S = 600.0
"""How long a robots.txt that cannot be read is not asked for again."""

_MOST_BYTES = 500 * 1024
"""What RFC 9309 wants read at least; what stands beyond is not read."""

_LONGEST_LINE = 2_000
_MOST_SITES = 2_000
_LONGEST_DELAY_S = 30.0
"""A longer Crawl-delay is taken for so much: some ask for an hour, and mean who reads all their pages."""


@dataclass(frozen=True)
class Policy:
    """What one site asks. `trouble`: why its pages must be left alone for now, in words; `until`: good until then."""

    until: float
    rules: Protego | None = None
    trouble: str = ""

    def why_not(self, url: str, agent: str) -> str:
        """Why this page must not be fetched, in words that follow "its page"; "" where it may."""
        if self.trouble:
            return self.trouble
        if self.rules is not None and not self.rules.can_fetch(url, agent):
            return "is not for programs: the site's robots.txt disallows it"
        return ""

    def delay_s(self, agent: str) -> float:
        """The seconds between two requests that the site asks for, within reason; 0 for none."""
        asked = self.rules.crawl_delay(agent) if self.rules is not None else None
        return min(max(asked or 0.0, 0.0), _LONGEST_DELAY_S)


def address(url: str) -> str:
    """Where the robots.txt of a page's site is."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, "/robots.txt", "", ""))


def policy(answer: Fetched | NotModified | Failed, now: float) -> Policy:
    """What to make of the answer to a request for a robots.txt (RFC 9309, 2.3.1): where there is none, all is allowed;
    while a server cannot give it, nothing is."""
    match answer:
        case Fetched(body=body):
            return Policy(now + KEPT_S, Protego.parse(_text(body)))
        case Failed(kind="too-big" | "redirects" | "bad-url"):
            return Policy(now + KEPT_S)
        case Failed(kind="private"):
            return Policy(now + _FAILED_KEPT_S)  # the page is refused as this was
        case Failed(status=status) if 400 <= status < 500 and status != 429:
            return Policy(now + KEPT_S)
        case Failed(status=status) if status:
            trouble = f"was left alone: the site's robots.txt cannot be had (status {status})"
        case Failed(kind=kind):
            trouble = f"was left alone: the site's robots.txt cannot be had ({kind})"
        case _:
            return Policy(now + KEPT_S)
    return Policy(now + _FAILED_KEPT_S, trouble=trouble)


class Policies:
    """What is known of sites, the least lately used forgotten first."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Policy] = OrderedDict()

    def find(self, robots: str, now: float) -> Policy | None:
        """The policy of the robots.txt at this address, where it is known and still good."""
        found = self._known.get(robots)
        if found is None or not now < found.until <= now + KEPT_S:
            return None
        self._known.move_to_end(robots)
        return found

    def keep(self, robots: str, policy: Policy) -> Policy:
        """Remember it."""
        self._known[robots] = policy
        while len(self._known) > _MOST_SITES:
            self._known.popitem(last=False)
        return policy


def _text(body: bytes) -> str:
    """As much of a robots.txt as is read; lines that nobody writes are left out, or matching them would take long."""
    lines = body[:_MOST_BYTES].decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    return "\n".join(line for line in lines if len(line) <= _LONGEST_LINE)

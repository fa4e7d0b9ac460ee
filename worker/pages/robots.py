"""What a site's robots.txt asks of page readers (RFC 9309): which pages to leave alone, and how slowly to come.

Invariant: pure but for the table of what was read, which is bounded; a robots.txt is good for a day.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
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
_MOST_RULES = 2_000
"""For one reader of pages; real ones have some tens, and matching a page with 30,000 takes 0.3 s."""

_MOST_SITES = 2_000
_MOST_KEPT_BYTES = 32_000_000
_RULE_BYTES = 700
"""What a parsed rule takes besides its text, and what a site takes."""

_AGENT = re.compile(r"\s*user[- ]?agent\s*[:\s]\s*([^#]*)", re.IGNORECASE)
_RULE = re.compile(
    r"\s*(?:allow|d(?:is{1,2}al{1,2}[oa]w|iasllow)|crawl[- ]delay)\s*[:\s]\s*(?P<value>[^#\s]?)", re.IGNORECASE
)
_OF_THE_SITE = re.compile(r"\s*(?:site-?maps?|host)\s*[:\s]", re.IGNORECASE)
_LONGEST_DELAY_S = 30.0
"""A longer Crawl-delay is taken for so much: some ask for an hour, and mean who reads all their pages."""


@dataclass(frozen=True)
class Policy:
    """What one site asks. `trouble`: why its pages must be left alone for now, in words; `until`: good until then;
    `kept_bytes`: about what it takes to remember."""

    until: float
    rules: Protego | None = None
    trouble: str = ""
    kept_bytes: int = _RULE_BYTES

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


def policy(answer: Fetched | NotModified | Failed, now: float, agent: str) -> Policy:
    """What to make of the answer to this agent's request for a robots.txt (RFC 9309, 2.3.1): where there is none,
    all is allowed; while a server cannot give it, nothing is."""
    match answer:
        case Fetched(body=body):
            ours = _of_agent(_lines(body), agent)
            kept_bytes = sum(_RULE_BYTES + 4 * len(line) for line in ours) + _RULE_BYTES
            return Policy(now + KEPT_S, Protego.parse("\n".join(ours)) if ours else None, kept_bytes=kept_bytes)
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
        self._bytes = 0

    def find(self, robots: str, now: float) -> Policy | None:
        """The policy of the robots.txt at this address, where it is known and still good."""
        found = self._known.get(robots)
        if found is None or not now < found.until <= now + KEPT_S:
            return None
        self._known.move_to_end(robots)
        return found

    def keep(self, robots: str, policy: Policy) -> Policy:
        """Remember it."""
        before = self._known.pop(robots, None)
        self._known[robots] = policy
        self._bytes += policy.kept_bytes - (before.kept_bytes if before else 0)
        while len(self._known) > _MOST_SITES or self._bytes > _MOST_KEPT_BYTES:
            self._bytes -= self._known.popitem(last=False)[1].kept_bytes
        return policy


def _lines(body: bytes) -> Sequence[str]:
    """As much of a robots.txt as is read; lines that nobody writes are left out, or matching them would take long."""
    lines = body[:_MOST_BYTES].decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    return [line for line in lines if len(line) <= _LONGEST_LINE]


def _of_agent(lines: Sequence[str], agent: str) -> Sequence[str]:
    """The rules for this agent alone, under the name that fits it best (RFC 9309, 2.2.1), as a robots.txt: most of a
    long one is for others. Nothing where no rule is."""
    names = {name for line in lines if (name := _agent(line))}
    best = max(names, key=lambda name: (_fit(name, agent), name), default="")
    if not best or not _fit(best, agent):
        return []
    rules = list(_rules(lines, best))
    return [f"User-agent: {best}", *rules] if rules else []


def _rules(lines: Sequence[str], name: str) -> Iterator[str]:
    """The rules of the groups that name this agent, 2,000 at most."""
    left, ours, naming = _MOST_RULES, False, False
    for line in lines:
        stated, rule = _AGENT.match(line), _RULE.match(line)
        if stated:
            ours = (ours and naming) or _agent(line) == name
            naming = True
        elif rule or (":" in line.partition("#")[0] and not _OF_THE_SITE.match(line)):
            naming = False
            if rule and rule["value"] and ours and left:
                left -= 1
                yield line


def _agent(line: str) -> str:
    """Whom a line names, in lower case and without asterisks around it; "" where it names nobody."""
    found = _AGENT.match(line)
    name = found[1].strip().lower() if found else ""
    return name if name == "*" else name.replace("*", "")


def _fit(name: str, agent: str) -> int:
    """How well a name fits an agent, 0 for not at all: as Protego finds it, which must find it again."""
    if name == "*":
        return 1
    if name not in agent.lower():
        return 0
    return len(name) if re.search(rf"(?<![\w-]){re.escape(name)}", agent.lower()) else 0

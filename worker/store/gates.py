"""The gates: how often a host is asked, by all pollers and page workers together.

Invariant: whoever asks gets a start or a turn of its own, and of any number on any machine no two start at one gate
closer than the spacing, nor are more of them inside than may be, whatever their names. Pages go behind feeds. Seconds
are the server's own, which all share.
"""

from collections.abc import Sequence
from hashlib import blake2b
from itertools import count
from typing import Any, NamedTuple

from redis import Redis

from worker.clock import Clock, SystemClock
from worker.feed.domain import hostname, registrable
from worker.names import new_name
from worker.schedule import until, words
from worker.store import keys
from worker.store.reach import Reach
from worker.store.scripts import load

READY_S = 1.0
"""Who has to wait no longer than this waits on the spot: to come again would cost more than it gives free."""

CLOSED = "asked to be left alone for a while"
"""The words of who waits for a gate that its server has closed."""

TURN = "waits its turn"
"""The words of who waits for a gate that is asked as often as it may be."""

_MARGIN_S = 5.0
"""So much longer than a fetch may take is a visitor's place kept: for its way in, and for what is done at the end."""


class Rule(NamedTuple):
    """How a host is treated: what counts as one (`by`: host, domain or feed), how many requests at once, how many
    seconds from start to start, and how long one may take."""

    by: str = "host"
    parallel: int = 2
    spacing_s: float = 1.0
    longest_s: float = 30.0

    def gate(self, url: str, feed: str = "") -> str:
        """The gate of an address, as a person knows it: `host news.example.org`. feed: whose address it is, if it is a
        feed's; what is no feed's (an article's page) has the gate of its host where each feed has its own."""
        if self.by == "feed" and feed:
            return f"feed {feed}"
        domain = registrable(url) if self.by == "domain" else ""
        return f"domain {domain}" if domain else f"host {hostname(url)}"


class Ask(NamedTuple):
    """Who (a feed's id, an article's) asks for what address. `page`: it is a page or what belongs to one, and has time;
    `delay_s`: how long after it no other page shall start (Crawl-delay). `lead_s`: how far ahead its start has to be,
    for one that comes late; `instead`: the name of a visit that missed its start, and is given up."""

    url: str
    who: str
    feed: str = ""
    page: bool = False
    delay_s: float = 0.0
    lead_s: float = 0.0
    instead: str = ""


class Turn(NamedTuple):
    """`admitted`: it may start in `wait_s` seconds, and has to leave afterwards; otherwise it is to ask again then,
    `why` in words. `closed`: the server asked for that. `gate`: which one it is; `visit`: the name to leave by.
    `asked_at`: when it was asked, by the clock of who asked, if it noted that: seconds count from there."""

    gate: str
    admitted: bool
    wait_s: float
    why: str = ""
    closed: bool = False
    visit: str = ""
    asked_at: float = 0.0


class Look(NamedTuple):
    """A gate as it is: for how many seconds it is closed by its server's wish (0: it is open), how many are inside, and
    how many wait for their turn."""

    closed_s: float
    inside: int
    waiting: int


class Visit(NamedTuple):
    """One that ended: at which gate, its name (`Turn.visit`), how long it took (0: nobody was asked), and for how many
    seconds the server wants nobody to ask, and no page to be asked for (0: it says nothing)."""

    gate: str
    name: str
    took_s: float = 0.0
    close_s: float = 0.0
    delay_s: float = 0.0


class Gates:
    """Lets in and out. `redis` speaks bytes; clock: None for the server's, another for tests and simulations."""

    def __init__(self, redis: Redis, rule: Rule, clock: Clock | None = None) -> None:
        self._redis: Any = redis
        self._clock = clock
        self.rule = rule
        self._name, self._questions = new_name(), count()
        self._enter = load(redis, "enter_gate")
        self._leave = load(redis, "leave_gate")

    def enter(self, asks: Sequence[Ask], ready_s: float = READY_S) -> list[Turn]:
        """A turn for each, in their order, in one round trip. `ready_s`: how long who is let in would wait itself.

        Who asks again before its turn keeps it; one that died inside makes room when its time is over.
        """
        rule, now, longest_s = self.rule, self._now(), self.rule.longest_s + _MARGIN_S
        gates = [rule.gate(ask.url, ask.feed) for ask in asks]
        names = [self._question() for _ in asks]
        pipe = self._redis.pipeline(transaction=False)
        for gate, ask, name in zip(gates, asks, names, strict=True):
            key = _key(gate)
            self._enter(
                keys=[keys.gate(key), keys.visitors(key), keys.turns(key)],
                args=[
                    *(ask.who, now, rule.spacing_s, rule.parallel, longest_s, ready_s),
                    *(name, "page" if ask.page else "", ask.delay_s, ask.lead_s, ask.instead),
                ],
                client=pipe,
            )
        return [
            Turn(gate, bool(admitted), float(wait_s), self._words(gate, why, float(wait_s)), why == b"closed", name)
            for gate, name, (admitted, wait_s, why) in zip(gates, names, pipe.execute(), strict=True)
        ]

    def away(self, ask: Ask, reach: Reach) -> str:
        """The node that is away and has the gate of this one, and what is wrong with it; "" where none is."""
        return reach.without_gate(_key(self.rule.gate(ask.url, ask.feed)))

    def leave(self, visits: Sequence[Visit]) -> None:
        """End these visits, in one round trip."""
        now = self._now()
        pipe = self._redis.pipeline(transaction=False)
        for visit in visits:
            key = _key(visit.gate)
            args = [visit.name, now, visit.took_s, visit.close_s, visit.delay_s]
            self._leave(keys=[keys.gate(key), keys.visitors(key)], args=args, client=pipe)
        pipe.execute()

    def look(self, gate: str) -> Look:
        """How it stands with a gate; nothing changes by that."""
        key = _key(gate)
        now = self._now()
        if isinstance(now, str):
            seconds, microseconds = self._redis.time()
            now = seconds + microseconds / 1e6
        closed = self._redis.hget(keys.gate(key), "closed")
        inside = self._redis.zcount(keys.visitors(key), now, "inf")
        return Look(max(float(closed or 0) - now, 0.0), inside, self._redis.zcount(keys.turns(key), now, "inf"))

    def _question(self) -> str:
        return f"{self._name}.{next(self._questions)}"

    def _now(self) -> float | str:
        return "" if self._clock is None else self._clock.now()

    def _words(self, gate: str, why: bytes, wait_s: float) -> str:
        match why:
            case b"closed":
                now = (self._clock or SystemClock()).now()  # for the words alone
                return f"waits {until(now, wait_s)}: {gate} {CLOSED} (Retry-After)"
            case b"full":
                return f"{TURN}: {gate} is asked by {self.rule.parallel} at once at most"
            case b"crawl":
                return f"{TURN}: {gate} wants its pages read slowly (Crawl-delay)"
            case b"spacing":
                return f"{TURN}: {gate} is asked at most every {words(self.rule.spacing_s)}"
        return ""


def _key(gate: str) -> str:
    """A gate in keys: whatever a host is called, its key has one hash tag."""
    return blake2b(gate.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

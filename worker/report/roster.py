"""All feeds at a glance: each with the one state that it is in, those in trouble first, to be looked through.

Invariant: pure; a feed is in exactly one state, so the counts add up; ten thousand feeds are looked through in
milliseconds, as what that needs is made once a reading.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from worker.feed.address import host, shown_url
from worker.report.feeds import is_failing, is_held_back, status, summary, waits_its_turn
from worker.schedule.adapt import new_a_day
from worker.store.feeds import Feed


class State(StrEnum):
    """How a feed is, what needs a person first: its last poll went wrong; its server says that it is gone; it could be
    read, but something is wrong with it; its host asked to be left alone, or has others before it; it was not polled
    yet; it is polled; its hub pushes it; nobody polls it."""

    FAILING = "failing"
    GONE = "gone"
    TROUBLE = "trouble"
    WAITING = "waiting"
    NEW = "new"
    OK = "ok"
    PUSHED = "pushed"
    PAUSED = "paused"


def state(feed: Feed, now: float, *, pushed: bool = False) -> State:
    """The state of a feed. pushed: its subscription at its hub is in force."""
    if feed.paused:
        return State.GONE if status(feed) == "gone" else State.PAUSED
    if feed.polls.trouble and feed.polls.readable:
        return State.TROUBLE
    if is_held_back(feed, now) or waits_its_turn(feed, now):
        return State.WAITING
    if is_failing(feed):
        return State.FAILING
    if not feed.polls.outcome:
        return State.NEW
    return State.PUSHED if pushed else State.OK


class Known(NamedTuple):
    """A feed, its state, what it is called, and the text in which words are looked for."""

    feed: Feed
    state: State
    name: str
    text: str

    def has(self, words: Sequence[str]) -> bool:
        """Whether all these are in its text (name, address, folder), or its id: digits of a name are in many ids."""
        return all(word in self.text or word == self.feed.id for word in words)


class Selection(NamedTuple):
    """Feeds that fit, from a place on; how many fit; how many of those that have the words are in each state."""

    shown: Sequence[Known]
    fit: int
    counts: Mapping[State, int]


_RANK = {each: place for place, each in enumerate(State)}

SORTS: Mapping[str, Callable[[Known], Any]] = {
    "trouble": lambda known: (_RANK[known.state], -known.feed.polls.errors, known.name.casefold(), known.feed.url),
    "name": lambda known: (known.name.casefold(), known.feed.url),
    "new": lambda known: (-(new_a_day(known.feed.polls) or 0.0), known.feed.url),
    "polled": lambda known: (-known.feed.polls.polled, known.feed.url),
    "next": lambda known: (known.feed.due, known.feed.url),
}


class Roster:
    """The feeds as they were read at `now`; `pushed`: the ids of those that their hubs push."""

    def __init__(self, feeds: Sequence[Feed], now: float, pushed: Collection[str] = ()) -> None:
        self.now = now
        self.feeds = feeds
        self.summary = summary(feeds, len(feeds), now)
        self._every = sorted((_known(feed, now, feed.id in pushed) for feed in feeds), key=SORTS["trouble"])

    @cached_property
    def by_id(self) -> Sequence[Known]:
        """All of them, in the order of their ids."""
        return sorted(self._every, key=_id)

    def __len__(self) -> int:
        return len(self._every)

    def select(
        self, words: str = "", within: str = "", sort: str = "trouble", start: int = 0, limit: int = 100
    ) -> Selection:
        """Those that have all these words (see Known.has), and are in this state ("": any), in this order (of SORTS).
        `counts` are of all states, whichever is asked for."""
        wanted = words.casefold().split()
        found = [known for known in self._every if known.has(wanted)]
        counts = Counter(known.state for known in found)
        fit = [known for known in found if known.state == within] if within else found
        if sort != "trouble":
            fit.sort(key=SORTS[sort])
        return Selection(fit[start : start + limit], len(fit), counts)


def _id(known: Known) -> str:
    return known.feed.id


def after(every: Sequence[Known], feed_id: str) -> Sequence[Known]:
    """Of these, in the order of their ids, those after this id."""
    return every[bisect_right(every, feed_id, key=_id) :]


def _known(feed: Feed, now: float, pushed: bool) -> Known:
    name = feed.title or feed.polls.title or host(feed.url)
    url = shown_url(feed.url) if "@" in feed.url else feed.url  # who looks for words must not find a password by them
    text = f"{name}\n{url}\n{feed.folder}".casefold()
    return Known(feed, state(feed, now, pushed=pushed), name, text)

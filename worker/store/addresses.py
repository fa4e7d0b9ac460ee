"""What is kept of a feed, as it lies in the server and as the program sees it.

Invariant: what a person set and what polls found are kept apart, so that neither overwrites the other.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from worker.schedule import PAUSED, Fetch, PollState
from worker.store import keys
from worker.store.reach import ALL_ANSWER, Reach

CHUNK = 500
"""So many feeds are read or written in one round trip."""


class Address(Struct, frozen=True, array_like=True):
    """What a person set: where the feed is, what its outlet is called ("": as the feed says), since when; its folder,
    whether the pages of its entries are read ("on", "off", "auto"), whether it is held back."""

    url: str
    title: str
    added: float
    folder: str = ""
    pages: str = "auto"
    paused: bool = False


class Feed(NamedTuple):
    """A feed: its id, what a person set, what its polls found, and where it stands in the schedule. `held`: a person
    paused it; `moving`: a change of its address has not ended."""

    id: str
    url: str
    title: str
    added: float
    polls: PollState
    due: float
    folder: str = ""
    pages: str = "auto"
    held: bool = False
    moving: bool = False

    @property
    def paused(self) -> bool:
        """True where it is not polled any more until it is resumed or added again."""
        return self.due == PAUSED


encode = msgspec.msgpack.Encoder().encode
address = msgspec.msgpack.Decoder(Address).decode
fetch = msgspec.msgpack.Decoder(Fetch).decode
_polls = msgspec.msgpack.Decoder(PollState).decode


def load_feeds(redis: Any, planned: Sequence[tuple[str, float]], reach: Reach = ALL_ANSWER) -> list[Feed]:
    """The feeds with these ids and places in the schedule, in one round trip; what is being added or removed just now
    is left out, and what is on a node that is known to be away."""
    planned = [each for each in planned if not reach.without_feed(each[0])]
    pipe = redis.pipeline(transaction=False)
    for feed, _ in planned:
        pipe.hmget(keys.feed(feed), "address", "polls", "moving")
    found = []
    for (feed, due), (packed, polls, moving) in zip(planned, pipe.execute(), strict=True):
        if packed is not None:
            url, title, added, folder, pages, held = _set_by_a_person(packed)
            state = _polls(polls) if polls is not None else PollState()
            found.append(Feed(feed, url, title, added, state, due, folder, pages, held, moving is not None))
    return found


def _set_by_a_person(packed: bytes) -> tuple[str, str, float, str, str, bool]:
    known = address(packed)
    return known.url, known.title, known.added, known.folder, known.pages, known.paused


def chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    """The items, so many at a time as go in one round trip."""
    every = list(items)
    return (every[start : start + CHUNK] for start in range(0, len(every), CHUNK))

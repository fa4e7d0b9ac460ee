"""Two events told in much the same words, made from a seed: what a search takes for one story at first."""

import random

from tests.memory import member
from worker.model import Member

HOUR = 3600.0
SHARED = [f"zc{i}" for i in range(40)]
"""Words of both events; none is in a word list, so all weigh the same."""


def told(event: str, number: int, words: int = 120, shared: float = 0.5) -> str:
    """A report's text: words of its event and, the share of `shared`, of both; each report of an event is its own."""
    rng = random.Random(f"{event} {number}")
    own = [f"zz{event}{i}" for i in range(40)]
    return " ".join(rng.choice(SHARED if rng.random() < shared else own) for _ in range(words))


def report(name: str, hour: float | None = None, copy: str = "", shared: float = 0.5, words: int = 120) -> Member:
    """The article `a3`: the third report of event a, at that hour; or, as a copy, its text under another name."""
    event, number = name[0], int(name[1:])
    text = told(event, number, words, shared)
    at = HOUR * (number if hour is None else hour)
    return member(name + copy, f"Headline {name}{copy}", text, at, source=f"Outlet {event}{number}{copy}")

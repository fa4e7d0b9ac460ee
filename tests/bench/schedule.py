"""How soon the schedule sees what feeds bring, and how often it asks for it: `python -m tests.bench.schedule`.

Feeds are generated, or taken from the dates of captures (`../shared/feeds`); the rules are Storywire's, a fixed
interval, and those of two others as they describe them. Polls take no time, and what a document no longer shows is
lost. Prints a table as Markdown.
"""

import math
import random
import statistics
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from worker.schedule import Outcome, Pace, Polled, PollState, after

BEGIN = 1_749_427_200.0
"""A Monday, 00:00 UTC."""

HOUR_S, DAY_S = 3600.0, 86400.0
WEEKS, WARM_DAYS, SHOWN = 8, 14, 30


class Feed(NamedTuple):
    """Times at which entries appear, in order, and spans in which the feed answers 404."""

    times: Sequence[float]
    away: Sequence[tuple[float, float]] = ()


class Result(NamedTuple):
    """Polls a day, delays of the entries in seconds, and how many entries were never seen."""

    polls_a_day: float
    delays_s: Sequence[float]
    lost: int


Rule = Callable[[], Callable[[float, bool, int, Sequence[float]], float]]
"""Makes a rule for one feed: (now, whether it answered, new entries, times of the entries shown) to the next poll."""


def poisson(rng: random.Random, rate: Callable[[float], float], most: float, days: float = WEEKS * 7) -> list[float]:
    """Times of a Poisson process of `rate(time)` an hour, at most `most`, by thinning."""
    times, now = [], BEGIN
    while (now := now + rng.expovariate(most) * HOUR_S) < BEGIN + days * DAY_S:
        if rng.random() * most < rate(now):
            times.append(now)
    return times


def office(time: float) -> float:
    """4 an hour from 9 to 17 on weekdays."""
    day, second = divmod(time - BEGIN, DAY_S)
    return 4.0 if 9 <= second / HOUR_S < 17 and day % 7 < 5 else 0.0


def _constant(rate: float, _: float) -> float:
    return rate


def generated(seed: int = 7) -> dict[str, Feed]:
    """Feeds of all kinds."""
    rng = random.Random(seed)
    steady = {name: Feed(poisson(rng, partial(_constant, rate), rate)) for name, rate in RATES.items()}
    bursts = sorted(
        at + rng.random() * 1800
        for start in poisson(rng, lambda _: 2 / 24, 2 / 24)
        for at in [start] * rng.randint(5, 40)
    )
    batches = [BEGIN + hour * HOUR_S + item for hour in range(WEEKS * 7 * 24) for item in range(8)]
    day = poisson(rng, lambda t: 20.0 if 6 <= (t - BEGIN) % DAY_S / HOUR_S < 22 else 1.0, 20.0)
    month = [BEGIN + (20 + 30 * n) * DAY_S + 40_000 for n in range(2)]
    return steady | {
        "newsroom, 20 an hour by day, 1 by night": Feed(day),
        "office hours, 4 an hour, 9 to 17, Mon to Fri": Feed(poisson(rng, office, 4.0)),
        "bursts, 5 to 40 within half an hour, 2 a day": Feed(bursts),
        "8 at each full hour": Feed(batches),
        "1 a month": Feed(month),
        "dead": Feed([]),
        "1 an hour, answers 404 on the 30th day": Feed(
            poisson(rng, lambda _: 1.0, 1.0), [(BEGIN + 30 * DAY_S, BEGIN + 31 * DAY_S)]
        ),
    }


RATES = {"steady, 30 an hour": 30.0, "steady, 2 an hour": 2.0, "steady, 5 a day": 5 / 24, "steady, 1 a day": 1 / 24}


def run(feed: Feed, rule: Rule, until: float, warm_until: float) -> Result:
    """Poll a feed by a rule; polls and entries count after `warm_until`."""
    plan, now, seen, polls, lost, delays = rule(), BEGIN + 1, 0, 0, 0, []
    while now < until:
        polls += now >= warm_until
        if any(start <= now < end for start, end in feed.away):
            now = plan(now, False, 0, ())
            continue
        there = bisect_right(feed.times, now)
        shown = feed.times[max(0, there - SHOWN) : there]
        new = feed.times[max(seen, there - SHOWN) : there]
        lost += sum(time >= warm_until for time in feed.times[seen : there - len(new)])
        delays += [now - time for time in new if time >= warm_until]
        seen, now = there, plan(now, True, len(new), shown)
    return Result(polls / ((until - warm_until) / DAY_S), delays, lost)


def storywire(pace: Pace = Pace()) -> Rule:  # noqa: B008 (frozen)
    def rule() -> Callable[[float, bool, int, Sequence[float]], float]:
        rng, state = random.Random(1), PollState()

        def plan(now: float, there: bool, new: int, shown: Sequence[float]) -> float:
            nonlocal state
            outcome = Outcome.OK if there else Outcome.FAILED
            polled = Polled(
                outcome=outcome, new=new, entries=len(shown), kind="" if there else "http", status=0 if there else 404
            )
            state = after(state, polled, now, rng.random(), pace)
            return state.next_poll

        return plan

    return rule


def fixed(minutes: float) -> Rule:
    return lambda: lambda now, there, new, shown: now + minutes * 60


def miniflux() -> Callable[[float, bool, int, Sequence[float]], float]:
    """Its `entry_frequency`: a week divided by the entries of the last week, 5 minutes to 24 hours."""
    known: list[float] = []

    def plan(now: float, there: bool, new: int, shown: Sequence[float]) -> float:
        known.extend(shown[len(shown) - new :] if new else ())
        week = len(known) - bisect_right(known, now - 7 * DAY_S)
        return now + min(max(7 * DAY_S / week if week else DAY_S, 300.0), DAY_S)

    return plan


def media_cloud() -> Callable[[float, bool, int, Sequence[float]], float]:
    """By the share of entries shown that were known: from two thirds on longer, under a third shorter, by a half; 10
    minutes to 24 hours."""
    wait_s = 6 * HOUR_S

    def plan(now: float, there: bool, new: int, shown: Sequence[float]) -> float:
        nonlocal wait_s
        if there and shown:
            known = 1 - new / len(shown)
            wait_s *= 1.5 if known >= 0.67 else 1 / 1.5 if known < 0.33 else 1
        wait_s = min(max(wait_s, 600.0), DAY_S)
        return now + wait_s

    return plan


RULES: dict[str, Rule] = {
    "Storywire": storywire(),
    "fixed 10m": fixed(10),
    "Miniflux": miniflux,
    "Media Cloud": media_cloud,
}


def span(seconds: float) -> str:
    """A delay in words."""
    return f"{seconds / 60:.0f} m" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def cell(result: Result) -> str:
    """Polls a day; median and 99th percentile of the delay; what was lost."""
    if not result.delays_s:
        return f"{result.polls_a_day:.1f}; -"
    ordered = sorted(result.delays_s)
    last = ordered[min(len(ordered) - 1, math.ceil(0.99 * len(ordered)) - 1)]
    lost = f", {result.lost:,} lost" if result.lost else ""
    return f"{result.polls_a_day:.1f}; {span(statistics.median(ordered))}, {span(last)}{lost}"


def rows(feeds: dict[str, Feed], until: float, warm_until: float) -> Iterator[str]:
    """The table as Markdown, a line each."""
    yield "| feed | " + " | ".join(RULES) + " |"
    yield "|---" * (len(RULES) + 1) + "|"
    for name, feed in feeds.items():
        yield f"| {name} | " + " | ".join(cell(run(feed, rule, until, warm_until)) for rule in RULES.values()) + " |"


def captured(folder: Path) -> dict[str, Feed]:
    """The dates of the entries of captured feeds, moved so that the first lies at the beginning."""
    from worker.feed.parse import parse

    found = {}
    for feed in sorted(path for path in folder.iterdir() if len(list(path.glob("1*.xml"))) > 10):
        entries: dict[str, float] = {}
        for capture in sorted(feed.glob("*.xml")):
            for entry in parse(capture.read_bytes(), "https://example.org/feed", "").entries:
                if entry.published:
                    entries.setdefault(entry.key, entry.published)
        first = min(int(path.stem) for path in feed.glob("*.xml"))
        monday = BEGIN + (first - BEGIN) // (7 * DAY_S) * 7 * DAY_S
        found[feed.name] = Feed(sorted(time - monday + BEGIN for time in entries.values() if time >= first))
    return found


def main() -> None:
    """Print the tables."""
    print("\n".join(rows(generated(), BEGIN + WEEKS * 7 * DAY_S, BEGIN + WARM_DAYS * DAY_S)))
    shared = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[3] / "shared" / "feeds"
    if not shared.is_dir():
        print(f"\nno captures: {shared} is not there")
        return
    for name, feed in captured(shared).items():
        print(f"\n{name}: {len(feed.times)} entries\n")
        print("\n".join(rows({name: feed}, feed.times[-1] + 1, feed.times[0] + DAY_S)))


if __name__ == "__main__":
    main()

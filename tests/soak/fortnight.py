"""Two weeks of news through one store: what it holds at the end of each day, and what is left when all has ended.

    python -m tests.soak.fortnight [--rate 50000] [--days 14] [--json FILE]

Method: the generated stream (tests/bench/stream.py) goes, by a manual clock, as polls of 50 entries through the
pollers' decision, the outbox and `Ingest`, and stories end as the sweeper ends them. The feeds' marks of the two weeks
before are there from the beginning, staggered, as they are kept for twice the retention. The window is full when the
retention, and the day and a half that a story is told, have passed. Afterwards the clock goes on until everything has
expired, and every key that is left is booked on the function of store/keys/ that names it.

Invariant: what is measured is what the server says of itself; nothing is extrapolated.
"""

import argparse
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, to_builtins

from tests.bench.memory import POLL, kinds, poll_feed, remember
from tests.bench.memory import feed_of as feed_at
from tests.bench.stream import DAY_S, END_S, Report, batches, filling
from tests.servers import Server
from worker import config
from worker.clock import ManualClock
from worker.runtime import Runtime, open_runtime

RATE, DAYS = 50_000, 14
FULL_DAYS = 9
"""The first day at whose end the window is full: seven days of retention, and the stories' day and a half."""
LAST_DAYS = 3
GROWTH = 1.1
"""The last days' most may be this many times the first full window's: the stream's own volume varies."""
_EXPIRE_AT_ONCE = 100


class Day(Struct, frozen=True):
    """The end of a day: what is stored, the server's keys and bytes beyond an empty server's, this process's bytes,
    and the seconds that the day took."""

    day: int
    articles: int
    stories: int
    keys: int
    used: int
    process: int
    took_s: float


class Soak(Struct, frozen=True):
    """The days; `left`: the kinds of keys, with their number, after everything has expired, and `rest` their bytes."""

    days: list[Day]
    left: dict[str, int]
    rest: int

    def grown(self, what: str) -> float:
        """The last days' most of `used`, `keys` or `process`, in times of the first full window's."""
        values = [getattr(day, what) for day in self.days]
        return float(max(values[-LAST_DAYS:]) / values[FULL_DAYS - 1])


def soak(rate: int = RATE, days: int = DAYS, **options: Any) -> Soak:
    """Run so many articles a day for so many days on a server of its own, then let all of it end. options: the
    server's."""
    server = Server("valkey", **options)
    try:
        clock = ManualClock(END_S - days * DAY_S)
        settings = config.load({"STORYWIRE_REDIS_URL": server.url(0)})
        with open_runtime(settings, clock) as runtime:
            redis: Any = runtime.redis
            empty = int(redis.info("memory")["used_memory"])
            _remember(runtime, clock, rate)
            seen = list(_days(runtime, clock, rate, days, empty))
            clock.advance(settings.retention + 60.0)
            while runtime.ingest.expire(_EXPIRE_AT_ONCE):
                pass
            runtime.outbox.stale(clock.now(), clock.now(), 1)
            left = {kind.name: kind.keys for kind in kinds(redis)}
            return Soak(seen, left, int(redis.info("memory")["used_memory"]) - empty)
    finally:
        server.close()


def _feeds(rate: int) -> int:
    """So many that each is polled twice a day."""
    return max(1, rate // (2 * POLL))


def _remember(runtime: Runtime, clock: ManualClock, rate: int) -> None:
    """The marks of the entries that the feeds showed in the two weeks before."""
    begin_s, keep_s = clock.now_s, 2 * runtime.settings.retention
    polls = int(rate * keep_s / DAY_S) // POLL
    for poll in range(polls):
        clock.now_s = begin_s - keep_s * (1 - poll / polls)
        remember(runtime, poll, keep_s, _feeds(rate))
    clock.now_s = begin_s


def _days(runtime: Runtime, clock: ManualClock, rate: int, days: int, empty: int) -> Iterator[Day]:
    keep_s, began = 2 * runtime.settings.retention, time.monotonic()
    day, day_end_s = 1, clock.now_s + DAY_S
    for poll, reports in enumerate(_polls(rate, days)):
        while reports[-1].time > day_end_s:
            yield _measured(runtime, day, empty, time.monotonic() - began)
            day, day_end_s, began = day + 1, day_end_s + DAY_S, time.monotonic()
        clock.now_s = max(clock.now_s, reports[-1].time)
        runtime.ingest.run(poll_feed(runtime, feed_at(poll, _feeds(rate)), reports, keep_s))
        runtime.ingest.expire(_EXPIRE_AT_ONCE)
    yield _measured(runtime, day, empty, time.monotonic() - began)


def _polls(rate: int, days: int) -> Iterator[Sequence[Report]]:
    return batches(filling(rate * days, span_s=days * DAY_S), POLL)


def _measured(runtime: Runtime, day: int, empty: int, took_s: float) -> Day:
    redis: Any = runtime.redis
    counts = runtime.stories.counts()
    used = int(redis.info("memory")["used_memory"]) - empty
    measured = Day(day, counts["articles"], counts["stories"], redis.dbsize(), used, _resident(), round(took_s, 1))
    print(_row(measured), file=sys.stderr, flush=True)
    return measured


def _resident() -> int:
    """The bytes of this process that are in memory; 0 where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)


def _row(day: Day) -> str:
    each = day.used / day.articles if day.articles else math.nan
    return (
        f"| {day.day} | {day.articles:,} | {day.stories:,} | {day.keys:,} | {day.used / 1e6:,.1f} | {each:,.0f} "
        f"| {day.process / 1e6:,.0f} | {day.took_s:,.0f} |"
    )


def table(measured: Soak) -> str:
    """A Markdown table: memory and keys by day, and what was left."""
    head = "| day | articles | stories | keys | server, MB | bytes an article | this process, MB | seconds |"
    lines = [head, "|---" * 8 + "|", *map(_row, measured.days), ""]
    if len(measured.days) >= FULL_DAYS + LAST_DAYS:
        grown = ", ".join(f"{what} x {measured.grown(what):.3f}" for what in ("used", "keys", "process"))
        first = f"the first full window's (day {FULL_DAYS})"
        lines.append(f"The last {LAST_DAYS} days' most, in times of {first}: {grown}.")
    left = Counter(measured.left)
    told = ", ".join(f"{count} {name}" for name, count in sorted(left.items()))
    lines.append(f"When all had ended: {told}; {measured.rest / 1e6:.1f} MB.")
    return "\n".join(lines)


def main() -> None:
    """Run it, and print the table. Exit status 1 where memory or keys have grown."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.fortnight", description=__doc__)
    parser.add_argument("--rate", type=int, default=RATE, help="articles a day")
    parser.add_argument("--days", type=int, default=DAYS, help=f"at least {FULL_DAYS + LAST_DAYS}")
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()
    if options.days < FULL_DAYS + LAST_DAYS:
        parser.error(f"--days {options.days}: nothing can be said of less than {FULL_DAYS + LAST_DAYS} days")
    measured = soak(options.rate, options.days)
    print(table(measured))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(to_builtins(measured), indent=1))
    if max(measured.grown("used"), measured.grown("keys")) > GROWTH:
        raise SystemExit(f"no plateau: more than {GROWTH} times the first full window")


if __name__ == "__main__":
    main()

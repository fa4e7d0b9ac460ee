"""A day of ten thousand feeds, in compressed time: is each polled when it is due, and no host more than it bears?

    python -m tests.bench.day [--feeds 10000] [--factor 60] [--hours 24] [--json FILE]

Method: a web of loopback addresses (day_server.py) where feeds bring entries at random times, from 144 a day to none,
a hundred of them on one host, or one, and take up to six seconds to answer; a real poller on a real server, with a
clock that runs `factor` times faster. What the feeds show at the beginning is their first fetch and is not counted.
Lateness is from the planned time of a poll to its request, as a part of the wait that was planned; delay is from an
entry's appearing to its being queued. Hosts are judged by the web itself: the time between two starts and the requests
at once. Both are in simulated seconds: a millisecond of this machine counts `factor` of them, which SLACK_MS allows
for. Pages are not read.

Invariant: what is judged is what the web saw and what the store planned; nothing of the poller's own account is used.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from msgspec import Struct, to_builtins

from tests.bench.day_server import Pace, appearing, host_of
from tests.servers import Server
from worker import log
from worker.config import Settings, load
from worker.connect import connect
from worker.feed.address import feed_id
from worker.model import Ref
from worker.poller import leases
from worker.poller.loop import TICK_S, Poller
from worker.schedule import Fetch, PollState
from worker.store.feeds import Feed, Feeds
from worker.store.gates import Gates, Rule
from worker.store.outbox import Outbox
from worker.store.pollers import Pollers

BEGAN_S = 1_750_000_000.0
LATE = 0.1
"""Of the planned wait: what comes later was not polled when it was due."""

SLACK_MS = 25.0
"""Of real time: what a loaded machine may take from a start to the web's seeing it."""


class Day(Struct, frozen=True):
    """What a day came to. Lateness: parts of the planned wait; delays: simulated seconds; broken: of `starts`, those
    that came too soon after another or with too many under way."""

    feeds: int
    hosts: int
    polls: int
    late_share: float
    late_median: float
    late_p99: float
    entries: int
    delay_median_s: float
    delay_p99_s: float
    never_queued: int
    starts: int
    broken: int
    took_s: float
    process_s: float
    memory_mb: float


_Planned = tuple[float, float, str]
"""When a poll was, when the next one is to be, and why."""


class Planned(Feeds):
    """The store, which also notes when each poll was planned that took place: what a poll is late against.

    `polls`: feed -> (time of the poll, time of the next one, its reason), of polls that asked somebody.
    """

    def __init__(self, redis: Any) -> None:
        super().__init__(redis)
        self.polls: dict[str, list[_Planned]] = defaultdict(list)

    def record_all(self, polled: Sequence[tuple[Feed, PollState, Fetch | None]]) -> list[bool]:
        """Record, and note what was recorded."""
        held = super().record_all(polled)
        for (feed, state, fetch), is_held in zip(polled, held, strict=True):
            if is_held and fetch is not None:
                self.polls[feed.id].append((state.polled, state.next_poll, state.reason))
        return held


class Queue:
    """Stands where the queue is: notes when each article was queued. feed -> times, the oldest entry first."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.times: dict[str, list[float]] = defaultdict(list)

    def enqueue(self, refs: Sequence[Ref]) -> int:
        """Note these."""
        now = self._pace.now()
        for ref in refs:
            self.times[ref.feed].append(now)
        return 1


@contextmanager
def web(feeds: int, pace: Pace) -> Iterator[tuple[int, list[Any]]]:
    """The feeds' server in a process of its own: its port, and, when it has ended, what it saw."""
    numbers = [str(value) for value in (feeds, pace.began_s, pace.real_s, pace.factor)]
    command = [sys.executable, "-m", "tests.bench.day_server", *numbers]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen: list[Any] = []
        yield int(process.stdout.readline()), seen
        seen.append(json.loads(process.communicate("")[0]))


def _rule(settings: Settings, pace: Pace) -> Rule:
    """The gates' rule; how long a fetch may take is real time."""
    longest_s = settings.fetch_timeout * pace.factor
    return Rule(settings.gate, settings.gate_parallel, settings.gate_spacing, longest_s)


async def poll(settings: Settings, planned: Planned, redis: Any, queue: Queue, pace: Pace, hours: float) -> None:
    """Poll for so many simulated hours."""
    poller = Poller(
        feeds=planned,
        outbox=Outbox(redis),
        pollers=Pollers(redis),
        gates=Gates(redis, _rule(settings, pace), pace),
        enqueue=queue.enqueue,
        settings=settings,
        clock=pace,
        tick_s=TICK_S / 10,
    )
    running = asyncio.create_task(poller.run())
    until = pace.began_s + hours * 3600
    while not running.done() and pace.now() < until:
        await asyncio.sleep(min(10.0, max(0.01, (until - pace.now()) / pace.factor)))
        polls = sum(map(len, planned.polls.values()))
        print(f"  {(pace.now() - pace.began_s) / 3600:5.1f} h  {polls:9,} polls", file=sys.stderr, flush=True)
    poller.stop()
    await running


def simulated(feeds: int, factor: float, hours: float, spacing_s: float) -> Day:
    """The day, polled and judged."""
    leases.LEASE_S *= factor  # what a lease outlives is real time: a fetch, a stall of this machine
    pace = Pace(BEGAN_S, time.time() + 5.0, factor)
    began, used = time.perf_counter(), _own_s()
    with web(feeds, pace) as (port, seen), closing(Server("valkey")) as server:
        redis = connect(server.url())
        planned, queue = Planned(redis), Queue(pace)
        urls = [f"http://{host_of(number, feeds)}:{port}/feed/{number}" for number in range(feeds)]
        planned.offer(((url, "") for url in urls), BEGAN_S)
        settings = load(
            {"STORYWIRE_REDIS_URL": server.url(), "STORYWIRE_ALLOW_PRIVATE": "1"},
            gate_spacing=f"{spacing_s:g}s",
            max_pending="100000000",
        )
        asyncio.run(poll(settings, planned, redis, queue, pace, hours))
        process_s = _own_s() - used
        redis.close()
    return _judged(
        planned,
        queue,
        seen[0],
        ids=[feed_id(url) for url in urls],
        settings=settings,
        factor=factor,
        hours=hours,
        took_s=time.perf_counter() - began,
        process_s=process_s,
    )


def _judged(
    planned: Planned,
    queue: Queue,
    seen: dict[str, Any],
    *,
    ids: Sequence[str],
    settings: Settings,
    factor: float,
    hours: float,
    took_s: float,
    process_s: float,
) -> Day:
    until = BEGAN_S + hours * 3600
    asked: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for feed, at, shown in seen["asked"]:
        asked[feed].append((at, shown))
    late = [part for number, feed in enumerate(ids) for part in _late(planned.polls[feed], asked[number], until)]
    delays, missed = list[float](), 0
    for number, feed in enumerate(ids):
        own, lost = _delays(appearing(number, len(ids), BEGAN_S), asked[number], queue.times[feed], until)
        delays, missed = delays + own, missed + lost
    visits = [sorted(map(tuple, times)) for times in seen["starts"].values()]
    slack_s = SLACK_MS / 1000 * factor
    spacing_s, parallel = settings.gate_spacing - slack_s, settings.gate_parallel
    return Day(
        feeds=len(ids),
        hosts=len(visits),
        polls=len(seen["asked"]),
        late_share=sum(part > LATE for part in late) / max(1, len(late)),
        late_median=median(late),
        late_p99=quantiles(late, n=100)[98],
        entries=len(delays),
        delay_median_s=median(delays),
        delay_p99_s=quantiles(delays, n=100)[98],
        never_queued=missed,
        starts=sum(map(len, visits)),
        broken=sum(_broken(times, spacing_s, parallel, slack_s) for times in visits),
        took_s=round(took_s, 1),
        process_s=round(process_s, 1),
        memory_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    )


def _late(polls: Sequence[_Planned], asked: Sequence[tuple[float, int]], until: float) -> Iterator[float]:
    """By what part of the planned wait each request came too late; one that never came is late until the end."""
    for at, due, _ in polls:
        if due < until:
            came = next((time for time, _ in asked if time > at), until)
            yield max(0.0, came - due) / (due - at)


def _delays(
    times: Sequence[float], asked: Sequence[tuple[float, int]], queued: Sequence[float], until: float
) -> tuple[list[float], int]:
    """Seconds from an entry's appearing to its being queued; and how many that the feed showed to us never were."""
    if not asked:
        return [], 0
    first, shown = asked[0][1], asked[-1][1]
    known = len(queued) - (shown - first)
    delays = [queue - time for time, queue in zip(times[first:shown], queued[max(0, known) :], strict=False)]
    return delays, max(0, -known)


def _broken(times: Sequence[tuple[float, float]], spacing_s: float, parallel: int, slack_s: float) -> int:
    """Of a host's visits (start, end), how many began too soon after another, or while too many were under way."""
    close = sum(later[0] - earlier[0] < spacing_s for earlier, later in pairwise(times))
    crowded = sum(
        sum(other[0] <= start and other[1] - slack_s > start for other in times[max(0, at - 50) : at]) >= parallel
        for at, (start, _) in enumerate(times)
    )
    return close + crowded


def _own_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def told(day: Day) -> str:
    """The day as lines for a person."""
    return (
        f"{day.feeds:,} feeds on {day.hosts:,} hosts, {day.polls:,} polls in {day.took_s:.0f} s, "
        f"{day.process_s:.0f} s of processor, {day.memory_mb:.0f} MB\n"
        f"later than a tenth of the wait: {day.late_share:.2%} of the polls; median {day.late_median:.2%}, "
        f"99 % within {day.late_p99:.1%}\n"
        f"{day.entries:,} entries, from appearing to queued: median {day.delay_median_s:.0f} s, 99 % within "
        f"{day.delay_p99_s:.0f} s; {day.never_queued} never\n"
        f"{day.broken} of {day.starts:,} starts broke a gate"
    )


def main(args: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--feeds", type=int, default=10_000)
    parser.add_argument("--factor", type=float, default=60.0, help="simulated seconds in a real one")
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--spacing", type=float, default=5.0, help="seconds from start to start at one host")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(args)
    log.configure("poller", "warning")
    day = simulated(given.feeds, given.factor, given.hours, given.spacing)
    print(told(day))
    if given.json:
        given.json.write_text(json.dumps(to_builtins(day), indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

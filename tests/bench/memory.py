"""What an article costs the server's memory in a steady state, key by key.

    python -m tests.bench.memory [--articles 100000] [--json FILE]

Method: a synthetic stream (stream.py) goes as polls of 50 entries through the pollers' decision, the outbox and
`Ingest`; stories end a week after their last article, as the sweeper ends them; the feeds' marks of the two weeks that
they are kept are there from the beginning. When the window has been full for a day and a half, every key is measured
with MEMORY USAGE and booked on the function of store/keys/ that names it. The rest of `used_memory` is the server's
tables and buffers.

Invariant: what is summed up is what the server holds: every key is booked once.
"""

import argparse
import inspect
import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from tests.bench.stream import END_S, WINDOW_S, Report, batches, filling
from tests.servers import Server
from worker import config
from worker.clock import ManualClock
from worker.feed.address import feed_id
from worker.feed.decide import decide
from worker.feed.identity import Names, entry_keys
from worker.feed.identity import digests as name_digests
from worker.feed.parse import Entry
from worker.model import Article, Ref
from worker.runtime import Runtime, open_runtime
from worker.store import keys

ARTICLES = 100_000
FEEDS = 500
POLL = 50
STEADY_S = 1.5 * 86_400.0
_AT_ONCE = 500


class Kind(Struct, frozen=True):
    """The keys of one function of store/keys/: how many, and their bytes together."""

    name: str
    keys: int
    bytes: int


class Memory(Struct, frozen=True):
    """`articles` stored now, `used` bytes beyond those of an empty server, `kinds` of keys, largest first."""

    articles: int
    stories: int
    used: int
    kinds: list[Kind]


def measured(articles: int = ARTICLES, **options: Any) -> Memory:
    """Fill a server of its own with about so many articles, let old ones end, and measure. options: the server's."""
    server = Server("valkey", **options)
    try:
        clock = ManualClock(0.0)
        settings = config.load({"STORYWIRE_REDIS_URL": server.url(0)})
        with open_runtime(settings, clock) as runtime:
            redis: Any = runtime.redis
            empty = int(redis.info("memory")["used_memory"])
            _fill(runtime, clock, articles)
            counts, used = runtime.stories.counts(), int(redis.info("memory")["used_memory"])
            return Memory(counts["articles"], counts["stories"], used - empty, kinds(redis))
    finally:
        server.close()


def _fill(runtime: Runtime, clock: ManualClock, articles: int) -> None:
    span_s = WINDOW_S + STEADY_S
    keep_s = 2 * runtime.settings.retention
    clock.now_s = END_S - span_s
    for poll in range(int(articles * (keep_s - span_s) / WINDOW_S) // POLL):
        remember(runtime, poll, keep_s)
    for poll, reports in enumerate(batches(filling(int(articles * span_s / WINDOW_S), span_s=span_s), POLL)):
        clock.now_s = reports[-1].time
        runtime.ingest.run(poll_feed(runtime, feed_of(poll), reports, keep_s))
        if poll % 20 == 0:
            runtime.ingest.expire(1000)
        if poll % 400 == 0:
            print(f"{poll * POLL:9,} articles", file=sys.stderr, flush=True)


def feed_of(poll: int, feeds: int = FEEDS) -> str:
    """The feed of the n-th poll, by turns."""
    return feed_id(f"https://feed{poll % feeds}.example/rss.xml")


def remember(runtime: Runtime, poll: int, keep_s: float, feeds: int = FEEDS) -> None:
    """Marks of entries that were shown, clustered and ended before the window began."""
    names = [
        Names(f"tag:earlier.example,2026:{poll}.{n}", f"https://earlier.example/{poll}/{n}", "") for n in range(POLL)
    ]
    entries = [
        Entry(key=key, names=name_digests(name), title="", text=name.guid, url=name.link, lang="en")
        for key, name in zip(entry_keys(names), names, strict=True)
    ]
    now = runtime.clock.now()
    made = decide(entries, {}, feed=feed_of(poll, feeds), source="", now=now, keep_s=keep_s, first_fetch=False)
    runtime.outbox.publish(feed_of(poll, feeds), [], made.marks, now)


def poll_feed(runtime: Runtime, feed: str, reports: Sequence[Report], keep_s: float) -> list[Ref]:
    """Publish reports as the entries of a feed."""
    names = [Names(f"tag:{report.source}.example,2026:{report.id}", report.url, report.title) for report in reports]
    entries = [
        Entry(key=key, names=name_digests(name), title=r.title, text=r.text, url=r.url, published=r.time, lang="en")
        for key, name, r in zip(entry_keys(names), names, reports, strict=True)
    ]
    now = runtime.clock.now()
    marks = runtime.outbox.marks(feed)
    made = decide(entries, marks, feed=feed, source="", now=now, keep_s=keep_s, first_fetch=False)
    sources = {report.url: report.source for report in reports}
    articles: list[Article] = [replace(article, source=sources[article.url]) for article in made.articles]
    return runtime.outbox.publish(feed, articles, made.marks, now)


def kinds(redis: Any) -> list[Kind]:
    """Every key of the server, booked on the function that names it; those of nobody as `?`."""
    counts, sizes, patterns = Counter[str](), Counter[str](), _patterns()
    for names in batches(redis.scan_iter(count=_AT_ONCE), _AT_ONCE):
        pipeline = redis.pipeline(transaction=False)
        for name in names:
            pipeline.memory_usage(name, samples=0)
        for name, size in zip(names, pipeline.execute(), strict=True):
            kind = next((kind for kind, pattern in patterns if pattern.fullmatch(name)), "?")
            counts[kind] += 1
            sizes[kind] += size or 0
    return [Kind(kind, counts[kind], size) for kind, size in sizes.most_common()]


def _patterns() -> list[tuple[str, re.Pattern[bytes]]]:
    """For each function of store/keys/ what its keys look like."""
    found = []
    for name, function in vars(keys).items():
        if inspect.isfunction(function) and not name.startswith("_"):
            found.append((name, re.compile(re.sub(rb"\d*<>|<>", b".*", _example(function)), re.DOTALL)))
    return found


_EXAMPLES: dict[object, Any] = {str: "\1", bytes: b"\1", int: 1_000_000_001}


def _example(function: Any) -> bytes:
    """A key with `<>` in place of every argument."""
    arguments = [_EXAMPLES[p.annotation] for p in inspect.signature(function).parameters.values()]
    text: str = re.escape(function(*arguments))
    for argument in (re.escape("\1"), "01", "1000000001"):
        text = text.replace(argument, "<>")
    return text.encode()


def table(memory: Memory) -> str:
    """A Markdown table: bytes an article by kind of key."""
    lines = ["| key | keys | keys an article | bytes an article |", "|---|---|---|---|"]
    lines += [
        f"| {kind.name} | {kind.keys:,} | {kind.keys / memory.articles:.2f} | {kind.bytes / memory.articles:,.0f} |"
        for kind in memory.kinds
        if kind.bytes >= memory.articles
    ]
    booked = sum(kind.bytes for kind in memory.kinds)
    small = sum(kind.bytes for kind in memory.kinds if kind.bytes < memory.articles)
    lines += [
        f"| all others | | | {small / memory.articles:.1f} |",
        f"| the server's tables and buffers | | | {(memory.used - booked) / memory.articles:,.0f} |",
        f"| **used_memory**, {memory.articles:,} articles, {memory.stories:,} stories "
        f"| | | **{memory.used / memory.articles:,.0f}** |",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.memory", description=__doc__)
    parser.add_argument("--articles", type=int, default=ARTICLES, help="about how many are stored")
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()
    memory = measured(options.articles)
    print(table(memory))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(to_builtins(memory), indent=1))


if __name__ == "__main__":
    main()

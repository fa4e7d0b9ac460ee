"""How much of the world's news one shard holds, that is one language: today's volume, ten times and a hundred times it.

    python -m tests.bench.sharding [--articles 1000]

Method: the volume and the share of English stand below, with where they are from. What an article costs under the
lease is counted (workers_alone.py) in a store that is as crowded as that volume makes it, as far as an article can
tell: before each batch, all postings that it reads are filled up to their bound with stories that the store has, and
its bands of copy fingerprints get as many strangers as a week of that volume puts there: they are the one thing that
has no bound. Memory: a week of articles at what tests/bench/memory.py measures of one, the bands' 64 bytes in it. What
becomes of quality is for sharding_density.py.

Invariant: at every volume the same articles are placed in the same order, on as many others.
"""

import argparse
import random
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from tests.bench import newswire
from tests.bench.running import keep, table
from tests.bench.stream import batches
from tests.bench.workers_alone import Cost, measure
from worker.cluster import posting
from worker.fingerprint import fingerprints
from worker.model import Article
from worker.runtime import Runtime
from worker.store import keys

WORLD = 1_000_000
"""Articles a day in all languages: what one commercial crawler says that it indexes (Newscatcher, "more than a
million"); Common Crawl's has 1.35 thousand million of August 2016 to May 2026 (arXiv:2605.18337), 380,000 a day."""
ENGLISH = 0.5
"""The largest language's share: an assumption on the high side, as a smaller one only helps."""
DAYS = 7
"""STORYWIRE_RETENTION's default: so long stories stay after their last article."""
BYTES = 1_800
"""Of the server an article, at a million stored (docs/quality.md)."""
TIMES = (1, 10, 100)
PEAK = 3.0
"""The busiest hour against the mean of a day."""
WARM, ARTICLES = 1_000, 1_000
_BANDS = 1 << 16
_DAY_S = 86_400


class Shard(Struct, frozen=True):
    """The largest language at a multiple of the world's volume; `cost`: an article's under the lease."""

    times: int
    stored: int
    cost: Cost

    @property
    def rate(self) -> float:
        """Articles a second, on the mean of a day."""
        return self.times * WORLD * ENGLISH / _DAY_S

    @property
    def lease(self) -> float:
        """The share of the time in which the lease is held."""
        return self.rate * self.cost.ms / 1000

    @property
    def server(self) -> float:
        """The share of one processor that the server needs for what happens under the lease."""
        return self.rate * self.cost.server_ms / 1000

    @property
    def gigabytes(self) -> float:
        return self.stored * BYTES / 1e9

    @property
    def band_bytes(self) -> float:
        """What an article reads of bands, and writes."""
        return 4 * 16 * self.stored / _BANDS


def measured(articles: Sequence[Article], times: int) -> Shard:
    """The articles after the first WARM, placed in a store as crowded as at so many times the world's volume."""
    stored = round(times * WORLD * ENGLISH * DAYS)
    alone = measure(articles, WARM, before=_crowding(stored) if times else lambda _runtime, _articles: None)
    return Shard(times, stored, alone.shared)


def _crowding(stored: int) -> Callable[[Runtime, Sequence[Article]], None]:
    """Fills what the articles of a job are about to read, as so many stored articles would have."""
    chance = random.Random(7)

    def crowd(runtime: Runtime, articles: Sequence[Article]) -> None:
        redis: Any = runtime.redis
        stories = int(redis.hget(keys.counters("en"), "story"))
        found = [fingerprints(article.title, article.text, article.lang) for article in articles]
        terms = sorted({keys.term("en", term) for prints in found for term in prints.terms})
        bands = sorted({(keys.band("en", *band), band) for prints in found for band in posting.bands(prints.copy)})
        for some in batches(terms, 500):
            full = [_full(known or b"", stories, chance) for known in redis.mget(some)]
            redis.mset(dict(zip(some, full, strict=True)))
        for part in batches(bands, 50):
            known = redis.mget([name for name, _ in part])
            for (name, band), old in zip(part, known, strict=True):
                redis.set(name, _crowded(old or b"", band, stored // _BANDS, chance))

    return crowd


def _full(packed: bytes, stories: int, chance: random.Random) -> bytes:
    """A posting with as many stories as it may have; those that it has are the newest."""
    others = b""
    while len(others) + len(packed) < posting.FULL:
        others = posting.put(others, chance.randint(1, stories), chance.randint(20, 120))
    return others + packed


def _crowded(packed: bytes, band: tuple[int, bytes], entries: int, chance: random.Random) -> bytes:
    """A band with so many fingerprints: strangers' that agree in these 16 bits, and articles that nobody has."""
    index, bits = band
    missing = max(0, entries - len(packed) // 16)
    copies = (bytearray(chance.randbytes(16)) for _ in range(missing))
    strangers = bytearray()
    for copy in copies:
        copy[2 * index : 2 * index + 2] = bits
        strangers += copy
    return bytes(strangers) + packed


def report(shards: Sequence[Shard]) -> None:
    """Print the table and keep the figures."""
    print(f"\nEnglish as {ENGLISH:.0%} of {WORLD:,} articles a day in the world, {DAYS} days kept; counted")
    table(
        (
            "times the world", "a second", "stored", "GB", "bands kB", "worker ms", "server ms", "lease held",
            "at the peak", "server",
        ),
        [
            (
                str(s.times) if s.times else "an empty store", f"{s.rate:.1f}", f"{s.stored:,}", f"{s.gigabytes:,.1f}",
                f"{s.band_bytes / 1000:.1f}", f"{s.cost.worker_ms:.2f}", f"{s.cost.server_ms:.2f}", f"{s.lease:.1%}",
                f"{PEAK * s.lease:.0%}", f"{s.server:.1%}",
            )
            for s in shards
        ],
    )  # fmt: skip
    full = [s for s in shards if s.times]
    print("  (the most that the lease allows: " + ", ".join(_most(s) for s in full) + ")")
    keep("sharding", to_builtins(shards))


def _most(shard: Shard) -> str:
    return f"{1000 / shard.cost.ms:.0f} a second, {_DAY_S / shard.cost.ms / 1000:.1f} million a day at {shard.times}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=ARTICLES)
    parser.add_argument("--times", type=int, nargs="+", default=(0, *TIMES))
    asked = parser.parse_args()
    articles = [replace(a, lang="en") for a in newswire.generated(WARM + asked.articles)]
    report([measured(articles, times) for times in asked.times])


if __name__ == "__main__":
    main()

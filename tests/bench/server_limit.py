"""What the server alone could do: the commands of a real run, sent again as fast as it answers.

    python -m tests.bench.server_limit [--articles 2000] [--workers 2]

Method: a poller's publishing, RQ, and workers that cluster articles of 400 words, on a server with AOF everysec, whose
MONITOR notes every command. Those are sent to a new server in the same order over one connection: one at a time, and a
hundred at a time, where reading and answering are hardly more than the work itself. Measured is its processor time,
which other load on the machine changes little. Scripts are named by the hash of their text.

Left out: what blocks (a BLMOVE goes as LMOVE), the marks of a transaction (its commands are sent), what sets a
connection up, and this benchmark's own questions. Not in it: readers, that is the page and `report --follow`.

Invariant: the second server ends with the same articles, stories and commits as the first, or nothing is reported.
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha1
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from hiredis import Reader, pack_command
from msgspec import Struct, to_builtins
from redis import Redis

from tests.bench import newswire
from tests.bench.running import Pipeline, keep, table
from tests.bench.server_limit_record import Command, recorded, recording
from tests.bench.stream import batches
from tests.bench.worker_path import WARM
from tests.servers import Server
from worker import config, supervisor
from worker.clock import SystemClock
from worker.model import Article
from worker.runtime import open_runtime
from worker.store import keys
from worker.store.scripts import THOUGH_FULL

ARTICLES, WORKERS = 2_000, 2
AT_ONCE = (1, 100)
_MARK = b"from here on"
_CPUCLOCK_SCHED = 2


class Replayed(Struct, frozen=True):
    """What the measured articles' commands cost, so many sent at once: milliseconds an article."""

    at_once: int
    server_ms: float
    wall_ms: float

    @property
    def limit(self) -> float:
        """Articles a second of one processor that does nothing but serve."""
        return 1000 / self.server_ms


class Limit(Struct, frozen=True):
    """Commands and bytes an article, how often each command or script came, its microseconds by the server's own count
    (a script's are with what it calls), and what the replays cost."""

    articles: int
    commands: float
    bytes: float
    calls: dict[str, float]
    usec: dict[str, float]
    replays: list[Replayed]


class _Run(NamedTuple):
    """What a server was asked, before the measured articles and for them, and how its stores ended."""

    before: list[Command]
    measured: list[Command]
    ends: object


def measure(articles: Sequence[Article], warm: int, workers: int = WORKERS) -> Limit:
    """Record a run over the articles after the first `warm`, and replay it."""
    run = _record(articles, warm, workers)
    count, names = len(articles) - warm, _script_names()
    replays, usec = [], dict[str, float]()
    for at_once in AT_ONCE:
        replayed, usec = _replay(run, count, at_once)
        replays.append(replayed)
    return Limit(
        articles=count,
        commands=len(run.measured) / count,
        bytes=sum(len(part) for command in run.measured for part in command) / count,
        calls={name: calls / count for name, calls in Counter(_name(c, names) for c in run.measured).most_common()},
        usec=usec,
        replays=replays,
    )


def _record(articles: Sequence[Article], warm: int, workers: int) -> _Run:
    with tempfile.TemporaryDirectory(prefix="sw-") as folder:
        settings, spool = config.load({}, data_dir=folder), Path(folder) / "monitor"
        with open_runtime(settings, SystemClock()) as runtime, recording(runtime.url, spool):
            with supervisor.workers(settings, runtime.url, workers):
                running = Pipeline(runtime, workers, Path(folder) / "storywire.log")
                running.measure("warm", articles[:warm])
                redis: Any = runtime.redis
                redis.echo(_MARK)
                running.measure("measured", articles[warm:])
            ends = _ends(runtime.redis, articles)
        commands = list(recorded(spool))
    mark = commands.index((b"ECHO", _MARK))
    return _Run(commands[:mark], commands[mark + 1 :], ends)


def _ends(redis: Any, articles: Sequence[Article]) -> object:
    """What tells whether two stores went the same way: each language's commits, stories and articles."""
    languages = sorted({article.lang for article in articles})
    return [(lang, redis.hmget(keys.counters(lang), "seq", "story", "articles")) for lang in languages]


def _replay(run: _Run, count: int, at_once: int) -> tuple[Replayed, dict[str, float]]:
    server = Server("valkey", persistent=True)
    try:
        with Redis.from_url(server.url(0), protocol=2) as redis:
            line = redis.connection_pool.get_connection()  # the pool closes it
            _send(line, run.before, 100)
            redis.config_resetstat()
            clock = ~server.process_id << 3 | _CPUCLOCK_SCHED  # Linux: the clock of another process's processor time
            spent, began = time.clock_gettime(clock), time.perf_counter()
            _send(line, run.measured, at_once)
            wall_s, spent = time.perf_counter() - began, time.clock_gettime(clock) - spent
            stats: Any = redis.info("commandstats")
            _check(redis, run)
    finally:
        server.close()
    usec = {name.removeprefix("cmdstat_"): stat["usec"] / count for name, stat in stats.items()}
    return Replayed(at_once, 1000 * spent / count, 1000 * wall_s / count), usec


def _check(redis: Any, run: _Run) -> None:
    languages = [lang for lang, _ in run.ends]  # type: ignore[attr-defined]
    ends = [(lang, redis.hmget(keys.counters(lang), "seq", "story", "articles")) for lang in languages]
    assert ends == run.ends, f"the replay went another way: {ends} instead of {run.ends}"


def _send(line: Any, commands: Iterable[Command], at_once: int) -> None:
    """Send the commands, so many before their answers are read. An error is an answer as any: those of the run had it
    too, as its end shows."""
    pack: Callable[[Any], bytes] = pack_command  # its types say that all commands have one word
    reader, socket = Reader(), line._sock
    for part in batches(commands, at_once):
        socket.sendall(b"".join([pack(command) for command in part]))
        for _ in part:
            while reader.gets() is False:
                reader.feed(socket.recv(65_536))


def _script_names() -> dict[bytes, str]:
    """The name of each of our scripts by the hash that EVALSHA calls it by."""
    found = {}
    for file in resources.files("worker.store").joinpath("lua").iterdir():
        for head in ("", THOUGH_FULL):
            text = head + file.read_text(encoding="utf-8")
            found[sha1(text.encode(), usedforsecurity=False).hexdigest().encode()] = file.name
    return found


def _name(command: Command, scripts: dict[bytes, str]) -> str:
    if command[0] in (b"EVALSHA", b"EVAL"):
        return scripts.get(command[1], "a script of RQ")
    return command[0].decode()


def report(limit: Limit) -> None:
    """Print the tables and keep the figures."""
    asked = f"{limit.commands:.1f} commands and {limit.bytes / 1000:.1f} kB an article"
    print(f"\nThe server alone, {newswire.WORDS}-word articles: {asked}")
    table(
        ("sent at once", "server ms an article", "articles/s of one processor", "by the clock"),
        [(str(r.at_once), f"{r.server_ms:.3f}", f"{r.limit:,.0f}", f"{1000 / r.wall_ms:,.0f}") for r in limit.replays],
    )
    print("\nCommands an article")
    table(("command", "times"), [(name, f"{times:.2f}") for name, times in _largest(limit.calls)])
    print("\nMicroseconds an article by the server's clock (of a script: with the commands that it calls)")
    table(("command", "us"), [(name, f"{us:.0f}") for name, us in _largest(limit.usec)])
    keep("server_limit", to_builtins(limit))


def _largest(figures: dict[str, float]) -> Iterator[tuple[str, float]]:
    yield from sorted(figures.items(), key=lambda pair: -pair[1])[:12]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=ARTICLES)
    parser.add_argument("--workers", type=int, default=WORKERS)
    asked = parser.parse_args()
    report(measure(newswire.generated(WARM + asked.articles), WARM, asked.workers))


if __name__ == "__main__":
    main()

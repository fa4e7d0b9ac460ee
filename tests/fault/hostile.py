"""Runs hostile inputs through everything, in a process of its own, so that its memory is theirs alone.

`python -m tests.fault.hostile SEED COUNT` on the server of STORYWIRE_REDIS_URL prints one JSON object of what it saw.
Each input: parser -> entries -> outbox -> batch, one commit on the server; now and then a report and an explanation.
Invariant: raises for whatever is not as it has to be, and names the case; what hangs is ended with a traceback.
"""

import faulthandler
import json
import os
import re
import resource
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from itertools import pairwise
from pathlib import Path
from subprocess import PIPE
from time import process_time

import msgspec
import psutil
from msgspec.structs import replace

from tests.fault.mutations import Case, case, marks
from worker.cli.report import show
from worker.cli.screen.explanation import show_explanation
from worker.cli.screen.terminal import Screen, print_json
from worker.clock import SystemClock
from worker.config import load
from worker.contained.serve import LENGTH
from worker.feed.decide import decide
from worker.feed.lines import BadLine, article_of, parse_line
from worker.feed.parse import ParsedFeed
from worker.model import Article, Ref
from worker.poller.parser import Request
from worker.poller.parsers import COMMAND
from worker.report.comparison import compare, stored
from worker.report.explained import comparison_record
from worker.report.listing import Query, listing
from worker.runtime import Runtime, open_runtime

HANG_S = 2.0
"""Processor time that any one step of an input may take."""
_STUCK_S = 60
"""By the wall clock: then it is ended where it stands."""
_PAGE = Query().limit
"""Stories that are shown at once: what a report shows unless told otherwise. A line takes 0.2 ms, hostile or not, so
what takes long is a page of more lines than anybody reads, and no hang."""

_EVERY = 250
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Seen:
    """What came of the inputs."""

    worst_s: dict[str, tuple[float, str]] = field(default_factory=dict)
    states: Counter[str] = field(default_factory=Counter)
    articles: int = 0

    @contextmanager
    def timed(self, step: str, made: str) -> Iterator[None]:
        """A step of an input; fails where it takes too long."""
        began = process_time()
        yield
        self.took(step, process_time() - began, made)

    def took(self, step: str, took: float, made: str) -> None:
        """Note a step's processor time."""
        if took > self.worst_s.get(step, (0.0, ""))[0]:
            self.worst_s[step] = round(took, 3), made
        assert took < HANG_S, f"{step} took {took:.1f} s: {made}"


class Parser:
    """A parser process, as the poller has it."""

    def __init__(self) -> None:
        self._process = psutil.Popen(list(COMMAND), stdin=PIPE, stdout=PIPE)

    def parse(self, body: bytes, content_type: str) -> tuple[ParsedFeed, float]:
        """The parsed feed, and the processor time that it took."""
        before = self._process.cpu_times()
        request = msgspec.msgpack.encode(Request(body, "https://example.org/feed", content_type))
        self._process.stdin.write(LENGTH.pack(len(request)) + request)
        self._process.stdin.flush()
        header = self._process.stdout.read(LENGTH.size)
        assert header, "the parser process has ended"
        answer = self._process.stdout.read(LENGTH.unpack(header)[0])
        after = self._process.cpu_times()
        return msgspec.msgpack.decode(answer, type=ParsedFeed), after.user + after.system - before.user - before.system

    def end(self) -> int:
        """End it; the most memory that it had, in MB."""
        self._process.stdin.close()
        self._process.wait()
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1000


def read(parser: Parser, given: Case, name: str, now: float, seen: Seen) -> list[Article]:
    """The articles of an input."""
    if given.kind == "feed":
        document, took = parser.parse(given.body, given.content_type)
        seen.took("parse", took, f"{name}: {given.made}, {len(given.body)} bytes")
        seen.states[str(document.state)] += 1
        seen.states["cannot be parsed"] += "cannot be parsed" in document.reason
        source = document.title[:80]
        decision = decide(document.entries, {}, feed=name, source=source, now=now, keep_s=1e6, first_fetch=False)
        return decision.articles
    lines = [parse_line(raw) for raw in given.body.split(b"\n")]
    seen.states["refused lines"] += sum(isinstance(line, BadLine) for line in lines)
    found = [article_of(line, now, False) for line in lines if not isinstance(line, BadLine)]
    return list({article.id: article for article in found}.values())


def run(runtime: Runtime, parser: Parser, given: Case, name: str, seen: Seen) -> list[str]:
    """One input through everything; the ids of its articles."""
    made = f"{name}: {given.made}, {len(given.body)} bytes"
    now = runtime.clock.now()
    with seen.timed("read", made):
        articles = read(parser, given, name, now, seen)
    refs = runtime.outbox.publish(name, articles, {}, now)
    seen.articles += len(articles)
    for start in range(0, len(refs), 50):
        with seen.timed("batch", made):
            runtime.ingest.run([Ref(*ref) for ref in refs[start : start + 50]])
    assert runtime.outbox.depth() == 0, f"something waits: {made}"
    assert runtime.quarantine.depth() == 0, f"something is in the quarantine: {made}"
    return [article.id for article in articles]


def printed(show_it: Callable[[], None]) -> str:
    """What is printed."""
    with redirect_stdout(StringIO()) as out:
        show_it()
    return out.getvalue()


def assert_harmless(text: str, what: str, *, printing_json: bool = False) -> None:
    """Nothing that a terminal acts on, but our own colours; JSON is a line of text that can be read."""
    bad = {
        f"U+{ord(c):04X}" for c in set(_STYLE.sub("", text)) - {"\n"} if unicodedata.category(c) in ("Cc", "Cf", "Cs")
    }
    if printing_json:
        bad -= {f"U+{ord(c):04X}" for c in "\u0600\u0601\u06dd\u070f"}  # signs of Arabic that stand in words
        for line in text.splitlines():
            json.loads(line)
    assert not bad, f"{what} shows {sorted(bad)}"


def shown(runtime: Runtime, ids: list[str], seen: Seen) -> None:
    """The report, with members, as a table, in colour and as JSON; an explanation of pairs of articles."""
    for members in (False, True):
        query = Query(since_s=None, limit=10_000, members=members)
        found = listing(runtime.stories, query, runtime.clock.now())
        parts = (found.views[start : start + _PAGE] for start in range(0, max(1, len(found.views)), _PAGE))
        for page in (replace(found, views=views) for views in parts):
            with seen.timed("report", "table"):
                table = printed(lambda page=page, query=query: show(page, query))  # type: ignore[misc]
            assert_harmless(table, "the report")
            text = printed(lambda page=page, query=query: show(page, query, True))  # type: ignore[misc]
            assert_harmless(text, "the report's JSON", printing_json=True)
    for one, other in pairwise(ids):
        result = compare(stored(runtime.stories, one), stored(runtime.stories, other), 0.5)
        for options in ({}, {"force_terminal": True, "width": 60}):
            with seen.timed("explain", f"{one!a} {other!a}"):
                text = printed(lambda options=options, result=result: show_explanation(Screen(**options), result))  # type: ignore[misc]
            assert_harmless(text, "the explanation")
        text = printed(lambda result=result: print_json(comparison_record(result)))  # type: ignore[misc]
        assert_harmless(text, "the explanation's JSON", printing_json=True)


def peak_mb() -> int:
    """The most memory that this process had. What getrusage says begins, on Linux, with what its parent had."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_000_000
    return int(status.read_text().split("VmHWM:")[1].split()[0]) // 1000


def main() -> None:
    """Run the cases of a seed."""
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    seen, ids = Seen(), list[str]()
    parser = Parser()
    with open_runtime(load(os.environ), SystemClock()) as runtime:
        for number in range(count):
            faulthandler.dump_traceback_later(_STUCK_S, exit=True)
            given = marks(1_600_000) if number == 1 else case(seed, number)
            try:
                ids += run(runtime, parser, given, f"hostile-{seed}-{number}", seen)[:3]
            except Exception as error:
                raise AssertionError(f"case({seed}, {number}) [{given.made}]: {error!r}") from error
            if number % _EVERY == _EVERY - 1 or number == count - 1:
                shown(runtime, list(dict.fromkeys(ids))[:20], seen)
                ids.clear()
        stories = runtime.stories.counts()
    told = {
        "cases": count,
        "peak_mb": peak_mb(),
        "parser_peak_mb": parser.end(),
        "worst_s": seen.worst_s,
        "states": seen.states,
    }
    sys.stdout.write(json.dumps(told | {"articles": seen.articles, "stories": stories}) + "\n")


if __name__ == "__main__":
    main()

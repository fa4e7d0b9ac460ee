"""What a worker does with articles whose server is away, on a Cluster: it lets them wait, and goes on with the others.

Invariant: they stay in the outbox, and whatever is remembered here is a hint: what it loses, the sweeper queues again.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import structlog

from worker.batches.telling import SAID_AGAIN_S, Telling
from worker.ingest import BatchResult, Unplaced
from worker.model import Ref
from worker.store.reach import Reach

Run = Callable[[Sequence[Ref]], BatchResult]

_MOST = 10_000
"""Articles that are remembered, to be queued again as soon as their server is back; others take the sweeper's 17 s."""

log = structlog.get_logger()


class Postponed:
    """Runs what can be run, and remembers the rest. `enqueue`: queues articles again."""

    def __init__(self, run: Run, reach: Reach, enqueue: Callable[[Sequence[Ref]], object], telling: Telling) -> None:
        self._run, self._reach, self._enqueue, self._telling = run, reach, enqueue, telling
        self._waiting: dict[Ref, str] = {}
        self._said: dict[tuple[str, str], float] = {}

    def run(self, refs: Sequence[Ref]) -> BatchResult:
        """What became of these without those of languages whose server is away. Raises what the run raises, Unplaced
        too where the servers of some languages answer, but not as they should."""
        started = time.perf_counter()
        try:
            return self._run(refs)
        except Unplaced as error:
            away = {lang: self._reach.without_language(lang) for lang in error.waiting}
            if not all(away.values()):
                self._telling.clustered(error.result, started)
                raise
            for lang, server in away.items():
                self._postpone(error.waiting[lang], lang, server)
            return error.result
        except BaseException as error:
            placed = getattr(error, "placed", None)  # before it; they are in the outbox no more, and not told of again
            if isinstance(placed, BatchResult) and placed.articles:
                self._telling.clustered(placed, started)
            raise

    def postpones(self, ref: Ref, lang: str) -> bool:
        """Whether this one has to wait as the server of its language is away."""
        if server := self._reach.without_language(lang):
            self._postpone([ref], lang, server)
        return bool(server)

    def answering(self, refs: Iterable[Ref]) -> list[Ref]:
        """Those of these, each once, whose outbox is not known to be away; the others wait."""
        here, away = list[Ref](), defaultdict[str, list[Ref]](list)
        for ref in dict.fromkeys(refs):
            if server := self._reach.without_feed(ref.feed):
                away[server].append(ref)
            else:
                here.append(ref)
        for server, waiting in away.items():
            self._postpone(waiting, "", server)
        return here

    def lacks(self, refs: Iterable[Ref]) -> bool:
        """Whether a look at the servers says that the outboxes of some of these are away."""
        return self.looks() and any(self._reach.without_feed(ref.feed) for ref in refs)

    def looks(self) -> bool:
        """Look at the servers; whether some are away."""
        return self._reach.look()

    def turn(self) -> None:
        """Between two jobs: queue again what waits for servers that are back. Raises ServerUnavailable where the
        queue's is away."""
        if not self._waiting:
            return
        self._reach.look()
        back = [ref for ref, lang in self._waiting.items() if not self._server(ref, lang)]
        if back:
            self._enqueue(back)
            languages = sorted({self._waiting.pop(ref) for ref in back} - {""})
            self._said.clear()
            log.info("a server is back", articles=len(back), languages=", ".join(languages))

    def _server(self, ref: Ref, lang: str) -> str:
        return self._reach.without_language(lang) if lang else self._reach.without_feed(ref.feed)

    def _postpone(self, refs: Sequence[Ref], lang: str, server: str) -> None:
        room = _MOST - len(self._waiting)
        self._waiting |= dict.fromkeys([ref for ref in refs if ref not in self._waiting][:room], lang)
        now = time.monotonic()
        if now - self._said.get((lang, server), -SAID_AGAIN_S) >= SAID_AGAIN_S:
            self._said[lang, server] = now
            of = {"language": lang} if lang else {"feed": refs[0].feed}
            log.warning("articles wait", **of, articles=len(refs), trouble=f"they need {server}")

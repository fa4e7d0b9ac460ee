"""What is on show at an instant: each outlet's newest articles, as simulated time runs past.

Invariant: pure but for the instants it is given, which only grow; a page, once shown, is found as long as it is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from worker.demo.newsroom import DAY_S, Newsroom, Published
from worker.demo.outlets import OUTLETS, Outlet

FIRST_BREAK_S = 3.0
"""Real seconds from the start to the first breaking story."""
NEXT_BREAK_S = 30.0
_BREAKS = 3000
_BREAK_SPAN_S = 50.0
"""Real seconds that a breaking story takes to unfold."""
_HISTORY_S = DAY_S / 2
_SHOWN = 25
_KEPT = 200


@dataclass(frozen=True)
class Timetable:
    """Simulated time runs `scale` times as fast as real time from `start_s` on, and as fast before it."""

    start_s: float
    scale: float

    def simulated(self, real_s: float) -> float:
        """The simulated time at a real one."""
        return self.start_s + (real_s - self.start_s) * (self.scale if real_s > self.start_s else 1.0)

    def real(self, simulated_s: float) -> float:
        """The real time that a simulated one is shown as."""
        return self.start_s + (simulated_s - self.start_s) / (self.scale if simulated_s > self.start_s else 1.0)


@dataclass
class Shelf:
    """One outlet's articles, oldest first; `version` and `changed_s` (real time) are those of the last change."""

    outlet: Outlet
    version: int = 0
    changed_s: float = 0.0
    articles: dict[str, Published] = field(default_factory=dict)

    @property
    def newest(self) -> list[Published]:
        """What the feed shows, newest first."""
        return list(self.articles.values())[: -_SHOWN - 1 : -1]

    def put(self, article: Published, at_s: float) -> None:
        """Add an article, or replace it by its revision."""
        self.articles[article.id] = article
        if len(self.articles) > _KEPT:
            del self.articles[next(iter(self.articles))]
        self.version += 1
        self.changed_s = at_s


class Press:
    """The shelves of all outlets. `start_s`: now, in real time; `scale`: simulated seconds a second."""

    def __init__(
        self, seed: int, *, start_s: float, scale: float, site: str, outlets: Sequence[Outlet] = OUTLETS
    ) -> None:
        self.time = Timetable(start_s, scale)
        self.shelves = {outlet.id: Shelf(outlet) for outlet in outlets}
        breaks = [start_s + scale * (FIRST_BREAK_S + NEXT_BREAK_S * nth) for nth in range(_BREAKS)]
        newsroom = Newsroom(
            seed,
            outlets=outlets,
            start_s=start_s - _HISTORY_S,
            breaking=breaks,
            breaking_span_s=_BREAK_SPAN_S * scale,
            site=site,
        )
        self._coming = newsroom.articles()
        self._next = next(self._coming)

    def advance(self, now_s: float) -> None:
        """Publish whatever was due by this real time."""
        until = self.time.simulated(now_s)
        while self._next.updated <= until:
            self.shelves[self._next.outlet].put(self._next, self.time.real(self._next.updated))
            self._next = next(self._coming)

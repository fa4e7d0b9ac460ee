"""What entries need of stories beyond their rows: read from the store once, until a story changes.

Invariant: what is kept is of the very row that is shown; bounded, the longest unasked leave first.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Sequence
from threading import Lock

from worker.report.rows import Row
from worker.store.stories import Stories
from worker.web.out.entries import Facts, facts_of

_MOST = 2_000
"""Stories: some 0.5 KB each, of 20 headlines 5 KB."""


class Reading:
    """Reads facts; any number of threads may ask."""

    def __init__(self, stories: Stories) -> None:
        self._stories, self._lock = stories, Lock()
        self._kept: OrderedDict[str, tuple[Row, Facts]] = OrderedDict()

    def facts(self, rows: Sequence[Row]) -> list[tuple[Row, Facts]]:
        """Those of these stories that have not ended since their rows were made, with their facts. Blocks.

        All that are not kept are read together: each wait for the server is one for a turn among busy threads too.
        """
        found = {row.story: facts for row in rows if (facts := self._known(row))}
        for row, facts in self._read([row for row in rows if row.story not in found]):
            found[row.story] = facts
            self._keep(row, facts)
        return [(row, found[row.story]) for row in rows if row.story in found]

    def _read(self, rows: Sequence[Row]) -> Iterator[tuple[Row, Facts]]:
        of: defaultdict[str, dict[int, Row]] = defaultdict(dict)
        for row in rows:
            of[row.lang][row.number] = row
        for lang, numbered in of.items():
            for story, members in self._stories.whole(lang, list(numbered)):
                if members and story.number in numbered:  # else the row's story was merged into one that it is not
                    yield numbered[story.number], facts_of(story, members)

    def _known(self, row: Row) -> Facts | None:
        with self._lock:
            kept = self._kept.get(row.story)
            if kept is None or kept[0] is not row:
                return None
            self._kept.move_to_end(row.story)
            return kept[1]

    def _keep(self, row: Row, facts: Facts) -> None:
        with self._lock:
            self._kept[row.story] = row, facts
            self._kept.move_to_end(row.story)
            if len(self._kept) > _MOST:
                self._kept.popitem(last=False)

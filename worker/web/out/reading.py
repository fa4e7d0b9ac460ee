"""What entries need of a story beyond its row: read from the store once, until the story changes.

Invariant: what is kept is of the very row that is shown; bounded, the longest unasked leave first.
"""

from collections import OrderedDict
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

    def facts(self, row: Row) -> Facts | None:
        """The facts of a story; None where it has ended since its row was made. Blocks."""
        with self._lock:
            kept = self._kept.get(row.story)
            if kept is not None and kept[0] is row:
                self._kept.move_to_end(row.story)
                return kept[1]
        story = self._stories.find(row.lang, row.number)
        members = self._stories.members(row.lang, story.number) if story else []
        if story is None or not members:
            return None
        facts = facts_of(story, members)
        with self._lock:
            self._kept[row.story] = row, facts
            self._kept.move_to_end(row.story)
            if len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return facts

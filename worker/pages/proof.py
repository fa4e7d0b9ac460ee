"""Whether pages can be read here at all: tried before any is taken from others, who may do better.

Invariant: said once where it is so no more, and once when it is so again.
"""

from collections.abc import Callable
from time import monotonic

import structlog

from worker.errors import Permanent
from worker.pages.extractors import Extractors

_AGAIN_S = 60.0
"""An extractor that does not work is tried again after so long: a package may have been installed."""

log = structlog.get_logger()


class Proof:
    """`broken`: why no page can be read, in words; `try_at`: when that is looked at again, by the monotonic clock;
    `changed` is called whenever it is found to be so, or no more."""

    def __init__(self, extractors: Extractors, changed: Callable[[], None]) -> None:
        self._extractors, self._changed = extractors, changed
        self.broken, self.try_at = "", 0.0

    async def holds(self) -> bool:
        """Whether the extractor works: tried on the first page that is due, and after one that it died of."""
        if self._extractors.proved:
            return True
        broken, self.broken = self.broken, ""
        try:
            await self._extractors.prove()
        except Permanent as error:
            self.broken, self.try_at = str(error), monotonic() + _AGAIN_S
            if not broken:
                log.error("pages cannot be read", trouble=self.broken, lost="nothing: summaries are clustered")
        if broken or self.broken:
            self._changed()
        if broken and not self.broken:
            log.info("pages are read again")
        return not self.broken

    async def holds_again(self) -> bool:
        """The same, of one that was broken: tried no more often than is worth it."""
        return monotonic() >= self.try_at and await self.holds()

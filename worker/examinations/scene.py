"""What an examination looks at, and which processes count in it.

Invariant: holds nothing that was asked of a server.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from worker.names import is_running, parsed, this_host
from worker.runtime import Runtime
from worker.store.feeds import Feed


class Scene(NamedTuple):
    """What is looked at: `host`, whose workers and pollers count, "" for all; `now` in seconds since 1970; `known`: the
    feeds, for who has read them already."""

    runtime: Runtime
    host: str
    now: float
    known: Sequence[Feed] | None = None

    def feeds(self) -> Sequence[Feed]:
        """All feeds."""
        return self.runtime.feeds.all() if self.known is None else self.known

    def alive(self, names: Collection[str]) -> list[str]:
        """Those of the workers or pollers of these names that count.

        A sign of life lasts for 20 s. On an embedded server, whose users are all on one machine, the process is looked
        for as well; elsewhere two containers may share the name of a host, and not the numbers of their processes.
        """
        counted = [name for name in names if not self.host or parsed(name).host == self.host]
        if self.runtime.settings.redis_url:
            return counted
        return [name for name in counted if parsed(name).host != this_host() or is_running(parsed(name).pid)]

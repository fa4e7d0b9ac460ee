"""A connection that knows whether it is in a transaction that a change of what it watches ends (WATCH).

Invariant: it is, from the command WATCH until the one after the answers to MULTI ... EXEC, UNWATCH, or its end.
"""

from enum import Enum
from typing import Any


class _Watch(Enum):
    NONE, BEGUN, ENDING = range(3)


class Watching:
    """In front of redis-py's classes of connections."""

    _watch = _Watch.NONE

    @property
    def watches(self) -> bool:
        return self._watch is not _Watch.NONE

    def send_command(self, *args: Any, **options: Any) -> None:
        if args[0] == "WATCH":
            self._watch = _Watch.BEGUN
        elif args[0] == "UNWATCH" or self._watch is _Watch.ENDING:
            self._watch = _Watch.NONE
        super().send_command(*args, **options)  # type: ignore[misc]

    def pack_commands(self, commands: Any) -> Any:
        """Of a pipeline: one that watches is over with the answers to these, MULTI to EXEC."""
        self._watch = _Watch.ENDING if self._watch is _Watch.BEGUN else _Watch.NONE
        return super().pack_commands(commands)  # type: ignore[misc]

    def disconnect(self, *args: Any, **options: Any) -> None:
        self._watch = _Watch.NONE
        super().disconnect(*args, **options)  # type: ignore[misc]

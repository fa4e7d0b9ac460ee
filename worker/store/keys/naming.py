"""How a key is named: the prefix, the version, and the tag that keeps together what one script touches.

Invariant: nothing else writes the prefix down.
"""

from msgspec import Struct

from worker import model

SCHEMA = model.SCHEMA
"""Version of the layout: part of every key but those of server.py."""


def unversioned(rest: str) -> str:
    """A key that all versions of the layout share."""
    return f"sw:{rest}"


def plain(rest: str) -> str:
    """A key of this version that no script touches together with others."""
    return f"sw:{SCHEMA}:{rest}"


def tagged(tag: str, rest: str) -> str:
    """A key of this version on the shard of a tag: a language's, or the alerts'."""
    return f"sw:{SCHEMA}:{{{tag}}}:{rest}"


def of_feed(feed: str, rest: str) -> str:
    """A key of this version on a feed's shard."""
    return f"sw:{SCHEMA}:{{f.{feed}}}:{rest}"


def of_gate(gate: str, rest: str) -> str:
    """A key of this version on a gate's shard."""
    return f"sw:{SCHEMA}:{{g.{gate}}}:{rest}"


class Layout(Struct, frozen=True):
    """Another version of this layout: where it keeps what this one keeps."""

    version: int

    @property
    def prefix(self) -> str:
        """What all its keys begin with."""
        return f"sw:{self.version}:"

    def was(self, key: str) -> str:
        """The name there of a key of this version."""
        return self.prefix + key.removeprefix(Layout(SCHEMA).prefix)

    def now(self, key: str) -> str:
        """The name here of a key of that version."""
        return Layout(SCHEMA).prefix + key.removeprefix(self.prefix)

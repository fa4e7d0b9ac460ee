"""All versions: what a server has whatever the layout is.

Invariant: these names never change.
"""

from worker.store.keys import naming


def schema() -> str:
    """string, the version of this layout that the processes of this server use, in figures. Lifetime: forever."""
    return naming.unversioned("schema")


def identity() -> str:
    """string, 16 random bytes that name this store: ids of entries in feeds of stories are made of it. Lifetime:
    forever."""
    return naming.unversioned("identity")

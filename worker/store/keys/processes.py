"""Processes: signs of life, and what those that live complain of.

Invariant: each has a TTL of seconds, but for the sets of their names.
"""

from worker.store.keys import naming


def webs() -> str:
    """set of the names of web processes that may be alive. Bound: those that run, and those that ended since the last
    start."""
    return naming.plain("webs")


def web(name: str) -> str:
    """string, a packed Sign of life. Lifetime: a TTL of seconds, renewed."""
    return naming.plain(f"web:{name}")


def pollers() -> str:
    """set of the names of pollers that may be alive. Bound: those that run, and those that ended since the last
    start."""
    return naming.plain("pollers")


def poller(name: str) -> str:
    """string, a packed Sign of life. Lifetime: a TTL of seconds, renewed."""
    return naming.plain(f"poller:{name}")


def readers() -> str:
    """set of the names of processes that may be alive and read pages. Bound: those that run, and those that ended
    since the last start."""
    return naming.plain("readers")


def reader(name: str) -> str:
    """string, a packed Sign of life. Lifetime: a TTL of seconds, renewed."""
    return naming.plain(f"reader:{name}")


def page_readers() -> str:
    """string: processes that read pages live. Lifetime: a TTL of seconds, renewed."""
    return naming.plain("page-readers")


def page_trouble() -> str:
    """string: why a process that lives cannot read pages. Lifetime: a TTL of seconds, renewed."""
    return naming.plain("page-trouble")


def listeners() -> str:
    """string: processes that listen to hubs live. Lifetime: a TTL of seconds, renewed."""
    return naming.plain("listeners")

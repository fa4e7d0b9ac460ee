"""Gates: who asks a host, or what STORYWIRE_GATE says, and who waits to.

Invariant: what is of one gate has its tag.
"""

from worker.store.keys import naming


def gate(gate: str) -> str:
    """hash: `last`, when somebody last began to ask; `next`, the first turn that is free, and `pages`, for a page;
    `closed`, until when nobody may (Retry-After), and `crawl`, no page (Crawl-delay); `hold`, how long a visit takes:
    seconds. Lifetime: a TTL of an hour after the last turn."""
    return naming.of_gate(gate, "gate")


def visitors(gate: str) -> str:
    """zset of the visits there now, by when their place is free again if they died. Bound: STORYWIRE_GATE_PARALLEL.
    Lifetime: a TTL a little longer than a fetch may take."""
    return naming.of_gate(gate, "visitors")


def turns(gate: str) -> str:
    """zset of who waits there (feeds, articles), by their turn. Bound: what is asked for there. Lifetime: until the
    turn is taken, and a day if nobody comes; a TTL of an hour after the last turn."""
    return naming.of_gate(gate, "turns")

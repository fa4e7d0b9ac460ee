"""Alerts: what they have looked through, and what they still have to tell.

Invariant: all of them have one tag.
"""

from worker.store.keys import naming


def alerts() -> str:
    """hash: `position`, the cursor up to which events were looked through; `since:RULE`, since when a rule is there,
    with a hash of what it is about; `lost`, how many dead deliveries were let go of; `gap`, when events were gone
    before they were looked through, and of which languages. Bound: the rules of the file, 200. Lifetime: forever."""
    return naming.tagged("alerts", "state")


def alerts_holder() -> str:
    """string, the process that looks through the events. Lifetime: a TTL of seconds, renewed."""
    return naming.tagged("alerts", "holder")


def alerts_told() -> str:
    """zset of rule and story that were told of (`RULE`, a zero byte, the story's id; a zero byte more where one that it
    took in was told of), by when they were last met. Bound: 100,000, the oldest first. Lifetime: 120 days each."""
    return naming.tagged("alerts", "told")


def alerts_trouble() -> str:
    """string: why a process that serves does not look through the events. Lifetime: a TTL of seconds, renewed."""
    return naming.tagged("alerts", "trouble")


def alerts_queue() -> str:
    """zset of ids of deliveries by when they are due; a leased one stands at the end of its lease. Bound: 10,000.
    Lifetime: until it was taken, or is a day old."""
    return naming.tagged("alerts", "queue")


def alerts_waiting() -> str:
    """hash: id -> packed Delivery, which holds nothing of an article. Bound: 10,000. Lifetime: that of its id in the
    queue."""
    return naming.tagged("alerts", "waiting")


def alerts_dead() -> str:
    """list, newest first, of packed Deliveries that nobody took within a day. Bound: 1,000. Lifetime: until a person
    drops them."""
    return naming.tagged("alerts", "dead")

"""Outbox and quarantine: articles on their way from a feed to the stories.

Invariant: an article's payload stands under one tag, its feed's, from its poll until it is settled.
"""

from worker.store.keys import naming


def outboxes() -> str:
    """zset of feed ids that may have something pending, by when they last got some. Bound: the feeds."""
    return naming.plain("outboxes")


def payloads(feed: str) -> str:
    """hash: article id -> packed Article that waits to be clustered. Removed when it is settled."""
    return naming.of_feed(feed, "payloads")


def pending(feed: str) -> str:
    """zset of article ids by when they were last queued. Removed when they are settled."""
    return naming.of_feed(feed, "pending")


def quarantines() -> str:
    """zset of feed ids that may have something in quarantine, by when they last got some. Bound: the feeds."""
    return naming.plain("quarantines")


def quarantine(feed: str) -> str:
    """hash: article id -> packed Quarantined, the payload in it. Bound: 1,000 a feed, about 10,000 in all.

    Lifetime: until a person retries or drops it, or a newer revision of it is settled.
    """
    return naming.of_feed(feed, "quarantine")


def trials(feed: str) -> str:
    """hash: worker and hash of an article id -> whether, and with which payload, it had that alone. Bound: what workers
    have in hand, and what dead ones had. Lifetime: removed when the article is done; a TTL of a day after the last
    start."""
    return naming.of_feed(feed, "trials")

"""Feeds: when each is polled, what is known of it, and what its hub pushes.

Invariant: what is of one feed alone has its tag; what is asked for of all feeds has none.
"""

from worker.store.keys import naming


def schedule() -> str:
    """zset of feed ids by their next poll; a leased feed stands at the end of its lease. Bound: the feeds."""
    return naming.plain("schedule")


def removed_feeds() -> str:
    """set of feed ids that a person removed: an OPML does not bring them back. Bound: the feeds ever known."""
    return naming.plain("removed-feeds")


def moved_feeds() -> str:
    """hash: the id that an address would have -> the id of the feed that has it, where that is another. Bound: the
    feeds that ever moved. Lifetime: forever."""
    return naming.plain("moved-feeds")


def feed(feed: str) -> str:
    """hash: `address`, a packed Address; `polls`, a packed PollState; `moving`, the ids of the addresses that a move is
    about which has not ended. Lifetime: until the feed is removed."""
    return naming.of_feed(feed, "state")


def fetches(feed: str) -> str:
    """list, newest first, of packed Fetch: its last polls. Bound: 30. Lifetime: until the feed is removed."""
    return naming.of_feed(feed, "fetches")


def seen(feed: str) -> str:
    """hash: entry -> packed Seen. Bound: what the feed shows, and what it showed within twice the
    retention: 10,000 in all, or twice STORYWIRE_MAX_DAILY if that is more, those shown longest ago leaving first.

    Lifetime: the feed's, and a TTL of twice the retention after its removal: added again, its articles go on.
    """
    return naming.of_feed(feed, "seen")


def subscriptions() -> str:
    """zset of feed ids by when their subscription at their hub is to be looked at. Bound: the feeds that have a hub.
    Lifetime: until the feed has none, or is removed."""
    return naming.plain("subscriptions")


def subscription(feed: str) -> str:
    """hash: `sub`, a packed Subscription at the feed's hub; counters of what was pushed. Bound: one a feed. Lifetime:
    until the feed has no hub; a TTL of 60 days after the last question to it."""
    return naming.of_feed(feed, "subscription")


def pushes(feed: str) -> str:
    """hash: hash of a body -> packed Push, `fetch` where the feed is to be fetched besides. Bound: 3 bodies of 5 MB.
    Lifetime: until a poller has published it; a TTL of a day."""
    return naming.of_feed(feed, "pushes")

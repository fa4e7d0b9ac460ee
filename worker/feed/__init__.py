"""Feeds, as pure functions: bytes to entries, entries and seen marks to articles, OPML to addresses and back.

Invariant: nothing here reads a clock, a file, a setting or the net.
"""

from worker.feed.address import feed_id, normal_url, shown_url
from worker.feed.decide import Decision, Seen, decide
from worker.feed.parse import Entry, ParsedFeed, State, parse

__all__ = [
    "Decision",
    "Entry",
    "ParsedFeed",
    "Seen",
    "State",
    "decide",
    "feed_id",
    "normal_url",
    "parse",
    "shown_url",
]
